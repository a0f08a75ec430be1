// Counts values in log-linear classes: 128 to each power of two, so that a percentile is at most
// 0.8 % too high and never too low; values below 128 are exact. Plain data, of constant size.
#ifndef SHOAL_TESTS_SIM_HISTOGRAM_H
#define SHOAL_TESTS_SIM_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_CLASSES (58 * 128)

struct histogram {
    uint64_t counts[HISTOGRAM_CLASSES];
    uint64_t count;
    uint64_t max;
    double sum;
};

void histogram_init(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);
// The least upper bound of a class below which `permille` of the values lie; 0 without values.
uint64_t histogram_percentile(const struct histogram *histogram, double percent);
double histogram_mean(const struct histogram *histogram);

#endif
