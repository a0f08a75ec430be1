// Where hosts are and how long bytes take between them: eight regions with their one-way delays,
// and for each host the delay of its own access, log-normal. Between two hosts chosen at random the
// mean is 63 ms, 19 of 20 are below about 120 ms.
#ifndef SHOAL_TESTS_SIM_GEOGRAPHY_H
#define SHOAL_TESTS_SIM_GEOGRAPHY_H

#include <stdint.h>
#include "tests/sim/random.h"

#define GEOGRAPHY_REGIONS 8

struct place {
    unsigned region;
    int64_t access_us; // one way, between the host and its region's backbone
};

struct place geography_place(struct random *random);
// One way, both accesses included; the same in both directions.
int64_t geography_delay_us(const struct place *a, const struct place *b);

#endif
