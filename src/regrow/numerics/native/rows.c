/* Row by row: sums, softmax, RMSNorm, cross-entropy, and the embedding's gradient.
 * A sum over a row is 16 partial sums (lane j takes elements j, j + 16, ...), then a fixed tree. */
#include "pool.h"
#include "vec.h"

#define GET(p) (w == LANES ? load((p) + i) : load_part((p) + i, w))
#define PUT(p, v)                                                                                  \
    do {                                                                                           \
        if (w == LANES)                                                                            \
            store((p) + i, v);                                                                     \
        else                                                                                       \
            store_part((p) + i, v, w);                                                             \
    } while (0)
#define COLUMNS(BODY)                                                                              \
    for (int64_t i = 0; i < n; i += LANES) {                                                       \
        int64_t w = n - i < LANES ? n - i : LANES;                                                 \
        BODY                                                                                       \
    }

typedef struct {
    int64_t rows, n, count;
    const float *a, *b, *c;
    float *x, *y, *z;
    const int64_t *labels;
    int64_t ignore;
    float scale, zscale;
} table;

static void sum_part(void *context, int64_t first, int64_t last) {
    table *s = context;
    int64_t n = s->n;
    for (int64_t r = first; r < last; r++) {
        const float *a = s->a + r * n;
        vf sum = splat(0.0f);
        COLUMNS(sum = sum + GET(a);)
        s->x[r] = sum16(sum);
    }
}
EXPORT void regrow_sum(int64_t rows, int64_t n, const float *a, float *x) {
    table s = {.rows = rows, .n = n, .a = a, .x = x};
    regrow_parallel(rows, sum_part, &s);
}

INLINE vf below(vf v, int64_t w) { /* lanes from w on become -inf */
    if (w < LANES)
        for (int i = (int)w; i < LANES; i++) v[i] = -__builtin_inff();
    return v;
}
INLINE float row_top(const float *a, int64_t n) {
    vf top = splat(-__builtin_inff());
    COLUMNS(top = max16(below(GET(a), w), top);)
    return top16(top);
}

/* exp(a - max) / sum, or with `logs` (a - max) - log(sum) */
typedef struct {
    table t;
    int logs;
} softmax;
static void softmax_part(void *context, int64_t first, int64_t last) {
    softmax *o = context;
    table *s = &o->t;
    int64_t n = s->n;
    for (int64_t r = first; r < last; r++) {
        const float *a = s->a + r * n;
        float *x = s->x + r * n;
        const vf top = splat(row_top(a, n));
        vf sum = splat(0.0f);
        COLUMNS(vf e = exp16(below(GET(a), w) - top); sum = sum + e; if (!o->logs) PUT(x, e);)
        float total = sum16(sum);
        if (o->logs) {
            const vf log = splat(log16(splat(total))[0]);
            COLUMNS(PUT(x, (GET(a) - top) - log);)
        } else {
            COLUMNS(PUT(x, GET(x) / splat(total));)
        }
    }
}
EXPORT void regrow_softmax(int64_t rows, int64_t n, const float *a, float *x, int logs) {
    softmax s = {{.rows = rows, .n = n, .a = a, .x = x}, logs};
    regrow_parallel(rows, softmax_part, &s);
}

/* y (dy - sum(dy y)), or with `logs` dy - exp(y) sum(dy) */
static void softmax_backward_part(void *context, int64_t first, int64_t last) {
    softmax *o = context;
    table *s = &o->t;
    int64_t n = s->n;
    for (int64_t r = first; r < last; r++) {
        const float *dy = s->a + r * n, *y = s->b + r * n;
        float *x = s->x + r * n;
        vf sum = splat(0.0f);
        if (o->logs) {
            COLUMNS(sum = sum + GET(dy);)
            const vf total = splat(-sum16(sum));
            COLUMNS(PUT(x, fma16(exp16(GET(y)), total, GET(dy)));)
        } else {
            COLUMNS(sum = fma16(GET(dy), GET(y), sum);)
            const vf total = splat(sum16(sum));
            COLUMNS(PUT(x, GET(y) * (GET(dy) - total));)
        }
    }
}
EXPORT void regrow_softmax_backward(int64_t rows, int64_t n, const float *dy, const float *y,
                                    float *dx, int logs) {
    softmax s = {{.rows = rows, .n = n, .a = dy, .b = y, .x = dx}, logs};
    regrow_parallel(rows, softmax_backward_part, &s);
}

