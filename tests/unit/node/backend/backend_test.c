// Templates, long-poll, fail-over and the watchdog, against fake daemons that misbehave in every
// way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/backend/harness.h"

static void template_of_a_working_daemon_arrives(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_start(&world);
    assert_int_equal(world.templates_count, 0); // never from inside the call
    world_run_until(&world, has_work);
    struct hash256 tip = fake_daemon_tip(world.daemons[0]);
    assert_int_equal(world.template_height, 11);
    assert_true(hash_equal(&world.template_prev, &tip));
    assert_int_equal(world.new_blocks_count, 1);

    struct backend_view view;
    backend_get_view(world.backend, &view);
    assert_true(view.has_work);
    assert_int_equal(view.template_height, 11);
    assert_int_equal(view.daemons[0].state, DAEMON_READY);
    assert_true(view.daemons[0].is_active);
    assert_int_equal(view.daemons[0].height, 10);
    assert_true(hash_equal(&view.daemons[0].tip, &tip));
    assert_true(view.daemons[0].latency_ms >= 0);
    assert_string_equal(view.daemons[0].error, "");
    world_clear(&world);
}

static bool has_height_12(struct world *world)
{
    return world->template_height == 12;
}

static bool has_template_of_tip(struct world *world)
{
    return world->template_height == fake_daemon_height(world->daemons[0]) + 1;
}

static bool has_longpoll_waiting(struct world *world)
{
    return fake_daemon_longpolls(world->daemons[0]) == 1;
}

static void new_block_comes_by_long_poll_not_by_poll(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world.config.poll_ms = 60000;
    world.config.probe_ms = 60000;
    world.config.refresh_ms = 60000;
    world.config.unsafe_after_ms = 60000;
    world_start(&world);
    world_run_until(&world, has_longpoll_waiting);
    for (int i = 0; i < 5; i++) {
        fake_daemon_mine(world.daemons[0], 1, 1);
        world_run_until(&world, has_template_of_tip);
        world_run_until(&world, has_longpoll_waiting);
    }
    assert_int_equal(world.new_blocks_count, 6);
    assert_int_equal(fake_daemon_calls(world.daemons[0], "getbestblockhash"), 0);
    world_clear(&world);
}

static void poll_finds_a_new_block_where_there_is_no_long_poll(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world.config.refresh_ms = 60000;
    fake_daemon_settings(world.daemons[0])->has_no_longpoll = true;
    world_start(&world);
    world_run_until(&world, has_work);
    fake_daemon_mine(world.daemons[0], 1, 1);
    world_run_until(&world, has_height_12);
    assert_false(world_daemon_view(&world, 0).has_longpoll);
    assert_int_equal(world_log_count(&world, "no long-poll with this daemon"), 1);
    assert_int_equal(world.unsafe_count, 0);
    world_clear(&world);
}

static bool has_no_longpoll(struct world *world)
{
    return has_work(world) && !world_daemon_view(world, 0).has_longpoll;
}

static void long_poll_that_never_waits_is_given_up(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_settings(world.daemons[0])->longpoll_never_waits = true;
    world_start(&world);
    world_run_until(&world, has_no_longpoll);
    size_t calls = fake_daemon_calls(world.daemons[0], "getblocktemplate");
    assert_true(calls >= 4 && calls < 40);
    assert_int_equal(world_log_count(&world, "it does not wait"), 1);
    fake_daemon_mine(world.daemons[0], 1, 1);
    world_run_until(&world, has_height_12);
    world_clear(&world);
}

static bool has_three_templates(struct world *world)
{
    return world->templates_count >= 3;
}

static void template_is_refreshed_without_a_new_block(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_start(&world);
    world_run_until(&world, has_three_templates);
    assert_int_equal(world.new_blocks_count, 1);
    assert_int_equal(world.unsafe_count, 0);
    world_clear(&world);
}

