// The SHA-NI loop of scan.c, in a file of its own because it is compiled for its own instruction
// set. Only scan.c calls it, and only where cpu_features() has CPU_SHA_NI.
#ifndef SHOAL_TESTNET_MINER_SCAN_KERNEL_H
#define SHOAL_TESTNET_MINER_SCAN_KERNEL_H

#include <stdint.h>

struct scan_kernel {
    uint32_t midstate[8];
    uint32_t tail[3];  // header words 16..18: end of the merkle root, time, bits
    uint32_t high_max; // of the hash's 32 most significant bits, beyond which there is no hit
};

// The offset of the first nonce among `count` from `first` on whose hash passes high_max, count if
// none does. Looks at them two by two: an odd count looks at one more.
uint64_t scan_kernel_sha_ni(const struct scan_kernel *kernel, uint32_t first, uint64_t count);

#endif
