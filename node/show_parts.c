#include "node/show_parts.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "node/text.h"
#include "node/units.h"

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

void show_line(struct buffer *out, const char *label, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    write_format(out, "%-12s ", label);
    text_write_safe(out, text);
    write_text(out, "\n");
}
