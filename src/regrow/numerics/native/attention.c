/* Softmax attention over one run of keys per query: causal, windowed, by document or padded.
 *
 * Query t of batch b sees keys start[b, t] <= j < stop[b, t]. Per head:
 *   s[j] = scale * chain(k[j] . q)          e[j] = exp(s[j] - max s), 0 outside the run
 *   out  = chain over j of e[j] v[j]  /  chain over j of e[j]
 * Chains ascend over the keys, so keys outside the run add an exact zero: blocks, cache widths
 * and padding cannot be seen in the result. Scores are kept transposed (keys x 32 queries), so
 * that every step of the softmax runs down lanes; blocks of keys that no query sees are skipped.
 */
#include "gemm.h"
#include "pool.h"
#include "vec.h"

enum { Q = 32, MANY = 8 };

typedef struct {
    int64_t batch, heads, group, tq, tk, dim;
    const float *q, *k, *v, *o, *dout;
    int64_t qb, qh, qt, kb, kh, kt, vb, vh, vt, rb;
    const int32_t *start, *stop;
    float scale;
    float *out, *top, *inverse, *dq, *dk, *dv;
} attention;

typedef struct {
    int64_t first, count, low, high; /* queries; keys that any of them sees */
    vi start[2], stop[2];
} block;

static block cut(const attention *s, int64_t b, int64_t first) {
    block x = {first, s->tq - first < Q ? s->tq - first : Q, s->tk, 0, {{0}}, {{0}}};
    const int32_t *start = s->start + b * s->rb + first, *stop = s->stop + b * s->rb + first;
    for (int64_t i = 0; i < x.count; i++) {
        x.start[i / LANES][i % LANES] = start[i];
        x.stop[i / LANES][i % LANES] = stop[i];
        if (start[i] >= stop[i]) continue;
        if (start[i] < x.low) x.low = start[i];
        if (stop[i] > x.high) x.high = stop[i];
    }
    if (x.high < x.low) x.low = x.high = 0;
    return x;
}

/* rows x queries of the transposed product of a and b over dim, queries padded to Q by zeros */
static void scores(const attention *s, const block *x, const float *a, int64_t at, const float *b,
                   int64_t bt, float *out) {
    if (x->count < Q)
        memset(out, 0, (size_t)((x->high - x->low) * Q) * sizeof(float));
    regrow_gemm1(x->high - x->low, x->count, s->dim, a + x->low * at, at, 1, b + x->first * bt, 1,
                 bt, out, Q, 0);
}

INLINE vi seen(const block *x, int half, int64_t key) {
    vi j = splati((int32_t)key);
    return (j >= x->start[half]) & (j < x->stop[half]);
}

static void few(const attention *s, int64_t b, int64_t h) { /* decoding: keys down the lanes */
    const float *k = s->k + b * s->kb + h / s->group * s->kh, *v = s->v + b * s->vb + h / s->group * s->vh;
    float *e = regrow_scratch(SLOT_A, (s->tk + LANES) * (int64_t)sizeof(float));
    for (int64_t t = 0; t < s->tq; t++) {
        int64_t low = s->start[b * s->rb + t], high = s->stop[b * s->rb + t], n = high - low;
        float *out = s->out + ((b * s->tq + t) * s->heads + h) * s->dim;
        int64_t row = (b * s->heads + h) * s->tq + t;
        if (n <= 0) {
            memset(out, 0, (size_t)s->dim * sizeof(float));
            s->top[row] = s->inverse[row] = 0.0f;
            continue;
        }
        regrow_gemm1(1, n, s->dim, s->q + b * s->qb + h * s->qh + t * s->qt, s->dim, 1, k + low * s->kt,
                     1, s->kt, e, n, 0);
        vf top = splat(-__builtin_inff());
        for (int64_t i = 0; i < n; i += LANES) {
            int64_t w = n - i < LANES ? n - i : LANES;
            vf x = load(e + i) * splat(s->scale);
            for (int j = (int)w; j < LANES; j++) x[j] = -__builtin_inff();
            store(e + i, x);
            top = max16(x, top);
        }
        float most = top16(top), sum = 0.0f;
        for (int64_t i = 0; i < n; i += LANES) store(e + i, exp16(load(e + i) - splat(most)));
        for (int64_t i = 0; i < n; i++) sum += e[i];
        regrow_gemm1(1, s->dim, n, e, n, 1, v + low * s->vt, s->vt, 1, out, s->dim, 0);
        float inverse = 1.0f / sum;
        for (int64_t i = 0; i < s->dim; i++) out[i] *= inverse;
        s->top[row] = most;
        s->inverse[row] = inverse;
    }
}

