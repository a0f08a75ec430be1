#include "node/command_line.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/config_table.h"
#include "node/text.h"

#define FLAGS_MAX   64
#define PROBLEM_MAX 1024

// What is gathered before the configuration is read.
struct gathering {
    struct command_line *line;
    int argc;
    const char *const *argv;
    int at;
    const char *flags[FLAGS_MAX]; // of the configuration
    int flags_count;
    size_t arguments_count;
    bool is_rest; // behind "--": no flags any more
};

int command_fail(int status, const char *format, ...)
{
    char text[PROBLEM_MAX];
    uint8_t bytes[PROBLEM_MAX * 2];
    struct buffer safe;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    // What is wrong is often a word that somebody pasted.
    buffer_init_fixed(&safe, bytes, sizeof(bytes));
    text_write_safe(&safe, text);
    fprintf(stderr, "shoal: %.*s\n", (int)safe.size, (const char *)safe.data);
    return status;
}

// The same, with where to read on; always false.
__attribute__((format(printf, 2, 3))) static bool refuse(const struct command_line *line,
                                                         const char *format, ...)
{
    char sentence[PROBLEM_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    command_fail(EXIT_MISUSED, "%s; \"shoal %s --help\" says more", sentence, line->command->name);
    return false;
}

static const struct command_option *find_in(const struct command_option *options, const char *name,
                                            size_t size)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (strlen(options->name) == size && memcmp(options->name, name, size) == 0)
            return options;
    }
    return NULL;
}

static const struct command_option *option_find(const struct command_line *line, const char *name,
                                                size_t size)
{
    const struct command_option *option = find_in(line->command->options, name, size);
    if (option == NULL && line->verb != NULL)
        option = find_in(line->verb->options, name, size);
    return option;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t value_size = strlen(value);
    for (;;) {
        size_t size = strcspn(choices, "|");
        if (size == value_size && memcmp(choices, value, size) == 0)
            return true;
        if (choices[size] == '\0')
            return false;
        choices += size + 1;
    }
}

// Only a word with a | lists values; another one is a name for what is wanted.
static bool is_allowed(const char *wanted, const char *value)
{
    return strchr(wanted, '|') == NULL || is_choice(wanted, value);
}

// ---- Options

static bool add_option(struct command_line *line, const struct command_option *option,
                       const char *value)
{
    if (command_line_has(line, option->name))
        return refuse(line, "--%s: given a second time; give it once", option->name);
    if (option->value == NULL && value != NULL)
        return refuse(line, "--%s takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        command_fail(EXIT_MISUSED, "--%s: the value is missing; write --%s %s", option->name,
                     option->name, option->value);
        return false;
    }
    if (value != NULL && !is_allowed(option->value, value)) {
        command_fail(EXIT_MISUSED, "--%s: \"%.200s\" is none of %s", option->name, value,
                     option->value);
        return false;
    }
    if (line->options_count == COMMAND_OPTIONS_MAX)
        return refuse(line, "--%s: too many options", option->name);
    line->options[line->options_count] = option->name;
    line->values[line->options_count] = value == NULL ? "" : value;
    line->options_count++;
    return true;
}

static void nearest_option(const struct command_option *options, const char *name, size_t *least,
                           const char **best)
{
    for (; options != NULL && options->name != NULL; options++) {
        size_t distance = text_distance(name, options->name);
        if (distance >= *least)
            continue;
        *least = distance;
        *best = options->name;
    }
}

static bool refuse_flag(const struct command_line *line, const char *text, size_t size)
{
    char name[64];
    const char *best = NULL;
    size_t least;
    snprintf(name, sizeof(name), "%.*s", (int)(size < 63 ? size : 63), text);
    least = 3 + strlen(name) / 4;
    nearest_option(line->command->options, name, &least, &best);
    if (line->verb != NULL)
        nearest_option(line->verb->options, name, &least, &best);
    const struct config_row *row =
        line->command->keys == COMMAND_KEYS_NONE ? NULL : config_row_nearest(name);
    if (row != NULL && text_distance(name, row->name) < least)
        best = row->name;
    if (best == NULL)
        return refuse(line, "there is no flag --%s here", name);
    command_fail(EXIT_MISUSED, "there is no flag --%s here; is --%s meant?", name, best);
    return false;
}

// A flag of the configuration with its value, for config_read_partly.
static bool add_key(struct gathering *gathering, const struct config_row *row)
{
    const char *next = gathering->at < gathering->argc ? gathering->argv[gathering->at] : NULL;
    const char *flag = gathering->argv[gathering->at - 1];
    if (gathering->flags_count + 2 > FLAGS_MAX)
        return refuse(gathering->line, "--%s: too many flags", row->name);
    gathering->flags[gathering->flags_count++] = flag;
    bool has_value = strchr(flag, '=') != NULL;
    bool is_switch = row->kind == CONFIG_SWITCH && (next == NULL || next[0] == '-');
    if (has_value || is_switch || next == NULL)
        return true;
    gathering->flags[gathering->flags_count++] = next;
    gathering->at++;
    return true;
}

static bool add_flag(struct gathering *gathering, const char *text)
{
    struct command_line *line = gathering->line;
    size_t size = strcspn(text + 2, "=");
    const char *value = text[2 + size] == '=' ? text + 3 + size : NULL;
    const struct command_option *option = option_find(line, text + 2, size);
    if (option != NULL) {
        if (value == NULL && option->value != NULL && gathering->at < gathering->argc)
            value = gathering->argv[gathering->at++];
        return add_option(line, option, value);
    }
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)(size < 63 ? size : 63), text + 2);
    const struct config_row *row = config_row_find(name);
    if (row == NULL || line->command->keys == COMMAND_KEYS_NONE)
        return refuse_flag(line, text + 2, size);
    return add_key(gathering, row);
}

