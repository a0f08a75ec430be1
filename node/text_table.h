// Tables for terminals: cells are gathered, then written with columns as wide as they need. What
// came from outside cannot steer the terminal: control characters become question marks.
#ifndef SHOAL_NODE_TEXT_TABLE_H
#define SHOAL_NODE_TEXT_TABLE_H

#include <stddef.h>
#include "node/base/bytes.h"

#define TEXT_TABLE_COLUMNS_MAX 16

struct text_table;

// `columns` are the headings joined by '|'; one that begins with '>' is aligned to the right.
// Static text. NULL if out of memory.
struct text_table *text_table_new(const char *columns);
void text_table_free(struct text_table *table);
// The next cell of the row, copied; after the last column the next row begins.
void text_table_add(struct text_table *table, const char *text);
void text_table_add_format(struct text_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Headings and rows, or the sentence `empty` if there are no rows.
void text_table_write(const struct text_table *table, const char *empty, struct buffer *out);

#endif
