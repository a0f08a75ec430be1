#include "node/base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_SIZE 32

struct metric {
    struct metric *next;
    struct metric_spec spec;
    unsigned values_count; // of the label; 1 where there is none
    double *numbers;       // by value: counters, gauges, sums of histograms
    uint64_t *counts;      // by value and bucket, +Inf the last one; NULL unless a histogram
};

struct metrics {
    struct metric *first;
    struct metric *last;
};

struct metrics *metrics_new(void)
{
    return calloc(1, sizeof(struct metrics));
}

static void metric_free(struct metric *metric)
{
    free(metric->numbers);
    free(metric->counts);
    free(metric);
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    while (metrics->first != NULL) {
        struct metric *metric = metrics->first;
        metrics->first = metric->next;
        metric_free(metric);
    }
    free(metrics);
}

// ---- Registering

static bool is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    static const char others[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    return text[0] != '\0' && strchr(letters, text[0]) != NULL &&
           strspn(text, others) == strlen(text);
}

static unsigned count_values(const struct metric_spec *spec)
{
    unsigned count = 0;
    if (spec->label == NULL)
        return 1;
    while (spec->values[count] != NULL)
        count++;
    return count;
}

static void check_buckets(const struct metric_spec *spec)
{
    bool is_histogram = spec->kind == METRIC_HISTOGRAM;
    assert(is_histogram == (spec->buckets_count > 0));
    assert(spec->buckets_count <= METRICS_BUCKETS_MAX);
    for (size_t i = 0; i < spec->buckets_count; i++) {
        assert(isfinite(spec->buckets[i]));
        assert(i == 0 || spec->buckets[i] > spec->buckets[i - 1]);
    }
}

// What is registered is written by us: a mistake in it is our own bug.
static void check_spec(const struct metrics *metrics, const struct metric_spec *spec)
{
    assert(is_name(spec->name) && spec->help[0] != '\0');
    assert(spec->label == NULL || is_name(spec->label));
    unsigned values_count = count_values(spec);
    assert(values_count >= 1 && values_count <= METRICS_LABELS_MAX);
    check_buckets(spec);
    for (const struct metric *at = metrics->first; at != NULL; at = at->next)
        assert(strcmp(at->spec.name, spec->name) != 0);
}

struct metric *metrics_add(struct metrics *metrics, const struct metric_spec *spec)
{
    check_spec(metrics, spec);
    struct metric *metric = calloc(1, sizeof(*metric));
    if (metric == NULL)
        return NULL;
    metric->spec = *spec;
    metric->values_count = count_values(spec);
    metric->numbers = calloc(metric->values_count, sizeof(*metric->numbers));
    if (spec->kind == METRIC_HISTOGRAM)
        metric->counts =
            calloc(metric->values_count * (spec->buckets_count + 1), sizeof(*metric->counts));
    if (metric->numbers == NULL || (spec->kind == METRIC_HISTOGRAM && metric->counts == NULL)) {
        metric_free(metric);
        return NULL;
    }
    if (metrics->last == NULL)
        metrics->first = metric;
    else
        metrics->last->next = metric;
    metrics->last = metric;
    return metric;
}

// ---- Counting

void metric_count(struct metric *metric, unsigned value, double amount)
{
    assert(metric->spec.kind == METRIC_COUNTER);
    assert(value < metric->values_count && amount >= 0);
    metric->numbers[value] += amount;
}

void metric_set(struct metric *metric, unsigned value, double number)
{
    assert(metric->spec.kind != METRIC_HISTOGRAM && value < metric->values_count);
    metric->numbers[value] = number;
}

void metric_observe(struct metric *metric, unsigned value, double number)
{
    const struct metric_spec *spec = &metric->spec;
    assert(spec->kind == METRIC_HISTOGRAM && value < metric->values_count);
    assert(!isnan(number));
    size_t bucket = 0;
    while (bucket < spec->buckets_count && number > spec->buckets[bucket])
        bucket++;
    metric->counts[value * (spec->buckets_count + 1) + bucket]++;
    metric->numbers[value] += number;
}

// ---- Writing

// Of help a line ends at a newline, and a backslash escapes; in a label's value a quote ends it,
// too.
static void write_escaped(struct buffer *out, const char *text, bool is_quoted)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            write_text(out, "\\n");
        else if (*text == '\\' || (is_quoted && *text == '"'))
            write_bytes(out, (const char[]){'\\', *text}, 2);
        else
            write_u8(out, (uint8_t)*text);
    }
}

// The shortest of the usual forms that reads back as the same number.
static void number_to_text(double number, char out[NUMBER_TEXT_SIZE])
{
    if (isnan(number)) {
        snprintf(out, NUMBER_TEXT_SIZE, "NaN");
        return;
    }
    if (isinf(number)) {
        snprintf(out, NUMBER_TEXT_SIZE, number > 0 ? "+Inf" : "-Inf");
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, NUMBER_TEXT_SIZE, "%.*g", digits, number);
        if (strtod(out, NULL) == number)
            return;
    }
}

static const char *kind_text(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    abort();
}

// {label="value",le="bound"}, or as much of it as there is.
static void write_labels(const struct metric_spec *spec, unsigned value, const char *bound,
                         struct buffer *out)
{
    if (spec->label == NULL && bound == NULL)
        return;
    write_u8(out, '{');
    if (spec->label != NULL) {
        write_format(out, "%s=\"", spec->label);
        write_escaped(out, spec->values[value], true);
        write_u8(out, '"');
    }
    if (bound != NULL)
        write_format(out, "%sle=\"%s\"", spec->label != NULL ? "," : "", bound);
    write_u8(out, '}');
}

static void write_sample(const struct metric *metric, unsigned value, struct buffer *out)
{
    char text[NUMBER_TEXT_SIZE];
    number_to_text(metric->numbers[value], text);
    write_text(out, metric->spec.name);
    write_labels(&metric->spec, value, NULL, out);
    write_format(out, " %s\n", text);
}

static void write_histogram(const struct metric *metric, unsigned value, struct buffer *out)
{
    const struct metric_spec *spec = &metric->spec;
    const uint64_t *counts = &metric->counts[value * (spec->buckets_count + 1)];
    char text[NUMBER_TEXT_SIZE];
    uint64_t sum = 0;
    for (size_t i = 0; i <= spec->buckets_count; i++) {
        sum += counts[i];
        number_to_text(i < spec->buckets_count ? spec->buckets[i] : INFINITY, text);
        write_format(out, "%s_bucket", spec->name);
        write_labels(spec, value, text, out);
        write_format(out, " %" PRIu64 "\n", sum);
    }
    number_to_text(metric->numbers[value], text);
    write_format(out, "%s_sum", spec->name);
    write_labels(spec, value, NULL, out);
    write_format(out, " %s\n%s_count", text, spec->name);
    write_labels(spec, value, NULL, out);
    write_format(out, " %" PRIu64 "\n", sum);
}

static void write_metric(const struct metric *metric, struct buffer *out)
{
    write_format(out, "# HELP %s ", metric->spec.name);
    write_escaped(out, metric->spec.help, false);
    write_format(out, "\n# TYPE %s %s\n", metric->spec.name, kind_text(metric->spec.kind));
    for (unsigned value = 0; value < metric->values_count; value++) {
        if (metric->spec.kind == METRIC_HISTOGRAM)
            write_histogram(metric, value, out);
        else
            write_sample(metric, value, out);
    }
}

void metrics_write(const struct metrics *metrics, struct buffer *out)
{
    for (const struct metric *at = metrics->first; at != NULL; at = at->next)
        write_metric(at, out);
}
