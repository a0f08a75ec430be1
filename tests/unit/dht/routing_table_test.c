#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/routing_table.h"
#include "tests/unit/sharechain/seeded.h"

// Our own id is zeros, so an id's bucket is the number of its leading zero bits.
static struct routing_table *make_table(bool is_crowded)
{
    struct routing_config config = {.is_crowded = is_crowded};
    struct routing_table *table = routing_table_new(&config);
    assert_non_null(table);
    return table;
}

static struct mono_time at(int64_t ms)
{
    return (struct mono_time){ms};
}

// A node of a bucket; `number` makes id, key and an address in a /16 of its own.
static struct contact make_contact(unsigned bucket, unsigned number)
{
    struct contact contact = {.endpoint = {.port = 8400}};
    uint8_t ipv4[4] = {(uint8_t)(10 + bucket), (uint8_t)number, 1, 1};
    uint8_t *id = contact.id.hash.bytes;
    id[bucket / 8] = (uint8_t)(0x80u >> (bucket % 8));
    id[30] = (uint8_t)(number >> 8);
    id[31] = (uint8_t)number;
    memcpy(contact.key.bytes, id, 32);
    contact.endpoint.address = address_ipv4(ipv4);
    return contact;
}

static struct contact with_address(struct contact contact, uint8_t a, uint8_t b, uint8_t c)
{
    uint8_t ipv4[4] = {a, b, c, 1};
    contact.endpoint.address = address_ipv4(ipv4);
    return contact;
}

static enum routing_result add(struct routing_table *table, struct contact contact, int64_t ms)
{
    struct routing_answer answer = {.contact = contact, .round_trip_ms = 50, .token = 1};
    return routing_table_answered(table, &answer, at(ms));
}

static enum routing_result add_inbound(struct routing_table *table, struct contact contact)
{
    struct routing_answer answer = {contact, 50, 1, true};
    return routing_table_answered(table, &answer, at(0));
}

static bool holds(const struct routing_table *table, struct contact contact)
{
    return routing_table_find(table, &contact.id) != NULL;
}

static void buckets_hold_64_then_32_then_16_nodes(void **state)
{
    (void)state;
    static const size_t sizes[] = {64, 32, 16, 16};
    struct routing_table *table = make_table(false);
    for (unsigned bucket = 0; bucket < 4; bucket++) {
        for (unsigned i = 0; i < sizes[bucket]; i++)
            assert_int_equal(add(table, make_contact(bucket, i), 0), ROUTING_ADDED);
        assert_int_equal(add(table, make_contact(bucket, 200), 0), ROUTING_REPLACEMENT);
        assert_int_equal(routing_table_bucket_count(table, bucket), sizes[bucket]);
    }
    assert_int_equal(routing_table_count(table), 128);
    routing_table_free(table);
}

static void own_id_never_enters(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact self = make_contact(0, 1);
    memset(&self.id, 0, sizeof self.id);
    assert_int_equal(add(table, self, 0), ROUTING_SELF);
    assert_false(routing_table_wants(table, &self, false));
    assert_int_equal(routing_table_count(table), 0);
    routing_table_free(table);
}

static void bucket_takes_2_of_a_24_and_4_of_a_16(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact third = with_address(make_contact(0, 3), 1, 1, 1);
    assert_int_equal(add(table, with_address(make_contact(0, 1), 1, 1, 1), 0), ROUTING_ADDED);
    assert_int_equal(add(table, with_address(make_contact(0, 2), 1, 1, 1), 0), ROUTING_ADDED);
    assert_false(routing_table_wants(table, &third, false));
    assert_int_equal(add(table, third, 0), ROUTING_NEIGHBOURS);
    assert_int_equal(add(table, with_address(third, 1, 1, 2), 0), ROUTING_ADDED);
    assert_int_equal(add(table, with_address(make_contact(0, 4), 1, 1, 3), 0), ROUTING_ADDED);
    assert_int_equal(add(table, with_address(make_contact(0, 5), 1, 1, 4), 0), ROUTING_NEIGHBOURS);
    assert_int_equal(add(table, with_address(make_contact(1, 5), 1, 1, 4), 0), ROUTING_ADDED);
    routing_table_free(table);
}

static void table_takes_10_of_a_24(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(add(table, with_address(make_contact(i / 2, i), 1, 1, 1), 0),
                         ROUTING_ADDED);
    assert_int_equal(add(table, with_address(make_contact(9, 9), 1, 1, 1), 0), ROUTING_NEIGHBOURS);
    assert_int_equal(add(table, with_address(make_contact(9, 9), 1, 1, 2), 0), ROUTING_ADDED);
    routing_table_free(table);
}

