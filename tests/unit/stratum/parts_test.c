// The small parts: the set of seen shares, the schedule, hashrate averages, device kinds, names and
// passwords.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "stratum/duplicates.h"
#include "stratum/miner_kind.h"
#include "stratum/rate.h"
#include "stratum/schedule.h"
#include "stratum/stratum.h"
#include "stratum/user_name.h"

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 20;
}

static void share_is_seen_only_if_every_part_of_it_is_the_same(void **state)
{
    (void)state;
    struct duplicates set = {.count = 0};
    struct duplicates_key key = {1, 2, 3, 4};
    assert_int_equal(duplicates_insert(&set, &key, 9), DUPLICATES_NEW);
    assert_int_equal(duplicates_insert(&set, &key, 9), DUPLICATES_SEEN);
    const struct duplicates_key others[] = {{2, 2, 3, 4}, {1, 3, 3, 4}, {1, 2, 4, 4}, {1, 2, 3, 5}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(duplicates_insert(&set, &others[i], 9), DUPLICATES_NEW);
        assert_int_equal(duplicates_insert(&set, &others[i], 9), DUPLICATES_SEEN);
    }
    duplicates_clear(&set);
    assert_int_equal(duplicates_insert(&set, &key, 9), DUPLICATES_NEW);
    duplicates_clear(&set);
}

static void set_of_seen_shares_is_bounded_and_forgets_none(void **state)
{
    (void)state;
    struct duplicates set = {.count = 0};
    uint32_t count = 0;
    struct duplicates_key key = {.nonce = 0};
    while (duplicates_insert(&set, &key, 77) == DUPLICATES_NEW) {
        count++;
        key.nonce = count;
        key.extranonce2 = count % 7;
    }
    assert_int_equal(count, DUPLICATES_MAX);
    assert_int_equal(duplicates_insert(&set, &key, 77), DUPLICATES_FULL);
    for (uint32_t i = 0; i < count; i++) {
        key = (struct duplicates_key){.nonce = i, .extranonce2 = i % 7};
        assert_int_equal(duplicates_insert(&set, &key, 77), DUPLICATES_SEEN);
    }
    duplicates_clear(&set);
}

static void schedule_agrees_with_a_sorted_list(void **state)
{
    (void)state;
    enum { NODES = 200 };
    struct schedule schedule = {.count = 0};
    struct schedule_node nodes[NODES];
    bool is_in[NODES] = {false};
    uint64_t seed = 5;
    memset(nodes, 0, sizeof(nodes));
    for (size_t step = 0; step < 20000; step++) {
        size_t i = (size_t)(next_random(&seed) % NODES);
        struct mono_time at = {(int64_t)(next_random(&seed) % 1000)};
        if (!is_in[i]) {
            assert_true(schedule_add(&schedule, &nodes[i], at));
            is_in[i] = true;
        } else if (next_random(&seed) % 3 == 0) {
            schedule_remove(&schedule, &nodes[i]);
            is_in[i] = false;
        } else {
            schedule_set(&schedule, &nodes[i], at);
        }
        int64_t least = INT64_MAX;
        for (size_t j = 0; j < NODES; j++) {
            if (is_in[j] && nodes[j].at.ms < least) {
                least = nodes[j].at.ms;
            }
        }
        const struct schedule_node *first = schedule_first(&schedule);
        assert_true(first == NULL ? least == INT64_MAX : first->at.ms == least);
    }
    schedule_clear(&schedule);
}

static void hashrate_averages_show_a_steady_miner_from_the_first_minute(void **state)
{
    (void)state;
    struct rate rate;
    struct mono_time now = {1000};
    rate_init(&rate, now);
    for (int i = 0; i < 900; i++) {
        now.ms += 4000;
        rate_add(&rate, 4e12, now);
        if (i == 15 || i == 899) {
            for (int span = 0; span < RATE_SPANS; span++) {
                double shown = rate_get(&rate, (enum rate_span)span, now);
                assert_true(shown > 0.9e12 && shown < 1.1e12);
            }
        }
    }
    now.ms += 60000;
    assert_true(rate_get(&rate, RATE_1M, now) < 0.4e12);
    assert_true(rate_get(&rate, RATE_1H, now) > 0.9e12);
    assert_true(rate_get(&rate, RATE_1M, (struct mono_time){0}) >= 0); // a clock that went back
}

