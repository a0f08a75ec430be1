#include "node/base/json.h"

#include <math.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"

// Bytes are turned into hex in pieces of this size.
#define HEX_PIECE 256

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out};
}

// Size of the well-formed UTF-8 character at text (RFC 3629: shortest form, no surrogates, up to
// U+10FFFF), 0 if there is none.
static size_t utf8_size(const unsigned char *text, size_t left)
{
    unsigned char lead = text[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    bool is_long_form = (lead == 0xe0 && text[1] < 0xa0) || (lead == 0xf0 && text[1] < 0x90);
    bool is_surrogate = lead == 0xed && text[1] > 0x9f;
    bool is_too_high = lead == 0xf4 && text[1] > 0x8f;
    return is_long_form || is_surrogate || is_too_high ? 0 : size;
}

// Control characters: those of ASCII, and U+0080 to U+009F, which terminals obey as well.
static bool is_control(const unsigned char *text, size_t size)
{
    return text[0] < 0x20 || text[0] == 0x7f || (size == 2 && text[0] == 0xc2 && text[1] < 0xa0);
}

bool json_text_is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        const unsigned char *at = (const unsigned char *)text + i;
        size_t step = utf8_size(at, size - i);
        if (step == 0 || is_control(at, step))
            return false;
        i += step;
    }
    return true;
}

static void write_control(struct buffer *out, const unsigned char *text, size_t size)
{
    static const char plain[] = "\b\f\n\r\t";
    static const char names[] = "bfnrt";
    const char *found = text[0] != '\0' ? strchr(plain, text[0]) : NULL;
    if (size == 1 && found != NULL)
        write_format(out, "\\%c", names[found - plain]);
    else
        write_format(out, "\\u%04x", (unsigned)text[size - 1]);
}

static void write_quoted(struct buffer *out, const char *text, size_t size)
{
    write_u8(out, '"');
    for (size_t i = 0; i < size;) {
        const unsigned char *at = (const unsigned char *)text + i;
        size_t step = utf8_size(at, size - i);
        if (step == 0) {
            write_text(out, "\\ufffd"); // a byte that is no UTF-8 must not spoil the document
            step = 1;
        } else if (is_control(at, step)) {
            write_control(out, at, step);
        } else {
            if (*at == '"' || *at == '\\')
                write_u8(out, '\\');
            write_bytes(out, at, step);
        }
        i += step;
    }
    write_u8(out, '"');
}

// The comma and the name in front of a value.
static void begin_value(struct json_writer *writer, const char *name)
{
    if (writer->needs_comma)
        write_u8(writer->out, ',');
    if (name != NULL) {
        write_quoted(writer->out, name, strlen(name));
        write_u8(writer->out, ':');
    }
    writer->needs_comma = true;
}

static void begin_container(struct json_writer *writer, const char *name, char bracket)
{
    begin_value(writer, name);
    write_u8(writer->out, (uint8_t)bracket);
    writer->needs_comma = false;
}

static void end_container(struct json_writer *writer, char bracket)
{
    write_u8(writer->out, (uint8_t)bracket);
    writer->needs_comma = true;
}

void json_begin_object(struct json_writer *writer, const char *name)
{
    begin_container(writer, name, '{');
}

void json_end_object(struct json_writer *writer)
{
    end_container(writer, '}');
}

void json_begin_array(struct json_writer *writer, const char *name)
{
    begin_container(writer, name, '[');
}

void json_end_array(struct json_writer *writer)
{
    end_container(writer, ']');
}

void json_write_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text == NULL)
        json_write_null(writer, name);
    else
        json_write_text_sized(writer, name, text, strlen(text));
}

void json_write_text_sized(struct json_writer *writer, const char *name, const char *text,
                           size_t size)
{
    begin_value(writer, name);
    write_quoted(writer->out, text, size);
}

// For numbers and literals: our own text of ASCII, no escapes needed.
static void write_literal(struct json_writer *writer, const char *name, const char *text)
{
    begin_value(writer, name);
    write_text(writer->out, text);
}

void json_write_u64(struct json_writer *writer, const char *name, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, value);
    write_literal(writer, name, number);
}

void json_write_i64(struct json_writer *writer, const char *name, int64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, value);
    write_literal(writer, name, number);
}

void json_write_double(struct json_writer *writer, const char *name, double value)
{
    if (!isfinite(value)) { // JSON has no word for these
        json_write_null(writer, name);
        return;
    }
    // The shortest text that gives the same number again: 17 digits always do.
    char number[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        double again = strtod(number, NULL);
        if (again >= value && again <= value)
            break;
    }
    write_literal(writer, name, number);
}

void json_write_bool(struct json_writer *writer, const char *name, bool value)
{
    write_literal(writer, name, value ? "true" : "false");
}

void json_write_null(struct json_writer *writer, const char *name)
{
    write_literal(writer, name, "null");
}

void json_write_hex(struct json_writer *writer, const char *name, const void *data, size_t size)
{
    begin_value(writer, name);
    write_u8(writer->out, '"');
    const uint8_t *bytes = data;
    for (size_t done = 0; done < size;) {
        char hex[2 * HEX_PIECE + 1];
        size_t piece = size - done < HEX_PIECE ? size - done : HEX_PIECE;
        hex_encode(bytes + done, piece, hex);
        write_bytes(writer->out, hex, 2 * piece);
        done += piece;
    }
    write_u8(writer->out, '"');
}
