/* Generation: the forward pass of tokens that stand anywhere in any number of texts, and the draw.
 *
 * Tokens come as a list of (id, slot, position), packed without padding: one per text that goes
 * on, all of a text that begins. Every element is the chain, tree or lane operation that the
 * kernels of a whole forward pass define (gemm.c, rows.c, elementwise.c, attention.c), so a
 * logit has the bits of a forward pass over the finished text, whatever stands beside it.
 *
 * Weights are held in panels of 32 columns, so that a product reads them in order; keys in blocks
 * of 16 positions, so that scores run down lanes.
 */
#include "gemm.h"
#include "pool.h"
#include "vec.h"

enum { PANEL = 32, ROWS = 24, BLOCK = 96, TOGETHER = 4 };

void regrow_norm(int64_t, int64_t, const float *, const float *, const float *, double, float *, float *);
void regrow_swiglu(int64_t, const float *, const float *, float *);

typedef struct {
    const float *q, *k, *v, *o, *gate, *up, *down; /* panels */
    const float *qnorm, *knorm, *anorm, *mnorm;
    const float *cosine, *sine; /* (positions, dim) */
    int64_t window;             /* positions seen; 0: all before */
    float *keys, *values;       /* (slots, kvheads, width / 16, padded dim, 16), (.., width, padded dim) */
} layer;

typedef struct {
    int64_t layers, hidden, heads, kvheads, dim, ffn, vocabulary, width;
    double eps, scale;
    const float *embedding, *norm, *head; /* (vocabulary, hidden), (hidden), panels */
    const layer *layer;
} model;

