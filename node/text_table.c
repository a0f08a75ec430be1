#include "node/text_table.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/text.h"

#define CELL_SIZE_MAX  512
#define TABLE_SIZE_MAX (64u << 20)
#define GAP            2 // spaces between columns
// To so many columns a text may be cut before others are left out; and at the least.
#define TEXT_USEFUL 14
#define TEXT_LEAST  6
#define MARK        '*' // of the heading by which rows are sorted

struct column {
    char heading[32];
    bool is_optional;
    bool is_right;
    size_t width;
};

struct cell {
    size_t offset; // of its text
    bool has_key;
    double key;
};

struct text_table {
    struct column columns[TEXT_TABLE_COLUMNS_MAX];
    size_t columns_count;
    struct cell *cells; // row by row
    size_t cells_count, cells_capacity;
    struct buffer texts; // zero-terminated, one behind the other
    bool failed;         // a cell had no room: the rows end before it
};

static void add_column(struct text_table *table, const char *heading, size_t size)
{
    assert(table->columns_count < TEXT_TABLE_COLUMNS_MAX);
    struct column *column = &table->columns[table->columns_count];
    table->columns_count++;
    column->is_optional = size > 0 && heading[0] == '~';
    size_t skipped = column->is_optional ? 1 : 0;
    column->is_right = size > skipped && heading[skipped] == '>';
    skipped += column->is_right ? 1 : 0;
    assert(size - skipped < sizeof(column->heading) - 1); // and the mark
    memcpy(column->heading, heading + skipped, size - skipped);
    column->width = text_width(column->heading);
}

struct text_table *text_table_new(const char *columns)
{
    struct text_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    buffer_init(&table->texts, TABLE_SIZE_MAX);
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
    buffer_clear(&table->texts);
    free(table->cells);
    free(table);
}

static bool has_room(struct text_table *table)
{
    if (table->cells_count < table->cells_capacity)
        return true;
    size_t capacity = table->cells_capacity == 0 ? 64 : 2 * table->cells_capacity;
    struct cell *cells = realloc(table->cells, capacity * sizeof(*cells));
    if (cells == NULL)
        return false;
    table->cells = cells;
    table->cells_capacity = capacity;
    return true;
}

static const char *cell_text(const struct text_table *table, const struct cell *cell)
{
    return (const char *)table->texts.data + cell->offset;
}

