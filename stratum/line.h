// One line of Stratum: a JSON object, read in a single pass without allocation or recursion. Values
// are views into the line. Bounded in depth and in the number of parameters kept; used for what
// miners send, so lenient where real firmware is odd and strict where a parser could be hurt.
// Fuzzed by tests/fuzz/stratum_line_fuzz.c.
#ifndef SHOAL_STRATUM_LINE_H
#define SHOAL_STRATUM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_PARAMS_MAX  8
#define LINE_DEPTH_MAX   8
#define LINE_ID_SIZE_MAX 64
#define LINE_NUMBER_MAX  40 // characters of a number

enum line_kind {
    LINE_ABSENT,
    LINE_NULL,
    LINE_TRUE,
    LINE_FALSE,
    LINE_NUMBER,
    LINE_TEXT,
    LINE_ARRAY,
    LINE_OBJECT
};

// A view of one value: a text without its quotes, everything else as it stands in the line.
struct line_value {
    enum line_kind kind;
    uint32_t size;
    const char *text;
    bool has_escapes; // of a text: there are backslashes in it
};

struct line {
    struct line_value id; // echo it with line_raw
    struct line_value method;
    struct line_value params[LINE_PARAMS_MAX];
    size_t params_count; // further ones are checked and dropped
    bool is_answer;      // has a result or an error, and no method
};

// False if the text (without its newline) is not one JSON object, nests deeper than LINE_DEPTH_MAX,
// or has an id longer than LINE_ID_SIZE_MAX. A method that is no text and params that are no array
// count as absent.
bool line_parse(const char *text, size_t size, struct line *line);

// The value as it stood in the line, with its quotes.
void line_raw(const struct line_value *value, const char **text, size_t *size);
// Walks an array or an object that line_parse has accepted as part of a line; name is ABSENT in
// arrays.
struct line_cursor {
    const char *at;
    const char *end;
    bool is_object;
};
struct line_cursor line_enter(const struct line_value *container);
bool line_next(struct line_cursor *cursor, struct line_value *name, struct line_value *value);

bool line_text_is(const struct line_value *value, const char *text);
// Numbers, also in quotes; finite. False otherwise.
bool line_to_double(const struct line_value *value, double *out);
// One to eight hex digits in quotes, of either case, as if padded with zeros on the left.
bool line_to_hex_u32(const struct line_value *value, uint32_t *out);
// Exactly 2 * size hex digits in quotes.
bool line_to_hex(const struct line_value *value, uint8_t *out, size_t size);
// Copies a text with escapes resolved (beyond ASCII as '?') and a terminating zero, cut at capacity
// - 1. False if it is no text. Returns the size without the zero in *size, which may be NULL.
bool line_to_text(const struct line_value *value, char *out, size_t capacity, size_t *size);

#endif