typedef struct {
    const model *m;
    const layer *l;
    int64_t count;
    const int64_t *slot, *position;
    float *x, *q; /* (count, hidden), (count, heads * dim) */
    const int64_t *wanted;
    float *logits;
} step;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t padded(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

/* c (rows, n) = a (rows, k) times panels */
static void times(int64_t rows, int64_t n, int64_t k, const float *a, const float *panels, float *c) {
    for (int64_t j = 0; j < n; j += PANEL)
        for (int64_t i = 0; i < rows; i += ROWS)
            regrow_gemm1(smaller(ROWS, rows - i), smaller(PANEL, n - j), k, a + i * k, k, 1,
                         panels + j * k, PANEL, 1, c + i * n + j, n, 0);
}

/* (x[i], x[i + dim/2]) by the angle of the position; as rope_part of elementwise.c */
static void turn(float *x, int64_t heads, int64_t dim, const float *cosine, const float *sine) {
    int64_t half = dim / 2;
    for (int64_t h = 0; h < heads; h++, x += dim)
        for (int64_t i = 0; i < half; i += LANES) {
            int64_t w = smaller(LANES, half - i);
            vf c = load_part(cosine + i, w), z = load_part(sine + i, w);
            vf low = load_part(x + i, w), high = load_part(x + half + i, w);
            store_part(x + i, fma16(low, c, -(high * z)), w);
            store_part(x + half + i, fma16(high, c, low * z), w);
        }
}

static void write_cache(const step *s, int64_t token, const float *k, const float *v) {
    const model *m = s->m;
    int64_t dp = padded(m->dim), t = s->position[token], place = m->width * dp;
    for (int64_t h = 0; h < m->kvheads; h++, k += m->dim, v += m->dim) {
        int64_t at = (s->slot[token] * m->kvheads + h) * place;
        float *keys = s->l->keys + at + t / LANES * dp * LANES + t % LANES;
        for (int64_t i = 0; i < m->dim; i++) keys[i * LANES] = k[i];
        memcpy(s->l->values + at + t * dp, v, (size_t)m->dim * sizeof(float));
    }
}

/* Queries, keys, values of tokens [first, last); keys and values go into the cache. */
static void project(void *context, int64_t first, int64_t last) {
    step *s = context;
    const model *m = s->m;
    int64_t wide = m->heads * m->dim, narrow = m->kvheads * m->dim;
    float *k = regrow_scratch(SLOT_A, (2 * narrow + 1) * BLOCK * (int64_t)sizeof(float));
    float *v = k + narrow * BLOCK, *r = v + narrow * BLOCK;
    for (int64_t i = first; i < last; i += BLOCK) {
        int64_t rows = smaller(BLOCK, last - i);
        const float *x = s->x + i * m->hidden;
        float *q = s->q + i * wide;
        times(rows, wide, m->hidden, x, s->l->q, q);
        times(rows, narrow, m->hidden, x, s->l->k, k);
        times(rows, narrow, m->hidden, x, s->l->v, v);
        regrow_norm(rows, wide, q, s->l->qnorm, 0, m->eps, q, r);
        regrow_norm(rows, narrow, k, s->l->knorm, 0, m->eps, k, r);
        for (int64_t j = 0; j < rows; j++) {
            const float *c = s->l->cosine + s->position[i + j] * m->dim;
            const float *z = s->l->sine + s->position[i + j] * m->dim;
            turn(q + j * wide, m->heads, m->dim, c, z);
            turn(k + j * narrow, m->kvheads, m->dim, c, z);
            write_cache(s, i + j, k + j * narrow, v + j * narrow);
        }
    }
}

INLINE vf hidden(vf x, int64_t from, int64_t start, int64_t stop) { /* -inf outside [start, stop) */
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    vi j = lane + splati((int32_t)from);
    return pick((j >= splati((int32_t)start)) & (j < splati((int32_t)stop)), x,
                splat(-__builtin_inff()));
}

/* Softmax attention of one query over keys start .. stop - 1; as attention.c defines it. */
static void attend(const float *q, const float *keys, const float *values, int64_t start,
                   int64_t stop, int64_t dim, float scale, float *e, float *out) {
    int64_t dp = padded(dim), low = start / LANES, high = (stop + LANES - 1) / LANES;
    const vf factor = splat(scale);
    vf top = splat(-__builtin_inff());
    int64_t b = low;
    for (; b + TOGETHER <= high; b += TOGETHER) {
        const float *k = keys + b * dp * LANES;
        vf x[TOGETHER];
#pragma clang loop unroll(full)
        for (int n = 0; n < TOGETHER; n++) x[n] = splat(0.0f);
        for (int64_t i = 0; i < dim; i++, k += LANES) {
            vf y = splat(q[i]);
#pragma clang loop unroll(full)
            for (int n = 0; n < TOGETHER; n++) x[n] = fma16(load(k + n * dp * LANES), y, x[n]);
        }
        for (int n = 0; n < TOGETHER; n++) {
            x[n] = hidden(x[n] * factor, (b + n) * LANES, start, stop);
            store(e + (b + n) * LANES, x[n]);
            top = max16(x[n], top);
        }
    }
    for (; b < high; b++) {
        const float *k = keys + b * dp * LANES;
        vf x = splat(0.0f);
        for (int64_t i = 0; i < dim; i++, k += LANES) x = fma16(load(k), splat(q[i]), x);
        x = hidden(x * factor, b * LANES, start, stop);
        store(e + b * LANES, x);
        top = max16(x, top);
    }
    const vf most = splat(top16(top));
    for (b = low; b < high; b++) store(e + b * LANES, exp16(load(e + b * LANES) - most));
    float sum = 0.0f;
    for (int64_t i = 0; i < dp; i += 2 * LANES) {
        int pair = i + LANES < dp;
        vf x = splat(0.0f), y = splat(0.0f);
        const float *v = values + start * dp + i;
        if (i == 0 && pair)
            for (int64_t j = start; j < stop; j++, v += dp) {
                vf w = splat(e[j]);
                sum += e[j];
                x = fma16(w, load(v), x);
                y = fma16(w, load(v + LANES), y);
            }
        else
            for (int64_t j = start; j < stop; j++, v += dp) {
                vf w = splat(e[j]);
                if (i == 0) sum += e[j];
                x = fma16(w, load(v), x);
                if (pair) y = fma16(w, load(v + LANES), y);
            }
        const vf inverse = splat(1.0f / sum);
        store_part(out + i, x * inverse, smaller(LANES, dim - i));
        if (pair) store_part(out + i + LANES, y * inverse, smaller(LANES, dim - i - LANES));
    }
}

/* The rest of a layer for tokens [first, last): attention, its norm, MLP, its norm. */
static void finish(void *context, int64_t first, int64_t last) {
    step *s = context;
    const model *m = s->m;
    const layer *l = s->l;
    int64_t wide = m->heads * m->dim, group = m->heads / m->kvheads, place = m->width * padded(m->dim);
    int64_t floats = (wide + m->hidden + 3 * m->ffn + 1) * BLOCK + m->width + LANES * TOGETHER;
    float *a = regrow_scratch(SLOT_B, floats * (int64_t)sizeof(float));
    float *y = a + wide * BLOCK, *gate = y + m->hidden * BLOCK, *up = gate + m->ffn * BLOCK;
    float *inner = up + m->ffn * BLOCK, *r = inner + m->ffn * BLOCK, *e = r + BLOCK;
    for (int64_t i = first; i < last; i += BLOCK) {
        int64_t rows = smaller(BLOCK, last - i);
        float *x = s->x + i * m->hidden;
        for (int64_t j = 0; j < rows; j++) {
            int64_t stop = s->position[i + j] + 1;
            int64_t start = l->window && stop > l->window ? stop - l->window : 0;
            for (int64_t h = 0; h < m->heads; h++) {
                int64_t at = (s->slot[i + j] * m->kvheads + h / group) * place;
                attend(s->q + (i + j) * wide + h * m->dim, l->keys + at, l->values + at, start, stop,
                       m->dim, (float)m->scale, e, a + j * wide + h * m->dim);
            }
        }
        times(rows, m->hidden, wide, a, l->o, y);
        regrow_norm(rows, m->hidden, y, l->anorm, x, m->eps, x, r);
        times(rows, m->ffn, m->hidden, x, l->gate, gate);
        times(rows, m->ffn, m->hidden, x, l->up, up);
        regrow_swiglu(rows * m->ffn, gate, up, inner);
        times(rows, m->hidden, m->ffn, inner, l->down, y);
        regrow_norm(rows, m->hidden, y, l->mnorm, x, m->eps, x, r);
    }
}

/* Logits of the wanted tokens [first, last). */
static void score(void *context, int64_t first, int64_t last) {
    step *s = context;
    const model *m = s->m;
    float *x = regrow_scratch(SLOT_B, (m->hidden + 1) * BLOCK * (int64_t)sizeof(float));
    float *r = x + m->hidden * BLOCK;
    for (int64_t i = first; i < last; i += BLOCK) {
        int64_t rows = smaller(BLOCK, last - i);
        for (int64_t j = 0; j < rows; j++)
            memcpy(x + j * m->hidden, s->x + s->wanted[i + j] * m->hidden,
                   (size_t)m->hidden * sizeof(float));
        regrow_norm(rows, m->hidden, x, m->norm, 0, m->eps, x, r);
        times(rows, m->vocabulary, m->hidden, x, m->head, s->logits + i * m->vocabulary);
    }
}

/* ids, slot, position: (count), a text's tokens in order and its earlier ones in the cache
 * already; logits (asked, vocabulary) of the tokens wanted[0 .. asked - 1].
 * Returns the number of the first token whose id or position the model does not have, else -1. */
EXPORT int64_t regrow_decode(const void *given, int64_t count, const int64_t *ids, const int64_t *slot,
                          const int64_t *position, int64_t asked, const int64_t *wanted,
                          float *logits) {
    const model *m = given;
    int64_t wide = m->heads * m->dim;
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= m->vocabulary || position[i] < 0 || position[i] >= m->width) return i;
    float *x = regrow_scratch(SLOT_C, count * (m->hidden + wide) * (int64_t)sizeof(float));
    step s = {m, 0, count, slot, position, x, x + count * m->hidden, wanted, logits};
    for (int64_t i = 0; i < count; i++)
        memcpy(x + i * m->hidden, m->embedding + ids[i] * m->hidden, (size_t)m->hidden * sizeof(float));
    for (int64_t i = 0; i < m->layers; i++) {
        s.l = m->layer + i;
        regrow_parallel(count, project, &s);
        regrow_parallel(count, finish, &s);
    }
    regrow_parallel(asked, score, &s);
    return -1;
}

