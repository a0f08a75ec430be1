#include "dht/rtt.h"

void rtt_add(struct rtt *rtt, int64_t sample_ms)
{
    uint32_t sample = sample_ms > RTT_GIVE_UP_MS ? RTT_GIVE_UP_MS : 1;
    if (sample_ms > 0 && sample_ms <= RTT_GIVE_UP_MS)
        sample = (uint32_t)sample_ms;
    if (rtt->smoothed_8 == 0) {
        rtt->smoothed_8 = 8 * sample;
        rtt->variation_4 = 2 * sample; // half of the sample
        return;
    }
    uint32_t smoothed = rtt->smoothed_8 / 8;
    uint32_t off = smoothed > sample ? smoothed - sample : sample - smoothed;
    rtt->variation_4 = rtt->variation_4 - rtt->variation_4 / 4 + off;
    rtt->smoothed_8 = rtt->smoothed_8 - smoothed + sample;
}

uint32_t rtt_timeout_ms(const struct rtt *rtt)
{
    if (rtt->smoothed_8 == 0)
        return RTT_FIRST_MS;
    uint32_t timeout = rtt->smoothed_8 / 8 + rtt->variation_4;
    if (timeout < RTT_LEAST_MS)
        return RTT_LEAST_MS;
    return timeout > RTT_GIVE_UP_MS ? RTT_GIVE_UP_MS : timeout;
}

uint32_t rtt_ms(const struct rtt *rtt)
{
    return rtt->smoothed_8 / 8;
}