static void work_stays_safe_while_the_tip_is_confirmed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_hurry(&world);
    world_start(&world);
    world_run_until(&world, has_work);
    world_run_for(&world, 2 * WORLD_UNSAFE_MS);
    assert_int_equal(world.unsafe_count, 0);
    assert_int_equal(world.new_blocks_count, 1);
    world_clear(&world);
}

struct fault_case {
    enum fake_fault fault;
    const char *error; // part of the sentence
};

static const struct fault_case faults[] = {
    {FAULT_HANG, "no answer from"},
    {FAULT_GARBAGE, "is no JSON-RPC"},
    {FAULT_NOT_HTTP, "broken off or no HTTP"},
    {FAULT_HTTP_500, "is no JSON-RPC (HTTP 500)"},
    {FAULT_EMPTY, "answers with nothing"},
    {FAULT_CLOSE_AT_ONCE, "broken off or no HTTP"},
    {FAULT_RESET, "broken off or no HTTP"},
    {FAULT_CLOSE_MID_BODY, "broken off or no HTTP"},
    {FAULT_HUGE, "is larger than 64 MiB"},
    {FAULT_DRIP, "no answer from"},
    {FAULT_REDIRECT, "redirect (HTTP 302)"},
    {FAULT_ENDLESS_HEADER, "is larger than"},
};
#define FAULTS_COUNT (sizeof(faults) / sizeof(faults[0]))

static void assert_error(struct world *world, size_t i, const char *part)
{
    struct daemon_view view = world_daemon_view(world, i);
    if (strstr(view.error, part) == NULL) {
        fail_msg("daemon %zu: '%s' lacks '%s'", i, view.error, part);
    }
}

static bool first_is_down_second_works(struct world *world)
{
    return has_work(world) && is_second_active(world) &&
           world_daemon_view(world, 0).error[0] != '\0';
}

static void daemon_that_is_broken_from_the_start_is_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        struct world world;
        world_init(&world, 2);
        bool is_large = faults[i].fault == FAULT_HUGE || faults[i].fault == FAULT_ENDLESS_HEADER;
        world_hurry(&world);
        world.config.unsafe_after_ms = 5000;
        world.config.request_timeout_ms = is_large ? 5000 : 100;
        fake_daemon_settings(world.daemons[0])->fault = faults[i].fault;
        world_start(&world);
        world_run_until(&world, first_is_down_second_works);
        assert_error(&world, 0, faults[i].error);
        assert_int_equal(world_daemon_view(&world, 0).state, DAEMON_DOWN);
        assert_int_equal(world.unsafe_count, 0);
        world_clear(&world);
    }
}

// The only daemon breaks while it works: never unsafe work beyond the limit, and back when it
// heals.
static void work_ends_in_time_and_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        struct world world;
        world_init(&world, 1);
        world_hurry(&world);
        world_start(&world);
        world_run_until(&world, has_work);
        int64_t broke_ms = net_loop_now(world.loop).mono.ms;
        fake_daemon_settings(world.daemons[0])->fault = faults[i].fault;
        world_run_until(&world, is_unsafe);
        int64_t took_ms = world.unsafe_at.ms - broke_ms;
        assert_true(took_ms <= 3 * WORLD_UNSAFE_MS);
        assert_non_null(strstr(world.unsafe_reason, "no coin daemon has confirmed the tip"));
        assert_int_equal(world.new_blocks_count, 1);
        fake_daemon_settings(world.daemons[0])->fault = FAULT_NONE;
        world_run_until(&world, has_work);
        assert_int_equal(world.new_blocks_count, 2); // told as new: the miners were sent away
        assert_int_equal(world.unsafe_count, 1);
        assert_string_equal(world_daemon_view(&world, 0).error, "");
        world_clear(&world);
    }
}

