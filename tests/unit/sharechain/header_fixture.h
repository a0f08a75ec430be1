// A header chain that counts its events, on any coin, for tests. Included after cmocka.h.
#ifndef SHOAL_TESTS_UNIT_SHARECHAIN_HEADER_FIXTURE_H
#define SHOAL_TESTS_UNIT_SHARECHAIN_HEADER_FIXTURE_H

#include <string.h>
#include "sharechain/header_chain.h"
#include "tests/unit/sharechain/seeded.h"

#define START 1700000000u

static const struct hash256 best_pow = {{0}}; // meets every target

struct fixture {
    struct seeded seeded;
    struct env env;
    struct pool pool;
    struct header_chain *chain;
    // What the events said.
    size_t good_count;
    size_t invalid_count;
    struct hash256 invalid_last;
    bool is_out_of_order;
};

static inline void count_good(void *context, const struct header_node *node)
{
    struct fixture *fixture = context;
    fixture->good_count++;
    if (node->parent == NULL || header_chain_find(fixture->chain, &node->parent->id) == NULL)
        fixture->is_out_of_order = true;
}

static inline void count_invalid(void *context, const struct hash256 *id)
{
    struct fixture *fixture = context;
    fixture->invalid_count++;
    fixture->invalid_last = *id;
}

static inline void open_chain(struct fixture *fixture, const char *chain, uint32_t anchor_height,
                              uint32_t anchor_bits)
{
    struct header anchor = {.version = 1, .time = START, .bits = anchor_bits};
    struct header_chain_events events = {fixture, count_good, count_invalid};
    memset(fixture, 0, sizeof(*fixture));
    fixture->env = seeded_env(&fixture->seeded);
    pool_defaults(&fixture->pool);
    fixture->pool.chain = chain_params_by_name(chain);
    fixture->pool.anchor_height = anchor_height;
    header_encode(&anchor, fixture->pool.anchor_header);
    fixture->chain = header_chain_new(&fixture->env, &fixture->pool, &events);
    assert_non_null(fixture->chain);
}

static inline void close_chain(struct fixture *fixture)
{
    header_chain_free(fixture->chain);
    seeded_env_clear(&fixture->env);
}

static inline struct hash256 header_make(uint8_t bytes[HEADER_SIZE], const struct hash256 *prev,
                                         uint32_t time, uint32_t bits, uint32_t nonce)
{
    struct header header = {
        .version = 0x20000000, .prev = *prev, .time = time, .bits = bits, .nonce = nonce};
    struct hash256 id;
    header_encode(&header, bytes);
    header_id(bytes, &id);
    return id;
}

// One more good header on parent, at this time, with the bits that are due and the proof of work
// taken as given.
static inline const struct header_node *extend(struct fixture *fixture,
                                               const struct header_node *parent, uint32_t time)
{
    uint8_t bytes[HEADER_SIZE];
    uint32_t bits = header_chain_required_bits(fixture->chain, parent, time);
    struct hash256 id = header_make(bytes, &parent->id, time, bits, 0);
    assert_int_equal(header_chain_add(fixture->chain, bytes, &best_pow), VERDICT_VALID);
    return header_chain_find(fixture->chain, &id);
}

static inline const struct header_node *extend_by(struct fixture *fixture,
                                                  const struct header_node *parent, size_t count,
                                                  uint32_t spacing)
{
    for (size_t i = 0; i < count; i++)
        parent = extend(fixture, parent, parent->time + spacing);
    return parent;
}

#endif
