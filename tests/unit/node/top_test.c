#include "node/top.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define STATUS                                                                                     \
    "{\"document\":\"status\",\"now\":45296,\"version\":\"1\",\"pool\":{\"name\":\"reef\","        \
    "\"chain\":\"regtest\"},\"stratum\":{\"hashrate_1m\":5e9}}"
#define MINER(user, rate) "{\"user\":\"" user "\",\"hashrate_10m\":" #rate ",\"shares\":{}}"
#define MINERS                                                                                     \
    "{\"document\":\"miners\",\"now\":45296,\"miners\":[" MINER("ana", 3) "," MINER(               \
        "ben", 9) "," MINER("c\\u001by", 1) "," MINER("dee", 7) "]}"

static int set_up(void **state)
{
    struct top *top = top_new(true);
    assert_non_null(top);
    top_set_document(top, "status", STATUS, strlen(STATUS));
    top_set_document(top, "miners", MINERS, strlen(MINERS));
    *state = top;
    return 0;
}

static int tear_down(void **state)
{
    top_free(*state);
    return 0;
}

static enum top_action type(struct top *top, const char *keys)
{
    return top_type(top, (const uint8_t *)keys, strlen(keys));
}

// What is drawn, as text.
static const char *drawn(struct top *top)
{
    static char text[65536];
    struct buffer out;
    buffer_init(&out, sizeof(text));
    top_draw(top, &out);
    assert_false(out.failed);
    memcpy(text, out.data != NULL ? (const char *)out.data : "", out.size);
    text[out.size] = '\0';
    buffer_clear(&out);
    return text;
}

static void assert_order(const char *text, const char *const names[4])
{
    for (size_t i = 0; i < 4; i++) {
        text = strstr(text, names[i]);
        if (text == NULL)
            fail_msg("\"%s\" is not there, or not behind the others", names[i]);
    }
}

static void overview_shows_pool_and_miners(void **state)
{
    struct top *top = *state;
    const char *text = drawn(top);
    assert_non_null(strstr(text, "reef on regtest   12:34:56 UTC"));
    assert_non_null(strstr(text, "[1 Overview]"));
    assert_non_null(strstr(text, "5.00 GH/s"));
    assert_order(text, (const char *const[4]){"ben", "dee", "ana", "c?y"});
    assert_null(strstr(text, "c\x1by"));
}

static void what_has_not_changed_is_not_drawn_again(void **state)
{
    struct top *top = *state;
    drawn(top);
    assert_string_equal(drawn(top), "");
    top_set_document(top, "status", STATUS, strlen(STATUS)); // one more sample of the hashrate
    const char *text = drawn(top);
    assert_non_null(strstr(text, "hashrate"));
    assert_null(strstr(text, "ben"));
    assert_null(strstr(text, "\x1b[2J"));
    top_resize(top, 80, 24);
    text = drawn(top);
    assert_non_null(strstr(text, "\x1b[2J"));
    assert_non_null(strstr(text, "ben"));
}

static void list_is_sorted_by_the_chosen_column(void **state)
{
    struct top *top = *state;
    assert_int_equal(type(top, "m"), TOP_ASK);
    assert_order(drawn(top), (const char *const[4]){"ben", "dee", "ana", "c?y"});
    assert_int_equal(type(top, "r"), TOP_DRAW);
    assert_order(drawn(top), (const char *const[4]){"c?y", "ana", "dee", "ben"});
    type(top, "r<<<<<"); // to the user's name
    assert_order(drawn(top), (const char *const[4]){"ana", "ben", "c?y", "dee"});
}

static void list_scrolls_as_far_as_it_goes(void **state)
{
    struct top *top = *state;
    type(top, "m");
    top_resize(top, 80, 6); // two bars, the headings, two miners, the keys
    const char *text = drawn(top);
    assert_non_null(strstr(text, "dee"));
    assert_null(strstr(text, "ana"));
    assert_int_equal(type(top, "\x1b[B"), TOP_DRAW);
    text = drawn(top);
    assert_non_null(strstr(text, "ana"));
    type(top, "jjjjj\x1b[6~"); // beyond the end
    assert_non_null(strstr(drawn(top), "c?y"));
    type(top, "\x1b[H");
    assert_non_null(strstr(drawn(top), "ben"));
}

static void keys_do_what_they_say(void **state)
{
    struct top *top = *state;
    static const struct {
        const char *keys;
        enum top_action action;
    } cases[] = {
        {"q", TOP_QUIT},           {"\x03", TOP_QUIT},          {"\x1a", TOP_SUSPEND},
        {"\x0c", TOP_DRAW},        {"x", TOP_NOTHING},          {"3", TOP_ASK},
        {"\t", TOP_ASK},           {"\x1b[D", TOP_ASK},         {"\x1b", TOP_NOTHING},
        {"\x1b[", TOP_NOTHING},    {"\x1b[1;5Zx", TOP_NOTHING}, {"mq", TOP_QUIT},
        {"\xc3\xa9", TOP_NOTHING},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(type(top, cases[i].keys), cases[i].action);
}

static void each_view_says_what_it_needs(void **state)
{
    struct top *top = *state;
    static const char keys[] = "omyphb";
    static const char *const second[] = {"miners", "miners", "payouts", "peers", NULL, "blocks"};
    for (size_t i = 0; keys[i] != '\0'; i++) {
        char key[2] = {keys[i], '\0'};
        type(top, key);
        assert_string_equal(top_wants(top, 0), "status");
        if (second[i] == NULL)
            assert_null(top_wants(top, 1));
        else
            assert_string_equal(top_wants(top, 1), second[i]);
        assert_null(top_wants(top, 2));
    }
}

static void problem_is_shown_until_the_next_document(void **state)
{
    struct top *top = *state;
    top_set_problem(top, "no node answers\x1b[2J");
    const char *text = drawn(top);
    assert_non_null(strstr(text, "no node answers?[2J"));
    assert_non_null(strstr(text, "(old)"));
    assert_non_null(strstr(text, "ben"));
    top_set_document(top, "status", STATUS, strlen(STATUS));
    text = drawn(top);
    assert_null(strstr(text, "(old)"));
}

static void any_size_and_any_document_can_be_drawn(void **state)
{
    struct top *top = *state;
    static const char *const wrong[] = {"", "[", "[]", "{}", "{\"miners\":7}", "{\"miners\":[1]}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        for (const char *key = "123456"; *key != '\0'; key++) {
            top_set_document(top, "status", wrong[i], strlen(wrong[i]));
            top_set_document(top, "miners", wrong[i], strlen(wrong[i]));
            top_type(top, (const uint8_t *)key, 1);
            for (size_t size = 0; size < 30; size++) {
                top_resize(top, 3 * size, size);
                drawn(top);
            }
        }
    }
    top_resize(top, 100000, 100000);
    drawn(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(overview_shows_pool_and_miners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_not_changed_is_not_drawn_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(list_is_sorted_by_the_chosen_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(list_scrolls_as_far_as_it_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_do_what_they_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_view_says_what_it_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(problem_is_shown_until_the_next_document, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(any_size_and_any_document_can_be_drawn, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
