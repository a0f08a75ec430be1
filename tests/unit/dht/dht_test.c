#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "dht/datagram.h"
#include "dht/sealing.h"
#include "tests/support/dht_world.h"

static struct dht_stats stats_of(const struct world_node *node)
{
    struct dht_stats stats;
    dht_stats(node->dht, &stats);
    return stats;
}

static void nodes_that_know_one_seed_find_each_other(void **state)
{
    (void)state;
    struct dht_world *world = world_new(1);
    world_fill(world, 100);
    for (size_t i = 0; i < world->nodes_count; i++) {
        struct dht_stats stats = stats_of(&world->nodes[i]);
        assert_true(stats.is_joined);
        assert_true(stats.nodes_ipv4 >= 40);
    }
    struct world_node *last = world_add(world);
    int64_t start_ms = world->now.mono.ms;
    world_run(world, 10000);
    print_message("join: %u ms, %u sent, %u nodes\n", (unsigned)(last->joined_ms - start_ms),
                  (unsigned)last->sent, (unsigned)stats_of(last).nodes_ipv4);
    assert_in_range(last->joined_ms - start_ms, 1, 5000);
    world_free(world);
}

static void look_ups_end_at_the_nearest_node(void **state)
{
    (void)state;
    struct dht_world *world = world_new(2);
    unsigned right = 0;
    uint64_t sent = 0;
    int64_t spent_ms = 0;
    world_fill(world, 100);
    for (unsigned i = 0; i < 100; i++) {
        struct world_node *node = &world->nodes[i];
        struct hash256 key = seeded_hash(&world->seeded);
        uint64_t before = stats_of(node).requests_sent;
        int64_t start_ms = world->now.mono.ms;
        uint64_t search = dht_find_nodes(node->dht, &key, DHT_PATHS_ROUTINE, world->now);
        assert_true(world_wait(node, search));
        assert_int_equal(node->contacts_count, 16);
        const struct world_node *nearest = world_nearest(world, &key);
        right +=
            nearest == node || hash_equal(&node->contacts[0].id.hash, &nearest->identity.id.hash);
        sent += stats_of(node).requests_sent - before;
        spent_ms += node->searched_ms - start_ms;
    }
    print_message("look-up: %u of 100 right, %u messages in all, mean %u ms\n", right,
                  (unsigned)sent, (unsigned)(spent_ms / 100));
    assert_true(right >= 99);
    assert_true(sent <= 2600);
    world_free(world);
}

static void dead_nodes_delay_look_ups_and_leave_the_tables(void **state)
{
    (void)state;
    struct dht_world *world = world_new(3);
    unsigned right = 0;
    world_fill(world, 80);
    for (size_t i = 3; i < 80; i += 6)
        world_kill(&world->nodes[i]);
    for (unsigned i = 0; i < 40; i++) {
        struct world_node *node = &world->nodes[i % 3];
        struct hash256 key = seeded_hash(&world->seeded);
        assert_true(
            world_wait(node, dht_find_nodes(node->dht, &key, DHT_PATHS_ROUTINE, world->now)));
        const struct world_node *nearest = world_nearest(world, &key);
        right +=
            nearest == node || hash_equal(&node->contacts[0].id.hash, &nearest->identity.id.hash);
    }
    assert_int_equal(right, 40);
    world_run(world, 900000);
    assert_in_range(stats_of(&world->nodes[0]).nodes_ipv4, 40, 66);
    world_free(world);
}

static void lost_datagrams_do_not_empty_tables(void **state)
{
    (void)state;
    struct dht_world *world = world_new(4);
    world->loss_percent = 10;
    world_fill(world, 30);
    world_run(world, 900000);
    for (size_t i = 0; i < 30; i++)
        assert_in_range(stats_of(&world->nodes[i]).nodes_ipv4, 26, 29);
    world_free(world);
}

