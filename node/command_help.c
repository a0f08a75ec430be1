// `shoal help` and `shoal version`.
#include <stdio.h>
#include <string.h>
#include "node/command_line.h"
#include "node/command_text.h"
#include "node/config_table.h"
#include "node/console.h"
#include "node/text.h"
#include "sharechain/pool.h"

#define WIDTH_USUAL 80
#define WIDTH_MAX   100
#define NAME_COLUMN 12 // of commands, with the two spaces in front
#define INDENT      6

static const char exit_text[] =
    "Exit status: 0 done; 1 it could not be done, or the node says no; 2 wrong arguments or "
    "configuration; 3 no node answers.\n";

// "  name        meaning", wrapped behind the column.
static void write_entry(struct buffer *out, const char *name, const char *meaning, size_t width)
{
    struct buffer text;
    buffer_init(&text, COMMAND_TEXT_MAX);
    text_wrap(&text, meaning, NAME_COLUMN + 2, width);
    write_u8(&text, '\0');
    write_text(out, "  ");
    text_write_column(out, name, NAME_COLUMN);
    if (!text.failed)
        write_text(out, (const char *)text.data + NAME_COLUMN + 2);
    buffer_clear(&text);
}

void command_write_list(struct buffer *out, size_t width)
{
    write_format(out,
                 "shoal %s: a node of a decentralised mining pool\n\n"
                 "Usage: shoal COMMAND [ARGUMENT ...] [--flag value ...]\n",
                 SHOAL_VERSION);
    for (unsigned group = 0; group < COMMAND_GROUPS_COUNT; group++) {
        const struct command *command;
        bool is_begun = false;
        for (size_t i = 0; (command = command_row(i)) != NULL; i++) {
            if (command->group != group)
                continue;
            if (!is_begun)
                write_format(out, "\n%s:\n", command_group_text(command->group));
            is_begun = true;
            write_entry(out, command->name, command->meaning, width);
        }
    }
    write_text(out, "\n\"shoal COMMAND --help\" says more of one; \"shoal help config\" lists the "
                    "configuration keys.\n");
    text_wrap(out, exit_text, 0, width);
}

// ---- One command

static void write_options(const struct command_option *options, struct buffer *out)
{
    for (; options != NULL && options->name != NULL; options++)
        write_format(out, " [--%s%s%s]", options->name, options->value == NULL ? "" : " ",
                     options->value == NULL ? "" : options->value);
}

void command_write_usage(const struct command *command, const struct command_verb *verb,
                         struct buffer *out)
{
    const char *arguments = verb == NULL ? command->arguments : verb->arguments;
    write_text(out, command->name);
    write_format(out, "%s%s", verb == NULL ? "" : " ", verb == NULL ? "" : verb->name);
    write_format(out, "%s%s", arguments[0] == '\0' ? "" : " ", arguments);
    if (verb != NULL)
        write_options(verb->options, out);
    write_options(command->options, out);
    switch (command->keys) {
    case COMMAND_KEYS_NONE:
        return;
    case COMMAND_KEYS_DATA:
        write_text(out, " [--data DIR] [--config FILE]");
        return;
    case COMMAND_KEYS_ALL:
        write_text(out, " [--key value ...]");
        return;
    }
}

static void write_flag(struct buffer *out, const char *name, const char *value, const char *meaning,
                       size_t width)
{
    write_format(out, "  --%s%s%s\n", name, value == NULL ? "" : " ", value == NULL ? "" : value);
    text_wrap(out, meaning, INDENT, width);
}

static void write_flags(const struct command_option *options, struct buffer *out, size_t width)
{
    for (; options != NULL && options->name != NULL; options++)
        write_flag(out, options->name, options->value, options->meaning, width);
}

