/* Element by element: exp, log, silu and its like, SwiGLU, rotary embedding, AdamW. */
#include "pool.h"
#include "vec.h"

enum { CHUNK = 4096 };

/* Walks [first, last) chunks of n elements in vectors; V and P are the body for a full vector
 * and for the tail, which goes through zero-filled vectors and so through the same operations. */
#define WALK(BODY)                                                                                 \
    for (int64_t i = first * CHUNK; i < n && i < last * CHUNK; i += LANES) {                       \
        int64_t w = n - i < LANES ? n - i : LANES;                                                 \
        BODY                                                                                       \
    }
#define GET(p) (w == LANES ? load((p) + i) : load_part((p) + i, w))
#define PUT(p, v)                                                                                  \
    do {                                                                                           \
        if (w == LANES)                                                                            \
            store((p) + i, v);                                                                     \
        else                                                                                       \
            store_part((p) + i, v, w);                                                             \
    } while (0)

typedef struct {
    int64_t n;
    const float *a, *b, *c;
    float *x, *y;
} arrays;

INLINE vf tanh16(vf x) { /* (1 - e) / (1 + e), e = exp(-2|x|); near 0 an odd series */
    vf size = (vf)((vi)x & splati(0x7fffffff));
    vf e = exp16(splat(-2.0f) * size);
    vf y = (splat(1.0f) - e) / (splat(1.0f) + e);
    vf z = x * x;
    vf p = fma16(splat(-5.70498872745e-3f), z, splat(2.06390887954e-2f));
    p = fma16(p, z, splat(-5.37397155531e-2f));
    p = fma16(p, z, splat(1.33314422036e-1f));
    p = fma16(p, z, splat(-3.33332819422e-1f));
    vf near = fma16(p * z, size, size);
    y = pick(size < splat(0.625f), near, y);
    return (vf)(((vi)y & splati(0x7fffffff)) | ((vi)x & splati((int32_t)0x80000000)));
}

#define UNARY(NAME, EXPRESSION)                                                                    \
    static void NAME##_part(void *context, int64_t first, int64_t last) {                          \
        arrays *s = context;                                                                       \
        int64_t n = s->n;                                                                          \
        WALK(vf a = GET(s->a); PUT(s->x, (EXPRESSION));)                                           \
    }                                                                                              \
    EXPORT void regrow_##NAME(int64_t n, const float *a, float *x) {                               \
        arrays s = {n, a, 0, 0, x, 0};                                                             \
        regrow_parallel((n + CHUNK - 1) / CHUNK, NAME##_part, &s);                                 \
    }

UNARY(exp, exp16(a))
UNARY(log, log16(a))
UNARY(sqrt, sqrt16(a))
UNARY(rsqrt, splat(1.0f) / sqrt16(a))
UNARY(sigmoid, sigmoid16(a))
UNARY(tanh, tanh16(a))
UNARY(silu, a *sigmoid16(a))

/* d silu / dx = s (1 + x (1 - s)) */
INLINE vf dsilu(vf a, vf s) { return s * fma16(a, splat(1.0f) - s, splat(1.0f)); }

static void silu_backward_part(void *context, int64_t first, int64_t last) {
    arrays *s = context;
    int64_t n = s->n;
    WALK(vf a = GET(s->b); PUT(s->x, GET(s->a) * dsilu(a, sigmoid16(a)));)
}
EXPORT void regrow_silu_backward(int64_t n, const float *dy, const float *a, float *da) {
    arrays s = {n, dy, a, 0, da, 0};
    regrow_parallel((n + CHUNK - 1) / CHUNK, silu_backward_part, &s);
}

/* silu(gate) * up */
static void swiglu_part(void *context, int64_t first, int64_t last) {
    arrays *s = context;
    int64_t n = s->n;
    WALK(vf a = GET(s->a); PUT(s->x, (a * sigmoid16(a)) * GET(s->b));)
}
EXPORT void regrow_swiglu(int64_t n, const float *gate, const float *up, float *y) {
    arrays s = {n, gate, up, 0, y, 0};
    regrow_parallel((n + CHUNK - 1) / CHUNK, swiglu_part, &s);
}