static void record_is_found_though_a_fifth_lies(void **state)
{
    (void)state;
    struct dht_world *world = world_new(5);
    unsigned found = 0;
    world_fill(world, 60);
    for (unsigned i = 0; i < 15; i++)
        world_add_liar(world);
    // A second start of the same identities takes the liars in as seeds.
    for (unsigned i = 1; i < 60; i++) {
        struct world_node *node = &world->nodes[i];
        world_restart(node);
        dht_add_seed(node->dht, &world->nodes[0].endpoint, &world->nodes[0].identity.dht_key);
        for (unsigned k = 0; k < 3; k++) {
            const struct world_node *liar = &world->nodes[world->liars[(i + 5 * k) % 15]];
            dht_add_seed(node->dht, &liar->endpoint, &liar->identity.dht_key);
        }
        dht_start(node->dht, world->now);
        node->deadline_ms = world->now.mono.ms;
        world_run(world, 50);
    }
    world_run(world, 60000);
    for (unsigned i = 0; i < 50; i++) {
        struct world_node *node = &world->nodes[i];
        const struct world_node *other = &world->nodes[59 - i];
        assert_true(world_wait(node, dht_find_records(node->dht, &other->identity.id.hash,
                                                      DHT_PATHS_CAREFUL, world->now)));
        found += node->records_count == 1 &&
                 memcmp(&node->records[0].sign_key, &other->identity.sign_key, 32) == 0;
    }
    assert_int_equal(found, 50);
    world_free(world);
}

static void search_for_a_nodes_record_ends_when_two_paths_agree(void **state)
{
    (void)state;
    struct dht_world *world = world_new(12);
    world_fill(world, 100);
    world_run(world, 20000);
    for (unsigned i = 0; i < 20; i++) {
        struct world_node *node = &world->nodes[i];
        const struct world_node *other = &world->nodes[99 - i];
        uint64_t before = stats_of(node).requests_sent;
        assert_true(world_wait(node, dht_find_records(node->dht, &other->identity.id.hash,
                                                      DHT_PATHS_CAREFUL, world->now)));
        assert_int_equal(node->records_count, 1);
        assert_memory_equal(&node->records[0].sign_key, &other->identity.sign_key, 32);
        // Four whole paths would be at least 64.
        assert_true(stats_of(node).requests_sent - before <= 40);
    }
    world_free(world);
}

static void joining_node_fills_its_buckets_within_three_seconds(void **state)
{
    (void)state;
    struct dht_world *world = world_new(13);
    world_fill(world, 150);
    struct world_node *last = world_add(world);
    world_run(world, 3000);
    assert_true(stats_of(last).is_joined);
    assert_true(stats_of(last).requests_sent <= 350);
    // Of the 150 about 75 belong in the first bucket and 37 in the second: 64 and 32 have places.
    assert_in_range(dht_bucket_count(last->dht, 0), 60, 64);
    assert_in_range(dht_bucket_count(last->dht, 1), 24, 32);
    assert_in_range(dht_bucket_count(last->dht, 2), 10, 16);
    world_free(world);
}

static void entry_points_are_found_under_the_topic_of_the_block(void **state)
{
    (void)state;
    struct dht_world *world = world_new(6);
    struct hash256 block = seeded_hash(&world->seeded);
    struct hash256 key;
    world_fill(world, 30);
    for (size_t i = 0; i < 30; i++)
        dht_set_block(world->nodes[i].dht, &block);
    dht_set_entry_point(world->nodes[7].dht, true, world->now);
    world_run(world, 60000);
    for (unsigned i = 0; i < DHT_TOPIC_KEYS; i++) {
        struct world_node *node = &world->nodes[20 + i];
        dht_topic_key(node->dht, i, &key);
        assert_true(
            world_wait(node, dht_find_records(node->dht, &key, DHT_PATHS_CAREFUL, world->now)));
        assert_int_equal(node->records_count, 1);
        assert_memory_equal(&node->records[0].sign_key, &world->nodes[7].identity.sign_key, 32);
    }
    world_free(world);
}

