/* Sums of squares that do not depend on order: integers. */
#include "vec.h"

typedef double d8 __attribute__((vector_size(64)));
typedef int64_t l8 __attribute__((vector_size(64)));

/* The largest |x|; NaN if one is NaN. */
EXPORT float regrow_largest(int64_t n, const float *x) {
    vi top = splati(0);
    for (int64_t i = 0; i < n; i += LANES) {
        int64_t w = n - i < LANES ? n - i : LANES;
        vi v = (vi)(w == LANES ? load(x + i) : load_part(x + i, w)) & splati(0x7fffffff);
        vi more = v > top; /* floats without sign compare like integers; NaN is above all */
        top = (more & v) | (~more & top);
    }
    int32_t best = 0;
    for (int i = 0; i < LANES; i++) best = top[i] > best ? top[i] : best;
    float y;
    memcpy(&y, &best, 4);
    return y;
}

/* sum of rint((x factor)^2 2^50) as a 128-bit integer; |x factor| <= 1, factor a power of two. */
EXPORT void regrow_squares(int64_t n, const float *x, double factor, int64_t *high, uint64_t *low) {
    const double magic = 6755399441055744.0; /* 1.5 * 2**52: rounds to an integer in the low bits */
    __int128 total = 0;
    for (int64_t i = 0; i < n;) {
        l8 sum = {0};
        for (int64_t stop = i + 8192 < n ? i + 8192 : n; i < stop; i += 8) {
            int64_t w = n - i < 8 ? n - i : 8;
            f8 v = {0};
            memcpy(&v, x + i, (size_t)w * sizeof(float));
            d8 d = __builtin_convertvector(v, d8) * factor;
            sum += (l8)(__builtin_elementwise_fma(d * d, (d8){} + 0x1p50, (d8){} + magic)) - 0x4338000000000000;
        }
        for (int j = 0; j < 8; j++) total += sum[j];
    }
    *high = (int64_t)(total >> 64);
    *low = (uint64_t)total;
}