static void ipv6_neighbours_are_counted_by_48_and_32(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    static const enum routing_result expected[] = {ROUTING_ADDED,      ROUTING_ADDED,
                                                   ROUTING_NEIGHBOURS, ROUTING_ADDED,
                                                   ROUTING_ADDED,      ROUTING_NEIGHBOURS};
    static const uint8_t fifth_byte[] = {1, 1, 1, 2, 3, 4};
    for (unsigned i = 0; i < 6; i++) {
        uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, fifth_byte[i], 0, (uint8_t)i, [15] = 1};
        struct contact contact = make_contact(0, i);
        contact.endpoint.address = address_ipv6(ipv6);
        assert_int_equal(add(table, contact, 0), expected[i]);
    }
    routing_table_free(table);
}

static void crowded_pools_may_share_an_address(void **state)
{
    (void)state;
    struct routing_table *table = make_table(true);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(add(table, with_address(make_contact(5, i), 127, 0, 0), 0), ROUTING_ADDED);
    routing_table_free(table);
}

static void half_of_a_bucket_is_kept_from_those_who_come_by_themselves(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(add_inbound(table, make_contact(2, i)), ROUTING_ADDED);
    struct contact ninth = make_contact(2, 8);
    assert_false(routing_table_wants(table, &ninth, true));
    assert_true(routing_table_wants(table, &ninth, false));
    assert_int_equal(add_inbound(table, ninth), ROUTING_INBOUND_ENOUGH);
    assert_int_equal(add(table, ninth, 0), ROUTING_ADDED);
    routing_table_free(table);
}

// Pings the suspects at `ms`, as the owner does; the count of pings.
static unsigned check(struct routing_table *table, int64_t ms)
{
    struct contact contact;
    unsigned pings = 0;
    while (routing_table_next_ping(table, at(ms), &contact))
        pings++;
    routing_table_tick(table, at(ms));
    return pings;
}

static void suspect_is_pinged_at_a_quarter_one_and_four_seconds_then_dropped(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact dead = make_contact(0, 1);
    add(table, dead, 0);
    routing_table_lost(table, &dead.id, at(1000));
    add(table, make_contact(0, 2), 1500);
    assert_int_equal(routing_table_next_deadline(table).ms, 1250);
    assert_int_equal(check(table, 1249), 0);
    assert_int_equal(check(table, 1250), 1);
    assert_int_equal(check(table, 1250), 0);
    assert_int_equal(routing_table_next_deadline(table).ms, 2000);
    assert_int_equal(check(table, 2000), 1);
    assert_int_equal(check(table, 5000), 1);
    assert_true(holds(table, dead));
    assert_int_equal(check(table, 6499), 0);
    assert_true(holds(table, dead));
    assert_int_equal(check(table, 6500), 0);
    assert_false(holds(table, dead));
    assert_int_equal(routing_table_next_deadline(table).ms, MONO_NEVER.ms);
    routing_table_free(table);
}

static void suspect_that_answers_stays_and_is_trusted_again(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact node = make_contact(0, 1);
    struct contact out;
    add(table, node, 0);
    routing_table_lost(table, &node.id, at(0));
    assert_int_equal(routing_table_closest(table, &node.id.hash, &out, 1), 0);
    assert_int_equal(check(table, 250) + check(table, 1000) + check(table, 4000), 3);
    assert_int_equal(add(table, node, 4100), ROUTING_KNOWN);
    check(table, 100000);
    assert_int_equal(routing_table_closest(table, &node.id.hash, &out, 1), 1);
    routing_table_free(table);
}

static void nobody_is_dropped_while_nobody_at_all_answers(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact dead = make_contact(0, 1);
    add(table, dead, 0);
    routing_table_lost(table, &dead.id, at(1000));
    for (int64_t ms = 1000; ms < 600000; ms += 250)
        check(table, ms);
    assert_true(holds(table, dead));
    add(table, make_contact(0, 2), 600000);
    for (int64_t ms = 600000; ms < 610000; ms += 250)
        check(table, ms);
    assert_false(holds(table, dead));
    assert_int_equal(routing_table_count(table), 1);
    routing_table_free(table);
}

static void full_bucket_keeps_old_node_that_answers_ping(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    for (unsigned i = 0; i < 16; i++)
        add(table, make_contact(2, i), 0);
    for (unsigned i = 16; i < 60; i++)
        add(table, make_contact(2, i), 1);
    for (unsigned i = 0; i < 16; i++)
        assert_true(holds(table, make_contact(2, i)));
    routing_table_free(table);
}

