#include "node/text_table.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/text.h"

#define CELL_SIZE_MAX  512
#define TABLE_SIZE_MAX (64u << 20)

struct column {
    char heading[32];
    bool is_right;
    size_t width;
};

struct text_table {
    struct column columns[TEXT_TABLE_COLUMNS_MAX];
    size_t columns_count;
    size_t cells_count;
    struct buffer cells; // zero-terminated texts, one behind the other
};

static void add_column(struct text_table *table, const char *heading, size_t size)
{
    assert(table->columns_count < TEXT_TABLE_COLUMNS_MAX);
    struct column *column = &table->columns[table->columns_count];
    table->columns_count++;
    column->is_right = size > 0 && heading[0] == '>';
    size_t skipped = column->is_right ? 1 : 0;
    assert(size - skipped < sizeof(column->heading));
    memcpy(column->heading, heading + skipped, size - skipped);
    column->width = text_width(column->heading);
}

struct text_table *text_table_new(const char *columns)
{
    struct text_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    buffer_init(&table->cells, TABLE_SIZE_MAX);
    for (;;) {
        size_t size = strcspn(columns, "|");
        add_column(table, columns, size);
        if (columns[size] == '\0')
            return table;
        columns += size + 1;
    }
}

void text_table_free(struct text_table *table)
{
    if (table == NULL)
        return;
    buffer_clear(&table->cells);
    free(table);
}

void text_table_add(struct text_table *table, const char *text)
{
    struct column *column = &table->columns[table->cells_count % table->columns_count];
    size_t begin = table->cells.size;
    text_write_safe(&table->cells, text);
    write_u8(&table->cells, '\0');
    if (table->cells.failed)
        return;
    size_t width = text_width((const char *)table->cells.data + begin);
    if (width > column->width)
        column->width = width;
    table->cells_count++;
}

void text_table_add_format(struct text_table *table, const char *format, ...)
{
    char text[CELL_SIZE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_table_add(table, text);
}

static void write_spaces(struct buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_u8(out, ' ');
}

static void write_cell(const struct text_table *table, size_t column_index, const char *text,
                       struct buffer *out)
{
    const struct column *column = &table->columns[column_index];
    bool is_last = column_index + 1 == table->columns_count;
    size_t spaces = column->width - text_width(text);
    write_text(out, column_index == 0 ? "" : "  ");
    if (column->is_right)
        write_spaces(out, spaces);
    write_text(out, text);
    if (!column->is_right && !is_last)
        write_spaces(out, spaces);
    if (is_last)
        write_text(out, "\n");
}

void text_table_write(const struct text_table *table, const char *empty, struct buffer *out)
{
    if (table->cells_count == 0) {
        write_text(out, empty);
        return;
    }
    assert(table->columns_count > 0);
    for (size_t i = 0; i < table->columns_count; i++)
        write_cell(table, i, table->columns[i].heading, out);
    const char *cell = (const char *)table->cells.data;
    for (size_t i = 0; i < table->cells_count; i++) {
        write_cell(table, i % table->columns_count, cell, out);
        cell += strlen(cell) + 1;
    }
    if (table->cells.failed)
        write_text(out, "(more rows than memory)\n");
}