static void forward_part(void *context, int64_t first, int64_t last) {
    attention *s = context;
    int64_t blocks = (s->tq + Q - 1) / Q;
    if (s->tq <= MANY) {
        for (int64_t item = first; item < last; item++) few(s, item / s->heads, item % s->heads);
        return;
    }
    float *e = regrow_scratch(SLOT_A, s->tk * Q * (int64_t)sizeof(float));
    for (int64_t item = first; item < last; item++) {
        int64_t head = item / blocks, b = head / s->heads, h = head % s->heads;
        block x = cut(s, b, item % blocks * Q);
        const float *k = s->k + b * s->kb + h / s->group * s->kh,
                    *v = s->v + b * s->vb + h / s->group * s->vh;
        scores(s, &x, k, s->kt, s->q + b * s->qb + h * s->qh, s->qt, e);
        vf inverse[2];
        for (int half = 0; half < 2; half++) {
            float *p = e + half * LANES;
            const vf scale = splat(s->scale), none = splat(-__builtin_inff());
            vf top = none, sum = splat(0.0f);
            for (int64_t j = x.low; j < x.high; j++, p += Q) {
                vf y = pick(seen(&x, half, j), load(p) * scale, none);
                store(p, y);
                top = max16(y, top);
            }
            top = pick(top == none, splat(0.0f), top); /* a query that sees nothing */
            p = e + half * LANES;
            for (int64_t j = x.low; j < x.high; j++, p += Q) {
                vf y = exp16(load(p) - top);
                store(p, y);
                sum = sum + y;
            }
            inverse[half] = pick(sum == splat(0.0f), sum, splat(1.0f) / sum);
            int64_t row = head * s->tq + x.first + half * LANES, w = x.count - half * LANES;
            if (w > 0) {
                w = w < LANES ? w : LANES;
                store_part(s->top + row, top, w);
                store_part(s->inverse + row, inverse[half], w);
            }
        }
        float *out = s->out + ((b * s->tq + x.first) * s->heads + h) * s->dim;
        int64_t step = s->heads * s->dim;
        regrow_gemm1(x.count, s->dim, x.high - x.low, e, 1, Q, v + x.low * s->vt, s->vt, 1, out, step, 0);
        for (int64_t t = 0; t < x.count; t++) {
            float factor = inverse[t / LANES][t % LANES];
            for (int64_t i = 0; i < s->dim; i++) out[t * step + i] *= factor;
        }
    }
}

/* q: (batch, heads, tq, dim), k, v: (batch, heads / group, tk, dim), by strides, unit last;
 * start, stop: (batch or 1, tq); out: (batch, tq, heads, dim); top, inverse: (batch, heads, tq). */
EXPORT void regrow_attention(int64_t batch, int64_t heads, int64_t group, int64_t tq, int64_t tk,
                             int64_t dim, const float *q, const int64_t *qs, const float *k,
                             const int64_t *ks, const float *v, const int64_t *vs,
                             const int32_t *start, const int32_t *stop, int64_t rb, double scale,
                             float *out, float *top, float *inverse) {
    attention s = {batch, heads, group, tq, tk, dim, q, k, v, 0, 0, qs[0], qs[1], qs[2], ks[0], ks[1],
                   ks[2], vs[0], vs[1], vs[2], rb, start, stop, (float)scale, out, top, inverse, 0, 0, 0};
    int64_t blocks = tq <= MANY ? 1 : (tq + Q - 1) / Q;
    regrow_parallel(batch * heads * blocks, forward_part, &s);
}

/* With p = e / sum: dv[j] = chain over queries of p dout, dp = chain over dim of v[j] dout,
 * ds = p (dp - chain over dim of dout out) scale, dq = chain over keys of ds k,
 * dk[j] = chain over heads of the group, then queries, of ds q. */
