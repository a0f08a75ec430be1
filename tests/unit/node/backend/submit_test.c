// Found blocks: to every daemon at once, what they say, who could not be reached, and what becomes
// of them later.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "tests/unit/node/backend/harness.h"

// A block on the tip of the last daemon; what follows the header does not matter to the fake ones.
static struct hash256 make_block(struct world *world, uint8_t block[100])
{
    struct hash256 id;
    struct header header = {.version = 0x20000000,
                            .prev = fake_daemon_tip(world->daemons[world->daemons_count - 1]),
                            .time = 1800000000,
                            .bits = 0x207fffff};
    memset(block, 0xab, 100);
    header_encode(&header, block);
    header_id(block, &id);
    return id;
}

static struct hash256 submit(struct world *world)
{
    uint8_t block[100];
    struct hash256 id = make_block(world, block);
    backend_submit_block(world->backend, &id, block, sizeof(block));
    memset(block, 0, sizeof(block)); // it was copied
    return id;
}

static bool has_report(struct world *world)
{
    return world->reports_count > 0;
}

static bool has_report_of_each(struct world *world)
{
    return world->reports_count >= world->daemons_count;
}

static void words_of_the_daemons_become_fates(void **state)
{
    (void)state;
    static const struct {
        const char *result;
        enum block_fate fate;
        const char *reason;
    } cases[] = {
        {NULL, BLOCK_ACCEPTED, ""},
        {"duplicate", BLOCK_KNOWN, "duplicate"},
        {"duplicate-inconclusive", BLOCK_KNOWN, "duplicate-inconclusive"},
        {"duplicate-invalid", BLOCK_REJECTED, "duplicate-invalid"},
        {"inconclusive", BLOCK_INCONCLUSIVE, "inconclusive"},
        {"inconclusive-not-best-prevblk", BLOCK_STALE, "inconclusive-not-best-prevblk"},
        {"stale-prevblk", BLOCK_STALE, "stale-prevblk"},
        {"prev-blk-not-found", BLOCK_STALE, "prev-blk-not-found"},
        {"high-hash", BLOCK_REJECTED, "high-hash"},
        {"bad-cb-amount", BLOCK_REJECTED, "bad-cb-amount"},
        {"rejected: bad-witness-merkle-match", BLOCK_REJECTED, "bad-witness-merkle-match"},
        {"rejected: duplicate", BLOCK_KNOWN, "duplicate"},
        {"rejected: bad-prevblk", BLOCK_STALE, "bad-prevblk"},
        {"rejected", BLOCK_REJECTED, "rejected"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world;
        world_init(&world, 1);
        fake_daemon_settings(world.daemons[0])->submit_result = cases[i].result;
        world_start(&world);
        world_run_until(&world, has_work);
        struct hash256 id = submit(&world);
        assert_int_equal(world.reports_count, 0); // never from inside the call
        world_run_until(&world, has_report);
        assert_int_equal(world.reports[0].fate, cases[i].fate);
        assert_string_equal(world.reasons[0], cases[i].reason);
        assert_true(hash_equal(&world.reports[0].hash, &id));
        assert_int_equal(world.reports[0].daemon, 0);
        world_clear(&world);
    }
}

static void block_that_does_not_decode_is_rejected_but_a_busy_daemon_is_asked_again(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    struct fake_daemon_settings *settings = fake_daemon_settings(world.daemons[0]);
    settings->error_method = "submitblock";
    settings->error_message = "Block decode failed";
    settings->error_code = -22;
    world_start(&world);
    world_run_until(&world, has_work);
    submit(&world);
    world_run_until(&world, has_report);
    assert_int_equal(world.reports[0].fate, BLOCK_REJECTED);
    assert_string_equal(world.reasons[0], "Block decode failed");

    settings->error_message = "Loading block index";
    settings->error_code = -28;
    world.reports_count = 0;
    submit(&world);
    world_run_for(&world, 100);
    assert_int_equal(world.reports_count, 0);
    settings->error_code = 0;
    world_run_until(&world, has_report);
    assert_int_equal(world.reports[0].fate, BLOCK_ACCEPTED);
    world_clear(&world);
}

static bool has_two_reports(struct world *world)
{
    return world->reports_count == 2;
}

static void block_goes_to_every_daemon_at_once_and_whole(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3);
    world_hurry(&world);
    world_start(&world);
    world_run_until(&world, has_work);
    fake_daemon_settings(world.daemons[0])->fault_method = "submitblock";
    fake_daemon_settings(world.daemons[0])->fault = FAULT_HANG; // holds up nobody else
    uint8_t block[100];
    char hex[201];
    make_block(&world, block);
    hex_encode(block, sizeof(block), hex);
    submit(&world);
    world_run_until(&world, has_two_reports);
    for (size_t i = 1; i < 3; i++) {
        assert_string_equal(fake_daemon_submitted(world.daemons[i]), hex);
        assert_int_equal(fake_daemon_calls(world.daemons[i], "submitblock"), 1);
    }
    struct backend_view view;
    backend_get_view(world.backend, &view);
    assert_int_equal(view.submissions_count, 1);
    fake_daemon_settings(world.daemons[0])->fault = FAULT_NONE;
    world_run_until(&world, has_report_of_each);
    assert_int_equal(world.reports[2].daemon, 0);
    assert_int_equal(world.reports[2].fate, BLOCK_ACCEPTED);
    world_run_for(&world, 20);
    backend_get_view(world.backend, &view);
    assert_int_equal(view.submissions_count, 0);
    world_clear(&world);
}

