// What a session costs, counted at the allocator: this program is linked with its own malloc and
// friends in between.
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "stratum/engine.h"
#include "tests/unit/stratum/rig.h"

#define SESSIONS        1000
#define TRANSPORT_SHARE 2048 // of the 8 KB that an idle connection may cost

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

// Volatile: the compiler believes that malloc looks at nothing of ours.
struct heap {
    volatile int64_t bytes;
    volatile int64_t fails_in; // allocations until one fails; negative for never
};

static struct heap *heap(void)
{
    static struct heap counted = {0, -1};
    return &counted;
}

// With what the allocator keeps beside each block.
static int64_t cost_of(void *memory)
{
    return memory == NULL ? 0 : (int64_t)malloc_usable_size(memory) + 8;
}

static bool must_fail(void)
{
    return heap()->fails_in >= 0 && heap()->fails_in-- == 0;
}

void *__wrap_malloc(size_t size)
{
    void *memory = must_fail() ? NULL : __real_malloc(size);
    heap()->bytes += cost_of(memory);
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = must_fail() ? NULL : __real_calloc(count, size);
    heap()->bytes += cost_of(memory);
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    int64_t before = cost_of(memory);
    void *larger = must_fail() ? NULL : __real_realloc(memory, size);
    if (larger != NULL) {
        heap()->bytes += cost_of(larger) - before;
    }
    return larger;
}

void __wrap_free(void *memory)
{
    heap()->bytes -= cost_of(memory);
    __real_free(memory);
}

static void open_miner(struct rig *rig)
{
    struct rig_miner *miner = calloc(1, sizeof(*miner));
    assert_non_null(miner);
    miner->rig = rig;
    miner->session = rig_connect(rig, "192.0.2.7");
    rig_send(rig, miner->session,
             "{\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],{}]}");
    rig_take(rig, miner->session);
    rig_miner_begin(miner, "a user agent of a usual length/1.2.3",
                    RIG_ADDRESS ".a-worker-with-a-rather-long-name", NULL);
    free(miner);
}

static void drop_output(struct rig *rig)
{
    for (size_t i = 0; i < rig->taps_count; i++) {
        rig_take(rig, rig->taps[i].session);
    }
}

// Bytes that one more session costs, when all have been given eight jobs.
static int64_t cost_of_session(struct rig *rig)
{
    open_miner(rig);
    for (size_t i = 0; i < LIMIT_SESSION_JOBS; i++) {
        rig_work_sized(rig, 0x22, false, 2000, 12);
    }
    drop_output(rig);
    int64_t before = heap()->bytes;
    for (size_t i = 0; i < SESSIONS; i++) {
        open_miner(rig);
        drop_output(rig);
    }
    for (size_t i = 0; i < LIMIT_SESSION_JOBS; i++) {
        rig_work_sized(rig, 0x22, false, 2000, 12);
        drop_output(rig);
    }
    rig_take(rig, rig->taps[0].session);
    return (heap()->bytes - before) / SESSIONS;
}

static struct rig *large_rig(void)
{
    struct rig *rig = rig_new("regtest");
    rig->config.coinbase_size_max = 2274;
    rig->config.sessions_max = 2 * SESSIONS;
    rig->config.connections_per_second = 1e9;
    return rig;
}

static void idle_session_with_all_its_jobs_stays_within_its_share(void **state)
{
    (void)state;
    struct rig *rig = large_rig();
    rig_start(rig);
    int64_t cost = cost_of_session(rig);
    print_message("an idle session with %d jobs: %lld bytes\n", LIMIT_SESSION_JOBS,
                  (long long)cost);
    assert_true(cost > 1000 && cost <= 8192 - TRANSPORT_SHARE);
    rig_free(rig);
}

static void idle_session_with_prefixes_of_its_own_stays_within_it_too(void **state)
{
    (void)state;
    static char prefix[256];
    struct rig *rig = large_rig();
    memset(prefix, 'p', 240);
    rig->own_prefix = prefix;
    rig_start(rig);
    int64_t cost = cost_of_session(rig);
    print_message("the same with own prefixes: %lld bytes\n", (long long)cost);
    assert_true(cost <= 8192 - TRANSPORT_SHARE);
    rig_free(rig);
}

static void everything_is_given_back(void **state)
{
    (void)state;
    int64_t before = heap()->bytes;
    struct rig *rig = large_rig();
    rig_start(rig);
    for (size_t i = 0; i < 50; i++) {
        struct rig_miner miner = rig_miner_open(rig, "test/1");
        rig->next_sequence = 1;
        rig_miner_share(&miner);
        rig_send_bytes(rig, miner.session, "{\"id\":", 6);
        if (i % 2 == 0) {
            stratum_disconnected(rig->stratum, miner.session, rig->now);
        }
    }
    rig_free(rig);
    assert_int_equal(heap()->bytes, before);
}

// Every allocation fails once: nothing breaks, and what went wrong is over.
static void each_failing_allocation_is_survived(void **state)
{
    (void)state;
    size_t rounds = 0;
    bool was_hit = true;
    for (int64_t fails_in = 0; was_hit && fails_in < 500; fails_in++) {
        struct rig *rig = large_rig();
        rig_start(rig);
        uint64_t session = 0;
        static const char lines[] =
            "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test/1\"]}\n"
            "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS "\",\"x\"]}\n"
            "{\"id\":3,\"method\":\"mining.submit\",\"params\":[\"a\",\"1\",\"0\",\"0\",\"0\"]}\n"
            "{\"id\":4,";
        struct stratum_peer peer = {.family = 4, .bytes = {192, 0, 2, 1}};
        rig->taps_count = 0;
        // The rig allocates too: it must not be hit, so its tap is made large enough before.
        heap()->fails_in = -1;
        uint64_t warm = rig_connect(rig, "192.0.2.2");
        heap()->fails_in = fails_in;
        enum stratum_refusal refusal = stratum_connected(rig->stratum, &peer, rig->now, &session);
        if (refusal == STRATUM_CONNECTED) {
            int64_t left = heap()->fails_in;
            heap()->fails_in = -1;
            rig->taps[rig->taps_count++] =
                (struct rig_tap){.session = session, .text = malloc(65536), .capacity = 65536};
            heap()->fails_in = left;
            stratum_receive(rig->stratum, session, lines, sizeof(lines) - 1, rig->now);
        } else {
            assert_int_equal(refusal, STRATUM_REFUSED_MEMORY);
        }
        was_hit = heap()->fails_in < 0;
        heap()->fails_in = -1;
        rounds++;
        rig_work(rig, 0x22, true);
        rig_pass_ms(rig, 1000);
        rig_assert_open(rig, warm);
        rig_free(rig);
    }
    assert_false(was_hit);
    assert_true(rounds > 5);
}

int main(void)
{
    _Static_assert(sizeof(struct session) <= 2048, "half of what a session may cost is its jobs");
    _Static_assert(sizeof(struct job) <= 384, "a session keeps eight of them");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_session_with_all_its_jobs_stays_within_its_share),
        cmocka_unit_test(idle_session_with_prefixes_of_its_own_stays_within_it_too),
        cmocka_unit_test(everything_is_given_back),
        cmocka_unit_test(each_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
