#include "node/base/json_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "node/base/hex.h"

enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, // right after [
    EXPECT_NAME,
    EXPECT_NAME_OR_END, // right after {
    EXPECT_COMMA_OR_END,
    EXPECT_NOTHING, // the document is complete
};

struct scan {
    const char *at;
    const char *end;
    size_t tokens;
    size_t tokens_max;
    enum expect expect;
    unsigned depth;
    bool is_object[JSON_DEPTH_MAX]; // kind of each open container
};

static bool is_digit(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

static bool skip_char(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

// At least one.
static bool skip_digits(struct scan *scan)
{
    if (!is_digit(scan))
        return false;
    while (is_digit(scan))
        scan->at++;
    return true;
}

static bool skip_number(struct scan *scan)
{
    skip_char(scan, '-');
    if (!skip_char(scan, '0') && !skip_digits(scan))
        return false;
    if (skip_char(scan, '.') && !skip_digits(scan))
        return false;
    if (!skip_char(scan, 'e') && !skip_char(scan, 'E'))
        return true;
    if (!skip_char(scan, '+'))
        skip_char(scan, '-');
    return skip_digits(scan);
}

static bool skip_word(struct scan *scan, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return false;
    scan->at += size;
    return true;
}

// What follows a backslash.
static bool skip_escape(struct scan *scan)
{
    if (scan->at == scan->end)
        return false;
    char kind = *scan->at++;
    if (kind != 'u')
        return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL;
    if (scan->end - scan->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        if (hex_digit(*scan->at++) < 0)
            return false;
    }
    return true;
}

static bool skip_string(struct scan *scan)
{
    if (!skip_char(scan, '"'))
        return false;
    while (scan->at < scan->end) {
        unsigned char c = (unsigned char)*scan->at++;
        if (c == '"')
            return true;
        if (c < 0x20 || (c == '\\' && !skip_escape(scan)))
            return false;
    }
    return false;
}

static bool count_token(struct scan *scan)
{
    return scan->tokens++ < scan->tokens_max;
}

static void finish_value(struct scan *scan)
{
    scan->expect = scan->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

static bool open_container(struct scan *scan, bool is_object)
{
    if (scan->depth == JSON_DEPTH_MAX)
        return false;
    scan->is_object[scan->depth++] = is_object;
    scan->expect = is_object ? EXPECT_NAME_OR_END : EXPECT_VALUE_OR_END;
    return true;
}

// True if the innermost container ends here.
static bool close_container(struct scan *scan)
{
    if (!skip_char(scan, scan->is_object[scan->depth - 1] ? '}' : ']'))
        return false;
    scan->depth--;
    finish_value(scan);
    return true;
}

static bool scan_value(struct scan *scan)
{
    if (!count_token(scan))
        return false;
    if (skip_char(scan, '{'))
        return open_container(scan, true);
    if (skip_char(scan, '['))
        return open_container(scan, false);
    finish_value(scan);
    switch (*scan->at) {
    case '"':
        return skip_string(scan);
    case 't':
        return skip_word(scan, "true");
    case 'f':
        return skip_word(scan, "false");
    case 'n':
        return skip_word(scan, "null");
    default:
        return skip_number(scan);
    }
}

// A name and its colon.
static bool scan_name(struct scan *scan)
{
    if (!count_token(scan) || !skip_string(scan))
        return false;
    skip_space(scan);
    scan->expect = EXPECT_VALUE;
    return skip_char(scan, ':');
}

static bool scan_comma(struct scan *scan)
{
    if (!skip_char(scan, ','))
        return false;
    scan->expect = scan->is_object[scan->depth - 1] ? EXPECT_NAME : EXPECT_VALUE;
    return true;
}

// One step of the grammar; there is a character left and it is no space.
static bool scan_next(struct scan *scan)
{
    switch (scan->expect) {
    case EXPECT_VALUE:
        return scan_value(scan);
    case EXPECT_VALUE_OR_END:
        return close_container(scan) || scan_value(scan);
    case EXPECT_NAME:
        return scan_name(scan);
    case EXPECT_NAME_OR_END:
        return close_container(scan) || scan_name(scan);
    case EXPECT_COMMA_OR_END:
        return close_container(scan) || scan_comma(scan);
    case EXPECT_NOTHING:
        return false;
    }
    return false;
}

size_t json_check(const char *text, size_t size, size_t tokens_max)
{
    if (size == 0)
        return 0;
    struct scan scan = {.at = text, .end = text + size, .tokens_max = tokens_max};
    scan.expect = EXPECT_VALUE;
    for (skip_space(&scan); scan.at < scan.end; skip_space(&scan)) {
        if (!scan_next(&scan))
            return 0;
    }
    return scan.expect == EXPECT_NOTHING ? scan.tokens : 0;
}