static void swiglu_backward_part(void *context, int64_t first, int64_t last) {
    arrays *t = context;
    int64_t n = t->n;
    WALK(vf dy = GET(t->a); vf a = GET(t->b); vf up = GET(t->c); vf s = sigmoid16(a);
         PUT(t->x, (dy * up) * dsilu(a, s)); PUT(t->y, dy * (a * s));)
}
EXPORT void regrow_swiglu_backward(int64_t n, const float *dy, const float *gate, const float *up,
                                   float *dgate, float *dup) {
    arrays s = {n, dy, gate, up, dgate, dup};
    regrow_parallel((n + CHUNK - 1) / CHUNK, swiglu_backward_part, &s);
}

typedef struct {
    int64_t n;
    float *p, *m, *v;
    const float *g;
    float keep, b1, c1, b2, c2, rate, root, eps;
} adam;

static void adamw_part(void *context, int64_t first, int64_t last) {
    adam *s = context;
    int64_t n = s->n;
    const vf keep = splat(s->keep), b1 = splat(s->b1), c1 = splat(s->c1), b2 = splat(s->b2),
             c2 = splat(s->c2), rate = splat(s->rate), root = splat(s->root), eps = splat(s->eps);
    WALK(vf g = GET(s->g); vf m = fma16(c1, g, b1 * GET(s->m)); vf v = fma16(c2, g * g, b2 * GET(s->v));
         PUT(s->m, m); PUT(s->v, v); vf step = m / (sqrt16(v) * root + eps);
         PUT(s->p, fma16(-rate, step, keep * GET(s->p)));)
}

/* p = (1 - lr wd) p - rate m / (sqrt(v) root + eps), rate = lr / (1 - b1^t), root = 1/sqrt(1 - b2^t);
 * the scalars come as doubles and are rounded once. Loshchilov and Hutter, arXiv 1711.05101. */
EXPORT void regrow_adamw(int64_t n, float *p, const float *g, float *m, float *v, double lr,
                         double b1, double b2, double eps, double decay, int64_t step) {
    double p1 = 1.0, p2 = 1.0, f1 = b1, f2 = b2;
    for (int64_t t = step; t; t >>= 1, f1 *= f1, f2 *= f2)
        if (t & 1) p1 *= f1, p2 *= f2;
    adam s = {n, p, m, v, g, (float)(1.0 - lr * decay), (float)b1, (float)(1.0 - b1), (float)b2,
              (float)(1.0 - b2), (float)(lr / (1.0 - p1)), (float)(1.0 / __builtin_sqrt(1.0 - p2)),
              (float)eps};
    regrow_parallel((n + CHUNK - 1) / CHUNK, adamw_part, &s);
}

typedef struct {
    int64_t length, heads, dim, xb, xt, xh, yb, yt, yh, cb;
    const float *x, *cosine, *sine;
    float *y, sign;
} turn;

static void rope_part(void *context, int64_t first, int64_t last) {
    turn *s = context;
    int64_t half = s->dim / 2;
    const vf sign = splat(s->sign);
    for (int64_t item = first; item < last; item++) {
        int64_t b = item / s->length, t = item % s->length;
        const float *cosine = s->cosine + b * s->cb + t * s->dim, *sine = s->sine + b * s->cb + t * s->dim;
        for (int64_t h = 0; h < s->heads; h++) {
            const float *x = s->x + b * s->xb + t * s->xt + h * s->xh;
            float *y = s->y + b * s->yb + t * s->yt + h * s->yh;
            for (int64_t i = 0; i < half; i += LANES) {
                int64_t w = half - i < LANES ? half - i : LANES;
                vf c = GET(cosine), z = sign * GET(sine), low = GET(x), high = GET(x + half);
                PUT(y, fma16(low, c, -(high * z)));
                PUT(y + half, fma16(high, c, low * z));
            }
        }
    }
}

/* Rotates (x[i], x[i + dim/2]) by the angle of position t (Su et al., arXiv 2104.09864, in the
 * half-split form of transformers); sign -1 turns back, which is the gradient. cosine, sine:
 * (length, dim) per batch stride cb, of which the first dim/2 columns are read. */
EXPORT void regrow_rope(int64_t batch, int64_t length, int64_t heads, int64_t dim, const float *x,
                        int64_t xb, int64_t xt, int64_t xh, float *y, int64_t yb, int64_t yt,
                        int64_t yh, const float *cosine, const float *sine, int64_t cb, double sign) {
    turn s = {length, heads, dim, xb, xt, xh, yb, yt, yh, cb, x, cosine, sine, y, (float)sign};
    regrow_parallel(batch * length, rope_part, &s);
}