static void write_pool_keys(struct buffer *out, size_t width)
{
    struct pool_key_info key;
    write_text(out, "\nKeys of pool files, flags of \"shoal pool new\":\n");
    for (size_t i = 0; pool_key_row(i, &key); i++) {
        char meaning[512];
        bool has_default = key.default_text[0] != '\0';
        snprintf(meaning, sizeof(meaning), "%s: %s.%s%s%s", key.meaning, key.range,
                 has_default ? " Default: " : "", key.default_text, has_default ? "." : "");
        write_flag(out, key.name, "VALUE", meaning, width);
    }
}

static void write_all_flags(const struct command *command, struct buffer *out, size_t width)
{
    bool has_data = command->keys == COMMAND_KEYS_DATA;
    if (command->options != NULL || has_data)
        write_text(out, "\nFlags:\n");
    write_flags(command->options, out, width);
    if (has_data) {
        write_flag(out, "data", "DIR", "the data directory of the node. Default: ~/.shoal", width);
        write_flag(out, "config", "FILE", "the configuration file of the node, which names it",
                   width);
    }
    if (strcmp(command->name, "pool") == 0)
        write_pool_keys(out, width);
    if (command->keys == COMMAND_KEYS_ALL) {
        write_text(out, "\n");
        config_write_help(out);
    }
}

void command_write_help(const struct command *command, struct buffer *out, size_t width)
{
    struct buffer usage;
    buffer_init(&usage, COMMAND_TEXT_MAX);
    write_format(out, "shoal %s: %s\n\n", command->name, command->meaning);
    if (command->verbs == NULL) {
        write_text(&usage, "Usage: shoal ");
        command_write_usage(command, NULL, &usage);
    }
    write_u8(&usage, '\0');
    if (command->verbs == NULL && !usage.failed)
        text_wrap(out, (const char *)usage.data, 0, width);
    for (const struct command_verb *verb = command->verbs; verb != NULL && verb->name != NULL;
         verb++) {
        buffer_reset(&usage);
        write_text(&usage, "shoal ");
        command_write_usage(command, verb, &usage);
        write_u8(&usage, '\0');
        if (!usage.failed)
            text_wrap(out, (const char *)usage.data, 2, width);
        text_wrap(out, verb->meaning, INDENT, width);
    }
    buffer_clear(&usage);
    write_text(out, "\n");
    text_wrap(out, command->description, 0, width);
    for (const struct command_verb *verb = command->verbs; verb != NULL && verb->name != NULL;
         verb++) {
        if (verb->options != NULL)
            write_format(out, "\nFlags of \"shoal %s %s\":\n", command->name, verb->name);
        write_flags(verb->options, out, width);
    }
    write_all_flags(command, out, width);
}

// ---- The commands

static size_t help_width(void)
{
    size_t width = console_width();
    return width == 0 ? WIDTH_USUAL : width > WIDTH_MAX ? WIDTH_MAX : width;
}

int command_print(struct buffer *text)
{
    bool is_whole = !text->failed && fwrite(text->data, 1, text->size, stdout) == text->size;
    if (text->failed)
        command_fail(EXIT_FAILED, "out of memory");
    buffer_clear(text);
    return is_whole ? EXIT_OK : EXIT_FAILED;
}

int command_unknown(const char *name)
{
    const struct command *nearest = command_nearest(name);
    if (nearest != NULL)
        return command_fail(EXIT_MISUSED,
                            "there is no command \"%s\"; is \"%s\" meant? \"shoal help\" lists all",
                            name, nearest->name);
    return command_fail(EXIT_MISUSED, "there is no command \"%s\"; \"shoal help\" lists them",
                        name);
}

int command_help(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    struct buffer text;
    buffer_init(&text, COMMAND_TEXT_MAX);
    const char *which = line->arguments[0];
    command_line_free(line);
    const struct command *command = which == NULL ? NULL : command_find(which);
    if (which != NULL && command == NULL)
        return command_unknown(which);
    if (command == NULL)
        command_write_list(&text, help_width());
    else
        command_write_help(command, &text, help_width());
    return command_print(&text);
}

int command_version(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    command_line_free(line);
    printf("shoal %s\n", SHOAL_VERSION);
    return EXIT_OK;
}
