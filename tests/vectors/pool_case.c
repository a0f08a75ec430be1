// pool.json: pool files and their canonical form (protocol section 1).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/limits.h"
#include "tests/vectors/vectors.h"

static void check_text_reads_back(const struct vector_case *c, const struct pool *pool)
{
    struct buffer text;
    struct pool again;
    struct pool_error error;
    buffer_init(&text, LIMIT_POOL_FILE_SIZE);
    pool_write_text(pool, &text);
    if (!pool_parse((const char *)text.data, text.size, &again, &error))
        vector_malformed(c, "text as written", error.text);
    else if (!hash_equal(&again.id, &pool->id))
        vector_malformed(c, "text as written", "it reads back as another pool");
    buffer_clear(&text);
}

static enum case_outcome check_pool(const struct vector_case *c, bool accepted,
                                    const struct pool *pool)
{
    uint8_t bytes[256];
    struct buffer canonical;
    if (!vector_agrees_to_accept(c, accepted))
        return vector_outcome(c);
    buffer_init_fixed(&canonical, bytes, sizeof(bytes));
    pool_write_canonical(pool, &canonical);
    vector_known_keys(c, c->expect, "canonical pool_id");
    vector_check_hex(c, c->expect, "canonical", canonical.data, canonical.size);
    vector_check_hash(c, c->expect, "pool_id", &pool->id);
    check_text_reads_back(c, pool);
    return vector_outcome(c);
}

// A value as a pool file has it: JSON strings without their quotes, numbers as they are written.
static bool value_text(struct json_value value, char *out, size_t capacity)
{
    const char *text;
    size_t size;
    if (json_is_text(value))
        return json_to_text(value, out, capacity);
    json_raw(value, &text, &size);
    snprintf(out, capacity, "%.*s", (int)size, text);
    return json_is_number(value) && size < capacity;
}

static bool set_keys(struct json_value keys, struct pool *pool)
{
    struct pool_error error;
    struct pool_key_info info;
    char value[512];
    for (struct json_value v = json_first(keys); json_exists(v); v = json_next(v)) {
        const char *name;
        size_t size;
        char key[64];
        json_name(v, &name, &size);
        snprintf(key, sizeof(key), "%.*s", (int)size, name);
        if (!value_text(v, value, sizeof(value)) || !pool_set(pool, key, value, &error))
            return false;
    }
    for (size_t i = 0; pool_key_row(i, &info); i++) {
        if (info.default_text[0] == '\0' && !json_exists(json_get(keys, info.name)))
            return false;
    }
    return pool_finish(pool, &error);
}

enum case_outcome vector_pool_keys_case(const struct vector_case *c)
{
    struct pool pool;
    pool_defaults(&pool);
    bool accepted = set_keys(json_get(c->inputs, "pool"), &pool);
    return check_pool(c, accepted, &pool);
}

enum case_outcome vector_pool_text_case(const struct vector_case *c)
{
    struct pool pool;
    struct pool_error error;
    struct json_value text = json_get(c->inputs, "text");
    const char *raw;
    size_t size;
    json_raw(text, &raw, &size); // at least as long as the text is without its escapes
    char *copy = json_is_text(text) ? malloc(size + 1) : NULL;
    if (copy == NULL || !json_to_text(text, copy, size + 1)) {
        vector_malformed(c, "text", "no text, or out of memory");
        free(copy);
        return CASE_FAILED;
    }
    bool accepted = pool_parse(copy, strlen(copy), &pool, &error);
    free(copy);
    return check_pool(c, accepted, &pool);
}