static void assert_kind(const char *user_agent, const char *name, uint32_t coinbase_max)
{
    const struct miner_kind *kind = miner_kind_find(user_agent);
    assert_string_equal(kind->name, name);
    assert_int_equal(kind->coinbase_max, coinbase_max);
}

static void user_agents_of_the_field_are_told_apart(void **state)
{
    (void)state;
    assert_kind("NiceHash/1.0.0", "NiceHash", 500);
    assert_kind("Antminer S21/Thu Oct  9 17:56:18 CST 2025", "Antminer S21", 2250);
    assert_kind("Antminer S21 Pro/Thu Oct  9 17:56:18 CST 2025", "Antminer (stock)", 755);
    assert_kind("Antminer S19 XP/Fri Apr 12 14:53:57 CST 2024", "Antminer (stock)", 755);
    assert_kind("bmminer/2.0", "Antminer (bmminer)", 755);
    assert_kind("2026-04-14-0-912d084c-26.04-plus;bosminer-plus-tuner 0.9.0-912d084c", "Braiins OS",
                2250);
    assert_kind("whatsminer/v1.0", "Whatsminer", 6500);
    assert_kind("PowerPlay-BM/1.0", "ePIC", 16000);
    assert_kind("xminer-1.2.7", "Vnish", 16000);
    assert_kind("bitaxe/BM1370/v2.11.0", "bitaxe", 6500);
    assert_kind("NerdMinerV2", "NerdMiner", 255);
    assert_kind("NerdQAxe++/BM1370/v1.0", "NerdAxe family", 6500);
    assert_kind("cgminer/4.11.1", "cgminer", 6200);
    assert_kind("CGMiner/4.11.1", "cgminer", 6200);
    assert_kind("bfgminer/5.5.0", "bfgminer", 0);
    assert_kind("cpuminer/2.5.1", "cpuminer", 0);
    assert_kind("", "unknown", 0);
    assert_kind("something new", "unknown", 0);
}

static void every_row_of_the_kinds_can_be_reached(void **state)
{
    (void)state;
    for (uint32_t i = 0; miner_kind_row(i) != NULL; i++) {
        const struct miner_kind *row = miner_kind_row(i);
        assert_ptr_equal(miner_kind_find(row->pattern), row);
        assert_true(row->is_ceiling_known || row->coinbase_max == 0);
    }
}

static struct line_value text_value(const char *text)
{
    return (struct line_value){.kind = LINE_TEXT,
                               .text = text,
                               .size = (uint32_t)strlen(text),
                               .has_escapes = strchr(text, '\\') != NULL};
}

static void assert_name(const char *written, const char *text, size_t address_size, double wanted)
{
    struct user_name name;
    struct user_wishes wishes;
    struct line_value value = text_value(written);
    assert_true(user_name_parse(&value, &name, &wishes));
    assert_string_equal(name.text, text);
    assert_int_equal(name.size, strlen(text));
    assert_int_equal(name.address_size, address_size);
    assert_true(wishes.difficulty == wanted);
    assert_true(user_name_matches(&name, &value));
}

static void user_names_are_cut_into_address_worker_and_difficulty(void **state)
{
    (void)state;
    assert_name("addr", "addr", 4, 0);
    assert_name("addr.rig", "addr.rig", 4, 0);
    assert_name("addr.rig.two", "addr.rig.two", 4, 0);
    assert_name("addr.rig+512", "addr.rig", 4, 512);
    assert_name("addr+1e3", "addr", 4, 1000);
    assert_name("addr.a+b", "addr.a", 4, 0);
    assert_name("addr_rig", "addr_rig", 8, 0);
    assert_name("addr.<b>\\u0022;%25/", "addr.-b----25-", 4, 0);
    assert_name("addr+-5", "addr", 4, 0);
    assert_name("addr+inf", "addr", 4, 0);
    assert_name("addr+0", "addr", 4, 0);
}

