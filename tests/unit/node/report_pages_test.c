// Documents in pages, and what the public does not see.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/node_fixture.h"
#include "tests/unit/node/report_ask.h"

// A job for whoever connects: without one, miners are turned away.
static void serve_anything(struct node *node)
{
    struct stratum_work work = {.height = 1,
                                .version = 0x20000000,
                                .bits = 0x207fffff,
                                .time = 1000,
                                .min_time = 1,
                                .is_clean = true,
                                .prefix = (const uint8_t *)"prefix",
                                .prefix_size = 6,
                                .owner = calloc(1, sizeof(struct work))}; // work_released frees it
    assert_non_null(work.owner);
    assert_true(stratum_set_work(node->stratum, &work, net_loop_now(node->loop)));
}

static void pages_of_blocks_hold_every_block_once(void **state)
{
    struct node_fixture *fixture = *state;
    struct found_block block = {.payout_script = maker_script(1)};
    for (uint32_t i = 1; i <= 1234; i++) {
        block.id.bytes[0] = (uint8_t)i;
        block.id.bytes[1] = (uint8_t)(i >> 8);
        assert_non_null(blocks_add(&fixture->node, &block));
    }
    uint64_t from = 0, number = 1235;
    size_t pages = 0;
    for (bool is_last = false; !is_last; pages++) {
        char request[128];
        struct answer answer;
        snprintf(request, sizeof(request), "{\"command\":\"blocks\",\"limit\":100,\"from\":%llu}",
                 (unsigned long long)from);
        ask(&fixture->node, &answer, request);
        struct json_value array = json_get(answer.root, "blocks");
        assert_true(json_size(array) <= 100);
        for (struct json_value v = json_first(array); json_exists(v); v = json_next(v))
            assert_int_equal(get_u64(v, "number"), --number);
        is_last = !json_to_u64(json_get(answer.root, "next"), &from);
        answer_clear(&answer);
    }
    assert_int_equal(number, 1);
    assert_int_equal(pages, 13);
}

static void addresses_of_miners_are_not_for_the_public(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node = &fixture->node;
    struct stratum_peer peer = {.family = 4, .bytes = {192, 0, 2, 77}, .text = "192.0.2.77:4711"};
    struct now now = net_loop_now(node->loop);
    uint64_t session;
    serve_anything(node);
    assert_int_equal(stratum_connected(node->stratum, &peer, now, &session), STRATUM_CONNECTED);
    for (enum api_role role = API_PUBLIC; role <= API_ADMIN; role++) {
        struct report_call call;
        struct buffer out;
        buffer_init(&out, REPORT_SIZE_MAX);
        report_call_init(&call, report_find("miners"), role);
        assert_true(report_write(node, &call, &out));
        write_u8(&out, 0);
        assert_non_null(strstr((const char *)out.data, "\"session\""));
        bool is_told = strstr((const char *)out.data, peer.text) != NULL;
        assert_int_equal(is_told, role >= API_VIEWER);
        buffer_clear(&out);
    }
}

int main(void)
{
#define NODE_TEST(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, node_fixture_set_up, node_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        NODE_TEST(pages_of_blocks_hold_every_block_once),
        NODE_TEST(addresses_of_miners_are_not_for_the_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
