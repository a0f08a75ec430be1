#include "tests/vectors/vectors.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "node/base/hex.h"
#include "node/pow/sha256.h"
#include "tests/vectors/report.h"

#define SHOWN_MAX   200 // characters of a value in a message
#define NUMBER_SIZE 80  // the longest decimal of 256 bits and its zero

static size_t first_difference(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] != '\0' && a[i] == b[i])
        i++;
    return i;
}

static void report(const struct vector_case *c, const char *field)
{
    if (c->report->count++ == 0)
        printf("FAILED %s: \"%s\"\n", c->file, c->name);
    printf("  %s%s: ", c->report->where, field);
}

static void print_value(const char *value)
{
    printf("%.*s%s", SHOWN_MAX, value, strlen(value) > SHOWN_MAX ? "..." : "");
}

void vector_mismatch(const struct vector_case *c, const char *field, const char *got,
                     const char *expected)
{
    report(c, field);
    printf("got ");
    print_value(got);
    printf(", expected ");
    print_value(expected);
    size_t at = first_difference(got, expected);
    if (at >= 32)
        printf(" (they differ from character %zu on)", at);
    printf("\n");
}

void vector_malformed(const struct vector_case *c, const char *field, const char *why)
{
    report(c, field);
    printf("%s\n", why);
}

void vector_where(const struct vector_case *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->report->where, sizeof(c->report->where), format, args);
    va_end(args);
}

bool vector_is_clean(const struct vector_case *c)
{
    return c->report->count == 0;
}

enum case_outcome vector_outcome(const struct vector_case *c)
{
    return vector_is_clean(c) ? CASE_PASSED : CASE_FAILED;
}

