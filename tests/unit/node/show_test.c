#include "node/show.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char *const names[] = {"status",    "miners", "addresses", "address", "blocks",
                                    "block",     "luck",   "payouts",   "daemons", "peers",
                                    "standings", "dht",    "template",  "chain"};
#define NAMES_COUNT (sizeof(names) / sizeof(names[0]))

struct shown {
    char text[16384];
};

static bool show(const char *name, const char *document, size_t width, bool has_colours,
                 struct shown *shown)
{
    struct buffer text;
    buffer_init(&text, sizeof(shown->text) - 1);
    struct json *json = json_parse(document, strlen(document), 1000);
    assert_non_null(json);
    struct show_out out = {&text, width, has_colours};
    bool is_known = show_document(name, json_root(json), &out);
    assert_false(text.failed);
    if (text.size > 0)
        memcpy(shown->text, text.data, text.size);
    shown->text[text.size] = '\0';
    json_free(json);
    buffer_clear(&text);
    return is_known;
}

static void assert_shows(const char *name, const char *document, const char *part)
{
    struct shown shown;
    assert_true(show(name, document, 0, false, &shown));
    if (strstr(shown.text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, shown.text);
}

static void documents_for_programs_are_not_shown(void **state)
{
    (void)state;
    struct shown shown;
    assert_false(show("credits", "{}", 80, false, &shown));
    assert_false(show("nonsense", "{}", 80, false, &shown));
    assert_string_equal(shown.text, "");
}

static void whatever_a_document_holds_it_can_be_shown(void **state)
{
    (void)state;
    static const char *const members[] = {
        "banner",  "pool",  "tip",       "counts",   "job",       "found",   "stratum",
        "network", "store", "daemons",   "miners",   "refused",   "shares",  "addresses",
        "pending", "paid",  "workers",   "window",   "blocks",    "outputs", "next_block",
        "spans",   "peers", "standings", "template", "upcoming",  "own",     "sync",
        "bans",    "now",   "requests",  "epoch",    "datagrams", "gossip",  "coinbase",
    };
    static const char *const values[] = {
        "null",
        "7",
        "-1e300",
        "\"x\\u001b[2J\"",
        "[]",
        "{}",
        "[1,null,{},[]]",
        "[{\"address\":\"\\u001b]0;x\\u0007\",\"is_open\":true,\"user\":[],\"found_at\":-5}]",
    };
    struct shown shown;
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        for (size_t j = 0; j < sizeof(members) / sizeof(members[0]); j++) {
            for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
                char document[256];
                snprintf(document, sizeof(document), "{\"%s\":%s}", members[j], values[k]);
                assert_true(show(names[i], document, 20 * (k % 3), false, &shown));
                assert_null(strchr(shown.text, '\x1b'));
            }
        }
    }
}

static void unknown_figures_are_a_dash(void **state)
{
    (void)state;
    assert_shows("daemons", "{\"daemons\":[{\"url\":\"u\",\"height\":-1,\"latency_ms\":-1}]}",
                 "     -        -");
    assert_shows("blocks", "{\"now\":9,\"blocks\":[{\"height\":7,\"luck\":null}]}",
                 "no daemon has answered yet     -");
}

static void figures_have_their_units(void **state)
{
    (void)state;
    assert_shows("luck",
                 "{\"spans\":[{\"name\":\"day\",\"found\":3,\"found_here\":1,\"expected\":2.5,"
                 "\"luck\":1.2}]}",
                 "day                    3      2.50  120 %           1");
    assert_shows("address",
                 "{\"address\":\"bc1q\",\"expected_sats\":\"12345\",\"hashrate_10m\":5e12,"
                 "\"window\":{\"part\":0.25}}",
                 "next block   0.00012345 coins expected");
    assert_shows("address", "{\"hashrate_10m\":5e12}", "mines        5.00 TH/s (10 min)");
    assert_shows("address", "{\"window\":{\"part\":0.25}}", "credited     25.000 % of what");
    assert_shows("template", "{\"template\":{\"value_sats\":\"312500000\",\"fees_sats\":\"7\"}}",
                 "3.12500000 coins, 0.00000007 of them fees");
    assert_shows("blocks",
                 "{\"now\":100,\"blocks\":[{\"height\":7,\"place\":\"in_chain\","
                 "\"confirmations\":1,\"found_at\":40,\"luck\":0.5,\"value_sats\":\"1\"}]}",
                 "1 min ago  0.00000001  1 confirmation  50 %");
}

static void what_is_wrong_comes_first_and_in_red(void **state)
{
    (void)state;
    static const char document[] = "{\"banner\":{\"level\":\"error\",\"text\":\"The disk is "
                                   "full.\",\"advice\":\"Make room.\"}}";
    struct shown shown;
    assert_true(show("status", document, 80, true, &shown));
    assert_memory_equal(shown.text, "\x1b[1merror       \x1b[m \x1b[31mThe disk is full.\x1b[m\n",
                        strlen("\x1b[1merror       \x1b[m \x1b[31mThe disk is full.\x1b[m\n"));
    assert_non_null(strstr(shown.text, "\x1b[31mMake room.\x1b[m"));
    assert_shows("status", document, "error        The disk is full.\n             Make room.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_for_programs_are_not_shown),
        cmocka_unit_test(whatever_a_document_holds_it_can_be_shown),
        cmocka_unit_test(unknown_figures_are_a_dash),
        cmocka_unit_test(figures_have_their_units),
        cmocka_unit_test(what_is_wrong_comes_first_and_in_red),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
