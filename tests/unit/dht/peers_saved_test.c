#include "tests/unit/dht/peers_fixture.h"

#define NODES 12

// Nodes 1..NODES whose records are signed in truth.
struct signed_nodes {
    struct identity identities[NODES];
};

static void make_nodes(struct signed_nodes *nodes)
{
    for (unsigned i = 0; i < NODES; i++)
        node_identity(&nodes->identities[i], 1000 + i);
}

static void hear_nodes(struct pool *pool, const struct signed_nodes *nodes)
{
    for (unsigned i = 0; i < NODES; i++) {
        struct node_record record;
        struct endpoint endpoint = apart(i);
        record_init(&record, &nodes->identities[i], &pool->membership, 1, pool->now.wall);
        record_set_endpoint(&record, &endpoint);
        record_sign(&record, &nodes->identities[i]);
        assert_true(hear_record(pool, &record));
    }
}

static int index_of(const struct signed_nodes *nodes, const struct transport_key *key)
{
    for (int i = 0; i < NODES; i++) {
        if (memcmp(&nodes->identities[i].transport_key, key, sizeof *key) == 0)
            return i;
    }
    return -1;
}

// A pool that ran: two of the outbound links, *best, brought shares. What it saved is in *out.
static void save_after_run(const struct signed_nodes *nodes, int best[2], struct buffer *out)
{
    struct pool pool;
    struct peers_dial dial;
    uint32_t peer = 0;
    pool_open(&pool, NULL);
    hear_nodes(&pool, nodes);
    for (unsigned i = 0; dial_one(&pool, &dial, &peer); i++) {
        if (i >= 2)
            continue;
        best[i] = index_of(nodes, &dial.key);
        peers_delivered(pool.peers, peer, pool.now);
    }
    buffer_init(out, PEERS_SAVED_SIZE_MAX);
    peers_save(pool.peers, out);
    assert_false(out->failed);
    pool_close(&pool);
}

static void best_peers_of_the_last_run_are_called_first(void **state)
{
    (void)state;
    struct signed_nodes nodes;
    struct buffer saved;
    struct pool pool;
    struct peers_dial dial;
    int best[2];
    make_nodes(&nodes);
    save_after_run(&nodes, best, &saved);
    pool_open(&pool, NULL);
    assert_true(peers_load(pool.peers, saved.data, saved.size, pool.now));
    assert_int_equal(peers_book_count(pool.peers), NODES);
    unsigned found = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(peers_next_dial(pool.peers, pool.now, &dial));
        assert_true((dial.place == PEER_PLACE_KEPT) == (i < PEERS_KEPT));
        int index = index_of(&nodes, &dial.key);
        found += index == best[0] || index == best[1];
        assert_memory_equal(&dial.id, &nodes.identities[index].id, sizeof dial.id);
        assert_memory_equal(&dial.sign_key, &nodes.identities[index].sign_key,
                            sizeof dial.sign_key);
    }
    assert_in_range(found, 2, 2);
    buffer_clear(&saved);
    pool_close(&pool);
}

static void after_a_long_sleep_only_the_best_are_left_and_told_to_nobody(void **state)
{
    (void)state;
    struct signed_nodes nodes;
    struct buffer saved;
    struct buffer told;
    struct pool pool;
    struct peers_dial dial;
    int best[2];
    make_nodes(&nodes);
    save_after_run(&nodes, best, &saved);
    pool_open(&pool, NULL);
    pool_wait(&pool, INT64_C(86400) * 30 * 1000);
    assert_true(peers_load(pool.peers, saved.data, saved.size, pool.now));
    assert_int_equal(peers_book_count(pool.peers), 8);
    buffer_init(&told, 1 << 16);
    assert_int_equal(peers_sample(pool.peers, 16, pool.now, &told), 0);
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    assert_int_equal(dial.place, PEER_PLACE_KEPT);
    // Who does not answer then is forgotten.
    peers_failed(pool.peers, &dial.key, pool.now);
    hear_many(&pool, 100, 1);
    assert_int_equal(peers_book_count(pool.peers), 8);
    buffer_clear(&told);
    buffer_clear(&saved);
    pool_close(&pool);
}