/* y = weight (x r) [+ residual], r = 1 / sqrt(mean(x^2) + eps); Zhang and Sennrich, arXiv 1910.07467 */
static void norm_part(void *context, int64_t first, int64_t last) {
    table *s = context;
    int64_t n = s->n;
    for (int64_t q = first; q < last; q++) {
        const float *a = s->a + q * n, *residual = s->c ? s->c + q * n : 0;
        float *x = s->x + q * n;
        vf sum = splat(0.0f);
        COLUMNS(vf v = GET(a); sum = fma16(v, v, sum);)
        float r = 1.0f / __builtin_sqrtf(sum16(sum) / (float)n + s->scale);
        s->y[q] = r;
        if (residual) {
            COLUMNS(PUT(x, GET(s->b) * (GET(a) * splat(r)) + GET(residual));)
        } else {
            COLUMNS(PUT(x, GET(s->b) * (GET(a) * splat(r)));)
        }
    }
}
EXPORT void regrow_norm(int64_t rows, int64_t n, const float *x, const float *weight,
                        const float *residual, double eps, float *y, float *r) {
    table s = {.rows = rows, .n = n, .a = x, .b = weight, .c = residual, .x = y, .y = r, .scale = (float)eps};
    regrow_parallel(rows, norm_part, &s);
}

/* dx = r (dy w - g sum(dy w g) / n) with g = x r */
static void norm_dx(void *context, int64_t first, int64_t last) {
    table *s = context;
    int64_t n = s->n;
    for (int64_t q = first; q < last; q++) {
        const float *dy = s->a + q * n, *a = s->b + q * n;
        float *x = s->x + q * n;
        const vf r = splat(s->z[q]);
        vf sum = splat(0.0f);
        COLUMNS(sum = fma16(GET(dy) * GET(s->c), GET(a) * r, sum);)
        const vf mean = splat(-(sum16(sum) / (float)n));
        COLUMNS(PUT(x, r * fma16(GET(a) * r, mean, GET(dy) * GET(s->c)));)
    }
}
/* dw[j] = chain over rows of dy g; `first` and `last` count vectors of columns */
static void norm_dw(void *context, int64_t first, int64_t last) {
    table *s = context;
    int64_t n = s->n, stop = last * LANES < n ? last * LANES : n;
    for (int64_t q = 0; q < s->rows; q++) {
        const float *dy = s->a + q * n, *a = s->b + q * n;
        const vf r = splat(s->z[q]);
        for (int64_t i = first * LANES; i < stop; i += LANES) {
            int64_t w = n - i < LANES ? n - i : LANES;
            PUT(s->y, fma16(GET(dy), GET(a) * r, q ? GET(s->y) : splat(0.0f)));
        }
    }
}
EXPORT void regrow_norm_backward(int64_t rows, int64_t n, const float *dy, const float *x,
                                 const float *weight, float *r, float *dx, float *dw) {
    table s = {.rows = rows, .n = n, .a = dy, .b = x, .c = weight, .x = dx, .y = dw, .z = r};
    if (dx) regrow_parallel(rows, norm_dx, &s);
    if (dw && !rows) memset(dw, 0, (size_t)n * sizeof(float));
    if (dw) regrow_parallel((n + LANES - 1) / LANES, norm_dw, &s);
}

/* Per row: x = cross-entropy lse - a[label] (0 where ignored), y = lse = max + log(sum exp(a - max)),
 * and where z is given d/da of scale * (ce + zscale lse^2):
 * scale ((1 + 2 zscale lse) softmax(a) - [label]). */