// ---- Arguments

static const char *synopsis(const struct command_line *line)
{
    return line->verb != NULL ? line->verb->arguments : line->command->arguments;
}

// Word i of the synopsis, without brackets; false past its end.
static bool synopsis_word(const struct command_line *line, size_t i, char out[64],
                          bool *is_optional)
{
    const char *text = synopsis(line);
    for (;; i--) {
        size_t size = strcspn(text, " ");
        if (size == 0)
            return false;
        if (i == 0) {
            *is_optional = text[0] == '[';
            size_t skipped = *is_optional ? 1 : 0;
            snprintf(out, 64, "%.*s", (int)(size - 2 * skipped), text + skipped);
            return true;
        }
        text += size + (text[size] == ' ' ? 1 : 0);
    }
}

static void list_verbs(const struct command *command, char *out, size_t size)
{
    size_t used = 0;
    for (const struct command_verb *verb = command->verbs; verb->name != NULL; verb++) {
        const char *joint = verb == command->verbs ? "" : verb[1].name == NULL ? " or " : ", ";
        int added = snprintf(out + used, size - used, "%s%s", joint, verb->name);
        if (added < 0 || (size_t)added >= size - used)
            return;
        used += (size_t)added;
    }
}

static bool set_verb(struct command_line *line, const char *word)
{
    char verbs[256] = "";
    line->verb = command_verb_find(line->command, word);
    if (line->verb != NULL)
        return true;
    list_verbs(line->command, verbs, sizeof(verbs));
    command_fail(EXIT_MISUSED, "\"%.100s\" is nothing to do; right is shoal %s %s", word,
                 line->command->name, verbs);
    return false;
}

static bool add_argument(struct gathering *gathering, const char *word)
{
    struct command_line *line = gathering->line;
    char wanted[64];
    bool is_optional;
    if (line->command->verbs != NULL && line->verb == NULL)
        return set_verb(line, word);
    if (gathering->arguments_count == COMMAND_ARGUMENTS_MAX ||
        !synopsis_word(line, gathering->arguments_count, wanted, &is_optional))
        return refuse(line, "\"%.100s\" is one word too many", word);
    if (!is_allowed(wanted, word)) {
        command_fail(EXIT_MISUSED, "\"%.100s\" is none of %s", word, wanted);
        return false;
    }
    line->arguments[gathering->arguments_count] = word;
    gathering->arguments_count++;
    return true;
}

static bool check_arguments(const struct gathering *gathering)
{
    const struct command_line *line = gathering->line;
    const struct command *command = line->command;
    char wanted[64], verbs[256] = "";
    bool is_optional;
    if (command->verbs != NULL && line->verb == NULL) {
        list_verbs(command, verbs, sizeof(verbs));
        command_fail(EXIT_MISUSED, "say what to do: shoal %s %s", command->name, verbs);
        return false;
    }
    if (!synopsis_word(line, gathering->arguments_count, wanted, &is_optional) || is_optional)
        return true;
    command_fail(EXIT_MISUSED, "%s is missing: shoal %s%s%s %s; \"shoal %s --help\" says more",
                 wanted, command->name, line->verb == NULL ? "" : " ",
                 line->verb == NULL ? "" : line->verb->name, synopsis(line), command->name);
    return false;
}

static bool gather(struct gathering *gathering)
{
    while (gathering->at < gathering->argc) {
        const char *text = gathering->argv[gathering->at++];
        bool is_good;
        if (!gathering->is_rest && strcmp(text, "--") == 0) {
            gathering->is_rest = true;
            continue;
        }
        // "-" alone is a file's name, and so is no flag.
        if (!gathering->is_rest && strncmp(text, "--", 2) == 0)
            is_good = add_flag(gathering, text);
        else if (!gathering->is_rest && text[0] == '-' && text[1] != '\0')
            is_good = refuse(gathering->line, "\"%.100s\" is no flag; flags begin with --", text);
        else
            is_good = add_argument(gathering, text);
        if (!is_good)
            return false;
    }
    return check_arguments(gathering);
}

static bool read_line(struct command_line *line, int argc, const char *const *argv)
{
    struct gathering gathering = {.line = line, .argc = argc, .argv = argv};
    struct config_error error;
    if (!gather(&gathering))
        return false;
    if (line->command->keys == COMMAND_KEYS_NONE ||
        config_read_partly(gathering.flags_count, gathering.flags, &line->config, &error))
        return true;
    command_fail(EXIT_MISUSED, "%s", error.text);
    return false;
}

struct command_line *command_line_new(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = calloc(1, sizeof(*line));
    if (line == NULL) {
        command_fail(EXIT_MISUSED, "out of memory");
        return NULL;
    }
    line->command = command_find(name);
    if (read_line(line, argc, argv))
        return line;
    command_line_free(line);
    return NULL;
}

void command_line_free(struct command_line *line)
{
    free(line);
}

const char *command_line_value(const struct command_line *line, const char *name)
{
    for (size_t i = 0; i < line->options_count; i++) {
        if (strcmp(line->options[i], name) == 0)
            return line->values[i];
    }
    return NULL;
}
