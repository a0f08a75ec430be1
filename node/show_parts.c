#include "node/show_parts.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "node/text.h"
#include "node/units.h"

#define LINE_SIZE_MAX 1024
#define LABEL_WIDTH   12

struct show_text show_get_text(struct json_value object, const char *name)
{
    struct show_text text = {""};
    json_to_text(json_get(object, name), text.value, sizeof(text.value));
    return text;
}

int64_t show_get_number(struct json_value object, const char *name)
{
    int64_t number = 0;
    json_to_i64(json_get(object, name), &number);
    return number;
}

double show_get_double(struct json_value object, const char *name)
{
    double number = 0;
    json_to_double(json_get(object, name), &number);
    return number;
}

bool show_get_bool(struct json_value object, const char *name)
{
    bool truth = false;
    json_to_bool(json_get(object, name), &truth);
    return truth;
}

struct show_text show_get_coins(struct json_value object, const char *name)
{
    struct show_text text = show_get_text(object, name);
    char coins[UNITS_TEXT_SIZE];
    units_coins(strtoull(text.value, NULL, 10), coins);
    snprintf(text.value, sizeof(text.value), "%s", coins);
    return text;
}

struct show_text show_get_hashrate(struct json_value object, const char *name)
{
    struct show_text text;
    char rate[UNITS_TEXT_SIZE];
    units_hashrate(show_get_double(object, name), rate);
    snprintf(text.value, sizeof(text.value), "%s", rate);
    return text;
}

struct show_text show_get_ago(struct json_value object, const char *name, int64_t now)
{
    struct show_text text;
    char ago[UNITS_TEXT_SIZE];
    units_ago(now, show_get_number(object, name), ago);
    snprintf(text.value, sizeof(text.value), "%s", ago);
    return text;
}

struct show_text show_get_part(struct json_value object, const char *name)
{
    struct show_text text;
    snprintf(text.value, sizeof(text.value), "%.3f %%", 100 * show_get_double(object, name));
    return text;
}

struct show_text show_get_payee(struct json_value object)
{
    struct show_text text = show_get_text(object, "address");
    return text.value[0] != '\0' ? text : show_get_text(object, "script");
}

// ---- Cells

void show_add_number(struct text_table *table, int64_t number)
{
    text_table_add_format(table, "%" PRId64, number);
    text_table_set_key(table, (double)number);
}

void show_add_hashrate(struct text_table *table, struct json_value object, const char *name)
{
    text_table_add(table, show_get_hashrate(object, name).value);
    text_table_set_key(table, show_get_double(object, name));
}

void show_add_coins(struct text_table *table, struct json_value object, const char *name)
{
    text_table_add(table, show_get_coins(object, name).value);
    text_table_set_key(table, strtod(show_get_text(object, name).value, NULL));
}

void show_add_ago(struct text_table *table, struct json_value object, const char *name, int64_t now)
{
    text_table_add(table, show_get_ago(object, name, now).value);
    text_table_set_key(table, show_get_double(object, name));
}

// ---- Lines and tables

// The text behind the label, wrapped where there is a terminal.
static void write_labelled(struct show_out *out, const char *label, const char *colour,
                           const char *text)
{
    struct buffer safe, lines;
    buffer_init(&safe, LINE_SIZE_MAX * 4);
    buffer_init(&lines, LINE_SIZE_MAX * 8);
    text_write_safe(&safe, text);
    write_u8(&safe, '\0');
    size_t width = out->width > 2 * LABEL_WIDTH ? out->width : LINE_SIZE_MAX;
    if (!safe.failed)
        text_wrap(&lines, (const char *)safe.data, LABEL_WIDTH + 1, width);
    bool is_bold = out->has_colours && label[0] != '\0';
    write_format(out->text, "%s%-*s%s ", is_bold ? "\x1b[1m" : "", LABEL_WIDTH, label,
                 is_bold ? "\x1b[m" : "");
    write_text(out->text, out->has_colours ? colour : "");
    // The first line stands beside the label; an empty text has none.
    if (lines.size > LABEL_WIDTH + 1)
        write_bytes(out->text, lines.data + LABEL_WIDTH + 1, lines.size - LABEL_WIDTH - 2);
    write_text(out->text, out->has_colours && colour[0] != '\0' ? "\x1b[m\n" : "\n");
    buffer_clear(&safe);
    buffer_clear(&lines);
}

void show_line(struct show_out *out, const char *label, const char *format, ...)
{
    char text[LINE_SIZE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    write_labelled(out, label, "", text);
}

void show_problem_of(struct show_out *out, const char *label, const char *words,
                     struct json_value object, const char *name)
{
    struct show_text text = show_get_text(object, name);
    char line[LINE_SIZE_MAX];
    if (text.value[0] == '\0')
        return;
    snprintf(line, sizeof(line), "%s%s", words, text.value);
    write_labelled(out, label, "\x1b[31m", line);
}

void show_table(struct show_out *out, struct text_table *table, const char *empty)
{
    struct text_table_look look = {out->width, out->has_colours, empty == NULL ? "" : empty};
    if (table != NULL)
        text_table_write(table, &look, out->text);
    text_table_free(table);
}
