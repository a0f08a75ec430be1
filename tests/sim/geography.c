#include "tests/sim/geography.h"

#include <math.h>

#define ACCESS_MEDIAN_US 3000.0
#define ACCESS_SIGMA     0.6
#define ACCESS_MAX_US    40000.0

// Eastern and western North America, western and eastern Europe, eastern and south-eastern Asia,
// South America, Oceania: of 100 hosts so many each.
static const unsigned weights[GEOGRAPHY_REGIONS] = {24, 11, 29, 12, 11, 7, 3, 3};

// Half of usual round-trip times between large cities, in milliseconds.
static const uint8_t delays_ms[GEOGRAPHY_REGIONS][GEOGRAPHY_REGIONS] = {
    {9, 33, 41, 55, 84, 106, 60, 100},    {33, 8, 68, 82, 56, 84, 86, 70},
    {41, 68, 9, 18, 104, 82, 94, 128},    {55, 82, 18, 11, 86, 74, 108, 138},
    {84, 56, 104, 86, 17, 33, 132, 60},   {106, 84, 82, 74, 33, 15, 150, 48},
    {60, 86, 94, 108, 132, 150, 16, 142}, {100, 70, 128, 138, 60, 48, 142, 10},
};

struct place geography_place(struct random *random)
{
    struct place place = {0, 0};
    uint64_t left = random_below(random, 100);
    while (left >= weights[place.region])
        left -= weights[place.region++];
    double access = ACCESS_MEDIAN_US * exp(ACCESS_SIGMA * random_normal(random));
    place.access_us = (int64_t)(access < ACCESS_MAX_US ? access : ACCESS_MAX_US);
    return place;
}

int64_t geography_delay_us(const struct place *a, const struct place *b)
{
    return 1000 * (int64_t)delays_ms[a->region][b->region] + a->access_us + b->access_us;
}
