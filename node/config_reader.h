// Reading the configuration in layers (file, environment, flags): what they share. A later layer
// replaces what an earlier one said; within one layer only lists may be given more than once. Used
// by config.c and config_file.c only.
#ifndef SHOAL_NODE_CONFIG_READER_H
#define SHOAL_NODE_CONFIG_READER_H

#include "node/config_table.h"

struct config_reader {
    struct config *config;
    struct config_error *error; // the first one stays
    enum config_layer layer;
};

// Sets *error and returns false.
bool config_reader_fail(struct config_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void config_reader_warn(struct config_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// `where` is for people: "shoal.conf:12".
bool config_reader_set(struct config_reader *reader, const struct config_row *row,
                       const char *value, const char *where);
// Says that there is no such key, and which one may have been meant.
bool config_reader_unknown(struct config_reader *reader, const char *name, const char *where);

// config_file.c: the INI file. False with *error; warns of secrets that others can read.
bool config_file_read(struct config_reader *reader, const char *path);

#endif
