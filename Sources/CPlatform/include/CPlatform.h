// What the Swift sources need from the processor and the kernel and cannot reach themselves:
// `syscall` is variadic, `pause` is an instruction, CPU_COUNT and __builtin_cpu_supports are macros.
// Everything is `static inline`, so that it is compiled with the flags of the Swift module using it.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Sleeps while `*word == expected`, until a wake or a signal; returns at once when the value differs.
/// Spurious returns are allowed: the caller checks its condition again (futex(2), FUTEX_WAIT_PRIVATE).
void rewardd_futex_wait(const void *word, uint32_t expected);

/// Wakes at most `count` threads sleeping on `word` (futex(2), FUTEX_WAKE_PRIVATE).
void rewardd_futex_wake(const void *word, int count);

/// The number of processors this thread may run on (sched_getaffinity(2)), at least 1.
/// A quota of the control group is not looked at.
int rewardd_allowed_processor_count(void);

/// Names the calling thread for top(1) and the kernel; only the first 15 bytes are kept.
void rewardd_name_current_thread(const char *name);

/// Tells the processor that this is a spin loop, so that it saves power and speeds up the way out.
static inline void rewardd_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/// True when the processor has what the package is compiled for: on x86-64 the level x86-64-v3
/// (AVX2, FMA, F16C, BMI) with an operating system that saves the wide registers; elsewhere always.
static inline bool rewardd_cpu_supports_v3(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v3");
#else
    return true;
#endif
}

/// True when the processor also has the level x86-64-v4 (AVX-512 F, BW, CD, DQ, VL), with an operating
/// system that saves its registers.
static inline bool rewardd_cpu_supports_v4(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v4");
#else
    return false;
#endif
}

/// True when the processor also multiplies bytes by vpdpbusd in 512-bit registers (AVX-512 VNNI).
static inline bool rewardd_cpu_supports_vnni(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

/// True when the processor has the instructions that `rewardd_sha256_compress` is made of.
bool rewardd_cpu_supports_sha256(void);

/// Folds `count` blocks of 64 bytes into a state of eight words, as FIPS 180-4 section 6.2.2 says, by the processor's
/// own instructions (SHA extensions of x86-64). Only where `rewardd_cpu_supports_sha256()`.
/// `constants` are the 64 words of section 4.2.2.
void rewardd_sha256_compress(uint32_t *state, const void *blocks, size_t count, const uint32_t *constants);

#endif
