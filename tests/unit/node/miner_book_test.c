// The book of miners: what it remembers over connections, restarts and jumps of the clock, and what
// it forgets.
#include "node/miner_book.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/support/share_maker.h"

#define BEGIN_S INT64_C(1700000400) // on a border of ten minutes
#define HASHES  4096.0              // of a share of difficulty 1

struct fixture {
    struct maker_random random;
    struct env env;
    struct store *store;
    struct miner_book *book;
    struct now now;
    size_t addresses_max, workers_max;
};

static void open_book(struct fixture *fixture)
{
    struct miner_book_options options = {
        .env = &fixture->env,
        .store = fixture->store,
        .hashes_per_difficulty = HASHES,
        .addresses_max = fixture->addresses_max,
        .workers_max = fixture->workers_max,
    };
    fixture->book = miner_book_new(&options, fixture->now);
    assert_non_null(fixture->book);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    maker_env_init(&fixture->env, &fixture->random, 3);
    fixture->store = store_memory_new();
    fixture->now = (struct now){{5000}, {BEGIN_S * 1000}};
    fixture->addresses_max = 4;
    fixture->workers_max = 3;
    open_book(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    miner_book_free(fixture->book, fixture->now);
    store_close(fixture->store);
    maker_env_clear(&fixture->env);
    free(fixture);
    return 0;
}

static void pass_s(struct fixture *fixture, int64_t seconds)
{
    fixture->now.mono.ms += seconds * 1000;
    fixture->now.wall.ms += seconds * 1000;
}

// The program ends and begins anew: the monotonic clock begins somewhere else.
static void restart(struct fixture *fixture, int64_t down_s)
{
    miner_book_free(fixture->book, fixture->now);
    fixture->now.wall.ms += down_s * 1000;
    fixture->now.mono.ms = 77;
    open_book(fixture);
}

static void connect_as(struct fixture *fixture, uint64_t session, uint32_t script,
                       const char *worker)
{
    struct script payout = maker_script(script);
    struct stratum_session_view view = {
        .session = session, .worker = worker, .kind = "bitaxe", .team = "", .payout = &payout};
    miner_book_connected(fixture->book, &view, fixture->now);
}

static void judge(struct fixture *fixture, uint64_t session, enum stratum_verdict verdict,
                  double hash_difficulty)
{
    struct stratum_judgement judgement = {
        .session = session,
        .verdict = verdict,
        .difficulty = 2,
        .hash_difficulty = hash_difficulty,
    };
    miner_book_judged(fixture->book, &judgement, fixture->now);
}

static struct miner_view get_miner(struct fixture *fixture, uint32_t script)
{
    struct miner_view view;
    struct script payout = maker_script(script);
    assert_true(miner_book_find(fixture->book, &payout, fixture->now, &view));
    return view;
}

static bool has_miner(struct fixture *fixture, uint32_t script)
{
    struct miner_view view;
    struct script payout = maker_script(script);
    return miner_book_find(fixture->book, &payout, fixture->now, &view);
}

struct found_worker {
    const char *name;
    bool is_found;
    struct worker_view view;
};

static void match_worker(void *context, const struct worker_view *view)
{
    struct found_worker *found = context;
    if (strcmp(view->name, found->name) != 0)
        return;
    assert_false(found->is_found); // once only
    found->is_found = true;
    found->view = *view;
}

static bool find_worker(struct fixture *fixture, uint32_t script, const char *name,
                        struct worker_view *view)
{
    struct found_worker found = {.name = name};
    struct script payout = maker_script(script);
    miner_book_each_worker(fixture->book, &payout, fixture->now, match_worker, &found);
    *view = found.view;
    return found.is_found;
}

static void assert_near(double value, double wanted)
{
    if (fabs(value - wanted) > 1e-6 * (1 + fabs(wanted)))
        fail_msg("%.12g is not %.12g", value, wanted);
}

static void figures_outlive_the_connection(void **state)
{
    struct fixture *fixture = *state;
    struct worker_view worker;
    connect_as(fixture, 1, 1, "rig");
    judge(fixture, 1, STRATUM_ACCEPTED, 9);
    judge(fixture, 1, STRATUM_ACCEPTED, 4);
    judge(fixture, 1, STRATUM_STALE, 0);
    miner_book_gone(fixture->book, 1, fixture->now);
    judge(fixture, 1, STRATUM_ACCEPTED, 1000); // of nobody now
    assert_int_equal(get_miner(fixture, 1).connections, 0);
    connect_as(fixture, 2, 1, "rig");
    judge(fixture, 2, STRATUM_ACCEPTED, 5);
    struct miner_view miner = get_miner(fixture, 1);
    assert_int_equal(miner.connections, 1);
    assert_int_equal(miner.workers_count, 1);
    assert_int_equal(miner.figures.shares[STRATUM_ACCEPTED], 3);
    assert_int_equal(miner.figures.shares[STRATUM_STALE], 1);
    assert_near(miner.figures.work_accepted, 3 * 2 * HASHES);
    assert_near(miner.figures.best_difficulty, 9);
    assert_true(find_worker(fixture, 1, "rig", &worker));
    assert_int_equal(worker.connections, 1);
    assert_int_equal(worker.figures.shares[STRATUM_ACCEPTED], 3);
    assert_string_equal(worker.device, "bitaxe");
}

static void address_sums_up_its_workers(void **state)
{
    struct fixture *fixture = *state;
    struct worker_view first, second;
    connect_as(fixture, 1, 1, "a");
    connect_as(fixture, 2, 1, "b");
    connect_as(fixture, 3, 2, "a"); // another address
    for (int i = 0; i < 600; i++) {
        pass_s(fixture, 1);
        judge(fixture, 1, STRATUM_ACCEPTED, 3);
        if (i % 2 == 0)
            judge(fixture, 2, STRATUM_ACCEPTED, 8);
        judge(fixture, 3, STRATUM_ACCEPTED, 3);
    }
    struct miner_view miner = get_miner(fixture, 1);
    assert_true(find_worker(fixture, 1, "a", &first));
    assert_true(find_worker(fixture, 1, "b", &second));
    for (int i = 0; i < RATE_SPANS; i++) {
        assert_near(miner.figures.hashrates[i],
                    first.figures.hashrates[i] + second.figures.hashrates[i]);
        // Two times 4096 hashes a second, as seen after ten minutes.
        assert_true(fabs(first.figures.hashrates[i] / (2 * HASHES) - 1) < 0.02);
    }
    assert_int_equal(miner.figures.shares[STRATUM_ACCEPTED], 900);
    assert_near(miner.figures.best_difficulty, 8);
}

struct stretch_list {
    struct miner_stretch items[200];
    size_t count;
};

static void add_stretch(void *context, const struct miner_stretch *stretch)
{
    struct stretch_list *list = context;
    assert_true(list->count < 200);
    list->items[list->count++] = *stretch;
}

static struct stretch_list get_history(struct fixture *fixture, enum miner_history which)
{
    struct stretch_list list = {.count = 0};
    struct script payout = maker_script(1);
    struct miner_span span = {which, fixture->now};
    miner_book_each_stretch(fixture->book, &payout, &span, add_stretch, &list);
    for (size_t i = 1; i < list.count; i++)
        assert_int_equal(list.items[i].begins_at,
                         list.items[i - 1].begins_at + list.items[i].length_s);
    return list;
}

static void history_has_a_place_for_every_ten_minutes_of_a_day(void **state)
{
    struct fixture *fixture = *state;
    connect_as(fixture, 1, 1, "rig");
    judge(fixture, 1, STRATUM_ACCEPTED, 3);
    pass_s(fixture, 599); // the same ten minutes
    judge(fixture, 1, STRATUM_LOW_DIFFICULTY, 1);
    pass_s(fixture, 1);
    judge(fixture, 1, STRATUM_ACCEPTED, 3);
    pass_s(fixture, 1800); // two stretches without a share
    judge(fixture, 1, STRATUM_ACCEPTED, 3);
    struct stretch_list list = get_history(fixture, MINER_DAY);
    assert_int_equal(list.count, 144);
    const struct miner_stretch *last = &list.items[143];
    assert_int_equal(last->begins_at, BEGIN_S + 2400);
    assert_int_equal(last->accepted, 1);
    assert_int_equal(last[-1].accepted + last[-2].accepted, 0);
    assert_int_equal(last[-3].accepted, 1);
    assert_int_equal(last[-4].accepted, 1);
    assert_int_equal(last[-4].rejected, 1);
    assert_near(last[-4].hashes, 2 * HASHES);
    assert_int_equal(get_history(fixture, MINER_WEEK).count, 168);
}

static void what_is_older_than_the_history_falls_out_of_it(void **state)
{
    struct fixture *fixture = *state;
    connect_as(fixture, 1, 1, "rig");
    for (int i = 0; i < 150; i++) { // some more than fit
        judge(fixture, 1, STRATUM_ACCEPTED, 3);
        pass_s(fixture, 600);
    }
    uint32_t accepted = 0;
    struct stretch_list list = get_history(fixture, MINER_DAY);
    for (size_t i = 0; i < list.count; i++)
        accepted += list.items[i].accepted;
    assert_int_equal(accepted, 143); // the newest stretch has none yet
    pass_s(fixture, 86400 * 3);
    list = get_history(fixture, MINER_DAY);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].accepted, 0);
    accepted = 0;
    list = get_history(fixture, MINER_WEEK);
    for (size_t i = 0; i < list.count; i++)
        accepted += list.items[i].accepted;
    assert_int_equal(accepted, 150);
}

