#include "gemm.h"

#include "pool.h"
#include "vec.h"

#ifdef __AVX512F__
#define VL 16
#define MR 12
#else
#define VL 8
#define MR 6
#endif
#define NR (2 * VL)
#define KC 256 /* rows of a packed panel: 16 or 32 KiB, half of the first-level cache */
#define SMALL 8

typedef float nv __attribute__((vector_size(VL * 4)));

INLINE nv nload(const float *p) {
    nv v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void nstore(float *p, nv v) { memcpy(p, &v, sizeof v); }
INLINE nv nsplat(float x) {
    nv v;
    for (int i = 0; i < VL; i++) v[i] = x;
    return v;
}

/* R rows, two vectors of columns. Rows hang in threes on four pointers, which keeps addresses
 * to base + {0, 1, 2} * stride and so out of the way of the multiply-adds. */
INLINE void micro(const int R, int64_t k, const float *a, int64_t ar, int64_t ac, const float *b,
                  int64_t br, float *c, int64_t cr, int chain) {
    nv x[MR][2];
#pragma clang loop unroll(full)
    for (int i = 0; i < R; i++) {
        x[i][0] = chain ? nload(c + i * cr) : nsplat(0.0f);
        x[i][1] = chain ? nload(c + i * cr + VL) : nsplat(0.0f);
    }
    const float *p[4] = {a, a + 3 * ar, a + 6 * ar, a + 9 * ar};
    for (int64_t t = 0; t < k; t++) {
        nv b0 = nload(b), b1 = nload(b + VL);
        b += br;
#pragma clang loop unroll(full)
        for (int i = 0; i < R; i++) {
            nv s = nsplat(p[i / 3][(i % 3) * ar]);
            x[i][0] = __builtin_elementwise_fma(s, b0, x[i][0]);
            x[i][1] = __builtin_elementwise_fma(s, b1, x[i][1]);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) p[i] += ac;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < R; i++) {
        nstore(c + i * cr, x[i][0]);
        nstore(c + i * cr + VL, x[i][1]);
    }
}

typedef void (*kernel)(int64_t, const float *, int64_t, int64_t, const float *, int64_t, float *,
                       int64_t, int);

#define KERNEL(R)                                                                                  \
    static void micro##R(int64_t k, const float *a, int64_t ar, int64_t ac, const float *b,        \
                         int64_t br, float *c, int64_t cr, int chain) {                            \
        micro(R, k, a, ar, ac, b, br, c, cr, chain);                                               \
    }
KERNEL(1) KERNEL(2) KERNEL(3) KERNEL(4) KERNEL(5) KERNEL(6)
#if MR == 12
KERNEL(7) KERNEL(8) KERNEL(9) KERNEL(10) KERNEL(11) KERNEL(12)
static const kernel kernels[] = {0, micro1, micro2, micro3, micro4, micro5, micro6, micro7,
                                 micro8, micro9, micro10, micro11, micro12};
#else
static const kernel kernels[] = {0, micro1, micro2, micro3, micro4, micro5, micro6};
#endif

