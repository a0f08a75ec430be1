// build/tests/sim: runs scenarios and says whether their bars are met.
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/sim/crypto_model.h"
#include "tests/sim/scenario.h"

static const char usage[] =
    "Usage: sim --scenario NAME [--nodes N] [--seed S] [--trace FILE]\n"
    "           [--crypto model|real] [--json | --markdown]\n"
    "       sim --selection | --all [--seed S] [--json | --markdown]\n"
    "       sim --list\n"
    "\n"
    "Runs the network's own engines under a virtual clock and compares what was measured with\n"
    "the bars of docs/p2p.md. --all takes the sizes that the bars are meant for, --selection\n"
    "small ones, in about a minute. The same seed gives the same run: the trace says so.\n"
    "Keys and seals are quick stand-ins of the same sizes, unless --crypto real is given.\n";

struct settings {
    const char *scenario;
    bool is_all;
    bool is_selection;
    bool is_list;
    bool is_real_crypto;
    size_t nodes; // 0: the scenario's
    uint64_t seed;
    const char *trace_path;
    enum report_format format;
};

struct totals {
    size_t passed;
    size_t failed;
};

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void run_scenario(const struct scenario *scenario, const struct settings *settings,
                         FILE *trace_file, struct totals *totals)
{
    struct report report = {.scenario = scenario->name,
                            .seed = settings->seed,
                            .has_real_crypto = settings->is_real_crypto};
    report.nodes = settings->is_selection ? scenario->nodes_small : scenario->nodes;
    report.nodes = settings->nodes != 0 ? settings->nodes : report.nodes;
    struct scenario_run run = {report.nodes, settings->seed, trace_file, &report};
    double start = cpu_seconds();
    scenario->run(&run);
    report.cpu_seconds = cpu_seconds() - start;
    report_print(&report, settings->format);
    totals->passed += report_passed(&report);
    totals->failed += report_failed(&report);
}

static void list(void)
{
    for (size_t i = 0; i < scenarios_count; i++)
        printf("%-20s %5zu nodes  %s\n", scenarios[i].name, scenarios[i].nodes, scenarios[i].about);
}

static bool is_chosen(const struct scenario *scenario, const struct settings *settings)
{
    if (settings->is_all)
        return true;
    if (settings->is_selection)
        return scenario->nodes_small != 0;
    return strcmp(scenario->name, settings->scenario) == 0;
}

static uint64_t number_or_exit(const char *text, const char *option)
{
    char *end;
    uint64_t number = strtoumax(text, &end, 10);
    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "sim: --%s %s is no number\n", option, text);
        exit(2);
    }
    return number;
}

static struct settings read_settings(int count, char **arguments)
{
    static const struct option options[] = {
        {"scenario", required_argument, NULL, 'c'}, {"nodes", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},     {"trace", required_argument, NULL, 't'},
        {"crypto", required_argument, NULL, 'k'},   {"all", no_argument, NULL, 'a'},
        {"selection", no_argument, NULL, 'e'},      {"list", no_argument, NULL, 'l'},
        {"json", no_argument, NULL, 'j'},           {"markdown", no_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    struct settings settings = {.seed = 1, .format = REPORT_TEXT};
    int option;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        if (option == 'c')
            settings.scenario = optarg;
        else if (option == 'n')
            settings.nodes = (size_t)number_or_exit(optarg, "nodes");
        else if (option == 's')
            settings.seed = number_or_exit(optarg, "seed");
        else if (option == 't')
            settings.trace_path = optarg;
        else if (option == 'k' && strcmp(optarg, "real") == 0)
            settings.is_real_crypto = true;
        else if (option == 'k' && strcmp(optarg, "model") == 0)
            settings.is_real_crypto = false;
        else if (option == 'a')
            settings.is_all = true;
        else if (option == 'e')
            settings.is_selection = true;
        else if (option == 'l')
            settings.is_list = true;
        else if (option == 'j')
            settings.format = REPORT_JSON;
        else if (option == 'm')
            settings.format = REPORT_MARKDOWN;
        else {
            fputs(usage, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
    }
    bool is_one = settings.scenario != NULL || settings.is_all || settings.is_selection;
    if (optind != count || (!is_one && !settings.is_list)) {
        fputs(usage, stderr);
        exit(2);
    }
    return settings;
}

int main(int count, char **arguments)
{
    struct settings settings = read_settings(count, arguments);
    struct totals totals = {0, 0};
    FILE *trace_file = NULL;
    bool is_known = settings.is_all || settings.is_selection;
    if (settings.is_list) {
        list();
        return 0;
    }
    if (sodium_init() < 0)
        abort();
    if (settings.trace_path != NULL && (trace_file = fopen(settings.trace_path, "w")) == NULL) {
        fprintf(stderr, "sim: cannot write %s\n", settings.trace_path);
        return 2;
    }
    crypto_model_use(!settings.is_real_crypto);
    report_begin(settings.format);
    for (size_t i = 0; i < scenarios_count; i++) {
        if (!is_chosen(&scenarios[i], &settings))
            continue;
        is_known = true;
        run_scenario(&scenarios[i], &settings, trace_file, &totals);
    }
    report_end(settings.format);
    if (trace_file != NULL)
        fclose(trace_file);
    if (!is_known) {
        fprintf(stderr, "sim: there is no scenario %s; --list names them\n", settings.scenario);
        return 2;
    }
    if (settings.format != REPORT_JSON)
        printf("%zu passed, %zu failed\n", totals.passed, totals.failed);
    return totals.failed == 0 ? 0 : 1;
}
