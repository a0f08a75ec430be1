#include "tests/sim/histogram.h"

#include <string.h>

#define PART_BITS 7
#define PARTS     (1u << PART_BITS)

void histogram_init(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

static unsigned class_of(uint64_t value)
{
    if (value < PARTS)
        return (unsigned)value;
    unsigned shift = 63 - PART_BITS - (unsigned)__builtin_clzll(value);
    return (shift + 1) * PARTS + (unsigned)((value >> shift) - PARTS);
}

// The greatest value of a class.
static uint64_t top_of(unsigned class)
{
    if (class < PARTS)
        return class;
    unsigned shift = class / PARTS - 1;
    uint64_t part = PARTS + class % PARTS;
    return ((part + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->counts[class_of(value)]++;
    histogram->count++;
    histogram->sum += (double)value;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    double wanted = (double)histogram->count * percent / 100;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_CLASSES && histogram->count > 0; i++) {
        seen += histogram->counts[i];
        if (histogram->counts[i] > 0 && (double)seen >= wanted)
            return top_of(i) < histogram->max ? top_of(i) : histogram->max;
    }
    return histogram->max;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->sum / (double)histogram->count;
}
