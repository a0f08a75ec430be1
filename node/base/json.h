// Reading JSON that came from outside (jsmn tokens, bounded count and depth) and writing JSON text
// into a buffer. The reader borrows its text. Lines of Stratum are not read here (stratum/line).
#ifndef SHOAL_NODE_BASE_JSON_H
#define SHOAL_NODE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

struct json; // a parsed document

// A value inside a document; `document` NULL means "not there", which every accessor takes as
// absent.
struct json_value {
    const struct json *document;
    int token;
};

// NULL if the text is no JSON, has more than tokens_max tokens, or nests deeper than 32.
struct json *json_parse(const char *text, size_t size, size_t tokens_max);
void json_free(struct json *json);
struct json_value json_root(const struct json *json);

bool json_is_present(struct json_value value); // there, and not null
bool json_is_null(struct json_value value);    // there, and null
bool json_is_object(struct json_value value);
bool json_is_array(struct json_value value);
bool json_is_text(struct json_value value);
bool json_is_number(struct json_value value);
// The first member of that name (escapes in it resolved); absent if there is none or value is no
// object.
struct json_value json_get(struct json_value object, const char *name);
size_t json_size(struct json_value value); // of an array or object; 0 otherwise
// Walk an array: for (v = json_first(a); json_exists(v); v = json_next(v)). Also walks the values
// of an object.
struct json_value json_first(struct json_value container);
struct json_value json_next(struct json_value value);
bool json_exists(struct json_value value);
// The name of a value that is a member of an object, as in the text: escapes not resolved.
void json_name(struct json_value member, const char **text, size_t *size);

// False if absent, of another kind, or out of range. Integers are digits only: 1.0 and 1e3 are
// none.
bool json_to_i64(struct json_value value, int64_t *out);
bool json_to_u64(struct json_value value, uint64_t *out);
bool json_to_double(struct json_value value, double *out);
bool json_to_bool(struct json_value value, bool *out);
// The raw text of any value (a string without quotes, escapes not resolved).
void json_raw(struct json_value value, const char **text, size_t *size);
// Copies a string with escapes resolved and a terminating zero; false if no string, too long, or
// not to be held by a C string (\u0000, half a surrogate pair). Bytes that are no UTF-8 are copied
// as they are.
bool json_to_text(struct json_value value, char *out, size_t capacity);
// True if value is a string that equals text.
bool json_text_equals(struct json_value value, const char *text);
// A string of hex digits into exactly `size` bytes.
bool json_to_hex(struct json_value value, void *out, size_t size);

// Writing: commas are put where they belong, control characters are escaped, bytes that are no
// UTF-8 are replaced, numbers that are not finite become null. name is NULL inside arrays and for
// the outermost value.
struct json_writer {
    struct buffer *out;
    bool needs_comma;
};
void json_writer_init(struct json_writer *writer, struct buffer *out);
// Whether a text is UTF-8 without control characters: written, it stands there as it is, but for
// quotes.
bool json_text_is_plain(const char *text, size_t size);
void json_begin_object(struct json_writer *writer, const char *name);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer, const char *name);
void json_end_array(struct json_writer *writer);
void json_write_text(struct json_writer *writer, const char *name,
                     const char *text); // NULL text -> null
void json_write_text_sized(struct json_writer *writer, const char *name, const char *text,
                           size_t size);
void json_write_u64(struct json_writer *writer, const char *name, uint64_t value);
void json_write_i64(struct json_writer *writer, const char *name, int64_t value);
void json_write_double(struct json_writer *writer, const char *name, double value);
void json_write_bool(struct json_writer *writer, const char *name, bool value);
void json_write_null(struct json_writer *writer, const char *name);
// Hex text of bytes.
void json_write_hex(struct json_writer *writer, const char *name, const void *data, size_t size);

#endif
