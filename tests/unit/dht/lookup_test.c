#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/lookup.h"
#include "tests/unit/sharechain/seeded.h"

// Contact i lies at distance i from the target zero, in a /16 of its own.
static struct contact make_contact(unsigned distance)
{
    struct contact contact = {.endpoint = {.port = 1}};
    uint8_t ipv4[4] = {20, (uint8_t)distance, (uint8_t)(distance >> 8), 1};
    contact.id.hash.bytes[6] = (uint8_t)(distance >> 8);
    contact.id.hash.bytes[7] = (uint8_t)distance;
    contact.key.bytes[0] = (uint8_t)distance;
    contact.key.bytes[1] = (uint8_t)(distance >> 8);
    contact.key.bytes[2] = 1;
    contact.endpoint.address = address_ipv4(ipv4);
    return contact;
}

static struct lookup *make_lookup(unsigned paths, unsigned first, unsigned count)
{
    struct lookup_config config = {.paths = paths};
    struct lookup_start starts[64] = {{.round_trip_ms = 0}};
    struct lookup *lookup = lookup_new(&config);
    for (unsigned i = 0; i < count; i++)
        starts[i].contact = make_contact(first + i);
    lookup_begin(lookup, starts, count);
    return lookup;
}

static unsigned count_next(struct lookup *lookup)
{
    struct hint hint;
    unsigned path;
    unsigned count = 0;
    while (lookup_next(lookup, &hint, &path))
        count++;
    return count;
}

static void answer(struct lookup *lookup, unsigned path, unsigned distance)
{
    struct contact contact = make_contact(distance);
    lookup_answered(lookup, path, &contact, NULL, 0);
}

static void three_are_asked_at_a_time_nearest_first(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(1, 10, 20);
    struct hint hint;
    unsigned path;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(lookup_next(lookup, &hint, &path));
        assert_int_equal(hint.id_start.value, 10 + i);
    }
    assert_false(lookup_next(lookup, &hint, &path));
    answer(lookup, 0, 11); // not the nearest
    assert_int_equal(count_next(lookup), 1);
    lookup_free(lookup);
}

static void five_are_asked_after_an_answer_is_late(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(1, 10, 20);
    struct contact late = make_contact(11);
    assert_int_equal(count_next(lookup), 3);
    lookup_late(lookup, 0, &late.key);
    assert_int_equal(count_next(lookup), 3); // two are still on their way
    lookup_free(lookup);
}

static void all_left_are_asked_when_the_nearest_answered(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(1, 10, 20);
    assert_int_equal(count_next(lookup), 3);
    answer(lookup, 0, 10);
    assert_int_equal(count_next(lookup), 13);
    lookup_free(lookup);
}

static void path_ends_when_the_sixteen_nearest_answered(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(1, 10, 20);
    struct contact results[LOOKUP_RESULTS_MAX];
    struct contact lost = make_contact(12);
    for (unsigned i = 10; i < 27; i++) {
        assert_false(lookup_is_done(lookup));
        count_next(lookup);
        if (i == 12)
            lookup_lost(lookup, 0, &lost.key);
        else
            answer(lookup, 0, i);
    }
    assert_true(lookup_is_done(lookup));
    assert_int_equal(count_next(lookup), 0);
    assert_int_equal(lookup_results(lookup, results), 16);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(id_start_of(&results[i].id.hash).value, i < 2 ? 10 + i : 11 + i);
    lookup_free(lookup);
}

static void late_answer_is_waited_for_only_where_others_are_too_few(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(1, 10, 3);
    struct contact late = make_contact(12);
    count_next(lookup);
    answer(lookup, 0, 10);
    answer(lookup, 0, 11);
    lookup_late(lookup, 0, &late.key);
    assert_false(lookup_is_done(lookup));
    answer(lookup, 0, 12);
    assert_true(lookup_is_done(lookup));
    lookup_free(lookup);
}

static void no_node_is_asked_on_two_paths(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(4, 1, 40);
    bool is_asked[256] = {false};
    struct hint hints[40];
    struct hint hint;
    unsigned path;
    unsigned asked = 0;
    for (unsigned i = 0; i < 40; i++) {
        struct contact contact = make_contact(1 + i);
        hints[i] = hint_of(&contact);
    }
    while (lookup_next(lookup, &hint, &path)) {
        assert_false(is_asked[hint.id_start.value]);
        is_asked[hint.id_start.value] = true;
        struct contact contact = make_contact((unsigned)hint.id_start.value);
        lookup_answered(lookup, path, &contact, hints, 40); // everybody names everybody
        asked++;
    }
    assert_int_equal(asked, 40);
    assert_true(lookup_is_done(lookup));
    lookup_free(lookup);
}

static void liar_that_names_endless_nearer_nodes_is_bounded(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(1, 60000, 1);
    struct hint hint;
    unsigned path;
    unsigned asked = 0;
    unsigned nearer = 50000;
    while (!lookup_is_done(lookup) && lookup_next(lookup, &hint, &path)) {
        struct contact contact = make_contact((unsigned)hint.id_start.value);
        struct hint hints[16];
        for (unsigned i = 0; i < 16; i++) {
            struct contact named = make_contact(nearer--);
            hints[i] = hint_of(&named);
        }
        lookup_answered(lookup, path, &contact, hints, 16);
        asked++;
    }
    assert_int_equal(asked, LOOKUP_CANDIDATES_MAX);
    assert_true(lookup_is_done(lookup));
    lookup_free(lookup);
}