static void faults_delay_a_block_but_do_not_lose_it(void **state)
{
    (void)state;
    static const enum fake_fault faults[] = {FAULT_HANG,  FAULT_GARBAGE,       FAULT_HTTP_500,
                                             FAULT_EMPTY, FAULT_CLOSE_AT_ONCE, FAULT_CLOSE_MID_BODY,
                                             FAULT_RESET};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct world world;
        world_init(&world, 1);
        world_hurry(&world);
        world_start(&world);
        world_run_until(&world, has_work);
        fake_daemon_settings(world.daemons[0])->fault = faults[i];
        struct hash256 id = submit(&world);
        world_run_for(&world, 50);
        assert_int_equal(world.reports_count, 0);
        fake_daemon_settings(world.daemons[0])->fault = FAULT_NONE;
        world_run_until(&world, has_report);
        assert_int_equal(world.reports[0].fate, BLOCK_ACCEPTED);
        assert_true(hash_equal(&world.reports[0].hash, &id));
        assert_int_equal(world_log_count(&world, "did not reach a daemon yet"), 1);
        world_clear(&world);
    }
}

static void block_that_reaches_nobody_is_given_up_after_its_time(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    world.config.submit_for_ms = 300;
    world_start(&world);
    world_run_until(&world, has_work);
    world_kill(&world, 0);
    int64_t began_ms = net_loop_now(world.loop).mono.ms;
    submit(&world);
    world_run_until(&world, has_report_of_each);
    int64_t took_ms = net_loop_now(world.loop).mono.ms - began_ms;
    assert_int_equal(world.reports[0].daemon, 1);
    assert_int_equal(world.reports[0].fate, BLOCK_ACCEPTED);
    assert_int_equal(world.reports[1].daemon, 0);
    assert_int_equal(world.reports[1].fate, BLOCK_UNREACHABLE);
    assert_true(took_ms >= 300 && took_ms < 3000);
    world_clear(&world);
}

static bool has_height_12(struct world *world)
{
    return world->template_height == 12;
}

static void accepted_block_brings_a_fresh_template_at_once(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world.config.poll_ms = 60000;
    world.config.refresh_ms = 60000;
    world.config.unsafe_after_ms = 60000;
    struct fake_daemon_settings *settings = fake_daemon_settings(world.daemons[0]);
    settings->has_no_longpoll = true;
    settings->submit_extends = true;
    world_start(&world);
    world_run_until(&world, has_work);
    world_run_for(&world, 50);
    struct hash256 id = submit(&world);
    world_run_until(&world, has_height_12);
    assert_int_equal(fake_daemon_calls(world.daemons[0], "getbestblockhash"), 1);
    assert_true(hash_equal(&world.template_prev, &id));
    world_clear(&world);
}

static bool has_moved(struct world *world)
{
    return world->moved_count > 0;
}

static bool has_moved_twice(struct world *world)
{
    return world->moved_count > 1;
}

static bool has_moved_three_times(struct world *world)
{
    return world->moved_count > 2;
}

static void accepted_block_is_watched_until_it_is_mature(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    fake_daemon_settings(world.daemons[0])->submit_extends = true;
    world_start(&world);
    world_run_until(&world, has_work);
    struct hash256 id = submit(&world);
    world_run_until(&world, has_moved);
    assert_int_equal(world.moved[0].place, BLOCK_PLACE_IN_CHAIN);
    assert_int_equal(world.moved[0].confirmations, 1);
    assert_true(hash_equal(&world.moved[0].hash, &id));
    fake_daemon_mine(world.daemons[0], 98, 1);
    world_run_for(&world, 100);
    assert_int_equal(world.moved_count, 1);
    fake_daemon_mine(world.daemons[0], 1, 1);
    world_run_until(&world, has_moved_twice);
    assert_int_equal(world.moved[1].place, BLOCK_PLACE_MATURE);
    assert_int_equal(world.moved[1].confirmations, 100);
    world_run_for(&world, 60);
    size_t calls = fake_daemon_calls(world.daemons[0], "getblockhash");
    fake_daemon_mine(world.daemons[0], 1, 1);
    world_run_for(&world, 60);
    assert_int_equal(fake_daemon_calls(world.daemons[0], "getblockhash"), calls); // no more
    world_clear(&world);
}