static void assert_team(const char *written, const char *text, const char *team, bool is_bad)
{
    struct user_name name;
    struct user_wishes wishes;
    struct line_value value = text_value(written);
    assert_true(user_name_parse(&value, &name, &wishes));
    assert_string_equal(wishes.team.name, team);
    assert_int_equal(wishes.has_bad_team, is_bad);
    assert_string_equal(name.text, text);
    assert_int_equal(name.address_size, 4);
    assert_true(user_name_matches(&name, &value));
    // A submit may leave the wishes out.
    struct line_value plain = text_value(text);
    assert_true(user_name_matches(&name, &plain));
}

static void team_is_told_behind_the_name_and_is_no_part_of_it(void **state)
{
    (void)state;
    assert_team("addr", "addr", "", false);
    assert_team("addr@red", "addr", "red", false);
    assert_team("addr.rig@red", "addr.rig", "red", false);
    assert_team("addr.rig@Red-7", "addr.rig", "red-7", false);
    assert_team("addr.rig%40red", "addr.rig", "red", false);
    assert_team("addr.me@home@red", "addr.me@home", "red", false);
    assert_team("addr.rig@abcdefghijk", "addr.rig", "abcdefghijk", false);
    assert_team("addr.rig@red+512", "addr.rig", "red", false);
    assert_team("addr.rig+512@red", "addr.rig", "red", false);
    assert_name("addr.rig+512@red", "addr.rig", 4, 512);
    assert_name("addr.rig@red+512", "addr.rig", 4, 512);
    assert_name("addr_rig@red", "addr_rig", 8, 0);
}

static void what_is_no_team_is_none_and_spoils_neither_name_nor_address(void **state)
{
    (void)state;
    assert_team("addr@", "addr@", "", true);
    assert_team("addr.rig@", "addr.rig@", "", true);
    assert_team("addr.me@example.com", "addr.me@example.com", "", true);
    assert_team("addr.rig@abcdefghijkl", "addr.rig@abcdefghijkl", "", true);
    assert_team("addr.rig@<b>", "addr.rig@-b-", "", true);
    assert_team("addr.rig@a\\u0022b", "addr.rig@a-b", "", true);
    assert_team("addr.rig@a'b", "addr.rig@a-b", "", true);
    assert_team("addr.rig@a\\tb", "addr.rig@a-b", "", true);
    assert_team("addr.rig@a b", "addr.rig@a-b", "", true);
    assert_team("addr@r\xc3\xb6t", "addr@r--t", "", true);
    assert_team("addr@red.rig", "addr@red.rig", "", true);
    assert_team("addr.rig@red_1", "addr.rig@red_1", "", true);
    assert_team("addr.rig@_", "addr.rig@_", "", true);
}

static void underscore_separates_only_on_request(void **state)
{
    (void)state;
    struct user_name name;
    struct user_wishes wishes;
    struct line_value value = text_value("addr_rig_7");
    assert_true(user_name_parse(&value, &name, &wishes));
    assert_true(user_name_split_at_underscore(&name));
    assert_int_equal(name.address_size, 4);
    assert_string_equal(name.text + name.worker_at, "rig_7");
    value = text_value("addr");
    assert_true(user_name_parse(&value, &name, &wishes));
    assert_false(user_name_split_at_underscore(&name));
}

static void overlong_user_name_is_cut_and_still_matches_itself(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct user_name name;
    struct user_wishes wishes;
    struct line_value value = text_value(text);
    assert_true(user_name_parse(&value, &name, &wishes));
    assert_int_equal(name.size, LIMIT_USER_NAME);
    assert_true(user_name_matches(&name, &value));
    value.size--;
    assert_true(user_name_matches(&name, &value));
    value.size = LIMIT_USER_NAME - 1;
    assert_false(user_name_matches(&name, &value));
    struct line_value number = {.kind = LINE_NUMBER, .text = "1", .size = 1};
    assert_false(user_name_parse(&number, &name, &wishes));
}

