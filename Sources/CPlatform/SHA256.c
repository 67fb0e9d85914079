#include "CPlatform.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

bool rewardd_cpu_supports_sha256(void) {
    unsigned eax, ebx, ecx, edx;
    // Leaf 7, EBX bit 29. Its registers are those of SSE, which every x86-64 system saves.
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx >> 29 & 1) != 0;
}

__attribute__((target("sha,sse4.1"))) void rewardd_sha256_compress(
    uint32_t *state, const void *blocks, size_t count, const uint32_t *constants) {
    // Words are big-endian in a block.
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    // The instructions want the eight words as (a, b, e, f) and (c, d, g, h), the first one highest.
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state + 1), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
    const __m128i *input = blocks;
    for (; count > 0; count--, input += 4) {
        __m128i abef_before = abef, cdgh_before = cdgh;
        // The schedule's last 16 words, four in a register.
        __m128i words[4];
        for (int i = 0; i < 4; i++) words[i] = _mm_shuffle_epi8(_mm_loadu_si128(input + i), order);
#pragma clang loop unroll(full)
        for (int quad = 0; quad < 16; quad++) {
            __m128i *current = &words[quad % 4];
            __m128i sum = _mm_add_epi32(
                *current, _mm_loadu_si128((const __m128i *)constants + quad));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (quad >= 12) continue;
            // Sixteen words on: sigma0 of the next one, the word nine places on, sigma1 of the one before last.
            __m128i newest = words[(quad + 3) % 4];
            __m128i middle = _mm_alignr_epi8(newest, words[(quad + 2) % 4], 4);
            __m128i early = _mm_sha256msg1_epu32(*current, words[(quad + 1) % 4]);
            *current = _mm_sha256msg2_epu32(_mm_add_epi32(early, middle), newest);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)state + 1, _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool rewardd_cpu_supports_sha256(void) { return false; }

void rewardd_sha256_compress(
    uint32_t *state, const void *blocks, size_t count, const uint32_t *constants) {
    (void)state, (void)blocks, (void)count, (void)constants;
    __builtin_trap();
}

#endif
