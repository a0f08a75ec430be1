// Nodes for the tests of dht/: the same in every run, and the same that the other implementation
// made of which literals in these tests come.
#ifndef SHOAL_TESTS_UNIT_DHT_NODE_FIXTURE_H
#define SHOAL_TESTS_UNIT_DHT_NODE_FIXTURE_H

#include <sodium.h>
#include <string.h>
#include "dht/identity.h"
#include "dht/membership.h"
#include "dht/record.h"
#include "node/base/hex.h"
#include "tests/unit/sharechain/seeded.h"

#define NODE_START_SECONDS 1700000000

// Puzzle of a test pool; pool id 00 01 02 .. 1f.
static inline struct membership node_membership(void)
{
    struct membership membership = {.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST};
    for (unsigned i = 0; i < 32; i++)
        membership.pool_id.bytes[i] = (uint8_t)i;
    return membership;
}

static inline void node_identity(struct identity *identity, uint64_t seed)
{
    struct seeded seeded = {seed};
    struct env env = seeded_env(&seeded);
    identity_begin(identity, &env);
    if (!identity_search(identity, IDENTITY_PUZZLE_BITS_TEST, 1u << 16))
        abort();
    seeded_env_clear(&env);
}

static inline struct wall_time node_wall(int64_t seconds)
{
    return (struct wall_time){(NODE_START_SECONDS + seconds) * 1000};
}

// The record that says least; returns its size.
static inline size_t node_record_bytes(const struct identity *identity,
                                       const struct membership *membership, uint64_t seq,
                                       uint8_t out[RECORD_SIZE_MAX])
{
    struct node_record record;
    struct buffer buffer;
    record_init(&record, identity, membership, seq, node_wall(0));
    record_sign(&record, identity);
    buffer_init_fixed(&buffer, out, RECORD_SIZE_MAX);
    record_encode(&record, &buffer);
    return buffer.size;
}

#endif
