// What this processor offers beyond the base instruction set that the program is compiled for, and
// the operating system lets us use. Asked by sha256.c and scrypt.c when they choose a path; other
// machines than x86-64 have none of these.
#ifndef SHOAL_NODE_POW_CPU_H
#define SHOAL_NODE_POW_CPU_H

enum cpu_feature {
    CPU_SHA_NI = 1, // with SSE4.1
    CPU_AVX2 = 2,
    CPU_AVX512F = 4,
};

// The set of features, or-ed. The processor is asked once; later calls are cheap.
unsigned cpu_features(void);

#endif