/* Philox4x32-10 (Salmon et al., SC 2011) as in regrow.numerics.random: element at[r] of the stream
 * whose key and upper counter words are name[r], uniform in [0, 1) with 53 bits. */
static double uniform(const uint32_t *name, int64_t at) {
    uint64_t counter = (uint64_t)at / 2;
    uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), name[2], name[3]};
    uint32_t key[2] = {name[0], name[1]};
    for (int i = 0; i < 10; i++) {
        uint64_t p = 0xD2511F53ull * c[0], q = 0xCD9E8D57ull * c[2];
        c[0] = (uint32_t)(q >> 32) ^ c[1] ^ key[0];
        c[1] = (uint32_t)q;
        c[2] = (uint32_t)(p >> 32) ^ c[3] ^ key[1];
        c[3] = (uint32_t)p;
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    int odd = (int)(at % 2) * 2;
    return (double)((((uint64_t)c[odd + 1] << 32) | c[odd]) >> 11) * 0x1p-53;
}
EXPORT void regrow_uniform(int64_t rows, const uint32_t *names, const int64_t *at, double *out) {
    for (int64_t r = 0; r < rows; r++) out[r] = uniform(names + 4 * r, at[r]);
}

typedef double d8 __attribute__((vector_size(64)));
typedef int64_t i8 __attribute__((vector_size(64)));
enum { D = 8 };