void text_table_add(struct text_table *table, const char *text)
{
    struct cell cell = {.offset = table->texts.size};
    text_write_safe(&table->texts, text);
    write_u8(&table->texts, '\0');
    table->failed = table->failed || table->texts.failed || !has_room(table);
    if (table->failed)
        return;
    struct column *column = &table->columns[table->cells_count % table->columns_count];
    size_t width = text_width(cell_text(table, &cell));
    if (width > column->width)
        column->width = width;
    table->cells[table->cells_count] = cell;
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

void text_table_set_key(struct text_table *table, double key)
{
    if (table->failed || table->cells_count == 0)
        return;
    table->cells[table->cells_count - 1].has_key = true;
    table->cells[table->cells_count - 1].key = key;
}

size_t text_table_columns(const struct text_table *table)
{
    return table->columns_count;
}

size_t text_table_rows(const struct text_table *table)
{
    return table->cells_count / table->columns_count;
}

// ---- Sorting

// Whether the row of cell a comes behind that of b.
static bool is_behind(const struct text_table *table, const struct cell *a, const struct cell *b,
                      bool is_reversed)
{
    if (a->has_key && b->has_key)
        return is_reversed ? a->key > b->key : a->key < b->key;
    int order = strcmp(cell_text(table, a), cell_text(table, b));
    return is_reversed ? order < 0 : order > 0;
}

// The rows from `first` on, in two sorted halves of which `middle` begins the second, into `out`.
static void merge(const struct text_table *table, size_t column, bool is_reversed, struct cell *out,
                  const size_t bounds[3])
{
    size_t row = table->columns_count, a = bounds[0], b = bounds[1];
    for (size_t i = bounds[0]; i < bounds[2]; i++) {
        bool takes_b = a == bounds[1] ||
                       (b < bounds[2] && is_behind(table, &table->cells[a * row + column],
                                                   &table->cells[b * row + column], is_reversed));
        size_t taken = takes_b ? b++ : a++;
        memcpy(out + i * row, table->cells + taken * row, row * sizeof(*out));
    }
}

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

void text_table_sort(struct text_table *table, size_t column, bool is_reversed)
{
    assert(column < table->columns_count);
    size_t rows = text_table_rows(table);
    struct cell *other = calloc(rows * table->columns_count + 1, sizeof(*other));
    if (other == NULL)
        return; // unsorted, but there
    for (size_t half = 1; half < rows; half *= 2) {
        for (size_t first = 0; first < rows; first += 2 * half) {
            size_t bounds[3] = {first, min_of(first + half, rows), min_of(first + 2 * half, rows)};
            merge(table, column, is_reversed, other, bounds);
        }
        memcpy(table->cells, other, rows * table->columns_count * sizeof(*other));
    }
    free(other);
    struct column *sorted = &table->columns[column];
    sorted->heading[strlen(sorted->heading)] = MARK; // room for it was kept, and zeros are behind
    if (text_width(sorted->heading) > sorted->width)
        sorted->width = text_width(sorted->heading);
}

// ---- Writing

struct layout {
    size_t widths[TEXT_TABLE_COLUMNS_MAX];
    bool is_hidden[TEXT_TABLE_COLUMNS_MAX];
};

// Columns that the rows take if texts are cut to `text_most`.
static size_t layout_width(const struct text_table *table, const struct layout *layout,
                           size_t text_most)
{
    size_t sum = 0;
    for (size_t i = 0; i < table->columns_count; i++) {
        bool is_cut = !table->columns[i].is_right && layout->widths[i] > text_most;
        if (!layout->is_hidden[i])
            sum += (sum == 0 ? 0 : GAP) + (is_cut ? text_most : layout->widths[i]);
    }
    return sum;
}

// Leaves out what need not be, then cuts the longest texts; numbers are never cut, as they would be
// other ones.
static void fit(const struct text_table *table, size_t width, struct layout *layout)
{
    size_t text_most = width;
    for (size_t i = 0; i < table->columns_count; i++) {
        layout->widths[i] = table->columns[i].width;
        layout->is_hidden[i] = false;
    }
    if (width == 0)
        return;
    for (size_t i = table->columns_count; i-- > 0;)
        layout->is_hidden[i] =
            table->columns[i].is_optional && layout_width(table, layout, TEXT_USEFUL) > width;
    while (text_most > TEXT_LEAST && layout_width(table, layout, text_most) > width)
        text_most--;
    for (size_t i = 0; i < table->columns_count; i++) {
        if (!table->columns[i].is_right && layout->widths[i] > text_most)
            layout->widths[i] = text_most;
    }
}

static bool is_first(const struct layout *layout, size_t column)
{
    for (size_t i = 0; i < column; i++) {
        if (!layout->is_hidden[i])
            return false;
    }
    return true;
}

static void write_cell(const struct text_table *table, const struct layout *layout, size_t i,
                       const char *text, struct buffer *out)
{
    size_t width = layout->widths[i], taken = text_width(text);
    if (layout->is_hidden[i])
        return;
    write_text(out, is_first(layout, i) ? "" : "  ");
    if (table->columns[i].is_right)
        text_write_column(out, "", taken < width ? width - taken : 0);
    if (taken > width || (!table->columns[i].is_right && i + 1 < table->columns_count))
        text_write_column(out, text, width);
    else
        write_text(out, text);
}

void text_table_write(const struct text_table *table, const struct text_table_look *look,
                      struct buffer *out)
{
    struct layout layout;
    if (table->cells_count == 0 && look->empty != NULL) {
        write_text(out, look->empty);
        return;
    }
    assert(table->columns_count > 0);
    fit(table, look->width, &layout);
    write_text(out, look->has_colours ? "\x1b[1m" : "");
    for (size_t i = 0; i < table->columns_count; i++)
        write_cell(table, &layout, i, table->columns[i].heading, out);
    write_text(out, look->has_colours ? "\x1b[m\n" : "\n");
    size_t whole = text_table_rows(table) * table->columns_count;
    for (size_t i = 0; i < whole; i++) {
        size_t column = i % table->columns_count;
        write_cell(table, &layout, column, cell_text(table, &table->cells[i]), out);
        write_text(out, column + 1 == table->columns_count ? "\n" : "");
    }
    if (table->failed)
        write_text(out, "(more rows than memory)\n");
}
