// Hashes a second as an exponential average over a minute, ten minutes, an hour and a day,
// corrected for the time that has not passed yet: a session of ten seconds already shows its rate.
// Silence lets it fall.
#ifndef SHOAL_STRATUM_RATE_H
#define SHOAL_STRATUM_RATE_H

#include "node/base/time.h"

enum rate_span { RATE_1M, RATE_10M, RATE_1H, RATE_1D, RATE_SPANS };

struct rate {
    double sums[RATE_SPANS]; // hashes, decayed up to `at`
    struct mono_time started;
    struct mono_time at;
};

void rate_init(struct rate *rate, struct mono_time now);
void rate_add(struct rate *rate, double hashes, struct mono_time now);
double rate_get(const struct rate *rate, enum rate_span span, struct mono_time now);

#endif
