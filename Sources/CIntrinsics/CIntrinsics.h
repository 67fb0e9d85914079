// The few instructions of x86 that Swift's vector types do not lead to.
//
// Header only, so that each function is compiled with the flags of the Swift module that calls it; it exists
// only where those flags allow its instruction. The operands are vectors that Swift imports as SIMD types.
#ifndef CINTRINSICS_H
#define CINTRINSICS_H

#if defined(__AVX2__)
#include <immintrin.h>
#include <stdint.h>

#define REWARDD_INLINE static inline __attribute__((always_inline))

typedef int8_t rewardd_i8x32 __attribute__((vector_size(32)));
typedef uint8_t rewardd_u8x32 __attribute__((vector_size(32)));
typedef int16_t rewardd_i16x16 __attribute__((vector_size(32)));
typedef uint16_t rewardd_u16x8 __attribute__((vector_size(16)));
typedef int32_t rewardd_i32x8 __attribute__((vector_size(32)));
typedef uint32_t rewardd_u32x8 __attribute__((vector_size(32)));
typedef float rewardd_f32x8 __attribute__((vector_size(32)));

/// vpmaddwd: a[2i]·b[2i] + a[2i+1]·b[2i+1].
REWARDD_INLINE rewardd_i32x8 rewardd_multiply_add_i16(rewardd_i16x16 a, rewardd_i16x16 b) {
    return (rewardd_i32x8)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}

/// vpmaddubsw: a[2i]·b[2i] + a[2i+1]·b[2i+1], saturated to 16 bits.
REWARDD_INLINE rewardd_i16x16 rewardd_multiply_add_u8_i8(rewardd_u8x32 a, rewardd_i8x32 b) {
    return (rewardd_i16x16)_mm256_maddubs_epi16((__m256i)a, (__m256i)b);
}

/// vcvtdq2ps.
REWARDD_INLINE rewardd_f32x8 rewardd_float_of_i32(rewardd_i32x8 a) {
    return __builtin_convertvector(a, rewardd_f32x8);
}

/// vfmadd: a·b + c, rounded once.
REWARDD_INLINE rewardd_f32x8 rewardd_fused_multiply_add(
    rewardd_f32x8 a, rewardd_f32x8 b, rewardd_f32x8 c) {
    return (rewardd_f32x8)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

/// vpmovzxwd.
REWARDD_INLINE rewardd_u32x8 rewardd_widened_u16(rewardd_u16x8 a) {
    return __builtin_convertvector(a, rewardd_u32x8);
}

/// The numbers of a, b, c and d, each within -128…127, in 8 bits and in this order (vpackssdw,
/// vpacksswb, vpermd).
REWARDD_INLINE rewardd_i32x8 rewardd_packed_i32(
    rewardd_i32x8 a, rewardd_i32x8 b, rewardd_i32x8 c, rewardd_i32x8 d) {
    __m256i ab = _mm256_packs_epi32((__m256i)a, (__m256i)b);
    __m256i cd = _mm256_packs_epi32((__m256i)c, (__m256i)d);
    __m256i mixed = _mm256_packs_epi16(ab, cd);
    return (rewardd_i32x8)_mm256_permutevar8x32_epi32(
        mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// Asks for the cache line at `address`, which need not exist (prefetcht0).
REWARDD_INLINE void rewardd_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/// Asks for `count` bytes at `address` and as many `stride` bytes behind, into the second-level cache
/// (prefetcht1).
REWARDD_INLINE void rewardd_prefetch_panels(const void *address, long stride, long count) {
    for (long offset = 0; offset < count; offset += 64) {
        __builtin_prefetch((const char *)address + offset, 0, 2);
        __builtin_prefetch((const char *)address + offset + stride, 0, 2);
    }
}
#endif

#if defined(__AVX512VNNI__)
typedef uint16_t rewardd_u16x16 __attribute__((vector_size(32)));
typedef int32_t rewardd_i32x16 __attribute__((vector_size(64)));
typedef uint32_t rewardd_u32x16 __attribute__((vector_size(64)));
typedef float rewardd_f32x16 __attribute__((vector_size(64)));

/// vpdpbusd: sums[i] + Σ a[4i+j]·b[4i+j] over j = 0…3, the bytes of a without sign, those of b with.
REWARDD_INLINE rewardd_i32x16 rewardd_dot_u8_i8(
    rewardd_i32x16 sums, rewardd_i32x16 a, rewardd_i32x16 b) {
    return (rewardd_i32x16)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)a, (__m512i)b);
}

/// vcvtdq2ps.
REWARDD_INLINE rewardd_f32x16 rewardd_float_of_i32_wide(rewardd_i32x16 a) {
    return __builtin_convertvector(a, rewardd_f32x16);
}

/// vfmadd: a·b + c, rounded once.
REWARDD_INLINE rewardd_f32x16 rewardd_fused_multiply_add_wide(
    rewardd_f32x16 a, rewardd_f32x16 b, rewardd_f32x16 c) {
    return (rewardd_f32x16)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

/// vpmovzxwd.
REWARDD_INLINE rewardd_u32x16 rewardd_widened_u16_wide(rewardd_u16x16 a) {
    return __builtin_convertvector(a, rewardd_u32x16);
}
#endif

#endif