INLINE d8 all(double x) { return (d8){x, x, x, x, x, x, x, x}; }

/* regrow.numerics.exact.exp for x <= 0: the same operations, one rounding each (no fused ones). */
INLINE d8 exp8(d8 x) {
    static const double c[] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0,
                               1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
                               1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0};
    const d8 magic = all(0x1.8p52);
    i8 deep = x < all(-800.0);
    x = (d8)((deep & (i8)all(-800.0)) | (~deep & (i8)x));
    d8 k = (x * all(1.4426950408889634) + magic) - magic; /* rounds to an integer, as rint */
    d8 r = (x - k * all(0.693147180369123816490)) - k * all(1.90821492927058770002e-10);
    d8 p = all(c[0]);
    for (int i = 1; i < 14; i++) p = p * r + all(c[i]);
    /* times 2^k in two steps, of which only the last can round (below the normal numbers) */
    i8 n = (i8)(k + magic) - (i8)magic, far = n < -1000;
    i8 first = (far & -1000) | (~far & n), second = n - first;
    p = p * (d8)((first + 1023) << 52);
    return p * (d8)((second + 1023) << 52);
}

typedef struct {
    int64_t n;
    const float *logits;
    double temperature;
    const double *uniforms;
    int64_t *tokens;
} draw;

static void draw_part(void *context, int64_t first, int64_t last) {
    draw *s = context;
    int64_t n = s->n;
    double *w = regrow_scratch(SLOT_A, (n + D) * (int64_t)sizeof(double));
    for (int64_t r = first; r < last; r++) {
        const float *a = s->logits + r * n;
        vf tops = splat(-__builtin_inff());
        vi odd = splati(0); /* lanes that met NaN, which the maximum does not keep */
        for (int64_t i = 0; i < n; i += LANES) {
            vf x = n - i < LANES ? hidden(load_part(a + i, n - i), i, 0, n) : load(a + i);
            odd |= x != x;
            tops = max16(x, tops);
        }
        const float most = top16(tops);
        s->tokens[r] = -1;
        if (!(most - most == 0.0f)) continue; /* infinity, or nothing above -infinity */
        int some = 0;
        for (int i = 0; i < LANES; i++) some |= odd[i];
        if (some) continue;
        if (s->temperature == 0.0) {
            for (int64_t i = 0; i < n && s->tokens[r] < 0; i++)
                if (a[i] == most) s->tokens[r] = i;
            continue;
        }
        const d8 top = all((double)most), temperature = all(s->temperature);
        for (int64_t i = 0; i < n; i += D) {
            f8 x = {0};
            memcpy(&x, a + i, (size_t)smaller(D, n - i) * sizeof(float));
            d8 y = exp8((__builtin_convertvector(x, d8) - top) / temperature);
            memcpy(w + i, &y, sizeof y);
        }
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) w[i] = sum += w[i];
        if (!(sum > 0.0)) continue;
        /* Rounding may carry uniform x sum up to the sum, which no running sum exceeds. */
        uint64_t bits;
        memcpy(&bits, &sum, 8);
        bits--;
        double below, target = s->uniforms[r] * sum;
        memcpy(&below, &bits, 8);
        if (target > below) target = below;
        int64_t low = 0, high = n - 1; /* the first running sum above the target */
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (w[middle] > target)
                high = middle;
            else
                low = middle + 1;
        }
        s->tokens[r] = low;
    }
}

/* A token per row by inversion: weights exp((logit - max) / temperature), float64, summed from token
 * 0 upwards; the first whose running sum exceeds uniform x total. Temperature 0: the largest logit,
 * the lowest id among equals. -1 where a logit is NaN or infinity, or all are -infinity. */
EXPORT void regrow_draw(int64_t rows, int64_t n, const float *logits, double temperature,
                        const double *uniforms, int64_t *tokens) {
    draw s = {n, logits, temperature, uniforms, tokens};
    regrow_parallel(rows, draw_part, &s);
}
