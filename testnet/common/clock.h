// The two clocks of the testnet programs, the only place where they are read.
#ifndef SHOAL_TESTNET_COMMON_CLOCK_H
#define SHOAL_TESTNET_COMMON_CLOCK_H

#include <stdint.h>
#include "node/base/time.h"

struct now clock_now(void);
// Nanoseconds of the monotonic clock.
int64_t clock_mono_ns(void);

#endif