static void restart_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct worker_view worker;
    connect_as(fixture, 1, 1, "rig \xc3\xa4");
    for (int i = 0; i < 700; i++) {
        pass_s(fixture, 3);
        judge(fixture, 1, i % 10 == 0 ? STRATUM_DUPLICATE : STRATUM_ACCEPTED, i);
    }
    struct miner_view before = get_miner(fixture, 1);
    struct stretch_list history = get_history(fixture, MINER_DAY);
    restart(fixture, 0);
    struct miner_view after = get_miner(fixture, 1);
    struct stretch_list history_after = get_history(fixture, MINER_DAY);
    assert_int_equal(after.connections, 0);
    for (int i = 0; i < RATE_SPANS; i++)
        assert_near(after.figures.hashrates[i], before.figures.hashrates[i]);
    assert_memory_equal(after.figures.shares, before.figures.shares, sizeof(before.figures.shares));
    assert_near(after.figures.best_difficulty, before.figures.best_difficulty);
    assert_int_equal(after.figures.share_at.ms, before.figures.share_at.ms);
    for (size_t i = 0; i < history.count; i++)
        assert_int_equal(history_after.items[i].accepted, history.items[i].accepted);
    assert_true(find_worker(fixture, 1, "rig \xc3\xa4", &worker));
    assert_int_equal(worker.connections, 0);
    assert_int_equal(worker.figures.shares[STRATUM_DUPLICATE], 70);
    restart(fixture, 3600); // an hour of silence: the rates have fallen, the shares have not
    after = get_miner(fixture, 1);
    assert_true(after.figures.hashrates[RATE_1M] < 1e-9 * before.figures.hashrates[RATE_1M]);
    assert_int_equal(after.figures.shares[STRATUM_ACCEPTED], 630);
}

