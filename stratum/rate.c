#include "stratum/rate.h"

#include <math.h>

// Below this age an average says more about one share's luck than about the miner.
#define AGE_MIN_SECONDS 5.0

static const double span_seconds[RATE_SPANS] = {60, 600, 3600, 86400};

static double seconds_between(struct mono_time from, struct mono_time to)
{
    return to.ms > from.ms ? (double)(to.ms - from.ms) / 1000 : 0;
}

void rate_init(struct rate *rate, struct mono_time now)
{
    *rate = (struct rate){.started = now, .at = now};
}

void rate_add(struct rate *rate, double hashes, struct mono_time now)
{
    double passed = seconds_between(rate->at, now);
    for (int i = 0; i < RATE_SPANS; i++) {
        if (passed > 0) {
            rate->sums[i] *= exp(-passed / span_seconds[i]);
        }
        rate->sums[i] += hashes;
    }
    rate->at = now;
}

double rate_get(const struct rate *rate, enum rate_span span, struct mono_time now)
{
    double passed = seconds_between(rate->at, now);
    double age = fmax(seconds_between(rate->started, now), AGE_MIN_SECONDS);
    double sum = rate->sums[span] * exp(-passed / span_seconds[span]);
    // A steady rate r has brought the sum to r * T * (1 - e^(-age/T)).
    return sum / (span_seconds[span] * -expm1(-age / span_seconds[span]));
}
