#include "stratum/line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"

struct scan {
    const char *at;
    const char *end;
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')) {
        scan->at++;
    }
}

static bool take(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

// Stands on the opening quote. Control characters have no place inside: a line with a NUL byte ends
// here.
static bool scan_text(struct scan *scan, struct line_value *value)
{
    const char *begin = ++scan->at;
    const char *at = begin;
    const char *end = scan->end;
    bool has_escapes = false;
    while (at < end && *at != '"') {
        if (*at == '\\') {
            has_escapes = true;
            at++;
            if (at == end) {
                return false;
            }
        }
        if ((unsigned char)*at < 0x20) {
            return false;
        }
        at++;
    }
    if (at >= end) {
        return false;
    }
    scan->at = at + 1;
    *value = (struct line_value){.kind = LINE_TEXT,
                                 .size = (uint32_t)(at - begin),
                                 .text = begin,
                                 .has_escapes = has_escapes};
    return true;
}

static bool is_number_character(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool scan_number(struct scan *scan, struct line_value *value)
{
    const char *begin = scan->at;
    bool has_digit = false;
    while (scan->at < scan->end && is_number_character(*scan->at)) {
        has_digit = has_digit || (*scan->at >= '0' && *scan->at <= '9');
        scan->at++;
    }
    size_t size = (size_t)(scan->at - begin);
    *value = (struct line_value){.kind = LINE_NUMBER, .size = (uint32_t)size, .text = begin};
    return has_digit && size <= LINE_NUMBER_MAX;
}

static bool scan_word(struct scan *scan, const char *word, enum line_kind kind,
                      struct line_value *value)
{
    size_t size = strlen(word);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0) {
        return false;
    }
    *value = (struct line_value){.kind = kind, .size = (uint32_t)size, .text = scan->at};
    scan->at += size;
    return true;
}

static bool scan_scalar(struct scan *scan, struct line_value *value)
{
    if (scan->at == scan->end) {
        return false;
    }
    switch (*scan->at) {
    case '"':
        return scan_text(scan, value);
    case 't':
        return scan_word(scan, "true", LINE_TRUE, value);
    case 'f':
        return scan_word(scan, "false", LINE_FALSE, value);
    case 'n':
        return scan_word(scan, "null", LINE_NULL, value);
    default:
        return scan_number(scan, value);
    }
}

// A member's name and its colon.
static bool scan_name(struct scan *scan, struct line_value *name)
{
    if (scan->at == scan->end || *scan->at != '"' || !scan_text(scan, name)) {
        return false;
    }
    skip_space(scan);
    if (!take(scan, ':')) {
        return false;
    }
    skip_space(scan);
    return true;
}

static bool is_container(const struct scan *scan)
{
    return scan->at < scan->end && (*scan->at == '{' || *scan->at == '[');
}

// Stands on the opening bracket. The brackets still open are kept in an array instead of on the
// stack: what a miner sends never decides how deep we call.
static bool scan_container(struct scan *scan, size_t depth_max, struct line_value *value)
{
    const char *begin = scan->at;
    bool is_object[LINE_DEPTH_MAX];
    size_t depth = 0;
    bool is_first = true;
    struct line_value ignored;
    is_object[depth++] = *scan->at++ == '{';
    while (depth > 0) {
        skip_space(scan);
        if (take(scan, is_object[depth - 1] ? '}' : ']')) {
            depth--;
            is_first = false;
            continue;
        }
        if (!is_first && !take(scan, ',')) {
            return false;
        }
        skip_space(scan);
        if (is_object[depth - 1] && !scan_name(scan, &ignored)) {
            return false;
        }
        is_first = is_container(scan);
        if (is_first) {
            if (depth == depth_max) {
                return false;
            }
            is_object[depth++] = *scan->at++ == '{';
        } else if (!scan_scalar(scan, &ignored)) {
            return false;
        }
    }
    *value = (struct line_value){.kind = *begin == '{' ? LINE_OBJECT : LINE_ARRAY,
                                 .size = (uint32_t)(scan->at - begin),
                                 .text = begin};
    return true;
}

static bool scan_value(struct scan *scan, size_t depth_max, struct line_value *value)
{
    return is_container(scan) ? depth_max > 0 && scan_container(scan, depth_max, value)
                              : scan_scalar(scan, value);
}

static bool scan_params(struct scan *scan, struct line *line)
{
    struct line_value value;
    line->params_count = 0;
    if (scan->at == scan->end || *scan->at != '[') {
        return scan_value(scan, LINE_DEPTH_MAX - 1, &value);
    }
    scan->at++;
    skip_space(scan);
    if (take(scan, ']')) {
        return true;
    }
    do {
        skip_space(scan);
        if (!scan_value(scan, LINE_DEPTH_MAX - 2, &value)) {
            return false;
        }
        if (line->params_count < LINE_PARAMS_MAX) {
            line->params[line->params_count++] = value;
        }
        skip_space(scan);
    } while (take(scan, ','));
    return take(scan, ']');
}

static bool name_is(const struct line_value *name, const char *text, size_t size)
{
    return name->size == size && memcmp(name->text, text, size) == 0;
}

static bool scan_member(struct scan *scan, struct line *line)
{
    struct line_value name;
    struct line_value value;
    if (!scan_name(scan, &name)) {
        return false;
    }
    if (name_is(&name, "params", 6)) {
        return scan_params(scan, line);
    }
    if (!scan_value(scan, LINE_DEPTH_MAX - 1, &value)) {
        return false;
    }
    if (name_is(&name, "id", 2)) {
        line->id = value;
        return value.size <= LINE_ID_SIZE_MAX;
    }
    if (name_is(&name, "method", 6)) {
        line->method = value.kind == LINE_TEXT ? value : (struct line_value){.kind = LINE_ABSENT};
    } else if (name_is(&name, "result", 6) || name_is(&name, "error", 5)) {
        line->is_answer = true;
    }
    return true;
}

bool line_parse(const char *text, size_t size, struct line *line)
{
    struct scan scan = {.at = text, .end = text + size};
    line->id.kind = LINE_ABSENT;
    line->method.kind = LINE_ABSENT;
    line->params_count = 0;
    line->is_answer = false;
    skip_space(&scan);
    if (!take(&scan, '{')) {
        return false;
    }
    skip_space(&scan);
    if (!take(&scan, '}')) {
        do {
            skip_space(&scan);
            if (!scan_member(&scan, line)) {
                return false;
            }
            skip_space(&scan);
        } while (take(&scan, ','));
        if (!take(&scan, '}')) {
            return false;
        }
    }
    skip_space(&scan);
    line->is_answer = line->is_answer && line->method.kind == LINE_ABSENT;
    return scan.at == scan.end;
}

void line_raw(const struct line_value *value, const char **text, size_t *size)
{
    size_t quotes = value->kind == LINE_TEXT ? 1 : 0;
    *text = value->text - quotes;
    *size = value->size + 2 * quotes;
}

struct line_cursor line_enter(const struct line_value *container)
{
    if (container->kind != LINE_ARRAY && container->kind != LINE_OBJECT) {
        return (struct line_cursor){.at = NULL, .end = NULL};
    }
    return (struct line_cursor){.at = container->text + 1,
                                .end = container->text + container->size - 1,
                                .is_object = container->kind == LINE_OBJECT};
}

bool line_next(struct line_cursor *cursor, struct line_value *name, struct line_value *value)
{
    struct scan scan = {.at = cursor->at, .end = cursor->end};
    *name = (struct line_value){.kind = LINE_ABSENT};
    skip_space(&scan);
    if (scan.at == scan.end) {
        return false;
    }
    if ((cursor->is_object && !scan_name(&scan, name)) ||
        !scan_value(&scan, LINE_DEPTH_MAX, value)) {
        return false;
    }
    skip_space(&scan);
    take(&scan, ',');
    cursor->at = scan.at;
    return true;
}

bool line_text_is(const struct line_value *value, const char *text)
{
    return value->kind == LINE_TEXT && name_is(value, text, strlen(text));
}

bool line_to_double(const struct line_value *value, double *out)
{
    char copy[LINE_NUMBER_MAX + 1];
    if ((value->kind != LINE_NUMBER && value->kind != LINE_TEXT) || value->size == 0 ||
        value->size > LINE_NUMBER_MAX) {
        return false;
    }
    // strtod also reads hexadecimal, "inf" and "nan": none of them is a number here.
    for (size_t i = 0; i < value->size; i++) {
        if (!is_number_character(value->text[i])) {
            return false;
        }
    }
    memcpy(copy, value->text, value->size);
    copy[value->size] = '\0';
    char *end;
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

bool line_to_hex_u32(const struct line_value *value, uint32_t *out)
{
    if (value->kind != LINE_TEXT || value->size == 0 || value->size > 8) {
        return false;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < value->size; i++) {
        int digit = hex_digit(value->text[i]);
        if (digit < 0) {
            return false;
        }
        number = number << 4 | (uint32_t)digit;
    }
    *out = number;
    return true;
}

bool line_to_hex(const struct line_value *value, uint8_t *out, size_t size)
{
    return value->kind == LINE_TEXT && hex_decode(value->text, value->size, out, size);
}

static int read_code_point(const char *hex)
{
    int code = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(hex[i]);
        if (digit < 0) {
            return -1;
        }
        code = code << 4 | digit;
    }
    return code;
}

// What follows a backslash; *used is how many characters of `text` it takes.
static char resolve_escape(const char *text, size_t size, size_t *used)
{
    *used = 1;
    switch (text[0]) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'u':
        break;
    default:
        return text[0];
    }
    int code = size >= 5 ? read_code_point(text + 1) : -1;
    if (code < 0) {
        return '?';
    }
    *used = 5;
    return code > 0 && code < 0x80 ? (char)code : '?';
}

bool line_to_text(const struct line_value *value, char *out, size_t capacity, size_t *size)
{
    size_t written = 0;
    if (value->kind != LINE_TEXT || capacity == 0) {
        return false;
    }
    if (!value->has_escapes) {
        written = value->size < capacity ? value->size : capacity - 1;
        memcpy(out, value->text, written);
    } else {
        size_t used = 0;
        for (size_t i = 0; i < value->size && written + 1 < capacity; i += used) {
            used = 1;
            char c = value->text[i];
            if (c == '\\') {
                c = resolve_escape(value->text + i + 1, value->size - i - 1, &used);
                used++;
            }
            out[written++] = c;
        }
    }
    out[written] = '\0';
    if (size != NULL) {
        *size = written;
    }
    return true;
}