static void neighbourhood_gets_three_places_on_a_path(void **state)
{
    (void)state;
    struct lookup_config config = {.paths = 1};
    struct lookup_start starts[6] = {{.round_trip_ms = 0}};
    for (unsigned i = 0; i < 6; i++) {
        uint8_t ipv4[4] = {20, 1, 1, (uint8_t)i};
        starts[i].contact = make_contact(10 + i);
        starts[i].contact.endpoint.address = address_ipv4(ipv4);
    }
    for (unsigned is_crowded = 0; is_crowded < 2; is_crowded++) {
        config.is_crowded = is_crowded;
        struct lookup *lookup = lookup_new(&config);
        lookup_begin(lookup, starts, 6);
        unsigned asked = 0;
        struct hint hint;
        unsigned path;
        while (lookup_next(lookup, &hint, &path)) {
            answer(lookup, 0, (unsigned)hint.id_start.value);
            asked++;
        }
        assert_int_equal(asked, is_crowded ? 6 : 3);
        lookup_free(lookup);
    }
}

static void quickest_of_those_near_enough_are_asked_besides(void **state)
{
    (void)state;
    struct lookup_config config = {.paths = 1};
    struct lookup_start starts[20];
    struct lookup *lookup = lookup_new(&config);
    for (unsigned i = 0; i < 20; i++)
        starts[i] = (struct lookup_start){make_contact(10 + i), 100};
    starts[7].round_trip_ms = 30;
    starts[9].round_trip_ms = 20;
    starts[10].round_trip_ms = 0;                 // not known
    starts[LOOKUP_QUICK_AMONG].round_trip_ms = 1; // too far
    lookup_begin(lookup, starts, 20);
    const unsigned wanted[] = {10, 11, 12, 19, 17};
    struct hint hint;
    unsigned path;
    for (unsigned i = 0; i < LOOKUP_ALPHA + LOOKUP_QUICK; i++) {
        assert_true(lookup_next(lookup, &hint, &path));
        assert_int_equal(hint.id_start.value, wanted[i]);
    }
    assert_int_equal(count_next(lookup), 0);
    lookup_free(lookup);
}

static void who_answered_ends_the_time_of_the_quickest(void **state)
{
    (void)state;
    struct lookup_config config = {.paths = 1};
    struct lookup_start starts[20];
    struct lookup *lookup = lookup_new(&config);
    struct hint hint;
    unsigned path;
    for (unsigned i = 0; i < 20; i++)
        starts[i] = (struct lookup_start){make_contact(10 + i), 100};
    lookup_begin(lookup, starts, 20);
    for (unsigned i = 0; i < LOOKUP_ALPHA; i++)
        assert_true(lookup_next(lookup, &hint, &path));
    answer(lookup, 0, 11);
    assert_int_equal(count_next(lookup), 1); // the next nearest
    lookup_free(lookup);
}

static void nearer_one_does_not_wait_for_those_further_away(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(1, 100, 20);
    struct contact teller = make_contact(102);
    struct contact nearer[4];
    struct hint hints[4];
    struct hint hint;
    unsigned path;
    for (unsigned i = 0; i < LOOKUP_ALPHA; i++)
        assert_true(lookup_next(lookup, &hint, &path)); // 100, 101, 102
    for (unsigned i = 0; i < 4; i++) {
        nearer[i] = make_contact(10 + i);
        hints[i] = hint_of(&nearer[i]);
    }
    lookup_answered(lookup, 0, &teller, hints, 4);
    for (unsigned i = 0; i < LOOKUP_ALPHA; i++) {
        assert_true(lookup_next(lookup, &hint, &path));
        assert_int_equal(hint.id_start.value, 10 + i);
    }
    assert_false(lookup_next(lookup, &hint, &path)); // 13 waits for the three before it
    lookup_free(lookup);
}

static void look_up_that_knows_nobody_is_done(void **state)
{
    (void)state;
    struct lookup *lookup = make_lookup(8, 0, 0);
    struct contact results[LOOKUP_RESULTS_MAX];
    assert_true(lookup_is_done(lookup));
    assert_int_equal(lookup_results(lookup, results), 0);
    lookup_free(lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_are_asked_at_a_time_nearest_first),
        cmocka_unit_test(five_are_asked_after_an_answer_is_late),
        cmocka_unit_test(all_left_are_asked_when_the_nearest_answered),
        cmocka_unit_test(path_ends_when_the_sixteen_nearest_answered),
        cmocka_unit_test(late_answer_is_waited_for_only_where_others_are_too_few),
        cmocka_unit_test(no_node_is_asked_on_two_paths),
        cmocka_unit_test(liar_that_names_endless_nearer_nodes_is_bounded),
        cmocka_unit_test(neighbourhood_gets_three_places_on_a_path),
        cmocka_unit_test(quickest_of_those_near_enough_are_asked_besides),
        cmocka_unit_test(who_answered_ends_the_time_of_the_quickest),
        cmocka_unit_test(nearer_one_does_not_wait_for_those_further_away),
        cmocka_unit_test(look_up_that_knows_nobody_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
