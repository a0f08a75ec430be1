// How long to wait for a node (p2p.md, DHT): time-outs follow its round-trip time as RFC 6298 has
// it. A query that is late opens the next branch of its look-up; only at RTT_GIVE_UP_MS is it lost.
// Plain data, zeros are a node not yet measured; one per node, kept by routing_table.
#ifndef SHOAL_DHT_RTT_H
#define SHOAL_DHT_RTT_H

#include <stdint.h>

#define RTT_FIRST_MS   250 // first contact
#define RTT_LEAST_MS   80  // nobody is late before: a busy loop is no lost datagram
#define RTT_GIVE_UP_MS 1500

struct rtt {
    uint32_t smoothed_8;  // in eighths of a millisecond; 0 before the first sample
    uint32_t variation_4; // in quarters of a millisecond
};

// Samples above RTT_GIVE_UP_MS count as that.
void rtt_add(struct rtt *rtt, int64_t sample_ms);
// When an answer is late: RTT_LEAST_MS..RTT_GIVE_UP_MS.
uint32_t rtt_timeout_ms(const struct rtt *rtt);
// Smoothed; 0 before the first sample.
uint32_t rtt_ms(const struct rtt *rtt);

#endif
