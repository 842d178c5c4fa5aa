/* Which instruction sets this processor and its system offer. Compiled for plain x86-64. */
#include <cpuid.h>
#include <stdint.h>

static uint64_t enabled(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

/* 0: neither, 1: AVX2 and FMA, 2: x86-64-v4 (AVX-512 F, BW, CD, DQ, VL) as well. */
__attribute__((visibility("default"))) int regrow_cpu(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    const unsigned fma = 1u << 12, movbe = 1u << 22, osxsave = 1u << 27, f16c = 1u << 29;
    if ((c & (fma | movbe | osxsave | f16c)) != (fma | movbe | osxsave | f16c)) return 0;
    if ((enabled() & 6) != 6) return 0; /* the system saves the SSE and AVX state */
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    const unsigned avx2 = 1u << 5, bmi = (1u << 3) | (1u << 8);
    if ((b & (avx2 | bmi)) != (avx2 | bmi)) return 0;
    const unsigned wide = (1u << 16) | (1u << 17) | (1u << 28) | (1u << 30) | (1u << 31);
    return (b & wide) == wide && (enabled() & 0xe6) == 0xe6 ? 2 : 1;
}
