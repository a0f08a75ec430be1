// Tables for terminals: cells are gathered, sorted if wanted, then written with columns as wide as
// they need, or narrower where the terminal is. What came from outside cannot steer the terminal
// (node/text.h).
#ifndef SHOAL_NODE_TEXT_TABLE_H
#define SHOAL_NODE_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include "node/base/bytes.h"

#define TEXT_TABLE_COLUMNS_MAX 16

struct text_table;

// `columns` are the headings joined by '|'; one that begins with '>' is aligned to the right, one
// that begins with '~' (in front of that) is left out where the terminal is narrow. Static text.
// NULL if out of memory.
struct text_table *text_table_new(const char *columns);
void text_table_free(struct text_table *table);
// The next cell of the row, copied; after the last column the next row begins.
void text_table_add(struct text_table *table, const char *text);
void text_table_add_format(struct text_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// By what the cell that was added last is sorted; otherwise it is its text.
void text_table_set_key(struct text_table *table, double key);

size_t text_table_columns(const struct text_table *table);
size_t text_table_rows(const struct text_table *table);
// Orders the rows by a column: the largest number first, texts by the alphabet; or the other way
// round. Rows that are equal stay in order. The column's heading gets a mark.
void text_table_sort(struct text_table *table, size_t column, bool is_reversed);

struct text_table_look {
    size_t width;      // columns of the terminal: wide columns are cut to fit; 0: no limit
    bool has_colours;  // then the headings are bold
    const char *empty; // the sentence if there are no rows; NULL: the headings alone
};
// Headings and rows, a line each.
void text_table_write(const struct text_table *table, const struct text_table_look *look,
                      struct buffer *out);

#endif
