#include "testnet/common/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parse {
    const struct option_set *set;
    uint8_t *out;
    char *error; // OPTIONS_ERROR_SIZE
};

static const struct option *find_option(const struct option_set *set, const char *name, size_t size)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
            return option;
    }
    return NULL;
}

static uint64_t suffix_factor(char suffix)
{
    switch (suffix) {
    case 'k':
        return 1000;
    case 'M':
        return 1000000;
    case 'G':
        return 1000000000;
    case 'T':
        return 1000000000000;
    default:
        return 0;
    }
}

// Digits with an optional fraction and suffix: "2M", "1.5k", "600".
static bool parse_count(const char *text, uint64_t *value)
{
    size_t size = strlen(text);
    if (size == 0 || size > 24 || strspn(text, "0123456789.kMGT") != size)
        return false;
    uint64_t factor = suffix_factor(text[size - 1]);
    size_t digits = factor == 0 ? size : size - 1;
    if (digits == 0 || strspn(text, "0123456789.") != digits)
        return false;
    if (memchr(text, '.', digits) == NULL) {
        errno = 0;
        unsigned long long whole = strtoull(text, NULL, 10);
        if (errno != 0 || (factor > 1 && whole > UINT64_MAX / factor))
            return false;
        *value = whole * (factor == 0 ? 1 : factor);
        return true;
    }
    char *end;
    double scaled = strtod(text, &end) * (double)factor;
    if (factor == 0 || end != text + digits || !(scaled >= 0 && scaled < 9e18) ||
        floor(scaled) != scaled)
        return false;
    *value = (uint64_t)scaled;
    return true;
}

static bool parse_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return text[0] != '\0' && strspn(text, "0123456789.eE+-") == strlen(text) && *end == '\0' &&
           isfinite(*value);
}

static bool is_choice(const char *choices, const char *text)
{
    size_t size = strlen(text);
    for (const char *at = choices; *at != '\0';) {
        size_t length = strcspn(at, "|");
        if (length == size && memcmp(at, text, size) == 0)
            return true;
        at += length + (at[length] == '|');
    }
    return false;
}

static bool complain(const struct parse *parse, const struct option *option, const char *value)
{
    switch (option->kind) {
    case OPTION_COUNT:
    case OPTION_NUMBER:
        snprintf(parse->error, OPTIONS_ERROR_SIZE, "--%s %s: wanted a number from %llu to %llu%s",
                 option->name, value, (unsigned long long)option->min,
                 (unsigned long long)option->max,
                 option->kind == OPTION_COUNT ? ", suffixes k, M, G, T allowed" : "");
        break;
    case OPTION_CHOICE:
        snprintf(parse->error, OPTIONS_ERROR_SIZE, "--%s %s: wanted one of %s", option->name, value,
                 option->choices);
        break;
    case OPTION_LIST:
        snprintf(parse->error, OPTIONS_ERROR_SIZE,
                 "--%s %s: given too often, wanted at most %d times", option->name, value,
                 OPTION_LIST_MAX);
        break;
    case OPTION_FLAG:
        snprintf(parse->error, OPTIONS_ERROR_SIZE, "--%s=%s: takes no value, wanted --%s alone",
                 option->name, value, option->name);
        break;
    case OPTION_TEXT:
        snprintf(parse->error, OPTIONS_ERROR_SIZE, "--%s %s: wanted %s", option->name, value,
                 option->value_name);
        break;
    }
    return false;
}

// Fields are written with memcpy: the table knows their place as an offset only.
static bool store_value(const struct parse *parse, const struct option *option, const char *value)
{
    uint8_t *field = parse->out + option->offset;
    uint64_t count = 0;
    double number = 0;
    switch (option->kind) {
    case OPTION_FLAG:
        break;
    case OPTION_LIST: {
        struct option_list list;
        memcpy(&list, field, sizeof list);
        if (list.count == OPTION_LIST_MAX)
            return complain(parse, option, value);
        list.items[list.count++] = value;
        memcpy(field, &list, sizeof list);
        break;
    }
    case OPTION_COUNT:
        if (!parse_count(value, &count) || count < option->min || count > option->max)
            return complain(parse, option, value);
        memcpy(field, &count, sizeof count);
        break;
    case OPTION_NUMBER:
        if (!parse_number(value, &number) || number < (double)option->min ||
            number > (double)option->max)
            return complain(parse, option, value);
        memcpy(field, &number, sizeof number);
        break;
    case OPTION_CHOICE:
        if (!is_choice(option->choices, value))
            return complain(parse, option, value);
        memcpy(field, &value, sizeof value);
        break;
    case OPTION_TEXT:
        memcpy(field, &value, sizeof value);
        break;
    }
    return true;
}

static bool refuse(const struct parse *parse, const char *argument, const char *what)
{
    snprintf(parse->error, OPTIONS_ERROR_SIZE, "%s: %s; `%s --help` lists all options", argument,
             what, parse->set->program);
    return false;
}

// One option at argv[*at], with its value; moves *at past both.
static bool parse_argument(const struct parse *parse, int argc, char *const *argv, int *at)
{
    const char *argument = argv[(*at)++];
    if (strncmp(argument, "--", 2) != 0)
        return refuse(parse, argument, "not an option, wanted --name value");
    const char *name = argument + 2;
    size_t size = strcspn(name, "=");
    const struct option *option = find_option(parse->set, name, size);
    if (option == NULL)
        return refuse(parse, argument, "there is no such option");
    const char *value = name[size] == '=' ? name + size + 1 : NULL;
    if (option->kind == OPTION_FLAG) {
        const bool on = true;
        if (value != NULL)
            return complain(parse, option, value);
        memcpy(parse->out + option->offset, &on, sizeof on);
        return true;
    }
    if (value == NULL && *at < argc)
        value = argv[(*at)++];
    if (value == NULL || value[0] == '\0') {
        char wanted[96];
        snprintf(wanted, sizeof wanted, "its value is missing, wanted --%s %s", option->name,
                 option->value_name);
        return refuse(parse, argument, wanted);
    }
    return store_value(parse, option, value);
}

enum options_result options_parse(const struct option_set *set, int argc, char *const *argv,
                                  void *out, char error[OPTIONS_ERROR_SIZE])
{
    struct parse parse = {.set = set, .out = out, .error = error};
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        if (option->fallback != NULL && !store_value(&parse, option, option->fallback))
            return OPTIONS_BAD;
    }
    for (int at = 1; at < argc;) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
            return OPTIONS_HELP;
        if (!parse_argument(&parse, argc, argv, &at))
            return OPTIONS_BAD;
    }
    return OPTIONS_OK;
}

static void write_help_lines(struct buffer *out, const char *help)
{
    while (*help != '\0') {
        int length = (int)strcspn(help, "\n");
        write_format(out, "        %.*s\n", length, help);
        help += length + (help[length] == '\n');
    }
}

void options_write_help(const struct option_set *set, struct buffer *out)
{
    write_format(out, "usage: %s [options]\n\n%s\n\n", set->program, set->purpose);
    for (size_t i = 0; i < set->count; i++) {
        const struct option *option = &set->options[i];
        const char *value = option->kind == OPTION_CHOICE ? option->choices : option->value_name;
        write_format(out, "  --%s", option->name);
        if (option->kind != OPTION_FLAG)
            write_format(out, " %s", value);
        if (option->fallback != NULL)
            write_format(out, " (default %s)", option->fallback);
        write_text(out, "\n");
        write_help_lines(out, option->help);
    }
    write_text(out, "  --help\n        this text\n");
    if (set->epilogue != NULL)
        write_format(out, "\n%s\n", set->epilogue);
}
