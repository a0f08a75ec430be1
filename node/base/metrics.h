// Counters, gauges and histograms, and their text for Prometheus (text format 0.0.4). All are
// registered once at start: the number of series is bounded, and counting is an addition. No I/O,
// no clock: durations are passed in. A wrong spec (a name that is none, twice, or too many values),
// a place that is no value of the label and a negative count are our own bugs: assertions.
#ifndef SHOAL_NODE_BASE_METRICS_H
#define SHOAL_NODE_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

struct metrics;

#define METRICS_LABELS_MAX  32 // values of a label
#define METRICS_BUCKETS_MAX 24

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_spec {
    enum metric_kind kind;
    const char *name;          // "shoal_shares_total"; units in the name, base units
    const char *help;          // a sentence
    const char *label;         // its name, NULL for none
    const char *const *values; // of the label, ended by NULL
    const double *buckets;     // upper bounds of a histogram, ascending; +Inf is added
    size_t buckets_count;
};

struct metric; // borrowed, lives as long as the metrics

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
// Texts and arrays are borrowed for the life of the metrics. NULL if out of memory: nothing was
// added.
struct metric *metrics_add(struct metrics *metrics, const struct metric_spec *spec);
// `value` is the place of the label's value, 0 where there is no label.
void metric_count(struct metric *metric, unsigned value, double amount); // counters
void metric_set(struct metric *metric, unsigned value, double number);   // gauges (NaN: not known)
                                                                         // and counters that are
                                                                         // kept elsewhere
void metric_observe(struct metric *metric, unsigned value, double number); // histograms
// Appends the text of all, in the order in which they were added.
void metrics_write(const struct metrics *metrics, struct buffer *out);

#endif
