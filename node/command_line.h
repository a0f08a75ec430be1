// The arguments of a command, read as its row of the table says: verb, arguments, options, and
// flags of the configuration. Used by the commands; speaks to standard error when something is
// wrong, naming the word, and what would be right.
#ifndef SHOAL_NODE_COMMAND_LINE_H
#define SHOAL_NODE_COMMAND_LINE_H

#include <stdbool.h>
#include "node/command_table.h"
#include "node/config.h"

#define COMMAND_ARGUMENTS_MAX 4
#define COMMAND_OPTIONS_MAX   16 // of a command with those of one verb

struct command_line {
    const struct command *command;
    const struct command_verb *verb;              // NULL if the command has none
    const char *arguments[COMMAND_ARGUMENTS_MAX]; // NULL where one was left out
    // Of the options given; a name without a value has "".
    const char *options[COMMAND_OPTIONS_MAX];
    const char *values[COMMAND_OPTIONS_MAX];
    size_t options_count;
    struct config config; // read if the command takes keys; nothing in it is required
};

// NULL if something is wrong, which has been said: return EXIT_MISUSED. The texts are those of
// argv.
struct command_line *command_line_new(const char *name, int argc, const char *const *argv);
void command_line_free(struct command_line *line); // NULL is fine
// The value of an option, NULL if it was not given.
const char *command_line_value(const struct command_line *line, const char *name);
static inline bool command_line_has(const struct command_line *line, const char *name)
{
    return command_line_value(line, name) != NULL;
}

// Says "shoal: ..." on standard error and returns the status.
int command_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
