// The table of configuration keys and what can be done with one row: set it from text, write it as
// text, find it by name. Used by config.c and config_file.c, and by what lists all flags (help, man
// page, completion).
#ifndef SHOAL_NODE_CONFIG_TABLE_H
#define SHOAL_NODE_CONFIG_TABLE_H

#include "node/config.h"

enum config_kind {
    CONFIG_TEXT,
    CONFIG_SECRET,  // text that is never shown
    CONFIG_KEY,     // 64 hex digits that are never shown, or empty
    CONFIG_PATH,    // a leading ~/ is the home directory
    CONFIG_ADDRESS, // IP:PORT or unix:PATH; may be empty
    CONFIG_URLS,    // list
    CONFIG_ADDRESSES,
    CONFIG_SOCKETS, // IP:PORT
    CONFIG_PUBLICS, // IP or IP:PORT
    CONFIG_SEEDS,   // HOST:PORT/KEY
    CONFIG_TEXTS,
    CONFIG_SWITCH, // bool, 0 or 1; as a flag without a value: 1
    CONFIG_COUNT,  // uint32_t in min..max
    CONFIG_NUMBER, // double, 0 (if zero_means is there) or min..max
    CONFIG_MASK,   // uint32_t as 8 hex digits
    CONFIG_LEVEL,
    CONFIG_FORM,
};

struct config_row {
    const char *name;    // "stratum-listen"
    const char *section; // "stratum"; "" for keys outside of sections
    enum config_kind kind;
    size_t offset; // of the field in struct config
    size_t size;
    const char *default_text; // "" for none
    double min, max;
    const char *zero_means; // of CONFIG_NUMBER; NULL if 0 is no value
    bool is_required;
    const char *value_name; // in the help: FILE, DIR, or all values there are: text|json
    const char *range;      // what would be right, for people
    const char *help;
};

// Row i, or NULL past the end.
const struct config_row *config_row(size_t i);
size_t config_row_index(const struct config_row *row);
// NULL if there is no such key.
const struct config_row *config_row_find(const char *name);
// The known name that is most like this one; NULL if none is.
const struct config_row *config_row_nearest(const char *name);
bool config_row_is_list(const struct config_row *row);
bool config_row_is_secret(const struct config_row *row);
void config_row_clear_list(const struct config_row *row, struct config *config);
// Sets the field, or appends to a list what stands between commas (nothing: the list stays empty).
// False with what is wrong in `wrong` ("is no number"); the value itself is not in it.
bool config_row_set(const struct config_row *row, const char *value, struct config *config,
                    char wrong[CONFIG_MESSAGE_SIZE]);
// The value as config_row_set takes it, but *** in the place of secrets.
void config_row_write(const struct config_row *row, const struct config *config,
                      struct buffer *out);
bool config_row_is_empty(const struct config_row *row, const struct config *config);
// The environment variable of the key: SHOAL_STRATUM_LISTEN.
void config_row_variable(const struct config_row *row, char out[64]);

#endif
