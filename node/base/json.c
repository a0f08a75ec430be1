#include "node/base/json.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/base/json_check.h"

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <jsmn.h>
#pragma GCC diagnostic pop

// The longest number that is turned into a double.
#define NUMBER_SIZE_MAX 127

// A member of an object is two tokens: the name, whose parent is the object, and the value, whose
// parent is the name.
struct json {
    const char *text;
    jsmntok_t *tokens;
    int *after; // for each token, the first one behind it and all it contains: walking is linear
    int count;
};

static struct json_value value_at(const struct json *document, int token)
{
    return (struct json_value){.document = document, .token = token};
}

static struct json_value absent(void)
{
    return value_at(NULL, 0);
}

// Children stand behind their parents, so one pass from the end knows each subtree before its root.
static void measure_subtrees(struct json *json)
{
    for (int i = 0; i < json->count; i++)
        json->after[i] = i + 1;
    for (int i = json->count - 1; i > 0; i--) {
        int parent = json->tokens[i].parent;
        if (json->after[parent] < json->after[i])
            json->after[parent] = json->after[i];
    }
}

struct json *json_parse(const char *text, size_t size, size_t tokens_max)
{
    if (size > INT_MAX) // jsmn's positions are ints
        return NULL;
    size_t count = json_check(text, size, tokens_max);
    if (count == 0)
        return NULL;
    struct json *json = calloc(1, sizeof *json);
    if (json == NULL)
        return NULL;
    json->text = text;
    json->count = (int)count; // no more tokens than characters
    json->tokens = calloc(count, sizeof *json->tokens);
    json->after = calloc(count, sizeof *json->after);
    if (json->tokens == NULL || json->after == NULL) {
        json_free(json);
        return NULL;
    }
    jsmn_parser parser;
    jsmn_init(&parser);
    int parsed = jsmn_parse(&parser, text, size, json->tokens, (unsigned)count);
    assert(parsed == json->count);
    measure_subtrees(json);
    return json;
}

void json_free(struct json *json)
{
    if (json == NULL)
        return;
    free(json->tokens);
    free(json->after);
    free(json);
}

struct json_value json_root(const struct json *json)
{
    return value_at(json, 0);
}

bool json_exists(struct json_value value)
{
    return value.document != NULL;
}

static bool has_type(struct json_value value, jsmntype_t type)
{
    return json_exists(value) && value.document->tokens[value.token].type == type;
}

// First character of a literal or number, 0 for all else.
static char primitive_start(struct json_value value)
{
    if (!has_type(value, JSMN_PRIMITIVE))
        return '\0';
    return value.document->text[value.document->tokens[value.token].start];
}

bool json_is_null(struct json_value value)
{
    return primitive_start(value) == 'n';
}

bool json_is_present(struct json_value value)
{
    return json_exists(value) && !json_is_null(value);
}

bool json_is_object(struct json_value value)
{
    return has_type(value, JSMN_OBJECT);
}

bool json_is_array(struct json_value value)
{
    return has_type(value, JSMN_ARRAY);
}

bool json_is_text(struct json_value value)
{
    return has_type(value, JSMN_STRING);
}

bool json_is_number(struct json_value value)
{
    char c = primitive_start(value);
    return c == '-' || (c >= '0' && c <= '9');
}

void json_raw(struct json_value value, const char **text, size_t *size)
{
    *text = "";
    *size = 0;
    if (!json_exists(value))
        return;
    const jsmntok_t *token = &value.document->tokens[value.token];
    *text = value.document->text + token->start;
    *size = (size_t)(token->end - token->start);
}

size_t json_size(struct json_value value)
{
    if (!json_is_object(value) && !json_is_array(value))
        return 0;
    return (size_t)value.document->tokens[value.token].size;
}

struct json_value json_get(struct json_value object, const char *name)
{
    if (!json_is_object(object))
        return absent();
    const struct json *json = object.document;
    for (int i = object.token + 1; i < json->after[object.token]; i = json->after[i]) {
        if (json_text_equals(value_at(json, i), name))
            return value_at(json, i + 1);
    }
    return absent();
}

struct json_value json_first(struct json_value container)
{
    if (json_size(container) == 0)
        return absent();
    return value_at(container.document, container.token + (json_is_object(container) ? 2 : 1));
}

struct json_value json_next(struct json_value value)
{
    const struct json *json = value.document;
    if (json == NULL || value.token == 0)
        return absent();
    int parent = json->tokens[value.token].parent;
    int next = json->after[value.token];
    if (next >= json->count)
        return absent();
    if (json->tokens[parent].type == JSMN_ARRAY)
        return json->tokens[next].parent == parent ? value_at(json, next) : absent();
    // In an object the next token is the name of the next member.
    if (json->tokens[next].parent == json->tokens[parent].parent)
        return value_at(json, next + 1);
    return absent();
}