static void replacement_that_answered_last_takes_the_free_place(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact dead = make_contact(2, 0);
    for (unsigned i = 0; i < 19; i++)
        add(table, make_contact(2, i), i);
    assert_int_equal(add(table, make_contact(2, 17), 100), ROUTING_REPLACEMENT);
    routing_table_lost(table, &dead.id, at(100));
    for (int64_t ms = 100; ms < 8000; ms += 50)
        check(table, ms);
    assert_false(holds(table, dead));
    assert_true(holds(table, make_contact(2, 17)));
    assert_false(holds(table, make_contact(2, 16)));
    assert_int_equal(routing_table_bucket_count(table, 2), 16);
    routing_table_free(table);
}

static void replacement_of_a_crowded_neighbourhood_takes_no_place(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact dead = make_contact(2, 0);
    add(table, dead, 0);
    add(table, with_address(make_contact(2, 1), 1, 1, 1), 0);
    for (unsigned i = 2; i < 16; i++)
        add(table, make_contact(2, i), 0);
    struct contact waiting = with_address(make_contact(2, 30), 1, 1, 1);
    assert_int_equal(add(table, waiting, 0), ROUTING_REPLACEMENT);
    struct contact moved = with_address(make_contact(2, 2), 1, 1, 1);
    assert_int_equal(add(table, moved, 200), ROUTING_KNOWN);
    routing_table_lost(table, &dead.id, at(100));
    for (int64_t ms = 100; ms < 8000; ms += 50)
        check(table, ms);
    assert_int_equal(routing_table_bucket_count(table, 2), 15);
    assert_false(holds(table, waiting));
    routing_table_free(table);
}

static void node_that_moves_into_a_crowd_stays_where_it_was(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact node = make_contact(0, 3);
    add(table, with_address(make_contact(0, 1), 1, 1, 1), 0);
    add(table, with_address(make_contact(0, 2), 1, 1, 1), 0);
    add(table, node, 0);
    assert_int_equal(add(table, with_address(node, 1, 1, 1), 1), ROUTING_NEIGHBOURS);
    assert_true(
        endpoint_equal(&routing_table_find(table, &node.id)->contact.endpoint, &node.endpoint));
    routing_table_free(table);
}

static int compare_distances(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

// Fills with random ids until the deep buckets are used; the ids of the table's nodes.
static size_t fill(struct routing_table *table, struct seeded *seeded, struct hash256 *ids)
{
    size_t cursor = 0;
    size_t count = 0;
    for (unsigned i = 0; i < 5000; i++) {
        struct contact contact = {.id.hash = seeded_hash(seeded), .endpoint = {.port = 1}};
        uint8_t ipv4[4];
        seeded_bytes(seeded, ipv4, sizeof ipv4);
        contact.endpoint.address = address_ipv4(ipv4);
        add(table, contact, 0);
    }
    for (const struct routing_node *node; (node = routing_table_next(table, &cursor)) != NULL;)
        ids[count++] = node->contact.id.hash;
    assert_int_equal(count, routing_table_count(table));
    return count;
}

static void closest_are_those_that_sorting_all_by_distance_finds(void **state)
{
    (void)state;
    struct seeded seeded = {1};
    struct routing_table *table = make_table(false);
    struct hash256 ids[512];
    struct hash256 distances[512];
    struct contact found[16];
    size_t count = fill(table, &seeded, ids);
    assert_in_range(count, 170, 260);
    for (unsigned round = 0; round < 300; round++) {
        struct hash256 key = seeded_hash(&seeded);
        memset(key.bytes, 0, round % 3); // also keys near to us
        for (size_t i = 0; i < count; i++) {
            for (unsigned k = 0; k < 32; k++)
                distances[i].bytes[k] = ids[i].bytes[k] ^ key.bytes[k];
        }
        qsort(distances, count, sizeof distances[0], compare_distances);
        assert_int_equal(routing_table_closest(table, &key, found, 16), 16);
        for (unsigned i = 0; i < 16; i++) {
            for (unsigned k = 0; k < 32; k++)
                assert_int_equal(found[i].id.hash.bytes[k] ^ key.bytes[k], distances[i].bytes[k]);
        }
    }
    routing_table_free(table);
}

static void refresh_walks_every_bucket_once_and_then_waits(void **state)
{
    (void)state;
    struct seeded seeded = {2};
    struct env env = seeded_env(&seeded);
    struct routing_table *table = make_table(false);
    struct hash256 target;
    bool is_seen[10] = {false};
    assert_false(routing_table_refresh(table, &env, 900000, at(0), &target));
    add(table, make_contact(9, 1), 0);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(routing_table_refresh(table, &env, 900000, at(0), &target));
        unsigned bucket = 0;
        while ((target.bytes[bucket / 8] & (0x80u >> (bucket % 8))) == 0)
            bucket++;
        assert_in_range(bucket, 0, 9);
        assert_false(is_seen[bucket]);
        is_seen[bucket] = true;
    }
    assert_false(routing_table_refresh(table, &env, 900000, at(899999), &target));
    assert_true(routing_table_refresh(table, &env, 900000, at(900000), &target));
    seeded_env_clear(&env);
    routing_table_free(table);
}

