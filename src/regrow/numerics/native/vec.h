/* Sixteen float lanes and the elementary functions over them.
 *
 * All row work of fma32 is defined on vectors of 16 lanes, whatever the machine has: the
 * compiler maps them to one AVX-512 or two AVX2 registers, which cannot change a bit because
 * every operation is a correctly rounded one (+ - * / sqrt, fused multiply-add) per lane.
 */
#ifndef REGROW_VEC_H
#define REGROW_VEC_H

#include <stdint.h>
#include <string.h>

#define LANES 16

typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));
typedef double vd __attribute__((vector_size(128)));
typedef float f8 __attribute__((vector_size(32)));
typedef float f4 __attribute__((vector_size(16)));
typedef float f2 __attribute__((vector_size(8)));

#define INLINE static inline __attribute__((always_inline))
#define EXPORT __attribute__((visibility("default")))

INLINE vf splat(float x) {
    return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}
INLINE vi splati(int32_t x) {
    return (vi){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}
INLINE vf load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

/* The first n lanes from memory, zeros behind. */
INLINE vf load_part(const float *p, int64_t n) {
    vf v = splat(0.0f);
    memcpy(&v, p, (size_t)n * sizeof(float));
    return v;
}
INLINE void store_part(float *p, vf v, int64_t n) { memcpy(p, &v, (size_t)n * sizeof(float)); }

INLINE vf fma16(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
INLINE vf sqrt16(vf a) { return __builtin_elementwise_sqrt(a); }
INLINE vf pick(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
INLINE vf max16(vf a, vf b) { return pick(a > b, a, b); }

/* Lane i + lane i+8, then i+4, i+2, i+1: the fixed tree that ends every row reduction. */
INLINE float sum16(vf v) {
    f8 a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
           __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    f4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
    f2 c = __builtin_shufflevector(b, b, 0, 1) + __builtin_shufflevector(b, b, 2, 3);
    return c[0] + c[1];
}
INLINE float top16(vf v) {
    float top = v[0];
    for (int i = 1; i < LANES; i++) top = v[i] > top ? v[i] : top;
    return top;
}

/* e**x: x = n ln2 + r, degree-6 polynomial (coefficients: Cephes expf), times 2**n.
 * Under 2 ULP. Below -87.3 it is 0 (no subnormal results), above 88.72 infinite. */
INLINE vf exp16(vf x) {
    const vf magic = splat(12582912.0f); /* 1.5 * 2**23: rounds to an integer, kept in the low bits */
    vf safe = pick(x < splat(-88.0f), splat(-88.0f), pick(x > splat(89.0f), splat(89.0f), x));
    vf t = fma16(safe, splat(0x1.715476p+0f), magic);
    vf n = t - magic;
    vf r = fma16(n, splat(-0x1.62e400p-1f), safe);
    r = fma16(n, splat(-0x1.7f7d1cp-20f), r);
    vf p = fma16(splat(1.9875691500e-4f), r, splat(1.3981999507e-3f));
    p = fma16(p, r, splat(8.3334519073e-3f));
    p = fma16(p, r, splat(4.1665795894e-2f));
    p = fma16(p, r, splat(1.6666665459e-1f));
    p = fma16(p, r, splat(5.0000001201e-1f));
    p = fma16(p, r * r, r) + splat(1.0f);
    vf half = (vf)(((vu)t + (vu)splati(126)) << (vu)splati(23)); /* 2**(n-1) */
    vf y = (p * half) * splat(2.0f);
    return pick(x < splat(-87.3f), splat(0.0f), y);
}

/* Natural logarithm (coefficients: Cephes logf); log(0) = -inf, log of negatives NaN. */
INLINE vf log16(vf x) {
    vi tiny = x < splat(0x1p-126f);
    vf scaled = pick(tiny, x * splat(0x1p+25f), x);
    vi bits = (vi)scaled;
    vi e = ((bits >> splati(23)) & splati(255)) - splati(126) - (tiny & splati(25));
    vf m = (vf)((bits & splati(0x007fffff)) | splati(0x3f000000)); /* [1/2, 1) */
    vi low = m < splat(0.707106781186547524f);
    vf f = pick(low, m + m, m) - splat(1.0f);
    vf k = __builtin_convertvector(e + low, vf); /* low is -1 where true */
    vf z = f * f;
    vf p = fma16(splat(7.0376836292e-2f), f, splat(-1.1514610310e-1f));
    p = fma16(p, f, splat(1.1676998740e-1f));
    p = fma16(p, f, splat(-1.2420140846e-1f));
    p = fma16(p, f, splat(1.4249322787e-1f));
    p = fma16(p, f, splat(-1.6668057665e-1f));
    p = fma16(p, f, splat(2.0000714765e-1f));
    p = fma16(p, f, splat(-2.4999993993e-1f));
    p = fma16(p, f, splat(3.3333331174e-1f));
    vf y = (p * f) * z;
    y = fma16(k, splat(-2.12194440e-4f), y);
    y = fma16(splat(-0.5f), z, y);
    y = fma16(k, splat(0.693359375f), f + y);
    const vf inf = splat(__builtin_inff());
    y = pick(x == inf, inf, y);
    y = pick(x == splat(0.0f), -inf, y);
    return pick(x < splat(0.0f), splat(__builtin_nanf("")), pick(x != x, x, y));
}

INLINE vf sigmoid16(vf x) { return splat(1.0f) / (splat(1.0f) + exp16(-x)); }

#endif