static void backward_part(void *context, int64_t first, int64_t last) {
    attention *s = context;
    int64_t kvheads = s->heads / s->group, step = s->heads * s->dim;
    float *p = regrow_scratch(SLOT_A, s->tk * Q * (int64_t)sizeof(float));
    float *d = regrow_scratch(SLOT_B, s->tk * Q * (int64_t)sizeof(float));
    for (int64_t item = first; item < last; item++) {
        int64_t b = item / kvheads, g = item % kvheads;
        const float *k = s->k + b * s->kb + g * s->kh, *v = s->v + b * s->vb + g * s->vh;
        int64_t across = kvheads * s->dim;
        float *dk = s->dk + (b * s->tk * kvheads + g) * s->dim,
              *dv = s->dv + (b * s->tk * kvheads + g) * s->dim;
        for (int64_t j = 0; j < s->tk; j++) {
            memset(dk + j * across, 0, (size_t)s->dim * sizeof(float));
            memset(dv + j * across, 0, (size_t)s->dim * sizeof(float));
        }
        for (int64_t h = g * s->group; h < (g + 1) * s->group; h++) {
            const float *q = s->q + b * s->qb + h * s->qh;
            const float *o = s->o + b * s->tq * step + h * s->dim;
            const float *dout = s->dout + b * s->tq * step + h * s->dim;
            for (int64_t begin = 0; begin < s->tq; begin += Q) {
                block x = cut(s, b, begin);
                int64_t n = x.high - x.low;
                scores(s, &x, k, s->kt, q, s->qt, p);
                scores(s, &x, v, s->vt, dout, step, d);
                for (int half = 0; half * LANES < x.count; half++) {
                    int64_t row = (b * s->heads + h) * s->tq + x.first + half * LANES;
                    int64_t w = x.count - half * LANES < LANES ? x.count - half * LANES : LANES;
                    const vf top = load_part(s->top + row, w), inverse = load_part(s->inverse + row, w);
                    const vf scale = splat(s->scale);
                    vf delta = splat(0.0f);
                    for (int64_t t = 0; t < w; t++) {
                        const float *y = o + (x.first + half * LANES + t) * step,
                                    *dy = dout + (x.first + half * LANES + t) * step;
                        float sum = 0.0f;
                        for (int64_t i = 0; i < s->dim; i++) sum = __builtin_fmaf(y[i], dy[i], sum);
                        delta[t] = sum;
                    }
                    float *pp = p + half * LANES, *dd = d + half * LANES;
                    for (int64_t j = x.low; j < x.high; j++, pp += Q, dd += Q) {
                        vf e = exp16(load(pp) * scale - top) * inverse;
                        e = pick(seen(&x, half, j), e, splat(0.0f));
                        store(pp, e);
                        store(dd, (e * (load(dd) - delta)) * scale);
                    }
                }
                regrow_gemm1(x.count, s->dim, n, d, 1, Q, k + x.low * s->kt, s->kt, 1,
                             s->dq + (b * s->tq + x.first) * step + h * s->dim, step, 0);
                regrow_gemm1(n, s->dim, x.count, d, Q, 1, q + x.first * s->qt, s->qt, 1,
                             dk + x.low * across, across, 1);
                regrow_gemm1(n, s->dim, x.count, p, Q, 1, dout + x.first * step, step, 1,
                             dv + x.low * across, across, 1);
            }
        }
    }
}

/* out, dout, dq: (batch, tq, heads, dim); dk, dv: (batch, tk, heads / group, dim). */
EXPORT void regrow_attention_backward(int64_t batch, int64_t heads, int64_t group, int64_t tq,
                                      int64_t tk, int64_t dim, const float *q, const int64_t *qs,
                                      const float *k, const int64_t *ks, const float *v,
                                      const int64_t *vs, const int32_t *start, const int32_t *stop,
                                      int64_t rb, double scale, const float *out, const float *dout,
                                      float *top, float *inverse, float *dq, float *dk, float *dv) {
    attention s = {batch, heads, group, tq, tk, dim, q, k, v, out, dout, qs[0], qs[1], qs[2], ks[0],
                   ks[1], ks[2], vs[0], vs[1], vs[2], rb, start, stop, (float)scale, 0, top, inverse,
                   dq, dk, dv};
    regrow_parallel(batch * (heads / group), backward_part, &s);
}