static void fault_of_a_single_method_is_a_fault_too(void **state)
{
    (void)state;
    static const char *const methods[] = {"getblocktemplate", "getblockchaininfo"};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_init(&world, 2);
        world_hurry(&world);
        world.config.unsafe_after_ms = 500; // a time-out, a try or two, and the other daemon's word
        world_start(&world);
        world_run_until(&world, is_first_active);
        world_run_until(&world, has_work);
        fake_daemon_settings(world.daemons[0])->fault_method = methods[i];
        fake_daemon_settings(world.daemons[0])->fault = FAULT_HANG;
        world_run_until(&world, is_second_active);
        world_run_for(&world, 550);
        assert_int_equal(world.unsafe_count, 0);
        world_clear(&world);
    }
}

static void killed_daemon_is_failed_over_and_returned_to_after_good_minutes(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    world_start(&world);
    world_run_until(&world, has_work);
    assert_int_equal(world_active(&world), 0);
    world_kill(&world, 0);
    world_run_until(&world, is_second_active);
    fake_daemon_mine(world.daemons[1], 1, 1);
    world_run_until(&world, has_height_12);
    assert_error(&world, 0, "nobody listens at");
    world_revive(&world, 0, 11, 1);
    int64_t revived_ms = net_loop_now(world.loop).mono.ms;
    world_run_until(&world, is_first_active);
    int64_t took_ms = net_loop_now(world.loop).mono.ms - revived_ms;
    assert_true(took_ms >= world.config.return_after_ms);
    world_run_for(&world, 300);
    assert_int_equal(world.unsafe_count, 0);
    assert_int_equal(world.new_blocks_count, 2); // one per block, none for changing daemons
    assert_int_equal(world_log_count(&world, "the daemon works again"), 1);
    world_clear(&world);
}

static void preferred_daemon_is_waited_for_at_the_start(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3);
    world_start(&world);
    world_run_until(&world, has_work);
    assert_int_equal(world_active(&world), 0);
    assert_int_equal(world_log_count(&world, "taking templates from"), 1);
    world_clear(&world);
}

static void daemon_of_another_chain_is_refused_with_what_to_do(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    fake_daemon_settings(world.daemons[0])->chain = "test";
    world_start(&world);
    world_run_until(&world, first_is_down_second_works);
    assert_int_equal(world_daemon_view(&world, 0).state, DAEMON_WRONG_CHAIN);
    assert_error(&world, 0, "serves the chain \"test\", but this pool is on regtest (\"regtest\")");
    assert_error(&world, 0, "start bitcoind on that chain");
    world_clear(&world);
}

static void daemon_that_changes_its_chain_is_left(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_hurry(&world);
    world_start(&world);
    world_run_until(&world, has_work);
    fake_daemon_settings(world.daemons[0])->chain = "main";
    world_run_until(&world, is_unsafe);
    assert_int_equal(world_daemon_view(&world, 0).state, DAEMON_WRONG_CHAIN);
    assert_non_null(strstr(world.unsafe_reason, "serves the chain \"main\""));
    world_clear(&world);
}

static bool first_has_error(struct world *world)
{
    return world_daemon_view(world, 0).error[0] != '\0';
}