static void entropy_part(void *context, int64_t first, int64_t last) {
    table *s = context;
    int64_t n = s->n;
    for (int64_t r = first; r < last; r++) {
        const float *a = s->a + r * n;
        float *z = s->z ? s->z + r * n : 0;
        int64_t label = s->labels[r];
        if (label == s->ignore) {
            s->x[r] = s->y[r] = 0.0f;
            if (z) memset(z, 0, (size_t)n * sizeof(float));
            continue;
        }
        float top = row_top(a, n);
        vf sum = splat(0.0f);
        if (z) {
            COLUMNS(vf e = exp16(below(GET(a), w) - splat(top)); sum = sum + e; PUT(z, e);)
        } else {
            COLUMNS(sum = sum + exp16(below(GET(a), w) - splat(top));)
        }
        float total = sum16(sum), lse = top + log16(splat(total))[0];
        s->x[r] = lse - a[label];
        s->y[r] = lse;
        if (!z) continue;
        const vf factor = splat((s->scale * (1.0f + (2.0f * s->zscale) * lse)) / total);
        COLUMNS(PUT(z, GET(z) * factor);)
        z[label] -= s->scale;
    }
}
EXPORT void regrow_entropy(int64_t rows, int64_t n, const float *logits, const int64_t *labels,
                           int64_t ignore, double scale, double zscale, float *ce, float *lse,
                           float *gradient) {
    table s = {.rows = rows, .n = n, .a = logits, .x = ce, .y = lse, .z = gradient,
               .labels = labels, .ignore = ignore, .scale = (float)scale, .zscale = (float)zscale};
    regrow_parallel(rows, entropy_part, &s);
}

/* Sums in row order, in double: of a, and of a^2 (exact products). */
EXPORT void regrow_total(int64_t n, const float *a, double *sum, double *squares) {
    double x = 0.0, y = 0.0;
    for (int64_t i = 0; i < n; i++) x += a[i], y += (double)a[i] * (double)a[i];
    *sum = x;
    *squares = y;
}

/* d logits of weights[r] * log p(label): weights[r] ([label] - softmax(a)) */
static void picked_part(void *context, int64_t first, int64_t last) {
    table *s = context;
    int64_t n = s->n;
    for (int64_t r = first; r < last; r++) {
        const float *a = s->a + r * n;
        float *z = s->z + r * n, weight = s->c[r];
        if (s->labels[r] == s->ignore) {
            memset(z, 0, (size_t)n * sizeof(float));
            continue;
        }
        COLUMNS(PUT(z, splat(-weight) * exp16(GET(a) - splat(s->b[r])));)
        z[s->labels[r]] += weight;
    }
}
EXPORT void regrow_picked_backward(int64_t rows, int64_t n, const float *logits, const float *lse,
                                   const float *weights, const int64_t *labels, int64_t ignore,
                                   float *gradient) {
    table s = {.rows = rows, .n = n, .a = logits, .b = lse, .c = weights, .z = gradient,
               .labels = labels, .ignore = ignore};
    regrow_parallel(rows, picked_part, &s);
}

/* dw[ids[r]] += dy[r] for r = 0, 1, ...; threads take columns. dw must be zero (or hold a sum).
 * Ids that are no row of dw are passed over, as torch does. */
static void embed_part(void *context, int64_t first, int64_t last) {
    table *s = context;
    int64_t n = s->n, stop = last * LANES < n ? last * LANES : n;
    for (int64_t r = 0; r < s->rows; r++) {
        int64_t id = s->labels[r];
        if (id == s->ignore || id < 0 || id >= s->count) continue;
        const float *dy = s->a + r * n;
        float *x = s->x + id * n;
        for (int64_t i = first * LANES; i < stop; i += LANES) {
            int64_t w = n - i < LANES ? n - i : LANES;
            PUT(x, GET(x) + GET(dy));
        }
    }
}
EXPORT void regrow_embedding_backward(int64_t rows, int64_t n, int64_t count, const float *dy,
                                      const int64_t *ids, int64_t ignore, float *dw) {
    table s = {.rows = rows, .n = n, .count = count, .a = dy, .x = dw, .labels = ids, .ignore = ignore};
    regrow_parallel((n + LANES - 1) / LANES, embed_part, &s);
}
