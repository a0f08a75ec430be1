// The table of commands as text: help for terminals, man pages, shell completions. Each begins from
// an empty buffer and needs no running node.
#ifndef SHOAL_NODE_COMMAND_TEXT_H
#define SHOAL_NODE_COMMAND_TEXT_H

#include "node/base/bytes.h"
#include "node/command_table.h"

#define COMMAND_TEXT_MAX (1u << 20)

// The list of all commands, wrapped to `width` columns.
void command_write_list(struct buffer *out, size_t width);
// All about one command.
void command_write_help(const struct command *command, struct buffer *out, size_t width);

// What stands behind "shoal" to use a command or, where it has some, one of its verbs:
// "block HASH [--json] [--data DIR] [--config FILE]".
void command_write_usage(const struct command *command, const struct command_verb *verb,
                         struct buffer *out);
// Prints to standard output, clears the text and returns the exit status.
int command_print(struct buffer *text);
// Says that there is no such command, and which one may be meant; EXIT_MISUSED.
int command_unknown(const char *name);

#endif