static void changes_are_kept_within_a_minute(void **state)
{
    struct fixture *fixture = *state;
    struct buffer value;
    struct script payout = maker_script(1);
    uint8_t key[1 + SCRIPT_SIZE_MAX] = {0};
    memcpy(key + 1, payout.bytes, payout.size);
    buffer_init(&value, 1 << 20);
    connect_as(fixture, 1, 1, "rig");
    judge(fixture, 1, STRATUM_ACCEPTED, 3);
    pass_s(fixture, 61);
    miner_book_tick(fixture->book, fixture->now);
    assert_true(store_get(fixture->store, STORE_WORKERS, key, 1 + (size_t)payout.size, &value));
    buffer_clear(&value);
}

static void broken_record_is_no_reason_not_to_start(void **state)
{
    struct fixture *fixture = *state;
    struct buffer value;
    struct script payout = maker_script(1);
    uint8_t key[1 + SCRIPT_SIZE_MAX] = {0};
    memcpy(key + 1, payout.bytes, payout.size);
    size_t key_size = 1 + (size_t)payout.size;
    connect_as(fixture, 1, 1, "rig");
    judge(fixture, 1, STRATUM_ACCEPTED, 3);
    restart(fixture, 0);
    buffer_init(&value, 1 << 20);
    assert_true(store_get(fixture->store, STORE_WORKERS, key, key_size, &value));
    for (size_t size = 0; size < value.size; size += 1 + size / 7) {
        store_put(fixture->store, STORE_WORKERS, key, key_size, value.data, size);
        struct miner_book *book = fixture->book;
        open_book(fixture);
        miner_book_free(book, fixture->now);
        judge(fixture, 1, STRATUM_ACCEPTED, 3);
    }
    memset(value.data + 3, 0xff, value.size - 3); // numbers that are none
    store_put(fixture->store, STORE_WORKERS, key, key_size, value.data, value.size);
    struct miner_book *book = fixture->book;
    open_book(fixture);
    miner_book_free(book, fixture->now);
    connect_as(fixture, 9, 1, "rig");
    judge(fixture, 9, STRATUM_ACCEPTED, 3);
    double rate = get_miner(fixture, 1).figures.hashrates[RATE_1M];
    assert_true(isfinite(rate));
    get_history(fixture, MINER_DAY);
    buffer_clear(&value);
}