static void assert_password(const char *text, double fixed, double start, double min)
{
    struct password_options options;
    struct line_value value = text_value(text);
    password_parse(&value, &options);
    assert_true(options.fixed == fixed);
    assert_true(options.start == start);
    assert_true(options.min == min);
}

static void password_options_are_found_between_any_separators(void **state)
{
    (void)state;
    assert_password("x", 0, 0, 0);
    assert_password("", 0, 0, 0);
    assert_password("d=512", 512, 0, 0);
    assert_password("diff=0.001", 0.001, 0, 0);
    assert_password("x,d=64;md=8 sd=16", 64, 16, 8);
    assert_password("sd=1e3,,,md=5", 0, 1000, 5);
    assert_password("d=,d=-1,d=0,d=nan,d=1e400", 0, 0, 0);
    assert_password("dd=5,D=6,=7,difference=8", 0, 0, 0);
    assert_password("d=5=6", 0, 0, 0);
    struct password_options options;
    struct line_value null = {.kind = LINE_NULL, .text = "null", .size = 4};
    password_parse(&null, &options);
    assert_true(options.fixed <= 0);
}

static void assert_password_team(const char *text, const char *team, bool is_bad)
{
    struct password_options options;
    struct line_value value = text_value(text);
    password_parse(&value, &options);
    assert_string_equal(options.team.name, team);
    assert_int_equal(options.has_bad_team, is_bad);
}

static void team_may_be_told_in_the_password(void **state)
{
    (void)state;
    assert_password_team("x", "", false);
    assert_password_team("team=red", "red", false);
    assert_password_team("d=5,team=Red;md=1", "red", false);
    assert_password("d=5,team=red;md=1", 5, 0, 1);
    assert_password_team("team=", "", true);
    assert_password_team("team=red=blue", "", true);
    assert_password_team("team=abcdefghijkl", "", true);
    assert_password_team("team=<script>", "", true);
    assert_password_team("team=r\xc3\xb6t", "", true);
    assert_password_team("team=a\\u0000b", "", true);
    assert_password_team("teams=red", "", false);
}

static void assert_texts_differ(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_not_equal(texts[i], "unknown");
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(texts[i], texts[j]);
        }
    }
}

static void every_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    const char *texts[64];
    for (unsigned i = 0; i < STRATUM_VERDICTS_COUNT; i++) {
        texts[i] = stratum_verdict_text((enum stratum_verdict)i);
    }
    assert_texts_differ(texts, STRATUM_VERDICTS_COUNT);
    for (unsigned i = 0; i < STRATUM_CLOSES_COUNT; i++) {
        texts[i] = stratum_close_text((enum stratum_close)i);
    }
    assert_texts_differ(texts, STRATUM_CLOSES_COUNT);
    for (unsigned i = 0; i < STRATUM_REFUSALS_COUNT; i++) {
        texts[i] = stratum_refusal_text((enum stratum_refusal)i);
    }
    assert_texts_differ(texts, STRATUM_REFUSALS_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_is_seen_only_if_every_part_of_it_is_the_same),
        cmocka_unit_test(set_of_seen_shares_is_bounded_and_forgets_none),
        cmocka_unit_test(schedule_agrees_with_a_sorted_list),
        cmocka_unit_test(hashrate_averages_show_a_steady_miner_from_the_first_minute),
        cmocka_unit_test(user_agents_of_the_field_are_told_apart),
        cmocka_unit_test(every_row_of_the_kinds_can_be_reached),
        cmocka_unit_test(user_names_are_cut_into_address_worker_and_difficulty),
        cmocka_unit_test(team_is_told_behind_the_name_and_is_no_part_of_it),
        cmocka_unit_test(what_is_no_team_is_none_and_spoils_neither_name_nor_address),
        cmocka_unit_test(team_may_be_told_in_the_password),
        cmocka_unit_test(underscore_separates_only_on_request),
        cmocka_unit_test(overlong_user_name_is_cut_and_still_matches_itself),
        cmocka_unit_test(password_options_are_found_between_any_separators),
        cmocka_unit_test(every_reason_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
