/* Muon: momentum, orthogonalised by Newton-Schulz (Jordan et al., 2024), with the step matched to
 * AdamW's update size (Liu et al., arXiv 2502.16982). */
#include <stdlib.h>

#include "gemm.h"
#include "pool.h"
#include "vec.h"

/* The upper triangle's blocks computed, the rest mirrored: a[i,k] a[j,k] = a[j,k] a[i,k], so the
 * chain of (i, j) is the chain of (j, i) bit for bit. out = a a^T, (m, m); a: (m, k). */
static void gram(int64_t m, int64_t k, const float *a, float *out) {
    enum { STEP = 48 };
    for (int64_t i = 0; i < m; i += STEP) {
        int64_t rows = m - i < STEP ? m - i : STEP;
        regrow_gemm1(rows, m - i, k, a + i * k, k, 1, a + i * k, 1, k, out + i * m + i, m, 0);
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = i / STEP * STEP + STEP; j < m; j++) out[j * m + i] = out[i * m + j];
}

/* x = the orthogonal factor of x, roughly; x: (m, n), m <= n; room for 2 m m + m n floats. */
static void orthogonalise(int64_t m, int64_t n, float *x, int64_t iterations, float *room) {
    const float A = 3.4445f, B = -4.7750f, C = 2.0315f;
    float *a = room, *b = a + m * m, *y = b + m * m, *from = x, *to = y;
    for (int64_t step = 0; step < iterations; step++) {
        gram(m, n, from, a);
        gram(m, m, a, b); /* a is symmetric: a a = a a^T */
        for (int64_t i = 0; i < m * m; i++) b[i] = __builtin_fmaf(C, b[i], B * a[i]);
        regrow_gemm1(m, n, m, b, m, 1, from, n, 1, to, n, 0);
        for (int64_t i = 0; i < m * n; i++) to[i] = __builtin_fmaf(A, from[i], to[i]);
        float *swap = from;
        from = to;
        to = swap;
    }
    if (from != x) memcpy(x, from, (size_t)(m * n) * sizeof(float));
}

static void turn(int64_t m, int64_t n, const float *x, float *y) { /* y = x^T; x: (m, n) */
    for (int64_t i = 0; i < m; i += 16)
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = i; k < i + 16 && k < m; k++) y[j * m + k] = x[k * n + j];
}

/* x / max(|x|, 1e-7) */
static void normalise(int64_t n, float *x) {
    vf sum = splat(0.0f);
    for (int64_t i = 0; i < n; i += LANES) {
        vf v = n - i < LANES ? load_part(x + i, n - i) : load(x + i);
        sum = fma16(v, v, sum);
    }
    float size = __builtin_sqrtf(sum16(sum)), factor = 1.0f / (size > 1e-7f ? size : 1e-7f);
    for (int64_t i = 0; i < n; i++) x[i] *= factor;
}

EXPORT void regrow_orthogonalise(int64_t m, int64_t n, const float *x, float *y, int64_t iterations) {
    int64_t low = m < n ? m : n, high = m < n ? n : m;
    float *room = regrow_scratch(SLOT_C, (2 * low * low + 2 * low * high) * (int64_t)sizeof(float));
    float *work = room + 2 * low * low + low * high;
    if (m > n)
        turn(m, n, x, work);
    else
        memcpy(work, x, (size_t)(m * n) * sizeof(float));
    normalise(m * n, work);
    orthogonalise(low, high, work, iterations, room);
    if (m > n)
        turn(n, m, work, y);
    else
        memcpy(y, work, (size_t)(m * n) * sizeof(float));
}

/* momentum = mu momentum + (1 - mu) g; update = orthogonalise(mu momentum + (1 - mu) g);
 * p = (1 - lr wd) p - lr 0.2 sqrt(max(m, n)) update. */
EXPORT void regrow_muon(int64_t m, int64_t n, float *p, const float *g, float *momentum, double lr,
                        double mu, double decay, int64_t iterations) {
    float *u = regrow_scratch(SLOT_D, m * n * (int64_t)sizeof(float));
    float *update = regrow_scratch(SLOT_E, m * n * (int64_t)sizeof(float));
    const float keep = (float)mu, take = (float)(1.0 - mu), hold = (float)(1.0 - lr * decay),
                rate = (float)(lr * 0.2 * __builtin_sqrt((double)(m > n ? m : n)));
    for (int64_t i = 0; i < m * n; i++) {
        float v = __builtin_fmaf(take, g[i], keep * momentum[i]);
        momentum[i] = v;
        u[i] = __builtin_fmaf(keep, v, take * g[i]);
    }
    regrow_orthogonalise(m, n, u, update, iterations);
    for (int64_t i = 0; i < m * n; i++) p[i] = __builtin_fmaf(-rate, update[i], hold * p[i]);
}
