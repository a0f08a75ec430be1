#include "tests/sim/report.h"

#include <assert.h>
#include <stdio.h>

static struct report_row *add(struct report *report, const char *what, double value,
                              struct unit unit)
{
    assert(report->rows_count < REPORT_ROWS_MAX);
    struct report_row *row = &report->rows[report->rows_count++];
    snprintf(row->what, sizeof row->what, "%s", what);
    row->value = value;
    row->unit = unit.name;
    row->digits = unit.digits;
    row->kind = BAR_NONE;
    return row;
}

void report_value(struct report *report, const char *what, double value, struct unit unit)
{
    add(report, what, value, unit);
}

void report_at_most(struct report *report, const char *what, double value, struct unit unit,
                    double bar)
{
    struct report_row *row = add(report, what, value, unit);
    row->kind = BAR_AT_MOST;
    row->bar = bar;
}

void report_at_least(struct report *report, const char *what, double value, struct unit unit,
                     double bar)
{
    struct report_row *row = add(report, what, value, unit);
    row->kind = BAR_AT_LEAST;
    row->bar = bar;
}

void report_holds(struct report *report, const char *what, bool is_true)
{
    report_at_least(report, what, is_true ? 1 : 0, (struct unit){"", 0}, 1);
}

static bool is_met(const struct report_row *row)
{
    switch (row->kind) {
    case BAR_NONE:
        return true;
    case BAR_AT_MOST:
        return row->value <= row->bar;
    case BAR_AT_LEAST:
        return row->value >= row->bar;
    }
    return false;
}

static size_t count(const struct report *report, bool met)
{
    size_t rows = 0;
    for (size_t i = 0; i < report->rows_count; i++) {
        const struct report_row *row = &report->rows[i];
        rows += row->kind != BAR_NONE && is_met(row) == met;
    }
    return rows;
}

size_t report_passed(const struct report *report)
{
    return count(report, true);
}

size_t report_failed(const struct report *report)
{
    return count(report, false);
}

static void text_of(const struct report_row *row, char value[48], char bar[48])
{
    int digits = (int)row->digits;
    const char *space = row->unit[0] == '\0' ? "" : " ";
    snprintf(value, 48, "%.*f%s%s", digits, row->value, space, row->unit);
    bar[0] = '\0';
    if (row->kind != BAR_NONE) {
        const char *sign = row->kind == BAR_AT_MOST ? "<=" : ">=";
        snprintf(bar, 48, "%s %.*f%s%s", sign, digits, row->bar, space, row->unit);
    }
}

static const char *mark_of(const struct report_row *row)
{
    if (row->kind == BAR_NONE)
        return "";
    return is_met(row) ? "yes" : "no";
}

static void print_text(const struct report *report)
{
    char value[48];
    char bar[48];
    printf("%s: %zu nodes, seed %llu\n", report->scenario, report->nodes,
           (unsigned long long)report->seed);
    for (size_t i = 0; i < report->rows_count; i++) {
        const struct report_row *row = &report->rows[i];
        text_of(row, value, bar);
        printf("  %-52s %16s  %-18s %s\n", row->what, value, bar, is_met(row) ? "" : "FAILED");
    }
    double cpu = report->cpu_seconds > 0 ? report->cpu_seconds : 1e-9;
    printf("  trace %016llx, %.1f s of network in %.1f s of CPU, %llu events, %.0f thousand/s\n",
           (unsigned long long)report->trace, report->virtual_seconds, report->cpu_seconds,
           (unsigned long long)report->events, (double)report->events / cpu / 1000);
    if (report_failed(report) > 0)
        printf("  again: build/tests/sim --scenario %s --nodes %zu --seed %llu\n", report->scenario,
               report->nodes, (unsigned long long)report->seed);
    printf("\n");
}

static void print_markdown(const struct report *report)
{
    char value[48];
    char bar[48];
    for (size_t i = 0; i < report->rows_count; i++) {
        const struct report_row *row = &report->rows[i];
        text_of(row, value, bar);
        printf("| %s | %zu | %s | %s | %s | %s |\n", report->scenario, report->nodes, row->what,
               value, bar, mark_of(row));
    }
}

// Names and units hold nothing that JSON would want escaped.
static void print_json(const struct report *report)
{
    printf("{\"scenario\":\"%s\",\"nodes\":%zu,\"seed\":%llu,\"trace\":\"%016llx\","
           "\"events\":%llu,\"cpu_seconds\":%.3f,\"virtual_seconds\":%.3f,\"rows\":[",
           report->scenario, report->nodes, (unsigned long long)report->seed,
           (unsigned long long)report->trace, (unsigned long long)report->events,
           report->cpu_seconds, report->virtual_seconds);
    for (size_t i = 0; i < report->rows_count; i++) {
        const struct report_row *row = &report->rows[i];
        printf("%s{\"what\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"", i == 0 ? "" : ",", row->what,
               row->value, row->unit);
        if (row->kind != BAR_NONE)
            printf(",\"%s\":%.6g,\"met\":%s", row->kind == BAR_AT_MOST ? "at_most" : "at_least",
                   row->bar, is_met(row) ? "true" : "false");
        printf("}");
    }
    printf("]}\n");
}

void report_begin(enum report_format format)
{
    if (format == REPORT_MARKDOWN)
        printf("| scenario | nodes | what | measured | bar | met |\n|---|---|---|---|---|---|\n");
}

void report_print(const struct report *report, enum report_format format)
{
    switch (format) {
    case REPORT_TEXT:
        print_text(report);
        break;
    case REPORT_JSON:
        print_json(report);
        break;
    case REPORT_MARKDOWN:
        print_markdown(report);
        break;
    }
    fflush(stdout);
}

void report_end(enum report_format format)
{
    if (format == REPORT_MARKDOWN)
        printf("\n");
}
