// The documents of standings, teams and milestones, held against the engine that they show.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/bitcoin/address.h"
#include "node/standings.h"
#include "tests/unit/node/node_fixture.h"
#include "tests/unit/node/report_ask.h"

static void get_text(struct json_value object, const char *name, char out[128])
{
    assert_true(json_to_text(json_get(object, name), out, 128));
}

static void empty_chain_has_empty_lists(void **state)
{
    struct node_fixture *fixture = *state;
    static const char *const lists[][2] = {
        {"standings", "standings"}, {"teams", "teams"}, {"milestones", "milestones"}};
    for (size_t i = 0; i < 3; i++) {
        struct answer answer;
        char request[64];
        snprintf(request, sizeof(request), "{\"command\":\"%s\"}", lists[i][0]);
        ask(&fixture->node, &answer, request);
        assert_true(json_is_array(json_get(answer.root, lists[i][1])));
        assert_int_equal(json_size(json_get(answer.root, lists[i][1])), 0);
        assert_true(json_is_null(json_get(answer.root, "next")));
        assert_true(json_is_null(json_get(answer.root, "tip")));
        assert_true(json_is_null(json_get(answer.root, "since_height")));
        answer_clear(&answer);
    }
}

static void assert_is_entry(struct node_fixture *fixture, struct json_value row,
                            const struct standings_entry *entry)
{
    char text[128], address[ADDRESS_SIZE_MAX];
    struct u256 work = get_u256(row, "work");
    assert_int_equal(u256_compare(&work, &entry->work), 0);
    assert_int_equal(get_u64(row, "shares"), entry->shares);
    assert_int_equal(get_u64(row, "blocks"), entry->blocks);
    assert_int_equal(get_u64(row, "streak_days"), entry->streak_days);
    assert_int_equal(get_u64(row, "last_at"), entry->last_at);
    get_text(row, "best_hash", text);
    char best[65];
    hash_to_display(&entry->best, best);
    assert_string_equal(text, best);
    if (entry->subject == STANDINGS_TEAMS) {
        assert_true(json_text_equals(json_get(row, "name"), entry->team.name));
        return;
    }
    assert_true(address_encode(fixture->pool.chain, &entry->script, address));
    assert_true(json_text_equals(json_get(row, "address"), address));
}

static void assert_list(struct node_fixture *fixture, const char *request, const char *name,
                        const struct standings_query *query)
{
    struct answer answer;
    size_t count, i = 0;
    struct standings_entry *entries = standings_rank(fixture->node.standings, query, &count);
    ask(&fixture->node, &answer, request);
    struct json_value list = json_get(answer.root, name);
    assert_true(count > 0);
    assert_int_equal(json_size(list), count);
    double parts = 0, part;
    for (struct json_value row = json_first(list); json_exists(row); row = json_next(row)) {
        assert_int_equal(get_u64(row, "place"), i + 1);
        assert_is_entry(fixture, row, &entries[i++]);
        assert_true(json_to_double(json_get(row, "part"), &part));
        parts += part;
    }
    assert_true(parts > 0 && parts < 1.000001);
    free(entries);
    answer_clear(&answer);
}

static void lists_are_those_of_the_engine(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 60, 5);
    struct standings_query query = {.kind = STANDINGS_HASHRATE, .period = STANDINGS_DAY};
    assert_list(fixture, "{\"command\":\"standings\"}", "standings", &query);
    query.kind = STANDINGS_BEST_SHARE;
    query.period = STANDINGS_ALL;
    assert_list(fixture, "{\"command\":\"standings\",\"kind\":\"best_share\",\"period\":\"all\"}",
                "standings", &query);
    query.kind = STANDINGS_BLOCKS;
    query.period = STANDINGS_WEEK;
    assert_list(fixture, "{\"command\":\"standings\",\"kind\":\"blocks\",\"period\":\"week\"}",
                "standings", &query);
    query = (struct standings_query){.subject = STANDINGS_MEMBERS, .team = {.name = "reef"}};
    assert_list(fixture, "{\"command\":\"standings\",\"team\":\"Reef\"}", "standings", &query);
    assert_list(fixture, "{\"command\":\"team\",\"name\":\"reef\"}", "members", &query);
    query = (struct standings_query){.subject = STANDINGS_TEAMS};
    assert_list(fixture, "{\"command\":\"teams\"}", "teams", &query);
}

static void addresses_are_shown_with_their_team(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 12, 5);
    struct answer answer;
    struct link_view tip;
    sharechain_tip(fixture->node.sharechain, &tip);
    ask(&fixture->node, &answer, "{\"command\":\"standings\"}");
    struct json_value list = json_get(answer.root, "standings");
    size_t with_team = 0;
    assert_int_equal(json_size(list), 3);
    for (struct json_value row = json_first(list); json_exists(row); row = json_next(row))
        with_team += json_is_null(json_get(row, "team")) ? 0 : 1;
    assert_int_equal(with_team, 2);
    answer_clear(&answer);
    ask(&fixture->node, &answer, "{\"command\":\"team\",\"name\":\"atoll\"}");
    assert_int_equal(get_u64(answer.root, "members_count"), 1);
    assert_int_equal(get_u64(answer.root, "since_height"), 1);
    assert_int_equal(get_u64(json_get(answer.root, "tip"), "height"), tip.height);
    answer_clear(&answer);
}

