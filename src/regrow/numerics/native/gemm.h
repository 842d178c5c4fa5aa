/* C = A B, every element one chain of fused multiply-adds over k = 0, 1, ... from +0
 * (or, with `chain`, from what C already holds). Strides are in floats; C has unit columns. */
#ifndef REGROW_GEMM_H
#define REGROW_GEMM_H

#include <stdint.h>

void regrow_gemm1(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col,
                  const float *b, int64_t b_row, int64_t b_col, float *c, int64_t c_row, int chain);

#endif