void json_name(struct json_value member, const char **text, size_t *size)
{
    const struct json *json = member.document;
    int parent = json != NULL && member.token > 0 ? json->tokens[member.token].parent : -1;
    bool has_name = parent >= 0 && json->tokens[parent].type == JSMN_STRING;
    json_raw(has_name ? value_at(json, parent) : absent(), text, size);
}

// Digits only, as the grammar has it: no sign, no fraction, no exponent.
static bool parse_digits(const char *text, size_t size, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool json_to_u64(struct json_value value, uint64_t *out)
{
    const char *text;
    size_t size;
    json_raw(value, &text, &size);
    return json_is_number(value) && parse_digits(text, size, out);
}

bool json_to_i64(struct json_value value, int64_t *out)
{
    const char *text;
    size_t size;
    json_raw(value, &text, &size);
    if (!json_is_number(value))
        return false;
    bool is_negative = text[0] == '-';
    uint64_t magnitude;
    if (!parse_digits(text + is_negative, size - is_negative, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + is_negative)
        return false;
    // Negated as unsigned: the magnitude of INT64_MIN is no int64_t.
    *out = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    return true;
}

bool json_to_double(struct json_value value, double *out)
{
    const char *text;
    size_t size;
    json_raw(value, &text, &size);
    if (!json_is_number(value) || size > NUMBER_SIZE_MAX)
        return false;
    char number[NUMBER_SIZE_MAX + 1]; // strtod wants a terminating zero
    memcpy(number, text, size);
    number[size] = '\0';
    double parsed = strtod(number, NULL);
    if (!isfinite(parsed))
        return false;
    *out = parsed;
    return true;
}

bool json_to_bool(struct json_value value, bool *out)
{
    char c = primitive_start(value);
    if (c != 't' && c != 'f')
        return false;
    *out = c == 't';
    return true;
}

// The four digits behind \u; the grammar was checked.
static uint32_t read_code_unit(const char *digits)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)hex_digit(digits[i]);
    return unit;
}

static size_t encode_utf8(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(lead[size] | code);
    return size;
}

// *at points behind "\u". 0 for half a surrogate pair, which stands for no character.
static size_t resolve_unicode(const char **at, const char *end, char out[4])
{
    uint32_t code = read_code_unit(*at);
    *at += 4;
    if (code < 0xd800 || code > 0xdfff)
        return encode_utf8(code, out);
    if (code > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0;
    uint32_t low = read_code_unit(*at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *at += 6;
    return encode_utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
}

// The next piece of a string, escapes resolved, 1 to 4 bytes; 0 if it has no meaning.
static size_t resolve_next(const char **at, const char *end, char out[4])
{
    char c = *(*at)++;
    if (c == '\\') {
        c = *(*at)++;
        if (c == 'u')
            return resolve_unicode(at, end, out);
        static const char escapes[] = "bfnrt";
        static const char meanings[] = "\b\f\n\r\t";
        const char *found = strchr(escapes, c);
        if (found != NULL)
            c = meanings[found - escapes];
    }
    out[0] = c;
    return 1;
}

bool json_to_text(struct json_value value, char *out, size_t capacity)
{
    if (!json_is_text(value))
        return false;
    const char *at;
    size_t raw_size;
    json_raw(value, &at, &raw_size);
    const char *end = at + raw_size;
    size_t size = 0;
    while (at < end) {
        char piece[4];
        size_t piece_size = resolve_next(&at, end, piece);
        // A zero inside would hide the rest of the text.
        if (piece_size == 0 || piece[0] == '\0' || capacity - size < piece_size)
            return false;
        memcpy(out + size, piece, piece_size);
        size += piece_size;
    }
    if (size >= capacity)
        return false;
    out[size] = '\0';
    return true;
}

bool json_text_equals(struct json_value value, const char *text)
{
    if (!json_is_text(value))
        return false;
    const char *at;
    size_t raw_size;
    json_raw(value, &at, &raw_size);
    const char *end = at + raw_size;
    size_t left = strlen(text);
    while (at < end) {
        char piece[4];
        size_t piece_size = resolve_next(&at, end, piece);
        if (piece_size == 0 || piece_size > left || memcmp(text, piece, piece_size) != 0)
            return false;
        text += piece_size;
        left -= piece_size;
    }
    return left == 0;
}

bool json_to_hex(struct json_value value, void *out, size_t size)
{
    const char *text;
    size_t text_size;
    json_raw(value, &text, &text_size);
    return json_is_text(value) && hex_decode(text, text_size, out, size);
}
