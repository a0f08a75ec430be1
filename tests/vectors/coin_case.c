// header_bits.json: what the coins themselves say of bits and subsidies (protocol sections 0, 1 and
// 8).
#include <stdio.h>
#include <string.h>
#include "node/bitcoin/chain_params.h"
#include "sharechain/header_chain.h"
#include "tests/vectors/vectors.h"

static bool read_chain(const struct vector_case *c, const struct chain_params **params)
{
    char name[64];
    *params = NULL;
    if (json_to_text(json_get(c->inputs, "chain"), name, sizeof(name)))
        *params = chain_params_by_name(name);
    if (*params == NULL)
        vector_malformed(c, "chain", "there is no such chain");
    return *params != NULL;
}

enum case_outcome vector_coin_retarget_case(const struct vector_case *c)
{
    const struct chain_params *params;
    uint32_t scaled_bits;
    int64_t first_time;
    int64_t last_time;
    if (!read_chain(c, &params) || !vector_read_bits(c, c->inputs, "scaled_bits", &scaled_bits) ||
        !vector_read_i64(c, c->inputs, "first_time", &first_time) ||
        !vector_read_i64(c, c->inputs, "last_time", &last_time))
        return CASE_FAILED;
    vector_known_keys(c, c->expect, "bits");
    vector_check_bits(c, c->expect, "bits",
                      chain_retarget_bits(params, scaled_bits, first_time, last_time));
    return vector_outcome(c);
}

enum case_outcome vector_subsidy_case(const struct vector_case *c)
{
    const struct chain_params *params;
    int64_t height;
    if (!read_chain(c, &params) || !vector_read_i64(c, c->inputs, "height", &height))
        return CASE_FAILED;
    vector_known_keys(c, c->expect, "subsidy");
    vector_check_u64(c, c->expect, "subsidy", chain_subsidy(params, height));
    return vector_outcome(c);
}

// A line of headers made without proof of work.
struct line {
    struct pool pool;
    struct header_chain *headers;
    const struct header_node *last;
    int64_t spacing;
    uint32_t anchor_time;
    uint32_t count;
};

static bool read_line(const struct vector_case *c, struct line *line)
{
    struct header header = {.version = 0x20000000};
    struct pool *pool = &line->pool;
    pool_defaults(pool);
    if (!read_chain(c, &pool->chain) ||
        !vector_read_u32(c, c->inputs, "anchor_height", &pool->anchor_height) ||
        !vector_read_u32(c, c->inputs, "anchor_time", &header.time) ||
        !vector_read_bits(c, c->inputs, "anchor_bits", &header.bits) ||
        !vector_read_u32(c, c->inputs, "anchor_prev_time", &pool->anchor_prev_time) ||
        !vector_read_i64(c, c->inputs, "spacing", &line->spacing) ||
        !vector_read_u32(c, c->inputs, "n", &line->count))
        return false;
    if (pool->anchor_height % 2016 != 0)
        vector_malformed(c, "anchor_height", "it begins no period");
    line->anchor_time = header.time;
    header_encode(&header, pool->anchor_header);
    return vector_is_clean(c);
}

// "the time at height h is times[h] where given, else anchor_time + (h - anchor_height) * spacing"
static uint32_t time_at(const struct vector_case *c, const struct line *line, int64_t height)
{
    char name[24];
    uint64_t time;
    snprintf(name, sizeof(name), "%lld", (long long)height);
    if (vector_value_u64(json_get(json_get(c->inputs, "times"), name), &time))
        return (uint32_t)time;
    return (uint32_t)(line->anchor_time + (height - line->pool.anchor_height) * line->spacing);
}

static bool extend(const struct vector_case *c, struct line *line)
{
    static const struct hash256 best_pow = {{0}};
    uint8_t bytes[HEADER_SIZE];
    struct header header = {.version = 0x20000000, .prev = line->last->id};
    struct hash256 id;
    header.time = time_at(c, line, line->last->height + 1);
    header.bits = header_chain_required_bits(line->headers, line->last, header.time);
    header_encode(&header, bytes);
    header_id(bytes, &id);
    if (header_chain_add(line->headers, bytes, &best_pow) != VERDICT_VALID) {
        vector_malformed(c, "times", "a header breaks the median time rule");
        return false;
    }
    line->last = header_chain_find(line->headers, &id);
    return true;
}

static void check_bits_at_heights(const struct vector_case *c, const struct line *line)
{
    struct json_value bits = json_get(c->expect, "bits");
    for (struct json_value v = json_first(bits); json_exists(v); v = json_next(v)) {
        const char *text;
        size_t size;
        char name[24];
        struct u256 height;
        json_name(v, &text, &size);
        snprintf(name, sizeof(name), "%.*s", size < 20 ? (int)size : 20, text);
        if (!u256_from_decimal(&height, name) || u256_low_u64(&height) < line->pool.anchor_height ||
            u256_low_u64(&height) > (uint64_t)line->last->height) {
            vector_malformed(c, name, "no header is at this height");
            continue;
        }
        const struct header_node *node =
            header_node_ancestor(line->last, (int64_t)u256_low_u64(&height));
        vector_check_bits(c, bits, name, node->bits);
    }
}

static void check_child_bits(const struct vector_case *c, const struct line *line)
{
    struct json_value due = json_get(c->expect, "child_bits");
    struct json_value times = json_get(c->inputs, "ask_times");
    if (!json_exists(due))
        return;
    if (json_size(due) != json_size(times))
        vector_malformed(c, "child_bits", "not as many as ask_times");
    struct json_value time = json_first(times);
    for (struct json_value v = json_first(due); json_exists(v) && json_exists(time);
         v = json_next(v), time = json_next(time)) {
        uint64_t at;
        uint32_t expected;
        if (!vector_value_u64(time, &at) || !vector_value_bits(v, &expected)) {
            vector_malformed(c, "child_bits", "no times or no bits");
            return;
        }
        uint32_t got = header_chain_required_bits(line->headers, line->last, (uint32_t)at);
        char texts[2][9];
        snprintf(texts[0], sizeof(texts[0]), "%08x", got);
        snprintf(texts[1], sizeof(texts[1]), "%08x", expected);
        if (got != expected)
            vector_mismatch(c, "child_bits", texts[0], texts[1]);
    }
}

enum case_outcome vector_coin_line_case(const struct vector_case *c)
{
    struct line line;
    if (!read_line(c, &line))
        return CASE_FAILED;
    line.headers = header_chain_new(c->env, &line.pool, NULL);
    if (line.headers == NULL)
        return CASE_FAILED;
    line.last = header_chain_anchor(line.headers);
    bool is_whole = true;
    for (uint32_t i = 0; is_whole && i < line.count; i++)
        is_whole = extend(c, &line);
    if (is_whole) {
        vector_known_keys(c, c->expect, "bits child_bits plain_bits");
        check_bits_at_heights(c, &line);
        check_child_bits(c, &line);
        vector_check_bits(c, c->expect, "plain_bits",
                          header_chain_plain_bits(line.headers, line.last));
    }
    header_chain_free(line.headers);
    return vector_outcome(c);
}
