// Names of teams, and how a node_tag carries them.
#include "node/base/team.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool read_text(const char *text, struct team *team)
{
    return team_from_text(text, strlen(text), team);
}

static void names_are_folded_and_nothing_else_is_a_name(void **state)
{
    (void)state;
    struct team team;
    assert_true(read_text("a", &team));
    assert_string_equal(team.name, "a");
    assert_true(read_text("The-Team-01", &team));
    assert_string_equal(team.name, "the-team-01");
    static const char *const bad[] = {
        "",       "twelve-chars", "a b",    "a_b", "a.b",           "<b>",  "\"", "'",
        "a\n",    "\x7f",         "a\x01z", "@",   "\xc3\xb6",      "\xff", "`",  "{",
        "/../..", "a@b",          "a[",     "a:b", "\xe2\x80\x8bz",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&team, 'x', sizeof(team));
        assert_false(read_text(bad[i], &team));
        assert_string_equal(team.name, "");
    }
    assert_false(team_from_text("a\0b", 3, &team));
}

static void tag_with_a_team_has_one_form(void **state)
{
    (void)state;
    static const uint8_t known[TEAM_TAG_SIZE] = {
        0xa1, 0xa2, 0xa3, 0xa4, 0x7e, 'r', 'e', 'd', '-', '7',
    };
    uint8_t tag[TEAM_TAG_SIZE];
    struct team team, read;
    memset(tag, 0xee, sizeof(tag));
    memcpy(tag, known, TEAM_TAG_OWN);
    assert_true(read_text("Red-7", &team));
    team_to_tag(&team, tag);
    assert_memory_equal(tag, known, sizeof(tag));
    assert_true(team_from_tag(tag, &read));
    assert_memory_equal(&read, &team, sizeof(read));
    // Whatever is changed behind the node's own bytes makes another team of it, or none.
    for (size_t at = TEAM_TAG_OWN; at < TEAM_TAG_SIZE; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t other[TEAM_TAG_SIZE];
            memcpy(other, tag, sizeof(other));
            other[at] = (uint8_t)value;
            if (value != tag[at] && team_from_tag(other, &read)) {
                assert_string_not_equal(read.name, team.name);
                uint8_t again[TEAM_TAG_SIZE] = {0};
                memcpy(again, other, TEAM_TAG_OWN);
                team_to_tag(&read, again);
                assert_memory_equal(again, other, sizeof(other));
            }
        }
    }
}

static void longest_name_fills_the_tag(void **state)
{
    (void)state;
    uint8_t tag[TEAM_TAG_SIZE] = {1, 2, 3, 4};
    struct team team, read;
    assert_true(read_text("abcdefghijk", &team));
    team_to_tag(&team, tag);
    assert_int_equal(tag[TEAM_TAG_SIZE - 1], 'k');
    assert_true(team_from_tag(tag, &read));
    assert_string_equal(read.name, "abcdefghijk");
}

static void names_come_back_from_their_numbers(void **state)
{
    (void)state;
    static const char *const names[] = {"",   "a",  "z",           "0",           "-",
                                        "aa", "-a", "abcdefghijk", "-----------", "99999999999"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct team team, read;
        read_text(names[i], &team);
        read = team_of_number(team_to_number(&team));
        assert_memory_equal(&read, &team, sizeof(read));
        for (size_t j = 0; j < i; j++) {
            struct team other;
            read_text(names[j], &other);
            assert_true(team_to_number(&other) != team_to_number(&team));
        }
    }
}

static void no_team_leaves_the_tag_alone(void **state)
{
    (void)state;
    uint8_t tag[TEAM_TAG_SIZE], before[TEAM_TAG_SIZE];
    struct team none = {.name = ""};
    for (size_t i = 0; i < sizeof(tag); i++)
        tag[i] = before[i] = (uint8_t)(i * 37 + 5);
    team_to_tag(&none, tag);
    assert_memory_equal(tag, before, sizeof(tag));
    assert_false(team_from_tag(tag, &none));
    memset(tag, 0, sizeof(tag));
    assert_false(team_from_tag(tag, &none));
    tag[TEAM_TAG_OWN] = TEAM_TAG_MARK;
    assert_false(team_from_tag(tag, &none));
    tag[TEAM_TAG_SIZE - 1] = 'a'; // behind a zero
    assert_false(team_from_tag(tag, &none));
    tag[TEAM_TAG_OWN + 1] = 'A'; // only the folded form is one
    tag[TEAM_TAG_SIZE - 1] = 0;
    assert_false(team_from_tag(tag, &none));
}

static void tags_of_nodes_without_teams_carry_none(void **state)
{
    (void)state;
    uint64_t seed = 11;
    struct team team;
    for (size_t i = 0; i < 1000000; i++) {
        uint8_t tag[TEAM_TAG_SIZE];
        for (size_t j = 0; j < sizeof(tag); j++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            tag[j] = (uint8_t)(seed >> 56);
        }
        assert_false(team_from_tag(tag, &team));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_folded_and_nothing_else_is_a_name),
        cmocka_unit_test(tag_with_a_team_has_one_form),
        cmocka_unit_test(longest_name_fills_the_tag),
        cmocka_unit_test(names_come_back_from_their_numbers),
        cmocka_unit_test(no_team_leaves_the_tag_alone),
        cmocka_unit_test(tags_of_nodes_without_teams_carry_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
