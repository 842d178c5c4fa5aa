/* A small persistent pool of threads: task(context, first, last) over shares of `count`. */
#ifndef REGROW_POOL_H
#define REGROW_POOL_H

#include <stdint.h>

typedef void (*regrow_task)(void *context, int64_t first, int64_t last);

/* Cut [0, count) into one run of neighbours per thread and wait for all of them. The cut may
 * depend on the number of threads; so may no result: a task must not carry sums across items. */
void regrow_parallel(int64_t count, regrow_task task, void *context);

/* Scratch memory of the calling thread, at least `bytes`, 64-byte aligned, one area per slot. */
enum { SLOT_GEMM, SLOT_A, SLOT_B, SLOT_C, SLOT_D, SLOT_E, SLOTS };
void *regrow_scratch(int slot, int64_t bytes);

#endif