static void pages_hold_everyone_once(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 12, 5);
    uint64_t from = 0, place = 0;
    for (bool is_last = false; !is_last;) {
        struct answer answer;
        char request[96];
        snprintf(request, sizeof(request), "{\"command\":\"standings\",\"limit\":2,\"from\":%llu}",
                 (unsigned long long)from);
        ask(&fixture->node, &answer, request);
        struct json_value list = json_get(answer.root, "standings");
        for (struct json_value row = json_first(list); json_exists(row); row = json_next(row))
            assert_int_equal(get_u64(row, "place"), ++place);
        is_last = !json_to_u64(json_get(answer.root, "next"), &from);
        answer_clear(&answer);
    }
    assert_int_equal(place, 3);
}

static uint64_t walk_milestones(struct node_fixture *fixture, const char *address, size_t *count)
{
    uint64_t from = 0, number = UINT64_MAX;
    *count = 0;
    for (bool is_last = false; !is_last;) {
        struct answer answer;
        char request[256], filter[128] = "";
        if (address != NULL)
            snprintf(filter, sizeof(filter), ",\"address\":\"%s\"", address);
        snprintf(request, sizeof(request),
                 "{\"command\":\"milestones\",\"limit\":4,\"from\":%llu%s}",
                 (unsigned long long)from, filter);
        ask(&fixture->node, &answer, request);
        struct json_value list = json_get(answer.root, "milestones");
        assert_true(json_size(list) <= 4);
        for (struct json_value row = json_first(list); json_exists(row); row = json_next(row)) {
            assert_true(get_u64(row, "number") < number);
            number = get_u64(row, "number");
            (*count)++;
            if (address != NULL)
                assert_true(json_text_equals(json_get(row, "address"), address));
        }
        is_last = !json_to_u64(json_get(answer.root, "next"), &from);
        answer_clear(&answer);
    }
    return number;
}

static void milestones_come_newest_first_and_by_address(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 30, 5);
    size_t all, sum = 0, kept = 0;
    struct milestone milestone;
    while (standings_milestone(fixture->node.standings, kept, &milestone))
        kept++;
    assert_int_equal(walk_milestones(fixture, NULL, &all), 1);
    assert_int_equal(all, kept);
    for (uint32_t script = 1; script <= 3; script++) {
        char address[ADDRESS_SIZE_MAX];
        struct script payout = maker_script(script);
        size_t count;
        assert_true(address_encode(fixture->pool.chain, &payout, address));
        walk_milestones(fixture, address, &count);
        assert_true(count >= 2); // its first grain, its tenth
        sum += count;
    }
    assert_int_equal(sum, all);
}

static void wrong_questions_get_a_sentence(void **state)
{
    struct node_fixture *fixture = *state;
    node_fixture_grow(fixture, 5, 5);
    static const char *const cases[][2] = {
        {"{\"command\":\"standings\",\"kind\":\"luck\"}", "kind"},
        {"{\"command\":\"standings\",\"period\":\"year\"}", "period"},
        {"{\"command\":\"standings\",\"team\":\"<b>\"}", "a team is 1 to 11"},
        {"{\"command\":\"standings\",\"team\":\"\"}", "team"},
        {"{\"command\":\"standings\",\"team\":\"twelve-chars\"}", "a team is 1 to 11"},
        {"{\"command\":\"team\"}", "name"},
        {"{\"command\":\"team\",\"name\":\"r\xc3\xb6t\"}", "a team is 1 to 11"},
        {"{\"command\":\"team\",\"name\":\"nobody\"}", "no share of a team \"nobody\""},
        {"{\"command\":\"milestones\",\"address\":\"me\"}", "address"},
        {"{\"command\":\"milestones\",\"limit\":0}", "limit"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct answer answer;
        ask(&fixture->node, &answer, cases[i][0]);
        assert_text_has(answer.root, "error", cases[i][1]);
        answer_clear(&answer);
    }
    // A team that nobody mined for has no members, and that is no error.
    struct answer answer;
    ask(&fixture->node, &answer, "{\"command\":\"standings\",\"team\":\"nobody\"}");
    assert_int_equal(get_u64(answer.root, "count"), 0);
    answer_clear(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_chain_has_empty_lists, node_fixture_set_up,
                                        node_fixture_tear_down),
        cmocka_unit_test_setup_teardown(lists_are_those_of_the_engine, node_fixture_set_up,
                                        node_fixture_tear_down),
        cmocka_unit_test_setup_teardown(addresses_are_shown_with_their_team, node_fixture_set_up,
                                        node_fixture_tear_down),
        cmocka_unit_test_setup_teardown(pages_hold_everyone_once, node_fixture_set_up,
                                        node_fixture_tear_down),
        cmocka_unit_test_setup_teardown(milestones_come_newest_first_and_by_address,
                                        node_fixture_set_up, node_fixture_tear_down),
        cmocka_unit_test_setup_teardown(wrong_questions_get_a_sentence, node_fixture_set_up,
                                        node_fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
