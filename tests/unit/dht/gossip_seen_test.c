#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "dht/gossip_seen.h"
#include "tests/unit/sharechain/seeded.h"

// The ring against the plain truth: the last `max` ids, and what was written into each.
static void ring_keeps_the_last_ids_and_finds_them(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 17, 100, 1000};
    struct seeded seeded = {3};
    struct env env = seeded_env(&seeded);
    struct hash256 *ids = calloc(4000, sizeof *ids);
    assert_non_null(ids);
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        struct gossip_seen *seen = gossip_seen_new(&env, sizes[n]);
        size_t max = sizes[n] < 16 ? 16 : sizes[n];
        assert_non_null(seen);
        for (size_t i = 0; i < 4000; i++) {
            ids[i] = seeded_hash(&seeded);
            assert_null(gossip_seen_find(seen, &ids[i]));
            gossip_seen_add(seen, &ids[i])->sequence = (uint32_t)i;
            if (i % 397 != 0 && i != 3999)
                continue;
            for (size_t k = 0; k <= i; k++) {
                const struct seen_entry *entry = gossip_seen_find(seen, &ids[k]);
                assert_int_equal(entry != NULL, k + max > i);
                assert_true(entry == NULL || entry->sequence == k);
            }
        }
        gossip_seen_free(seen);
    }
    free(ids);
    seeded_env_clear(&env);
}

static void peers_are_forgotten_in_all_entries(void **state)
{
    (void)state;
    struct seeded seeded = {4};
    struct env env = seeded_env(&seeded);
    struct gossip_seen *seen = gossip_seen_new(&env, 100);
    struct hash256 ids[50];
    struct peer_set gone = {0};
    peer_set_add(&gone, 3);
    peer_set_add(&gone, 127);
    for (size_t i = 0; i < 50; i++) {
        ids[i] = seeded_hash(&seeded);
        struct seen_entry *entry = gossip_seen_add(seen, &ids[i]);
        peer_set_add(&entry->has, 3);
        peer_set_add(&entry->has, 64);
        peer_set_add(&entry->offered, 127);
        peer_set_add(&entry->offered, 126);
    }
    gossip_seen_remove_peers(seen, &gone);
    for (size_t i = 0; i < 50; i++) {
        const struct seen_entry *entry = gossip_seen_find(seen, &ids[i]);
        assert_false(peer_set_has(&entry->has, 3));
        assert_true(peer_set_has(&entry->has, 64));
        assert_false(peer_set_has(&entry->offered, 127));
        assert_true(peer_set_has(&entry->offered, 126));
    }
    gossip_seen_free(seen);
    seeded_env_clear(&env);
}

static void memory_follows_what_is_in_it(void **state)
{
    (void)state;
    struct seeded seeded = {5};
    struct env env = seeded_env(&seeded);
    struct gossip_seen *seen = gossip_seen_new(&env, 65536);
    assert_true(gossip_seen_memory(seen) < 2048);
    for (size_t i = 0; i < 70000; i++) {
        struct hash256 id = seeded_hash(&seeded);
        gossip_seen_add(seen, &id);
        if (i == 1000)
            assert_true(gossip_seen_memory(seen) < (size_t)128 * 1024);
    }
    assert_true(gossip_seen_memory(seen) < (size_t)5 << 20);
    gossip_seen_free(seen);
    seeded_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_keeps_the_last_ids_and_finds_them),
        cmocka_unit_test(peers_are_forgotten_in_all_entries),
        cmocka_unit_test(memory_follows_what_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
