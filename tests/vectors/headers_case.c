// headers.json: which headers are good, whatever the order they come in (protocol section 6).
#include <stdlib.h>
#include <string.h>
#include "sharechain/header_chain.h"
#include "tests/vectors/vectors.h"

struct header_set {
    struct pool pool;
    uint8_t (*bytes)[HEADER_SIZE];
    bool *is_missing;
    size_t count;
};

static void set_clear(struct header_set *set)
{
    free(set->bytes);
    free(set->is_missing);
}

static bool read_pool_part(const struct vector_case *c, struct pool *pool)
{
    char name[64];
    pool_defaults(pool);
    pool->chain = NULL;
    if (json_to_text(json_get(c->inputs, "chain"), name, sizeof(name)))
        pool->chain = chain_params_by_name(name);
    if (pool->chain == NULL) {
        vector_malformed(c, "chain", "there is no such chain");
        return false;
    }
    bool has_prev_time = json_exists(json_get(c->inputs, "anchor_prev_time"));
    return vector_read_u32(c, c->inputs, "anchor_height", &pool->anchor_height) &&
           vector_read_hex(c, c->inputs, "anchor_header", pool->anchor_header, HEADER_SIZE) &&
           (!has_prev_time ||
            vector_read_u32(c, c->inputs, "anchor_prev_time", &pool->anchor_prev_time));
}

static bool read_set(const struct vector_case *c, struct header_set *set)
{
    struct json_value list = json_get(c->inputs, "headers");
    if (!read_pool_part(c, &set->pool))
        return false;
    set->count = json_size(list);
    set->bytes = calloc(set->count + 1, HEADER_SIZE);
    set->is_missing = calloc(set->count + 1, sizeof(bool));
    if (set->bytes == NULL || set->is_missing == NULL)
        return false;
    struct json_value value = json_first(list);
    for (size_t i = 0; i < set->count; i++, value = json_next(value)) {
        if (json_to_hex(value, set->bytes[i], HEADER_SIZE))
            continue;
        vector_malformed(c, "headers", "not 80 bytes");
        return false;
    }
    struct json_value missing = json_get(c->inputs, "missing");
    for (value = json_first(missing); json_exists(value); value = json_next(value)) {
        uint64_t i;
        if (!vector_value_u64(value, &i) || i >= set->count) {
            vector_malformed(c, "missing", "no such header");
            return false;
        }
        set->is_missing[i] = true;
    }
    return true;
}

// The header with id is at this place of its branch: all that a good one expects.
static void check_good(const struct vector_case *c, struct json_value expect,
                       const struct header_node *node)
{
    vector_check_i64(c, expect, "height", node->height);
    vector_check_u256(c, expect, "chainwork", &node->chainwork);
    vector_check_u64(c, expect, "median_time", node->median_time);
}

static void check_headers(const struct vector_case *c, const struct header_set *set,
                          const struct header_chain *chain, size_t order)
{
    for (struct json_value e = json_first(c->expect); json_exists(e); e = json_next(e)) {
        uint64_t i;
        struct hash256 id;
        if (!vector_value_u64(json_get(e, "index"), &i) || i >= set->count) {
            vector_malformed(c, "index", "no such header");
            return;
        }
        vector_where(c, "order %zu, header %zu: ", order, (size_t)i);
        header_id(set->bytes[i], &id);
        const struct header_node *node = header_chain_find(chain, &id);
        vector_known_keys(c, e, "index verdict reason height chainwork median_time");
        vector_check_text(c, e, "verdict", verdict_text(header_chain_verdict(chain, &id)));
        if (!json_exists(json_get(e, "verdict")))
            vector_malformed(c, "verdict", "none is expected");
        if (node != NULL)
            check_good(c, e, node);
        else if (json_exists(json_get(e, "height")))
            vector_malformed(c, "height", "the header is not good");
        vector_where(c, "%s", "");
    }
}

static void run_order(const struct vector_case *c, const struct header_set *set,
                      struct json_value order, size_t order_number)
{
    struct header_chain *chain = header_chain_new(c->env, &set->pool, NULL);
    if (chain == NULL) {
        vector_malformed(c, "orders", "out of memory");
        return;
    }
    for (struct json_value v = json_first(order); json_exists(v); v = json_next(v)) {
        uint64_t i;
        if (!vector_value_u64(v, &i) || i >= set->count)
            vector_malformed(c, "orders", "no such header");
        else if (!set->is_missing[i])
            header_chain_add(chain, set->bytes[i], NULL);
    }
    check_headers(c, set, chain, order_number);
    header_chain_free(chain);
}

enum case_outcome vector_headers_case(const struct vector_case *c)
{
    struct header_set set = {.bytes = NULL};
    size_t order_number = 0;
    if (read_set(c, &set)) {
        struct json_value orders = json_get(c->inputs, "orders");
        if (!json_is_array(c->expect) || json_size(c->expect) == 0 || json_size(orders) == 0)
            vector_malformed(c, "expect", "no verdicts, or no orders");
        for (struct json_value v = json_first(orders); json_exists(v); v = json_next(v))
            run_order(c, &set, v, order_number++);
    } else if (vector_is_clean(c)) {
        vector_malformed(c, "headers", "out of memory");
    }
    set_clear(&set);
    return vector_outcome(c);
}