static void orphaned_block_is_told_and_told_when_it_returns(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_start(&world);
    world_run_until(&world, has_work);
    struct hash256 id = fake_daemon_id(world.daemons[0], 10);
    backend_watch_block(world.backend, &id); // as after a restart
    world_run_until(&world, has_moved);
    assert_int_equal(world.moved[0].place, BLOCK_PLACE_IN_CHAIN);
    fake_daemon_reorganise(world.daemons[0], 1, 2, 2);
    world_run_until(&world, has_moved_twice);
    assert_int_equal(world.moved[1].place, BLOCK_PLACE_ORPHANED);
    assert_int_equal(world.moved[1].confirmations, -1);
    fake_daemon_reorganise(world.daemons[0], 2, 4, 1); // the old branch wins after all
    world_run_until(&world, has_moved_three_times);
    assert_int_equal(world.moved[2].place, BLOCK_PLACE_IN_CHAIN);
    assert_int_equal(world.moved[2].confirmations, 4);
    assert_true(hash_equal(&world.moved[2].hash, &id));
    world_clear(&world);
}

static bool was_asked_for_header(struct world *world)
{
    return fake_daemon_calls(world->daemons[0], "getblockheader") == 1;
}

static void block_that_no_daemon_knows_counts_as_orphaned(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world_start(&world);
    world_run_until(&world, has_work);
    const struct hash256 id = {.bytes = {7}};
    backend_watch_block(world.backend, &id);
    world_run_until(&world, was_asked_for_header);
    world_run_for(&world, 60);
    assert_int_equal(world.moved_count, 0); // once is not enough
    fake_daemon_mine(world.daemons[0], 1, 1);
    world_run_for(&world, 100);
    fake_daemon_mine(world.daemons[0], 1, 1);
    world_run_until(&world, has_moved);
    assert_int_equal(fake_daemon_calls(world.daemons[0], "getblockheader"), 3);
    assert_int_equal(world.moved[0].place, BLOCK_PLACE_ORPHANED);
    world_clear(&world);
}

static bool has_moved_50(struct world *world)
{
    return world->moved_count == 50;
}

static void many_watched_blocks_are_asked_for_together(void **state)
{
    (void)state;
    for (int kind = BATCH_TAKEN; kind <= BATCH_REFUSED; kind++) {
        struct world world;
        world_init(&world, 1);
        fake_daemon_mine(world.daemons[0], 40, 1);
        fake_daemon_settings(world.daemons[0])->batch = (enum fake_batch)kind;
        world_start(&world);
        for (int64_t height = 1; height <= 50; height++) {
            struct hash256 id = fake_daemon_id(world.daemons[0], height);
            backend_watch_block(world.backend, &id);
        }
        world_run_until(&world, has_work);
        world_run_until(&world, has_moved_50);
        for (size_t i = 0; i < 50; i++) {
            assert_int_equal(world.moved[i].place, BLOCK_PLACE_IN_CHAIN);
        }
        world_clear(&world);
    }
}

static void backend_may_be_freed_with_blocks_on_their_way(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 20; ms++) {
        struct world world;
        world_init(&world, 2);
        world_start(&world);
        world_run_for(&world, ms);
        submit(&world);
        submit(&world);
        world_run_for(&world, ms % 3);
        world_clear(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_daemons_become_fates),
        cmocka_unit_test(block_that_does_not_decode_is_rejected_but_a_busy_daemon_is_asked_again),
        cmocka_unit_test(block_goes_to_every_daemon_at_once_and_whole),
        cmocka_unit_test(faults_delay_a_block_but_do_not_lose_it),
        cmocka_unit_test(block_that_reaches_nobody_is_given_up_after_its_time),
        cmocka_unit_test(accepted_block_brings_a_fresh_template_at_once),
        cmocka_unit_test(accepted_block_is_watched_until_it_is_mature),
        cmocka_unit_test(orphaned_block_is_told_and_told_when_it_returns),
        cmocka_unit_test(block_that_no_daemon_knows_counts_as_orphaned),
        cmocka_unit_test(many_watched_blocks_are_asked_for_together),
        cmocka_unit_test(backend_may_be_freed_with_blocks_on_their_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
