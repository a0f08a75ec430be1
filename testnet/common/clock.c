#include "testnet/common/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

struct now clock_now(void)
{
    return (struct now){.mono = {read_ns(CLOCK_MONOTONIC) / 1000000},
                        .wall = {read_ns(CLOCK_REALTIME) / 1000000}};
}