static void idlest_address_is_forgotten_first(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t i = 1; i <= 4; i++) { // as many as there may be
        connect_as(fixture, i, i, "rig");
        pass_s(fixture, 10);
    }
    miner_book_gone(fixture->book, 3, fixture->now);
    pass_s(fixture, 10);
    miner_book_gone(fixture->book, 1, fixture->now);
    connect_as(fixture, 5, 5, "rig");
    assert_false(has_miner(fixture, 3));
    assert_true(has_miner(fixture, 1));
    connect_as(fixture, 6, 6, "rig");
    assert_false(has_miner(fixture, 1));
    connect_as(fixture, 7, 7, "rig"); // all others are connected: it is not told of
    assert_false(has_miner(fixture, 7));
    judge(fixture, 7, STRATUM_ACCEPTED, 1);
    miner_book_gone(fixture->book, 7, fixture->now);
    assert_int_equal(miner_book_count(fixture->book), 4);
}

static void workers_beyond_the_most_count_for_their_address(void **state)
{
    struct fixture *fixture = *state;
    struct worker_view worker;
    static const char *const names[] = {"a", "b", "c", "d"};
    for (uint64_t i = 0; i < 4; i++)
        connect_as(fixture, i + 1, 1, names[i]);
    judge(fixture, 4, STRATUM_ACCEPTED, 1);
    assert_int_equal(get_miner(fixture, 1).figures.shares[STRATUM_ACCEPTED], 1);
    assert_int_equal(get_miner(fixture, 1).connections, 4);
    assert_false(find_worker(fixture, 1, "d", &worker));
    miner_book_gone(fixture->book, 4, fixture->now);
    miner_book_gone(fixture->book, 2, fixture->now);
    connect_as(fixture, 5, 1, "e");
    assert_true(find_worker(fixture, 1, "e", &worker));
    assert_false(find_worker(fixture, 1, "b", &worker));
}

static void clock_that_is_set_back_breaks_nothing(void **state)
{
    struct fixture *fixture = *state;
    connect_as(fixture, 1, 1, "rig");
    judge(fixture, 1, STRATUM_ACCEPTED, 3);
    fixture->now.wall.ms -= 86400 * 1000;
    judge(fixture, 1, STRATUM_ACCEPTED, 3);
    struct stretch_list list = get_history(fixture, MINER_DAY);
    assert_int_equal(list.count, 144);
    assert_int_equal(list.items[143].accepted, 2);
    restart(fixture, 0);
    assert_int_equal(get_miner(fixture, 1).figures.shares[STRATUM_ACCEPTED], 2);
    assert_true(isfinite(get_miner(fixture, 1).figures.hashrates[RATE_1M]));
}

int main(void)
{
#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BOOK_TEST(figures_outlive_the_connection),
        BOOK_TEST(address_sums_up_its_workers),
        BOOK_TEST(history_has_a_place_for_every_ten_minutes_of_a_day),
        BOOK_TEST(what_is_older_than_the_history_falls_out_of_it),
        BOOK_TEST(restart_loses_nothing),
        BOOK_TEST(changes_are_kept_within_a_minute),
        BOOK_TEST(broken_record_is_no_reason_not_to_start),
        BOOK_TEST(idlest_address_is_forgotten_first),
        BOOK_TEST(workers_beyond_the_most_count_for_their_address),
        BOOK_TEST(clock_that_is_set_back_breaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