static void restart_joins_by_saved_nodes_without_a_seed(void **state)
{
    (void)state;
    struct dht_world *world = world_new(7);
    struct buffer saved;
    struct world_node *node = &world->nodes[9];
    buffer_init(&saved, DHT_SAVED_SIZE_MAX);
    world_fill(world, 30);
    dht_save(node->dht, &saved);
    assert_false(saved.failed);
    world_kill(&world->nodes[0]);
    world_restart(node);
    assert_false(dht_load(node->dht, saved.data, saved.size - 1));
    assert_true(dht_load(node->dht, saved.data, saved.size));
    dht_start(node->dht, world->now);
    node->deadline_ms = world->now.mono.ms;
    world_run(world, 10000);
    assert_true(node->joined_ms != 0);
    assert_true(stats_of(node).nodes_ipv4 >= 25);
    buffer_clear(&saved);
    world_free(world);
}

static void unreachable_node_asks_but_is_never_inserted(void **state)
{
    (void)state;
    struct dht_world *world = world_new(8);
    static const struct endpoint nowhere = {{ADDRESS_NONE, {0}}, 0};
    world_fill(world, 20);
    struct world_node *node = world_add(world);
    node->is_deaf = true;
    dht_set_endpoint(node->dht, &nowhere, world->now);
    world_run(world, 600000);
    assert_true(node->joined_ms != 0);
    struct hash256 key = node->identity.id.hash;
    struct world_node *other = &world->nodes[3];
    assert_true(world_wait(other, dht_find_nodes(other->dht, &key, DHT_PATHS_CAREFUL, world->now)));
    for (size_t i = 0; i < other->contacts_count; i++)
        assert_false(hash_equal(&other->contacts[i].id.hash, &key));
    world_free(world);
}