#define SHUFFLE __builtin_shufflevector
/* VL x VL transpose in registers: swap blocks of VL/2, ..., 2, 1. */
INLINE void transpose(nv *t) {
#if VL == 16
    for (int i = 0; i < 8; i++) {
        nv a = t[i], b = t[i + 8];
        t[i] = SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        t[i + 8] = SHUFFLE(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    }
    for (int j = 0; j < 16; j += 8)
        for (int i = j; i < j + 4; i++) {
            nv a = t[i], b = t[i + 4];
            t[i] = SHUFFLE(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
            t[i + 4] = SHUFFLE(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
        }
    for (int j = 0; j < 16; j += 4)
        for (int i = j; i < j + 2; i++) {
            nv a = t[i], b = t[i + 2];
            t[i] = SHUFFLE(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
            t[i + 2] = SHUFFLE(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
    for (int i = 0; i < 16; i += 2) {
        nv a = t[i], b = t[i + 1];
        t[i] = SHUFFLE(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
        t[i + 1] = SHUFFLE(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    }
#else
    for (int i = 0; i < 4; i++) {
        nv a = t[i], b = t[i + 4];
        t[i] = SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        t[i + 4] = SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int j = 0; j < 8; j += 4)
        for (int i = j; i < j + 2; i++) {
            nv a = t[i], b = t[i + 2];
            t[i] = SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            t[i + 2] = SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 8; i += 2) {
        nv a = t[i], b = t[i + 1];
        t[i] = SHUFFLE(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
        t[i + 1] = SHUFFLE(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
    }
#endif
}

/* One panel: k x NR floats, column j of it b[:, j], zeros behind the last of n columns. */
static void pack(float *out, int64_t k, int64_t n, const float *b, int64_t br, int64_t bc) {
    if (bc == 1 && n == NR) {
        for (int64_t t = 0; t < k; t++, out += NR, b += br) memcpy(out, b, NR * sizeof(float));
        return;
    }
    if (br == 1 && n == NR) {
        int64_t t = 0;
        for (; t + VL <= k; t += VL)
            for (int h = 0; h < NR; h += VL) {
                nv x[VL];
                for (int j = 0; j < VL; j++) x[j] = nload(b + (h + j) * bc + t);
                transpose(x);
                for (int j = 0; j < VL; j++) nstore(out + (t + j) * NR + h, x[j]);
            }
        for (; t < k; t++)
            for (int j = 0; j < NR; j++) out[t * NR + j] = b[j * bc + t];
        return;
    }
    for (int64_t t = 0; t < k; t++)
        for (int j = 0; j < NR; j++) out[t * NR + j] = j < n ? b[t * br + j * bc] : 0.0f;
}

/* Few rows times a transposed matrix (decoding): B is read once, turned in registers. */
INLINE void few(const int R, int64_t n, int64_t k, const float *a, int64_t ar, int64_t ac,
                const float *b, int64_t bc, float *c, int64_t cr, int chain) {
    for (int64_t j = 0; j < n; j += VL) {
        int64_t width = n - j < VL ? n - j : VL;
        nv x[SMALL];
        for (int i = 0; i < R; i++) {
            x[i] = nsplat(0.0f);
            if (chain) memcpy(&x[i], c + i * cr + j, (size_t)width * sizeof(float));
        }
        int64_t t = 0;
        for (; t + VL <= k; t += VL) {
            nv y[VL];
            for (int h = 0; h < VL; h++) y[h] = nload(b + (j + (h < width ? h : 0)) * bc + t);
            transpose(y);
            for (int h = 0; h < VL; h++)
                for (int i = 0; i < R; i++)
                    x[i] = __builtin_elementwise_fma(nsplat(a[i * ar + (t + h) * ac]), y[h], x[i]);
        }
        for (; t < k; t++) {
            nv y;
            for (int h = 0; h < VL; h++) y[h] = b[(j + (h < width ? h : 0)) * bc + t];
            for (int i = 0; i < R; i++)
                x[i] = __builtin_elementwise_fma(nsplat(a[i * ar + t * ac]), y, x[i]);
        }
        for (int i = 0; i < R; i++) memcpy(c + i * cr + j, &x[i], (size_t)width * sizeof(float));
    }
}

static void small(int64_t m, int64_t n, int64_t k, const float *a, int64_t ar, int64_t ac,
                  const float *b, int64_t bc, float *c, int64_t cr, int chain) {
    switch (m) {
#define CASE(R)                                                                                    \
    case R: few(R, n, k, a, ar, ac, b, bc, c, cr, chain); break;
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
    }
}

void regrow_gemm1(int64_t m, int64_t n, int64_t k, const float *a, int64_t ar, int64_t ac,
                  const float *b, int64_t br, int64_t bc, float *c, int64_t cr, int chain) {
    if (m <= SMALL && br == 1 && bc != 1) {
        small(m, n, k, a, ar, ac, b, bc, c, cr, chain);
        return;
    }
    int direct = bc == 1 && m <= 4 * MR; /* packing would not pay */
    int64_t panels = (n + NR - 1) / NR;
    float *packed = regrow_scratch(SLOT_GEMM, (direct ? 1 : panels) * NR * KC * 4);
    float edge[MR * NR];
    for (int64_t t = 0; t == 0 || t < k; t += KC, chain = 1) {
        int64_t depth = k - t < KC ? k - t : KC;
        for (int64_t j = 0; j < panels; j++) {
            int64_t width = n - j * NR < NR ? n - j * NR : NR;
            const float *source = b + t * br + j * NR * bc, *panel = source;
            int64_t row = br;
            if (!direct || width < NR) {
                float *room = packed + (direct ? 0 : j * NR * KC);
                pack(room, depth, width, source, br, bc);
                panel = room;
                row = NR;
            }
            for (int64_t i = 0; i < m; i += MR) {
                int64_t rows = m - i < MR ? m - i : MR;
                const float *left = a + i * ar + t * ac;
                float *out = c + i * cr + j * NR;
                if (width == NR) {
                    kernels[rows](depth, left, ar, ac, panel, row, out, cr, chain);
                    continue;
                }
                for (int64_t r = 0; chain && r < rows; r++)
                    memcpy(edge + r * NR, out + r * cr, (size_t)width * sizeof(float));
                kernels[rows](depth, left, ar, ac, panel, row, edge, NR, chain);
                for (int64_t r = 0; r < rows; r++)
                    memcpy(out + r * cr, edge + r * NR, (size_t)width * sizeof(float));
            }
        }
    }
}

typedef struct {
    int64_t m, n, k, ab, ar, ac, bb, br, bc, cb, cr, cuts;
    const float *a, *b;
    float *c;
    int chain;
} product;

static void part(void *context, int64_t first, int64_t last) {
    product *p = context;
    for (int64_t item = first; item < last; item++) {
        int64_t batch = item / p->cuts, cut = item % p->cuts;
        const float *a = p->a + batch * p->ab, *b = p->b + batch * p->bb;
        float *c = p->c + batch * p->cb;
        if (p->m >= p->n) {
            int64_t from = p->m * cut / p->cuts, to = p->m * (cut + 1) / p->cuts;
            regrow_gemm1(to - from, p->n, p->k, a + from * p->ar, p->ar, p->ac, b, p->br, p->bc,
                         c + from * p->cr, p->cr, p->chain);
        } else {
            int64_t from = p->n * cut / p->cuts, to = p->n * (cut + 1) / p->cuts;
            regrow_gemm1(p->m, to - from, p->k, a, p->ar, p->ac, b + from * p->bc, p->br, p->bc,
                         c + from, p->cr, p->chain);
        }
    }
}

/* `batch` products; `cuts` pieces per product (of its rows or columns) may go to other threads. */
EXPORT void regrow_gemm(int64_t batch, int64_t m, int64_t n, int64_t k, const float *a, int64_t ab,
                        int64_t ar, int64_t ac, const float *b, int64_t bb, int64_t br, int64_t bc,
                        float *c, int64_t cb, int64_t cr, int chain, int64_t cuts) {
    if (m <= 0 || n <= 0) return;
    product p = {m, n, k, ab, ar, ac, bb, br, bc, cb, cr, cuts < 1 ? 1 : cuts, a, b, c, chain};
    regrow_parallel(batch * p.cuts, part, &p);
}
