// The one table of what `shoal` can be asked to do. From it come the dispatch (main.c), the help
// texts, the man pages and the shell completions, so that none of them can lack a command. A new
// command is a row here and a function in commands.h; its arguments are best read with
// command_line.h, which knows the table, too.
#ifndef SHOAL_NODE_COMMAND_TABLE_H
#define SHOAL_NODE_COMMAND_TABLE_H

#include <stddef.h>
#include "node/commands.h"

// In the order in which help and man page show them.
enum command_group {
    COMMAND_GROUP_RUN,     // run a node, prepare one
    COMMAND_GROUP_ASK,     // questions to a running node
    COMMAND_GROUP_OPERATE, // changes to a running node
    COMMAND_GROUP_ABOUT,   // the program itself
};
#define COMMAND_GROUPS_COUNT 4

// Which flags a command takes beside its options.
enum command_keys {
    COMMAND_KEYS_NONE,
    COMMAND_KEYS_DATA, // --data and --config are what matters; other keys are allowed
    COMMAND_KEYS_ALL,  // every key of the configuration
};

struct command_option {
    const char *name;    // "json" is the flag --json
    const char *value;   // "FILE", "DIR", "text|json" (these three are completed) or another word;
                         // NULL: it takes none
    const char *meaning; // begins small, ends without a full stop
};

// What stands behind the name of a command that does several things: `shoal pool new`.
struct command_verb {
    const char *name;
    const char *arguments; // as in struct command
    const char *meaning;
    const struct command_option *options; // beside those of the command
};

struct command {
    const char *name;
    enum command_group group;
    // Words with spaces between; one in brackets may be left out: "HASH", "[PAGE]", "". A word with
    // | lists all values: "bash|zsh|fish".
    const char *arguments;
    const char *meaning; // one line of a list: begins small, ends without a full stop
    // Paragraphs with an empty line between, wrapped where they are shown; a line that begins with
    // a space stays as it is.
    const char *description;
    enum command_keys keys;
    const struct command_option *options; // the last row has no name; NULL: none
    const struct command_verb *verbs;     // the same
    command_run *run;
};

// Row i, or NULL past the end.
const struct command *command_row(size_t i);
// NULL if there is none.
const struct command *command_find(const char *name);
const struct command_verb *command_verb_find(const struct command *command, const char *name);
// The known name that is most like this one; NULL if none is.
const struct command *command_nearest(const char *name);
// What a group is called: "Questions to a running node".
const char *command_group_text(enum command_group group);

#endif
