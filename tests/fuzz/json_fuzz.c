// Fuzzer of the JSON reader and writer. Any text: walking a parsed document agrees with its own
// counts and names, and what the writer makes of it parses to the same shape. Any bytes as a string
// value: valid JSON.
#include <stdlib.h>
#include <string.h>
#include "node/base/json.h"

#define TOKENS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void rewrite(struct json_value value, const char *name, struct json_writer *writer);

static void rewrite_children(struct json_value container, struct json_writer *writer)
{
    size_t count = 0;
    for (struct json_value v = json_first(container); json_exists(v); v = json_next(v)) {
        const char *raw;
        size_t size;
        json_name(v, &raw, &size);
        bool is_plain = size < 64 && memchr(raw, '\\', size) == NULL;
        if (json_is_object(container) && is_plain) {
            char name[64];
            memcpy(name, raw, size);
            name[size] = '\0';
            require(json_exists(json_get(container, name)));
        }
        rewrite(v, json_is_object(container) ? "n" : NULL, writer);
        count++;
    }
    require(count == json_size(container));
}

static void rewrite_scalar(struct json_value value, const char *name, struct json_writer *writer)
{
    char text[256];
    int64_t i64;
    uint64_t u64;
    double number;
    bool truth;
    if (json_to_text(value, text, sizeof text)) {
        require(json_text_equals(value, text));
        json_write_text(writer, name, text);
    } else if (json_is_text(value)) {
        json_write_text(writer, name, "unreadable");
    } else if (json_to_u64(value, &u64)) {
        json_write_u64(writer, name, u64);
    } else if (json_to_i64(value, &i64)) {
        json_write_i64(writer, name, i64);
    } else if (json_to_double(value, &number)) {
        json_write_double(writer, name, number);
    } else if (json_is_number(value)) {
        json_write_u64(writer, name, 0);
    } else if (json_to_bool(value, &truth)) {
        json_write_bool(writer, name, truth);
    } else {
        require(json_is_null(value) && !json_is_present(value));
        json_write_null(writer, name);
    }
}

static void rewrite(struct json_value value, const char *name, struct json_writer *writer)
{
    if (json_is_object(value)) {
        json_begin_object(writer, name);
        rewrite_children(value, writer);
        json_end_object(writer);
    } else if (json_is_array(value)) {
        json_begin_array(writer, name);
        rewrite_children(value, writer);
        json_end_array(writer);
    } else {
        rewrite_scalar(value, name, writer);
    }
}

static bool is_same_shape(struct json_value a, struct json_value b)
{
    if (json_is_object(a) != json_is_object(b) || json_is_array(a) != json_is_array(b) ||
        json_is_text(a) != json_is_text(b) || json_is_number(a) != json_is_number(b) ||
        json_is_null(a) != json_is_null(b) || json_size(a) != json_size(b))
        return false;
    struct json_value of_b = json_first(b);
    for (struct json_value v = json_first(a); json_exists(v); v = json_next(v)) {
        if (!is_same_shape(v, of_b))
            return false;
        of_b = json_next(of_b);
    }
    return !json_exists(of_b);
}

static void fuzz_document(const char *text, size_t size)
{
    struct json *json = json_parse(text, size, TOKENS_MAX);
    if (json == NULL)
        return;
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 16 << 20);
    json_writer_init(&writer, &buffer);
    rewrite(json_root(json), NULL, &writer);
    require(!buffer.failed);
    struct json *again = json_parse((const char *)buffer.data, buffer.size, TOKENS_MAX);
    require(again != NULL && is_same_shape(json_root(json), json_root(again)));
    json_free(again);
    buffer_clear(&buffer);
    json_free(json);
}

static void fuzz_string(const char *bytes, size_t size)
{
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 16 << 20);
    json_writer_init(&writer, &buffer);
    json_write_text_sized(&writer, NULL, bytes, size);
    struct json *json = json_parse((const char *)buffer.data, buffer.size, 1);
    require(json_is_text(json_root(json)));
    json_free(json);
    buffer_clear(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_document((const char *)data, size);
    fuzz_string((const char *)data, size);
    return 0;
}