// The text of a string or number; false if it is neither or does not fit.
static bool scalar_text(struct json_value value, char *out, size_t capacity)
{
    const char *text;
    size_t size;
    if (!json_is_text(value) && !json_is_number(value))
        return false;
    json_raw(value, &text, &size);
    if (size >= capacity)
        return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

bool vector_value_u256(struct json_value value, struct u256 *out)
{
    char text[NUMBER_SIZE];
    return scalar_text(value, text, sizeof(text)) && u256_from_decimal(out, text);
}

bool vector_value_u64(struct json_value value, uint64_t *out)
{
    struct u256 wide;
    if (!vector_value_u256(value, &wide) || u256_bit_length(&wide) > 64)
        return false;
    *out = u256_low_u64(&wide);
    return true;
}

bool vector_value_bits(struct json_value value, uint32_t *out)
{
    uint8_t bytes[4];
    if (!json_to_hex(value, bytes, sizeof(bytes)))
        return false;
    struct reader reader = reader_init(bytes, sizeof(bytes));
    *out = read_u32_be(&reader);
    return true;
}

bool vector_value_blob(struct json_value value, struct buffer *out)
{
    const char *text;
    size_t size;
    if (!json_is_text(value))
        return false;
    json_raw(value, &text, &size);
    if (size % 2 != 0 || !buffer_reserve(out, size / 2 + 1))
        return false;
    if (size > 0 && !hex_decode(text, size, out->data + out->size, size / 2))
        return false;
    out->size += size / 2;
    return true;
}

bool vector_value_pair(struct json_value value, struct script *script, struct u256 *number)
{
    char text[2 * SCRIPT_SIZE_MAX + 1 + NUMBER_SIZE];
    if (!json_to_text(value, text, sizeof(text)))
        return false;
    size_t digits = strcspn(text, ":");
    *script = (struct script){.size = (uint8_t)(digits / 2)};
    return text[digits] == ':' && digits > 0 && digits <= 2 * sizeof(script->bytes) &&
           hex_decode(text, digits, script->bytes, script->size) &&
           u256_from_decimal(number, text + digits + 1);
}

static bool read_or_report(const struct vector_case *c, const char *name, bool is_read)
{
    if (!is_read)
        vector_malformed(c, name, "the input is missing or has another form");
    return is_read;
}

bool vector_read_hex(const struct vector_case *c, struct json_value object, const char *name,
                     void *out, size_t size)
{
    return read_or_report(c, name, json_to_hex(json_get(object, name), out, size));
}

bool vector_read_hash(const struct vector_case *c, struct json_value object, const char *name,
                      struct hash256 *out)
{
    return vector_read_hex(c, object, name, out->bytes, sizeof(out->bytes));
}

bool vector_read_blob(const struct vector_case *c, struct json_value object, const char *name,
                      struct buffer *out)
{
    return read_or_report(c, name, vector_value_blob(json_get(object, name), out));
}

bool vector_read_u64(const struct vector_case *c, struct json_value object, const char *name,
                     uint64_t *out)
{
    return read_or_report(c, name, vector_value_u64(json_get(object, name), out));
}

bool vector_read_u32(const struct vector_case *c, struct json_value object, const char *name,
                     uint32_t *out)
{
    uint64_t wide;
    bool is_read = vector_value_u64(json_get(object, name), &wide) && wide <= UINT32_MAX;
    if (is_read)
        *out = (uint32_t)wide;
    return read_or_report(c, name, is_read);
}

bool vector_read_i64(const struct vector_case *c, struct json_value object, const char *name,
                     int64_t *out)
{
    return read_or_report(c, name, json_to_i64(json_get(object, name), out));
}

bool vector_read_u256(const struct vector_case *c, struct json_value object, const char *name,
                      struct u256 *out)
{
    return read_or_report(c, name, vector_value_u256(json_get(object, name), out));
}

bool vector_read_target(const struct vector_case *c, struct json_value object, const char *name,
                        struct u256 *out)
{
    char text[65];
    return read_or_report(c, name,
                          json_to_text(json_get(object, name), text, sizeof(text)) &&
                              u256_from_hex(out, text));
}

bool vector_read_bits(const struct vector_case *c, struct json_value object, const char *name,
                      uint32_t *out)
{
    return read_or_report(c, name, vector_value_bits(json_get(object, name), out));
}

bool vector_read_script(const struct vector_case *c, struct json_value object, const char *name,
                        struct script *out)
{
    uint8_t bytes[SCRIPT_SIZE_MAX + 1];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    bool is_read = vector_value_blob(json_get(object, name), &buffer) &&
                   script_from_bytes(out, buffer.data, buffer.size);
    return read_or_report(c, name, is_read);
}

bool vector_read_branch(const struct vector_case *c, struct json_value object, const char *name,
                        struct merkle_branch *out)
{
    struct json_value list = json_get(object, name);
    *out = (struct merkle_branch){.count = json_size(list)};
    bool is_read = json_is_array(list) && out->count <= MERKLE_BRANCH_MAX;
    struct json_value value = json_first(list);
    for (size_t i = 0; is_read && i < out->count; i++, value = json_next(value))
        is_read = json_to_hex(value, out->hashes[i].bytes, sizeof(out->hashes[i].bytes));
    return read_or_report(c, name, is_read);
}

bool vector_read_pool(const struct vector_case *c, struct pool *out)
{
    struct pool_error error;
    pool_defaults(out);
    struct json_value pool = json_get(c->inputs, "pool");
    for (struct json_value v = json_first(pool); json_exists(v); v = json_next(v)) {
        const char *name;
        size_t name_size;
        char key[64];
        char value[256];
        json_name(v, &name, &name_size);
        snprintf(key, sizeof(key), "%.*s", (int)name_size, name);
        if (strcmp(key, "pool_id") == 0)
            continue;
        if (!scalar_text(v, value, sizeof(value)) || !pool_set(out, key, value, &error)) {
            vector_malformed(c, key, "no key of a pool, or not within its range");
            return false;
        }
    }
    if (!json_is_object(pool) || !pool_finish(out, &error)) {
        vector_malformed(c, "pool", "no valid pool");
        return false;
    }
    vector_check_hash(c, pool, "pool_id", &out->id);
    return vector_is_clean(c);
}

// All comparisons are of texts: the forms of the vectors are canonical but for the case of hex
// digits.
static void check_form(const struct vector_case *c, struct json_value object, const char *name,
                       const char *got)
{
    struct json_value expected = json_get(object, name);
    const char *text;
    size_t size;
    if (!json_exists(expected))
        return;
    json_raw(expected, &text, &size);
    if (size == strlen(got) && strncasecmp(text, got, size) == 0)
        return;
    char *shown = strndup(text, size);
    vector_mismatch(c, name, got, shown != NULL ? shown : "(out of memory)");
    free(shown);
}

void vector_check_hex(const struct vector_case *c, struct json_value object, const char *name,
                      const void *got, size_t size)
{
    char *text = calloc(size + 1, 2);
    if (text == NULL) {
        vector_malformed(c, name, "out of memory");
        return;
    }
    hex_encode(got, size, text);
    check_form(c, object, name, text);
    free(text);
}

void vector_check_hash(const struct vector_case *c, struct json_value object, const char *name,
                       const struct hash256 *got)
{
    vector_check_hex(c, object, name, got->bytes, sizeof(got->bytes));
}

void vector_check_u64(const struct vector_case *c, struct json_value object, const char *name,
                      uint64_t got)
{
    char text[NUMBER_SIZE];
    snprintf(text, sizeof(text), "%" PRIu64, got);
    check_form(c, object, name, text);
}

void vector_check_i64(const struct vector_case *c, struct json_value object, const char *name,
                      int64_t got)
{
    char text[NUMBER_SIZE];
    snprintf(text, sizeof(text), "%" PRId64, got);
    check_form(c, object, name, text);
}

void vector_check_u256(const struct vector_case *c, struct json_value object, const char *name,
                       const struct u256 *got)
{
    char text[NUMBER_SIZE];
    u256_to_decimal(got, text);
    check_form(c, object, name, text);
}

void vector_check_target(const struct vector_case *c, struct json_value object, const char *name,
                         const struct u256 *got)
{
    char text[65];
    u256_to_hex(got, text);
    check_form(c, object, name, text);
}

void vector_check_bits(const struct vector_case *c, struct json_value object, const char *name,
                       uint32_t got)
{
    char text[9];
    snprintf(text, sizeof(text), "%08" PRIx32, got);
    check_form(c, object, name, text);
}

void vector_check_bool(const struct vector_case *c, struct json_value object, const char *name,
                       bool got)
{
    check_form(c, object, name, got ? "true" : "false");
}

void vector_check_text(const struct vector_case *c, struct json_value object, const char *name,
                       const char *got)
{
    char expected[1024];
    struct json_value value = json_get(object, name);
    if (!json_exists(value) || json_text_equals(value, got))
        return;
    bool is_short_text = json_to_text(value, expected, sizeof(expected));
    vector_mismatch(c, name, got, is_short_text ? expected : "something else");
}

static bool names_have(const char *names, const char *name, size_t size)
{
    for (const char *at = names; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == size && memcmp(at, name, size) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

void vector_known_keys(const struct vector_case *c, struct json_value object, const char *names)
{
    if (!json_is_object(object) || json_size(object) == 0)
        vector_malformed(c, "expect", "it is no object, or empty");
    if (!json_is_object(object))
        return;
    for (struct json_value v = json_first(object); json_exists(v); v = json_next(v)) {
        const char *name;
        size_t size;
        json_name(v, &name, &size);
        if (names_have(names, name, size))
            continue;
        char field[64];
        snprintf(field, sizeof(field), "%.*s", size < 60 ? (int)size : 60, name);
        vector_malformed(c, field, "this runner does not know what to expect of it");
    }
}

bool vector_agrees_to_accept(const struct vector_case *c, bool accepted)
{
    struct json_value invalid = json_get(c->expect, "invalid");
    bool is_invalid = false;
    if (json_exists(invalid) && !json_to_bool(invalid, &is_invalid))
        vector_malformed(c, "invalid", "neither true nor false");
    bool is_refused = is_invalid || json_exists(json_get(c->expect, "refuse"));
    if (is_refused)
        vector_known_keys(c, c->expect, "refuse invalid reason");
    if (is_refused == accepted)
        vector_mismatch(c, "verdict", accepted ? "accepted" : "refused",
                        accepted ? "refused" : "accepted");
    return accepted && !is_refused;
}

void vector_outputs_sha256(const struct coinbase_output *outputs, size_t count,
                           struct hash256 *hash)
{
    struct sha256 sha;
    sha256_init(&sha);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[8 + 1 + SCRIPT_SIZE_MAX];
        struct buffer buffer;
        buffer_init_fixed(&buffer, bytes, sizeof(bytes));
        write_u64(&buffer, outputs[i].amount);
        write_varint(&buffer, outputs[i].script.size);
        write_bytes(&buffer, outputs[i].script.bytes, outputs[i].script.size);
        sha256_update(&sha, buffer.data, buffer.size);
    }
    sha256_final(&sha, hash);
}
