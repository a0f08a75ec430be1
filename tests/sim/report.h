// What a scenario measured, beside its bars, as a table for people, JSON, or Markdown.
#ifndef SHOAL_TESTS_SIM_REPORT_H
#define SHOAL_TESTS_SIM_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_ROWS_MAX  32
#define REPORT_WHAT_SIZE 72

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_MARKDOWN };
enum bar_kind { BAR_NONE, BAR_AT_MOST, BAR_AT_LEAST };

struct report_row {
    char what[REPORT_WHAT_SIZE];
    double value;
    const char *unit;
    enum bar_kind kind;
    double bar;
    unsigned digits; // after the point
};

// Of one scenario.
struct report {
    const char *scenario;
    size_t nodes;
    uint64_t seed;
    bool has_real_crypto;
    struct report_row rows[REPORT_ROWS_MAX];
    size_t rows_count;
    uint64_t trace;
    uint64_t events;
    double cpu_seconds;
    double virtual_seconds;
};

// How to write a value: its unit (a literal) and digits after the point.
struct unit {
    const char *name;
    unsigned digits;
};

void report_value(struct report *report, const char *what, double value, struct unit unit);
void report_at_most(struct report *report, const char *what, double value, struct unit unit,
                    double bar);
void report_at_least(struct report *report, const char *what, double value, struct unit unit,
                     double bar);
// A bar that is a condition.
void report_holds(struct report *report, const char *what, bool is_true);

size_t report_passed(const struct report *report);
size_t report_failed(const struct report *report);

// Begins and ends what is printed for all scenarios.
void report_begin(enum report_format format);
void report_print(const struct report *report, enum report_format format);
void report_end(enum report_format format);

#endif
