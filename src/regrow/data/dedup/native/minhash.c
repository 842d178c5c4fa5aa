/* Band keys of n-grams (regrow.data.dedup.minhash), and how many different n-grams a text has. */
#include "integers.h"
#include <cpuid.h>

typedef uint32_t lanes __attribute__((vector_size(32)));
enum { LANES = 8, TOGETHER = 4, STEP = LANES * TOGETHER };

/* The smallest value of each hash function over a text's n-grams; `size` is a multiple of STEP. */
INLINE void smallest(const uint64_t *grams, int64_t count, const uint32_t *factors, const uint32_t *offsets,
                     int64_t size, uint32_t *out) {
    for (int64_t h = 0; h < size; h += STEP) {
        lanes a[TOGETHER], b[TOGETHER], least[TOGETHER];
        memcpy(a, factors + h, sizeof a);
        memcpy(b, offsets + h, sizeof b);
        memset(least, 0xFF, sizeof least);
        for (int64_t i = 0; i < count; i++) {
            const lanes x = (lanes){0} + (uint32_t)(grams[i] >> 32);
#pragma clang loop unroll(full)
            for (int k = 0; k < TOGETHER; k++)
                least[k] = __builtin_elementwise_min(a[k] * x + b[k], least[k]);
        }
        memcpy(out + h, least, sizeof least);
    }
}

__attribute__((target("avx2"))) static void smallest_wide(const uint64_t *g, int64_t n, const uint32_t *a,
                                                          const uint32_t *b, int64_t size, uint32_t *out) {
    smallest(g, n, a, b, size, out);
}

static void smallest_any(const uint64_t *g, int64_t n, const uint32_t *a, const uint32_t *b, int64_t size, uint32_t *out) {
    smallest(g, n, a, b, size, out);
}

static int has_avx2(void) {
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27)) return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 5);
}

/* Keys of the bands, (count, bands), of texts whose n-grams end at `ends`; of a text without any they are 0. */
EXPORT void regrow_band_keys(const uint64_t *grams, const int64_t *ends, int64_t count, const uint32_t *factors,
                             const uint32_t *offsets, int64_t size, int64_t bands, int64_t rows, uint32_t *scratch,
                             uint64_t *keys) {
    const int wide = has_avx2();
    int64_t begin = 0;
    for (int64_t i = 0; i < count; begin = ends[i++], keys += bands) {
        memset(keys, 0, (size_t)bands * sizeof *keys);
        if (ends[i] == begin) continue;
        (wide ? smallest_wide : smallest_any)(grams + begin, ends[i] - begin, factors, offsets, size, scratch);
        for (int64_t band = 0; band < bands; band++)
            for (int64_t row = 0; row < rows; row++) keys[band] = mix(keys[band] ^ scratch[band * rows + row]) + 1;
    }
}

/* How many different n-grams each text has; `scratch` has room for four times the most of one text, and 2. */
EXPORT void regrow_different(const uint64_t *grams, const int64_t *ends, int64_t count, uint64_t *scratch, uint32_t *out) {
    int64_t begin = 0;
    for (int64_t i = 0; i < count; begin = ends[i++]) {
        int bits = 1;
        while ((int64_t)1 << bits < 2 * (ends[i] - begin)) bits++;
        const uint64_t mask = ((uint64_t)1 << bits) - 1;
        uint32_t found = 0;
        int zero = 0; /* an empty place is 0 */
        memset(scratch, 0, (size_t)(mask + 1) * sizeof *scratch);
        for (int64_t j = begin; j < ends[i]; j++) {
            uint64_t at = grams[j] & mask;
            if (!grams[j]) zero = 1;
            while (scratch[at] && scratch[at] != grams[j]) at = (at + 1) & mask;
            found += grams[j] && !scratch[at];
            scratch[at] = grams[j];
        }
        out[i] = found + (uint32_t)zero;
    }
}