static void damaged_bytes_change_nothing(void **state)
{
    (void)state;
    struct signed_nodes nodes;
    struct buffer saved;
    struct pool pool;
    int best[2];
    make_nodes(&nodes);
    save_after_run(&nodes, best, &saved);
    pool_open(&pool, NULL);
    for (size_t size = 0; size < saved.size; size += size < 300 ? 1 : 97)
        assert_false(peers_load(pool.peers, saved.data, size, pool.now));
    for (size_t i = 0; i < saved.size; i += 13) {
        saved.data[i] ^= 1;
        assert_false(peers_load(pool.peers, saved.data, saved.size, pool.now));
        saved.data[i] ^= 1;
    }
    assert_false(peers_load(pool.peers, NULL, 0, pool.now));
    assert_int_equal(peers_book_count(pool.peers), 0);
    assert_true(peers_load(pool.peers, saved.data, saved.size, pool.now));
    buffer_clear(&saved);
    pool_close(&pool);
}

// A checksum that is right says nothing about what is in a file.
static void seal(struct buffer *saved)
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, saved->data, saved->size - 8, NULL, 0);
    memcpy(saved->data + saved->size - 8, hash, 8);
}

static void loaded_records_are_verified(void **state)
{
    (void)state;
    struct signed_nodes nodes;
    struct buffer saved;
    struct pool pool;
    int best[2];
    make_nodes(&nodes);
    save_after_run(&nodes, best, &saved);
    pool_open(&pool, NULL);
    saved.data[6 + 40] ^= 1; // in the first record
    seal(&saved);
    assert_true(peers_load(pool.peers, saved.data, saved.size, pool.now));
    assert_int_equal(peers_book_count(pool.peers), NODES - 1);
    // Nor is a signature forgotten with the expiry of one of the best.
    struct pool later;
    pool_open(&later, NULL);
    pool_wait(&later, INT64_C(86400) * 30 * 1000);
    assert_true(peers_load(later.peers, saved.data, saved.size, later.now));
    assert_int_equal(peers_book_count(later.peers), 7);
    pool_close(&later);
    saved.data[6 + 40] ^= 1;
    saved.data[0] = 2; // another version
    seal(&saved);
    assert_false(peers_load(pool.peers, saved.data, saved.size, pool.now));
    saved.data[0] = 1;
    saved.data[1]++; // one record more than there is
    seal(&saved);
    assert_false(peers_load(pool.peers, saved.data, saved.size, pool.now));
    buffer_clear(&saved);
    pool_close(&pool);

    // Of another pool: not even the best.
    save_after_run(&nodes, best, &saved);
    pool_open(&pool, NULL);
    pool.membership.pool_id.bytes[0] ^= 1;
    assert_true(peers_load(pool.peers, saved.data, saved.size, pool.now));
    assert_int_equal(peers_book_count(pool.peers), 0);
    buffer_clear(&saved);
    pool_close(&pool);
}

static void who_called_us_is_not_kept_for_it(void **state)
{
    (void)state;
    struct signed_nodes nodes;
    struct buffer saved;
    struct pool pool;
    uint32_t evicted;
    make_nodes(&nodes);
    pool_open(&pool, NULL);
    hear_nodes(&pool, &nodes);
    for (unsigned i = 0; i < NODES; i++) {
        struct peers_link link = {.peer = i + 1,
                                  .way = PEER_INBOUND,
                                  .endpoint = apart(i),
                                  .id = nodes.identities[i].id,
                                  .key = nodes.identities[i].transport_key};
        assert_int_equal(peers_opened(pool.peers, &link, pool.now, &evicted), PEERS_ADMITTED);
        peers_delivered(pool.peers, i + 1, pool.now);
    }
    buffer_init(&saved, PEERS_SAVED_SIZE_MAX);
    peers_save(pool.peers, &saved);
    pool_close(&pool);
    pool_open(&pool, NULL);
    assert_true(peers_load(pool.peers, saved.data, saved.size, pool.now));
    assert_int_equal(peers_book_count(pool.peers), NODES);
    struct peers_dial dial;
    assert_true(peers_next_dial(pool.peers, pool.now, &dial));
    assert_int_equal(dial.place, PEER_PLACE_RANDOM);
    buffer_clear(&saved);
    pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_peers_of_the_last_run_are_called_first),
        cmocka_unit_test(after_a_long_sleep_only_the_best_are_left_and_told_to_nobody),
        cmocka_unit_test(damaged_bytes_change_nothing),
        cmocka_unit_test(loaded_records_are_verified),
        cmocka_unit_test(who_called_us_is_not_kept_for_it),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
