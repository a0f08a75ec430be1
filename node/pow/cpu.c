#include "node/pow/cpu.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// Registers that the operating system saves and restores, as bits of XCR0.
enum { XCR0_AVX = 0x06, XCR0_AVX512 = 0xe6 };

static bool system_saves(unsigned leaf1_ecx, uint64_t registers)
{
    // Without OSXSAVE the instruction that reads XCR0 is not there.
    return (leaf1_ecx & bit_OSXSAVE) && ((uint64_t)_xgetbv(0) & registers) == registers;
}

static unsigned ask_processor(void)
{
    unsigned eax, ebx, ecx, edx, leaf1_ecx;
    if (!__get_cpuid(1, &eax, &ebx, &leaf1_ecx, &edx) ||
        !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        return 0;
    unsigned features = 0;
    if ((ebx & bit_SHA) && (leaf1_ecx & bit_SSE4_1))
        features |= CPU_SHA_NI;
    if ((ebx & bit_AVX2) && system_saves(leaf1_ecx, XCR0_AVX))
        features |= CPU_AVX2;
    if ((ebx & bit_AVX512F) && system_saves(leaf1_ecx, XCR0_AVX512))
        features |= CPU_AVX512F;
    return features;
}

unsigned cpu_features(void)
{
    // cpuid costs tens of microseconds under a hypervisor. Every thread gets the same answer from
    // it, so it does not matter which of them keeps it.
    enum { KNOWN = 0x8000 };
    static atomic_uint kept;
    unsigned features = atomic_load_explicit(&kept, memory_order_relaxed);
    if (!features) {
        features = ask_processor() | KNOWN;
        atomic_store_explicit(&kept, features, memory_order_relaxed);
    }
    return features & ~(unsigned)KNOWN;
}

#else

unsigned cpu_features(void)
{
    return 0;
}

#endif