static void words_of_the_daemon_are_translated(void **state)
{
    (void)state;
    static const struct {
        int64_t code;
        const char *message;
        const char *part;
        enum daemon_state state;
    } cases[] = {
        {-10, "is in initial sync", "still downloads the chain (is in initial sync)",
         DAEMON_SYNCING},
        {-9, "is not connected!", "has no peers (is not connected!)", DAEMON_SYNCING},
        {-28, "Verifying blocks", "is starting: Verifying blocks", DAEMON_DOWN},
        {-32601, "Method not found", "does not know getblocktemplate", DAEMON_DOWN},
        {-8, "odd\nwords", "refuses getblocktemplate: odd words (code -8)", DAEMON_DOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world;
        world_init(&world, 1);
        struct fake_daemon_settings *settings = fake_daemon_settings(world.daemons[0]);
        settings->error_code = cases[i].code;
        settings->error_message = cases[i].message;
        settings->error_method = "getblocktemplate";
        world_start(&world);
        world_run_until(&world, first_has_error);
        assert_error(&world, 0, cases[i].part);
        world_run_for(&world, 100); // probes succeed meanwhile: the fault is not forgotten
        assert_error(&world, 0, cases[i].part);
        settings->error_code = 0;
        world_run_until(&world, has_work);
        assert_string_equal(world_daemon_view(&world, 0).error, "");
        world_clear(&world);
    }
}

static void daemon_that_still_downloads_is_used_only_for_want_of_another(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    fake_daemon_settings(world.daemons[0])->says_syncing = true;
    world_start(&world);
    world_run_until(&world, has_work);
    assert_int_equal(world_active(&world), 1);
    assert_int_equal(world_log_count(&world, "still downloads the chain"), 1);
    world_kill(&world, 1);
    world_run_until(&world, is_first_active);
    world_clear(&world);
}

static bool has_failed_often(struct world *world)
{
    return world_daemon_view(world, 0).failures_count >= 10;
}

static void trouble_is_logged_once_not_at_every_try(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_hurry(&world);
    world_start(&world);
    world_run_until(&world, has_work);
    world_kill(&world, 0);
    world_run_until(&world, is_unsafe);
    world_run_until(&world, has_failed_often);
    size_t said = world_log_count(&world, "a daemon cannot be used");
    assert_true(said >= 1 && said <= 2); // the broken call, then that nobody listens
    world_revive(&world, 0, 10, 1);
    world_run_until(&world, has_work);
    assert_int_equal(world_log_count(&world, "the daemon works again"), 1);
    world_clear(&world);
}

static void tries_become_rarer(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world.config.backoff_min_ms = 20;
    world.config.backoff_max_ms = 160;
    world_kill(&world, 0);
    world_start(&world);
    world_run_for(&world, 800);
    uint64_t failures = world_daemon_view(&world, 0).failures_count;
    // 20 + 40 + 80 + 160 + 160 + ... halved at most: 6 to 14 tries in 800 ms, fewer on
    // a busy machine.
    assert_true(failures >= 3 && failures <= 15);
    world_clear(&world);
}

static void templates_that_stay_behind_their_own_tip_lead_to_another_daemon(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    fake_daemon_settings(world.daemons[0])->template_is_stuck = true;
    world_start(&world);
    world_run_until(&world, has_work);
    assert_int_equal(world_active(&world), 0);
    fake_daemon_mine(world.daemons[0], 1, 1);
    fake_daemon_mine(world.daemons[1], 1, 1);
    world_run_until(&world, has_height_12);
    assert_int_equal(world_active(&world), 1);
    assert_error(&world, 0, "do not build on its own tip");
    assert_int_equal(world.unsafe_count, 0);
    world_clear(&world);
}

static void templates_that_stay_behind_end_the_work_where_there_is_no_other(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world.config.behind_after_ms = 60000; // the watchdog alone
    fake_daemon_settings(world.daemons[0])->template_is_stuck = true;
    world_hurry(&world);
    world_start(&world);
    world_run_until(&world, has_work);
    fake_daemon_mine(world.daemons[0], 1, 1);
    int64_t mined_ms = net_loop_now(world.loop).mono.ms;
    world_run_until(&world, is_unsafe);
    assert_true(world.unsafe_at.ms - mined_ms <= 3 * WORLD_UNSAFE_MS);
    world_clear(&world);
}

static void daemon_behind_the_others_is_left(void **state)
{
    (void)state;
    for (int tells_no_work = 0; tells_no_work < 2; tells_no_work++) {
        struct world world;
        world_init(&world, 2);
        fake_daemon_settings(world.daemons[1])->tells_no_chainwork = tells_no_work != 0;
        world_start(&world);
        world_run_until(&world, has_work);
        assert_int_equal(world_active(&world), 0);
        fake_daemon_mine(world.daemons[1], 1, 1); // the first one has lost its network
        world_run_until(&world, has_height_12);
        assert_int_equal(world_active(&world), 1);
        assert_error(&world, 0, "its tip (height 10) is behind that of");
        fake_daemon_mine(world.daemons[0], 1, 1);
        world_run_until(&world, is_first_active); // after good minutes
        assert_string_equal(world_daemon_view(&world, 0).error, "");
        assert_int_equal(world.unsafe_count, 0);
        world_clear(&world);
    }
}

static bool has_height_14(struct world *world)
{
    return world->template_height == 14;
}

static void daemon_that_lags_does_not_lead_back_to_an_older_tip(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    fake_daemon_mine(world.daemons[0], 2, 1);
    world_start(&world);
    world_run_until(&world, has_work);
    assert_int_equal(world.template_height, 13);
    world_kill(&world, 0);
    world_run_until(&world, is_second_active);
    world_run_for(&world, 150);
    assert_int_equal(world.template_height, 13); // its tip is at 10
    fake_daemon_mine(world.daemons[1], 3, 1);
    world_run_until(&world, has_height_14);
    assert_int_equal(world.unsafe_count, 0);
    world_clear(&world);
}

static bool is_back_at_11(struct world *world)
{
    return world->template_height == 11;
}

static void older_tip_is_taken_when_nobody_confirms_the_newer_one(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    fake_daemon_mine(world.daemons[0], 2, 1);
    world_hurry(&world);
    world_start(&world);
    world_run_until(&world, has_work);
    world_kill(&world, 0);
    world_run_until(&world, is_back_at_11);
    assert_int_equal(world.unsafe_count, 1); // the miners were sent away between
    world_clear(&world);
}

static void reorganisation_of_the_active_daemon_is_followed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_start(&world);
    world_run_until(&world, has_longpoll_waiting);
    struct hash256 old = world.template_prev;
    fake_daemon_reorganise(world.daemons[0], 2, 3, 9);
    world_run_until(&world, has_height_12);
    assert_false(hash_equal(&old, &world.template_prev));
    world_clear(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_of_a_working_daemon_arrives),
        cmocka_unit_test(new_block_comes_by_long_poll_not_by_poll),
        cmocka_unit_test(poll_finds_a_new_block_where_there_is_no_long_poll),
        cmocka_unit_test(long_poll_that_never_waits_is_given_up),
        cmocka_unit_test(template_is_refreshed_without_a_new_block),
        cmocka_unit_test(work_stays_safe_while_the_tip_is_confirmed),
        cmocka_unit_test(daemon_that_is_broken_from_the_start_is_passed_over),
        cmocka_unit_test(work_ends_in_time_and_comes_back),
        cmocka_unit_test(fault_of_a_single_method_is_a_fault_too),
        cmocka_unit_test(killed_daemon_is_failed_over_and_returned_to_after_good_minutes),
        cmocka_unit_test(preferred_daemon_is_waited_for_at_the_start),
        cmocka_unit_test(daemon_of_another_chain_is_refused_with_what_to_do),
        cmocka_unit_test(daemon_that_changes_its_chain_is_left),
        cmocka_unit_test(words_of_the_daemon_are_translated),
        cmocka_unit_test(daemon_that_still_downloads_is_used_only_for_want_of_another),
        cmocka_unit_test(trouble_is_logged_once_not_at_every_try),
        cmocka_unit_test(tries_become_rarer),
        cmocka_unit_test(templates_that_stay_behind_their_own_tip_lead_to_another_daemon),
        cmocka_unit_test(templates_that_stay_behind_end_the_work_where_there_is_no_other),
        cmocka_unit_test(daemon_behind_the_others_is_left),
        cmocka_unit_test(daemon_that_lags_does_not_lead_back_to_an_older_tip),
        cmocka_unit_test(older_tip_is_taken_when_nobody_confirms_the_newer_one),
        cmocka_unit_test(reorganisation_of_the_active_daemon_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