static void request_sealed_for_another_pool_gets_no_answer(void **state)
{
    (void)state;
    struct dht_world *world = world_new(9);
    world_fill(world, 5);
    struct world_node *stranger = world_add(world);
    world_run(world, 5000);
    assert_true(stranger->joined_ms != 0);
    uint64_t answered = stats_of(&world->nodes[0]).requests_answered;
    struct membership other = world->membership;
    other.is_private = true;
    struct pair_key key;
    assert_true(
        pair_key_derive(&stranger->identity, &other, &world->nodes[0].identity.dht_key, &key));
    struct datagram_head head = {.kind = DATAGRAM_REQUEST,
                                 .sign_key = stranger->identity.sign_key,
                                 .pow_nonce = stranger->identity.pow_nonce,
                                 .dht_key = stranger->identity.dht_key};
    struct datagram_sealing sealing = {&key, &world->env, DATAGRAM_SIZE_MAX};
    uint8_t bytes[DATAGRAM_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    assert_true(datagram_seal(&head, &sealing, "\x95\x01\x02\xc4\x00\x00\xc4\x00", 8, &out));
    world_inject(&world->nodes[0], &stranger->endpoint, bytes, out.size);
    assert_int_equal(stats_of(&world->nodes[0]).requests_answered, answered);
    assert_int_equal(stats_of(&world->nodes[0]).refused_sealing, 1);
    world_free(world);
}

// A sealed request to `to` from an identity of the caller's making.
static size_t make_request(struct dht_world *world, const struct identity *from,
                           const struct world_node *to, size_t size_min, uint8_t bytes[1200])
{
    struct pair_key key;
    struct buffer message;
    struct buffer out;
    uint8_t message_bytes[512];
    struct dht_request request = {.method = DHT_FIND,
                                  .flags = DHT_WANTS_RECORD | DHT_WANTS_IPV4 | DHT_CAN_BE_REACHED,
                                  .key = seeded_hash(&world->seeded)};
    struct datagram_head head = {.kind = DATAGRAM_REQUEST,
                                 .sign_key = from->sign_key,
                                 .pow_nonce = from->pow_nonce,
                                 .dht_key = from->dht_key};
    struct datagram_sealing sealing = {&key, &world->env, size_min};
    seeded_bytes(&world->seeded, head.transaction.bytes, 8);
    assert_true(pair_key_derive(from, &world->membership, &to->identity.dht_key, &key));
    buffer_init_fixed(&message, message_bytes, sizeof message_bytes);
    dht_request_encode(&request, &message);
    buffer_init_fixed(&out, bytes, 1200);
    assert_true(datagram_seal(&head, &sealing, message.data, message.size, &out));
    return out.size;
}

static void answer_to_an_unproven_address_is_no_larger_than_the_request(void **state)
{
    (void)state;
    struct dht_world *world = world_new(10);
    static const uint8_t victim[4] = {198, 51, 100, 7};
    struct endpoint from = {address_ipv4(victim), 53};
    struct identity attacker;
    uint8_t bytes[1200];
    world_fill(world, 20);
    identity_begin(&attacker, &world->env);
    assert_true(identity_search(&attacker, IDENTITY_PUZZLE_BITS_TEST, 1u << 16));
    for (size_t size_min = 0; size_min <= 1200; size_min += 100) {
        size_t size = make_request(world, &attacker, &world->nodes[0], size_min, bytes);
        world->stray_size = 0;
        world->stray_count = 0;
        world_inject(&world->nodes[0], &from, bytes, size);
        assert_int_equal(world->stray_count, 1);
        assert_in_range(world->stray_size, 1, size);
    }
    assert_true(world->stray_size > 900);
    world_run(world, 5000);
    assert_int_equal(world->stray_count, 1); // and nothing more, as a probe would be
    world_free(world);
}

static void flood_of_strangers_costs_hashes_and_short_answers(void **state)
{
    (void)state;
    struct dht_world *world = world_new(11);
    struct world_node *node = world_add_idle(world);
    struct identity attacker;
    uint8_t bytes[1200];
    identity_begin(&attacker, &world->env);
    assert_true(identity_search(&attacker, IDENTITY_PUZZLE_BITS_TEST, 1u << 16));
    for (unsigned i = 0; i < 600; i++) {
        uint8_t ipv4[4] = {100, (uint8_t)(i / 200), (uint8_t)(i % 200), 1};
        struct endpoint from = {address_ipv4(ipv4), 53};
        seeded_bytes(&world->seeded, attacker.dht_secret, 32);
        crypto_scalarmult_base(attacker.dht_key.bytes, attacker.dht_secret);
        size_t size = make_request(world, &attacker, node, 1200, bytes);
        world_inject(node, &from, bytes, size);
    }
    struct dht_stats stats = stats_of(node);
    assert_int_equal(stats.requests_answered, 200);
    assert_int_equal(stats.retries_told, 400);
    assert_int_equal(world->stray_size, DATAGRAM_RETRY_SIZE);
    world_free(world);
}

static void one_address_is_answered_64_times_a_second(void **state)
{
    (void)state;
    struct dht_world *world = world_new(12);
    struct world_node *node = world_add_idle(world);
    struct world_node *other = world_add_idle(world);
    uint8_t bytes[1200];
    for (unsigned i = 0; i < 100; i++) {
        size_t size = make_request(world, &other->identity, node, 1200, bytes);
        world_inject(node, &other->endpoint, bytes, size);
    }
    assert_int_equal(stats_of(node).requests_answered, 64);
    assert_int_equal(stats_of(node).refused_rate, 36);
    world_free(world);
}

static void unsolved_puzzle_is_refused_before_any_key_is_made(void **state)
{
    (void)state;
    struct dht_world *world = world_new(13);
    struct world_node *node = world_add_idle(world);
    struct identity cheap = world_add_idle(world)->identity;
    uint8_t bytes[1200];
    while (node_puzzle_is_solved(&cheap.sign_key, cheap.pow_nonce, IDENTITY_PUZZLE_BITS_TEST))
        cheap.pow_nonce++;
    size_t size = make_request(world, &cheap, node, 1200, bytes);
    world_inject(node, &world->nodes[1].endpoint, bytes, size);
    assert_int_equal(stats_of(node).refused_puzzle, 1);
    assert_int_equal(stats_of(node).requests_answered, 0);
    world_free(world);
}

// A node that answers with the record of another, under a DHT key of its own.
static void stolen_record_enters_no_table(void **state)
{
    (void)state;
    struct dht_world *world = world_new(14);
    struct world_node *honest = world_add(world);
    struct world_node *thief = world_add_liar(world);
    struct world_node *node = world_add_idle(world);
    thief->robs = honest;
    dht_add_seed(node->dht, &thief->endpoint, &thief->identity.dht_key);
    dht_start(node->dht, world->now);
    node->deadline_ms = world->now.mono.ms;
    world_run(world, 1500);
    assert_int_equal(stats_of(node).refused_record, 1);
    assert_int_equal(stats_of(node).nodes_ipv4, 0);
    thief->robs = NULL; // with its own record it is a node as any other
    world_run(world, 3000);
    assert_int_equal(stats_of(node).nodes_ipv4, 1);
    world_free(world);
}

static void dial_back_goes_to_the_address_that_asked_and_is_answered(void **state)
{
    (void)state;
    struct dht_world *world = world_new(15);
    world_fill(world, 2);
    struct world_node *asker = &world->nodes[1];
    struct world_node *dialler = &world->nodes[0];
    for (unsigned i = 0; i < 2; i++) {
        asker->is_dialled_back = false;
        dialler->dial_ticket = 0;
        assert_true(dht_ask_dial_back(asker->dht, ADDRESS_IPV4, 8500, world->now));
        world_run(world, 1000);
        assert_true(dialler->dial_ticket != 0);
        assert_true(address_equal(&dialler->dial_to.address, &asker->endpoint.address));
        assert_int_equal(dialler->dial_to.port, 8500);
        assert_false(asker->is_dialled_back);
        dht_dialled(dialler->dht, dialler->dial_ticket, i == 0, world->now);
        world_run(world, 1000);
        assert_true(asker->is_dialled_back);
        assert_int_equal(asker->was_reachable, i == 0);
    }
    assert_true(endpoint_equal(&asker->told, &asker->endpoint));
    assert_false(dht_ask_dial_back(asker->dht, ADDRESS_IPV6, 8500, world->now)); // nobody is there
    world_free(world);
}

static void same_seed_gives_the_same_trace(void **state)
{
    (void)state;
    uint64_t traces[3];
    for (unsigned i = 0; i < 3; i++) {
        struct dht_world *world = world_new(i == 2 ? 17 : 16);
        world->loss_percent = 5;
        world_fill(world, 12);
        traces[i] = world->trace;
        world_free(world);
    }
    assert_int_equal(traces[0], traces[1]);
    assert_int_not_equal(traces[0], traces[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_that_know_one_seed_find_each_other),
        cmocka_unit_test(look_ups_end_at_the_nearest_node),
        cmocka_unit_test(dead_nodes_delay_look_ups_and_leave_the_tables),
        cmocka_unit_test(lost_datagrams_do_not_empty_tables),
        cmocka_unit_test(record_is_found_though_a_fifth_lies),
        cmocka_unit_test(search_for_a_nodes_record_ends_when_two_paths_agree),
        cmocka_unit_test(joining_node_fills_its_buckets_within_three_seconds),
        cmocka_unit_test(entry_points_are_found_under_the_topic_of_the_block),
        cmocka_unit_test(restart_joins_by_saved_nodes_without_a_seed),
        cmocka_unit_test(unreachable_node_asks_but_is_never_inserted),
        cmocka_unit_test(request_sealed_for_another_pool_gets_no_answer),
        cmocka_unit_test(answer_to_an_unproven_address_is_no_larger_than_the_request),
        cmocka_unit_test(flood_of_strangers_costs_hashes_and_short_answers),
        cmocka_unit_test(one_address_is_answered_64_times_a_second),
        cmocka_unit_test(unsolved_puzzle_is_refused_before_any_key_is_made),
        cmocka_unit_test(stolen_record_enters_no_table),
        cmocka_unit_test(dial_back_goes_to_the_address_that_asked_and_is_answered),
        cmocka_unit_test(same_seed_gives_the_same_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
