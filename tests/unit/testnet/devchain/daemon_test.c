#include "testnet/devchain/daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "node/base/log.h"
#include "tests/unit/testnet/devchain/block_maker.h"

#define HASHES_MAX 100000

struct fixture {
    struct test_chain test; // for its randomness and time; its chain is not used
    struct env env;
    struct daemon_options options;
    struct daemon *daemon;
    struct now now;
    char directory[64];
};

static void open_daemon(struct fixture *f)
{
    char error[STORE_ERROR_SIZE] = "";
    f->daemon = daemon_new(&f->env, &f->options, f->now, error);
    assert_string_equal(error, "");
    assert_non_null(f->daemon);
}

static void set_up(struct fixture *f, bool is_on_disk)
{
    *f = (struct fixture){.directory = "/tmp/shoal-daemon-test-XXXXXX"};
    test_chain_open(&f->test);
    f->env = f->test.env;
    f->env.log = log_new_silent();
    f->now = (struct now){.mono = {5000}, .wall = f->test.now};
    f->options = (struct daemon_options){.params = chain_params_by_name("devchain"),
                                         .bits = TEST_BITS,
                                         .genesis_time = TEST_GENESIS_TIME,
                                         .spacing = 5,
                                         .transactions = 10};
    if (is_on_disk) {
        assert_non_null(mkdtemp(f->directory));
        f->options.directory = f->directory;
    }
    open_daemon(f);
}

static void tear_down(struct fixture *f)
{
    char path[96];
    daemon_free(f->daemon);
    snprintf(path, sizeof path, "%s/blocks.dat", f->directory);
    if (f->options.directory != NULL) {
        unlink(path);
        rmdir(f->directory);
    }
    log_free(f->env.log);
    test_chain_close(&f->test);
}

static const struct mine_options to_op_true = {(const uint8_t *)"\x51", 1, HASHES_MAX};

static struct hash256 generate(struct fixture *f)
{
    struct hash256 id;
    assert_true(daemon_generate(f->daemon, &to_op_true, f->now.wall, &id));
    return id;
}

static void daemon_starts_with_a_block_of_traffic(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    assert_int_equal(mempool_count(f.daemon->mempool), 10);
    generate(&f);
    assert_int_equal(chain_tip(f.daemon->chain)->block.txs_count, 11);
    generate(&f); // the pool was empty: a block's worth is made first
    assert_int_equal(chain_tip(f.daemon->chain)->block.txs_count, 11);
    tear_down(&f);
}

static void traffic_comes_at_its_rate_and_stops_when_nobody_mines(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    for (int64_t ms = 5000; ms <= 10000; ms += 100)
        daemon_tick(f.daemon, (struct mono_time){ms});
    assert_in_range(mempool_count(f.daemon->mempool), 19, 20); // ten in five seconds
    for (int64_t ms = 10000; ms <= 60000; ms += 100)
        daemon_tick(f.daemon, (struct mono_time){ms});
    assert_int_equal(mempool_count(f.daemon->mempool), 30);
    daemon_tick(f.daemon, (struct mono_time){INT64_C(1) << 50}); // after a long sleep
    assert_int_equal(mempool_count(f.daemon->mempool), 30);
    tear_down(&f);
}

static void reorganisation_on_request_replaces_the_last_blocks(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false);
    struct hash256 ids[5];
    for (size_t i = 0; i < 5; i++)
        ids[i] = generate(&f);
    assert_true(daemon_reorganise(f.daemon, 3, HASHES_MAX, f.now.wall));
    assert_int_equal(chain_tip(f.daemon->chain)->height, 6);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(chain_find(f.daemon->chain, &ids[i])->is_active, i < 2);
    assert_true(mempool_count(f.daemon->mempool) >= 30); // the traffic of three blocks is back
    generate(&f);
    assert_int_equal(mempool_count(f.daemon->mempool), 0);
    tear_down(&f);
}

static void mining_gives_up_when_it_may_not_hash_enough(void **state)
{
    (void)state;
    struct fixture f;
    struct hash256 id;
    const struct mine_options few = {(const uint8_t *)"\x51", 1, 1000};
    set_up(&f, false);
    daemon_free(f.daemon);
    f.options.bits = 0x1d00ffff;
    open_daemon(&f);
    assert_false(daemon_generate(f.daemon, &few, f.now.wall, &id));
    assert_int_equal(chain_tip(f.daemon->chain)->height, 0);
    tear_down(&f);
}

static void chain_is_the_same_after_a_restart(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, true);
    for (int i = 0; i < 5; i++)
        generate(&f);
    assert_true(daemon_reorganise(f.daemon, 2, HASHES_MAX, f.now.wall));
    generate(&f);
    struct hash256 tip = chain_tip(f.daemon->chain)->block.id;
    int64_t height = chain_tip(f.daemon->chain)->height;
    daemon_free(f.daemon);
    f.now.wall.ms = TEST_GENESIS_TIME * INT64_C(1000); // the clock went back meanwhile
    open_daemon(&f);
    assert_true(hash_equal(&chain_tip(f.daemon->chain)->block.id, &tip));
    assert_int_equal(chain_tip(f.daemon->chain)->height, height);
    f.now.wall = f.test.now;
    generate(&f);
    assert_int_equal(chain_tip(f.daemon->chain)->block.txs_count, 11); // the funds were found
    tear_down(&f);
}

// What is on disk after a kill in the middle of the last write.
static void torn_last_block_costs_only_that_block(void **state)
{
    (void)state;
    struct fixture f;
    char path[96];
    set_up(&f, true);
    struct hash256 first = generate(&f);
    generate(&f);
    size_t size = chain_tip(f.daemon->chain)->block.size;
    daemon_free(f.daemon);
    snprintf(path, sizeof path, "%s/blocks.dat", f.directory);
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    long whole = ftell(file);
    fclose(file);
    assert_int_equal(truncate(path, whole - (long)size / 2), 0);
    open_daemon(&f);
    assert_true(hash_equal(&chain_tip(f.daemon->chain)->block.id, &first));
    generate(&f);
    assert_int_equal(chain_tip(f.daemon->chain)->height, 2);
    tear_down(&f);
}

static void stored_chain_of_other_options_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    char error[STORE_ERROR_SIZE];
    set_up(&f, true);
    generate(&f);
    daemon_free(f.daemon);
    f.options.bits = 0x1e0fffff;
    assert_null(daemon_new(&f.env, &f.options, f.now, error));
    assert_non_null(strstr(error, "another genesis block"));
    f.options.bits = TEST_BITS;
    open_daemon(&f);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(daemon_starts_with_a_block_of_traffic),
        cmocka_unit_test(traffic_comes_at_its_rate_and_stops_when_nobody_mines),
        cmocka_unit_test(reorganisation_on_request_replaces_the_last_blocks),
        cmocka_unit_test(mining_gives_up_when_it_may_not_hash_enough),
        cmocka_unit_test(chain_is_the_same_after_a_restart),
        cmocka_unit_test(torn_last_block_costs_only_that_block),
        cmocka_unit_test(stored_chain_of_other_options_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
