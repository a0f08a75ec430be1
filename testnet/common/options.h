// Command lines of the testnet programs from one table: parsing, defaults, ranges, --help and error
// messages. Called once at the start of main. Takes only `--name value`, `--name=value` and flags;
// anything else is refused with the option, its value and what would be right.
#ifndef SHOAL_TESTNET_COMMON_OPTIONS_H
#define SHOAL_TESTNET_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

#define OPTION_LIST_MAX    64
#define OPTIONS_ERROR_SIZE 512

enum option_kind {
    OPTION_FLAG,   // bool; takes no value
    OPTION_TEXT,   // const char *, a view of argv; NULL if not given and without default
    OPTION_LIST,   // struct option_list; may be given several times
    OPTION_COUNT,  // uint64_t within min..max; suffixes k, M, G, T are powers of 1000
    OPTION_NUMBER, // double within min..max
    OPTION_CHOICE, // const char *, one of `choices`
};

struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

struct option {
    const char *name; // without the dashes
    enum option_kind kind;
    size_t offset; // of the field in the struct that is filled
    uint64_t min;  // OPTION_COUNT and OPTION_NUMBER
    uint64_t max;
    const char *fallback;   // default as one would type it, NULL if none
    const char *choices;    // "a|b|c" of OPTION_CHOICE
    const char *value_name; // shown in --help
    const char *help;       // one or more lines, split at \n
};

struct option_set {
    const char *program;
    const char *purpose;  // what the program is, first lines of --help
    const char *epilogue; // last lines of --help, may be NULL
    const struct option *options;
    size_t count;
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_BAD };

// Fills the zeroed struct at `out` from defaults and argv. OPTIONS_BAD: `error` holds a sentence.
enum options_result options_parse(const struct option_set *set, int argc, char *const *argv,
                                  void *out, char error[OPTIONS_ERROR_SIZE]);
// The text of --help.
void options_write_help(const struct option_set *set, struct buffer *out);

#endif