static void oldest_is_who_was_silent_for_longest(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact first = make_contact(0, 1);
    assert_null(routing_table_oldest(table));
    add(table, first, 0);
    add(table, make_contact(3, 1), 10);
    add(table, make_contact(1, 1), 20);
    assert_true(hash_equal(&routing_table_oldest(table)->contact.id.hash, &first.id.hash));
    add(table, first, 30);
    struct contact second = make_contact(3, 1);
    assert_true(hash_equal(&routing_table_oldest(table)->contact.id.hash, &second.id.hash));
    routing_table_lost(table, &second.id, at(40));
    assert_int_equal(routing_table_oldest(table)->answered.ms, 20);
    routing_table_free(table);
}

static void saved_nodes_come_back_from_all_buckets_in_turns(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact found[8];
    struct buffer out;
    size_t count;
    for (unsigned bucket = 0; bucket < 4; bucket++) {
        for (unsigned i = 0; i < 3; i++)
            add(table, make_contact(bucket, i), 0);
    }
    struct contact suspect = make_contact(1, 0);
    routing_table_lost(table, &suspect.id, at(0));
    buffer_init(&out, ROUTING_SAVED_SIZE_MAX);
    routing_table_encode(table, &out);
    assert_true(routing_contacts_decode(out.data, out.size, found, 8, &count));
    assert_int_equal(count, 8);
    static const uint8_t first_bytes[] = {0x80, 0x20, 0x10, 0x80, 0x40, 0x20, 0x10, 0x80};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(found[i].id.hash.bytes[0], first_bytes[i]);
    struct contact expected = make_contact(0, 0);
    assert_memory_equal(found[0].key.bytes, expected.key.bytes, 32);
    assert_true(endpoint_equal(&found[0].endpoint, &expected.endpoint));
    buffer_clear(&out);
    routing_table_free(table);
}

static void damaged_saved_nodes_are_refused(void **state)
{
    (void)state;
    struct routing_table *table = make_table(false);
    struct contact found[4];
    struct buffer out;
    size_t count;
    add(table, make_contact(0, 1), 0);
    add(table, make_contact(0, 2), 0);
    buffer_init(&out, ROUTING_SAVED_SIZE_MAX);
    routing_table_encode(table, &out);
    for (size_t size = 0; size < out.size; size++)
        assert_false(routing_contacts_decode(out.data, size, found, 4, &count));
    out.data[0] = 2;
    assert_false(routing_contacts_decode(out.data, out.size, found, 4, &count));
    out.data[0] = 1;
    out.data[3 + 64] = 5; // the first node's family
    assert_false(routing_contacts_decode(out.data, out.size, found, 4, &count));
    out.data[3 + 64] = 4;
    assert_true(routing_contacts_decode(out.data, out.size, found, 4, &count));
    write_u8(&out, 0);
    assert_false(routing_contacts_decode(out.data, out.size, found, 4, &count));
    buffer_clear(&out);
    routing_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_hold_64_then_32_then_16_nodes),
        cmocka_unit_test(own_id_never_enters),
        cmocka_unit_test(bucket_takes_2_of_a_24_and_4_of_a_16),
        cmocka_unit_test(table_takes_10_of_a_24),
        cmocka_unit_test(ipv6_neighbours_are_counted_by_48_and_32),
        cmocka_unit_test(crowded_pools_may_share_an_address),
        cmocka_unit_test(half_of_a_bucket_is_kept_from_those_who_come_by_themselves),
        cmocka_unit_test(suspect_is_pinged_at_a_quarter_one_and_four_seconds_then_dropped),
        cmocka_unit_test(suspect_that_answers_stays_and_is_trusted_again),
        cmocka_unit_test(nobody_is_dropped_while_nobody_at_all_answers),
        cmocka_unit_test(full_bucket_keeps_old_node_that_answers_ping),
        cmocka_unit_test(replacement_that_answered_last_takes_the_free_place),
        cmocka_unit_test(replacement_of_a_crowded_neighbourhood_takes_no_place),
        cmocka_unit_test(node_that_moves_into_a_crowd_stays_where_it_was),
        cmocka_unit_test(closest_are_those_that_sorting_all_by_distance_finds),
        cmocka_unit_test(refresh_walks_every_bucket_once_and_then_waits),
        cmocka_unit_test(oldest_is_who_was_silent_for_longest),
        cmocka_unit_test(saved_nodes_come_back_from_all_buckets_in_turns),
        cmocka_unit_test(damaged_saved_nodes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
