/* Double-precision cos, sin, exp, log for single-precision results: tables and cold paths.
 * The error is far below half an ULP of float, so that the one rounding at the end decides. */
#include <stdint.h>
#include <string.h>

#include "vec.h"

#define FMA __builtin_fma

/* x - n pi/2 in double, |x| < 2**24 */
static double quarter(double x, int64_t *n) {
    double k = __builtin_rint(x * 0x1.45f306dc9c883p-1);
    *n = (int64_t)k;
    double r = FMA(k, -0x1.921fb54442d18p+0, x);
    return FMA(k, -0x1.1a62633145c07p-54, r);
}
static double sine(double r) {
    double z = r * r, p = -7.6471637318198165e-13;
    p = FMA(p, z, 1.6059043836821613e-10);
    p = FMA(p, z, -2.5052108385441720e-08);
    p = FMA(p, z, 2.7557319223985893e-06);
    p = FMA(p, z, -1.9841269841269841e-04);
    p = FMA(p, z, 8.3333333333333333e-03);
    p = FMA(p, z, -1.6666666666666666e-01);
    return FMA(p * z, r, r);
}
static double cosine(double r) {
    double z = r * r, p = 4.7794773323873853e-14;
    p = FMA(p, z, -1.1470745597729725e-11);
    p = FMA(p, z, 2.0876756987868099e-09);
    p = FMA(p, z, -2.7557319223985888e-07);
    p = FMA(p, z, 2.4801587301587302e-05);
    p = FMA(p, z, -1.3888888888888889e-03);
    p = FMA(p, z, 4.1666666666666664e-02);
    p = FMA(p, z, -0.5);
    return FMA(p, z, 1.0);
}
/* 64 zeros, then the first 256 bits of 2/pi behind the point */
static const uint64_t TWO_OVER_PI[] = {
    0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0,
    0xdb6295993c439041, 0xfe5163abdebbc561};

/* x - n pi/2 in double, n modulo 4, for x = mantissa 2^exponent, a mantissa of 24 bits and an exponent
 * of 1 to 104. Payne and Hanek, "Radian reduction for trigonometric functions", 1983: of 2/pi only
 * the bits count whose product with x is neither a whole number of turns nor too small; here 128. */
static double quarter_large(int64_t mantissa, int exponent, int64_t *n) {
    int at = 64 + exponent - 2, word = at / 64, shift = at % 64;
    uint64_t a = TWO_OVER_PI[word], b = TWO_OVER_PI[word + 1], c = TWO_OVER_PI[word + 2];
    if (shift) {
        a = a << shift | b >> (64 - shift);
        b = b << shift | c >> (64 - shift);
    }
    /* x / 2 pi in 2^-128 turns, whole turns dropped; then the nearest quarter and what is left */
    unsigned __int128 turn = ((unsigned __int128)a << 64 | b) * (unsigned __int128)mantissa;
    unsigned __int128 nearest = (turn + ((unsigned __int128)1 << 125)) >> 126;
    turn -= nearest << 126;
    *n = (int64_t)nearest & 3;
    double left = FMA((double)(uint64_t)turn, 0x1p-64, (double)(int64_t)(uint64_t)(turn >> 64));
    return left * (0x1.921fb54442d18p+0 * 0x1p-62);
}
static float turned(double x, int64_t shift) {
    if (!(x < 16777216.0 && x > -16777216.0)) return __builtin_nanf("");
    int64_t n;
    double r = quarter(x, &n);
    n += shift;
    double y = n & 1 ? cosine(r) : sine(r);
    return (float)(n & 2 ? -y : y);
}
static float turned_large(double x, int64_t shift) {
    if (x - x != 0.0) return __builtin_nanf("");
    uint64_t bits;
    memcpy(&bits, &x, 8);
    int64_t n, mantissa = (int64_t)((bits >> 29 & 0x7fffff) | 0x800000); /* x is a float */
    double r = quarter_large(mantissa, (int)(bits >> 52 & 0x7ff) - 1023 - 23, &n);
    if (x < 0.0) r = -r, n = -n;
    n += shift;
    double y = n & 1 ? cosine(r) : sine(r);
    return (float)(n & 2 ? -y : y);
}
/* Two passes, as the compiler makes vectors of the first and the second is hardly ever needed. */
INLINE void turned_all(int64_t n, const float *x, float *y, int64_t shift) {
    int large = 0;
    for (int64_t i = 0; i < n; i++) y[i] = turned(x[i], shift);
    for (int64_t i = 0; i < n; i++) large |= !(x[i] < 16777216.0f && x[i] > -16777216.0f);
    for (int64_t i = 0; large && i < n; i++)
        if (!(x[i] < 16777216.0f && x[i] > -16777216.0f)) y[i] = turned_large(x[i], shift);
}
/* of any float; NaN of an infinity; y is other memory than x */
EXPORT void regrow_sin(int64_t n, const float *x, float *y) { turned_all(n, x, y, 0); }
EXPORT void regrow_cos(int64_t n, const float *x, float *y) { turned_all(n, x, y, 1); }

static double exp64(double x) {
    if (x != x) return x;
    if (x > 709.0) return __builtin_inf();
    if (x < -708.0) return 0.0;
    double k = __builtin_rint(x * 0x1.71547652b82fep+0);
    double r = FMA(k, -0x1.62e42fefa39efp-1, x);
    r = FMA(k, -0x1.abc9e3b39803fp-56, r);
    double p = 1.0 / 479001600.0;
    static const double c[] = {1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
                               1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5,
                               1.0, 1.0};
    for (int i = 0; i < 12; i++) p = FMA(p, r, c[i]);
    uint64_t bits = (uint64_t)((int64_t)k + 1023) << 52;
    double scale;
    memcpy(&scale, &bits, 8);
    return p * scale;
}
/* positive and finite */
static double log64(double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    int64_t e = (int64_t)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull;
    double m;
    memcpy(&m, &bits, 8);
    if (m > 1.4142135623730951) m *= 0.5, e++;
    double s = (m - 1.0) / (m + 1.0), z = s * s, p = 1.0 / 23.0;
    for (int i = 21; i >= 1; i -= 2) p = FMA(p, z, 1.0 / i);
    return FMA((double)e, 0x1.62e42fefa39efp-1, 2.0 * s * p);
}
static float power(double x, double y) {
    if (y == 0.0 || x == 1.0) return 1.0f;
    if (x != x || y != y) return __builtin_nanf("");
    double size = x < 0.0 ? -x : x, whole = __builtin_rint(y);
    int odd = whole == y && y < 9e15 && y > -9e15 && ((int64_t)y & 1);
    if (x < 0.0 && whole != y && size < 3.5e38) return __builtin_nanf("");
    double r;
    if (size == 0.0 || size > 3.5e38)
        r = (size == 0.0) == (y > 0.0) ? 0.0 : __builtin_inf();
    else if (size == 1.0)
        r = 1.0;
    else
        r = exp64(y * log64(size));
    return (float)(odd && __builtin_signbit(x) ? -r : r);
}
/* x ** y where either stands still (stride 0) or walks (stride 1) */
EXPORT void regrow_pow(int64_t n, const float *x, int64_t xs, const float *y, int64_t ys, float *out) {
    for (int64_t i = 0; i < n; i++) out[i] = power(x[i * xs], y[i * ys]);
}
