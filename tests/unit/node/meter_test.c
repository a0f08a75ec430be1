// What a node counts, and the times between its stages by a clock that the test sets.
#include "node/meter.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/swarm_state.h"
#include "tests/unit/node/node_fixture.h"

#define MS       UINT64_C(1000000)
#define DOC      SHOAL_SOURCE_DIR "/docs/monitoring/README.md"
#define DOC_SIZE (64u << 10)
#define BEGIN    "<!-- metrics: begin -->\n"
#define END      "<!-- metrics: end -->\n"

static uint64_t *clock_ns(void)
{
    static uint64_t ns;
    return &ns;
}

static uint64_t read_clock(void)
{
    return *clock_ns();
}

static void pass(uint64_t ns)
{
    *clock_ns() += ns;
}

struct test {
    struct node_fixture fixture;
    struct meter *meter;
    struct buffer text;
};

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    node_fixture_open(&test->fixture);
    *clock_ns() = 7 * MS;
    test->meter = meter_new(&test->fixture.node, read_clock);
    assert_non_null(test->meter);
    test->fixture.node.meter = test->meter;
    buffer_init(&test->text, METER_SIZE_MAX);
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    meter_free(test->meter);
    buffer_clear(&test->text);
    node_fixture_close(&test->fixture);
    free(test);
    return 0;
}

static const char *write_all(struct test *test)
{
    buffer_reset(&test->text);
    meter_write(test->meter, &test->text);
    write_u8(&test->text, 0);
    assert_false(test->text.failed);
    return (const char *)test->text.data;
}

// Of one series, as it is written.
static double value_of(struct test *test, const char *series)
{
    char line[128];
    snprintf(line, sizeof(line), "\n%s ", series);
    const char *found = strstr(write_all(test), line);
    if (found == NULL)
        fail_msg("there is no %s", series);
    return strtod(found + strlen(line), NULL);
}

static void assert_value(struct test *test, const char *series, double wanted)
{
    double is = value_of(test, series);
    if (!(fabs(is - wanted) < 1e-9))
        fail_msg("%s is %.12g, not %.12g", series, is, wanted);
}

// ---- What others count

static void what_engines_count_is_read_when_asked(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    assert_value(test, "shoal_chain_height", 0);
    assert_true(isnan(value_of(test, "shoal_chain_tip_age_seconds")));
    node_fixture_grow(&test->fixture, 70, 10);
    struct sharechain_counts counts;
    sharechain_counts(node->sharechain, &counts);
    assert_true(counts.links >= 70);
    assert_value(test, "shoal_chain_height", (double)counts.links);
    assert_value(test, "shoal_chain_links", (double)counts.links);
    assert_value(test, "shoal_chain_shares", (double)counts.shares);
    assert_value(test, "shoal_chain_spacing_seconds", 30);
    assert_value(test, "shoal_store_health{state=\"healthy\"}", 1);
    assert_value(test, "shoal_store_health{state=\"disk_full\"}", 0);
    assert_value(test, "shoal_miners_served", 0);
    assert_value(test, "shoal_daemons{state=\"checking\"}", 1);
    assert_true(isnan(value_of(test, "shoal_daemon_latency_seconds{daemon=\"1\"}")));
    assert_true(isnan(value_of(test, "shoal_template_height")));
    assert_true(value_of(test, "process_open_fds") > 3);
    assert_true(value_of(test, "process_resident_memory_bytes") > 1 << 20);
    assert_true(value_of(test, "shoal_pool_hashrate_hashes_per_second") > 0);
    struct stratum_peer peer = {.family = 4};
    uint64_t session;
    assert_int_equal(stratum_connected(node->stratum, &peer, net_loop_now(node->loop), &session),
                     STRATUM_REFUSED_PAUSED);
    assert_value(test, "shoal_connections_refused_total{reason=\"no_work\"}", 1);
    assert_value(test, "shoal_connections_refused_total{reason=\"full\"}", 0);
}

static void blocks_are_counted_by_fate_and_place(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    node_fixture_grow(&test->fixture, 70, 10);
    for (size_t i = 0; i < 4; i++)
        node_fixture_find_block(&test->fixture);
    static const enum block_fate given[] = {BLOCK_ACCEPTED, BLOCK_KNOWN, BLOCK_STALE};
    for (size_t i = 0; i < 3; i++) {
        struct block_report report = {.hash = node->blocks[i].id, .fate = given[i], .reason = ""};
        blocks_result(node, &report);
    }
    blocks_moved(node, &node->blocks[1].id, BLOCK_PLACE_ORPHANED, 0);
    assert_value(test, "shoal_blocks_found_total", 4);
    assert_value(test, "shoal_blocks{fate=\"accepted\"}", 1);
    assert_value(test, "shoal_blocks{fate=\"known\"}", 1);
    assert_value(test, "shoal_blocks{fate=\"stale\"}", 1);
    assert_value(test, "shoal_blocks{fate=\"rejected\"}", 0);
    assert_value(test, "shoal_blocks{fate=\"open\"}", 1);
    assert_value(test, "shoal_blocks_placed{place=\"in_chain\"}", 1);
    assert_value(test, "shoal_blocks_placed{place=\"orphaned\"}", 1);
}

static void tip_changes_that_leave_links_are_reorganisations(void **state)
{
    struct test *test = *state;
    meter_tip_changed(test->meter, 0);
    assert_value(test, "shoal_chain_reorganisations_total", 0);
    meter_tip_changed(test->meter, 3);
    meter_tip_changed(test->meter, 1);
    assert_value(test, "shoal_chain_reorganisations_total", 2);
    assert_value(test, "shoal_chain_links_left_total", 4);
}

// ---- Submits

static void answer_is_measured_from_the_first_read_of_its_turn_to_the_write(void **state)
{
    struct test *test = *state;
    meter_received(test->meter);
    pass(MS);
    meter_received(test->meter); // another miner in the same turn
    uint64_t mark = meter_submit_arrived(test->meter);
    pass(MS);
    meter_submit_answered(test->meter, mark);
    assert_value(test, "shoal_submit_answer_seconds_count", 0);
    pass(MS);
    meter_sent(test->meter);
    assert_value(test, "shoal_submit_answer_seconds_count", 1);
    assert_value(test, "shoal_submit_answer_seconds_sum", 0.003);
    assert_value(test, "shoal_submit_answer_seconds_bucket{le=\"0.0025\"}", 0);
    assert_value(test, "shoal_submit_answer_seconds_bucket{le=\"0.005\"}", 1);
    meter_sent(test->meter); // a job: nothing waits
    assert_value(test, "shoal_submit_answer_seconds_count", 1);
}

static void answer_that_waits_for_the_disk_is_measured_over_turns(void **state)
{
    struct test *test = *state;
    meter_received(test->meter);
    uint64_t mark = meter_submit_arrived(test->meter);
    meter_turn_ended(test->meter);
    pass(20 * MS);
    meter_received(test->meter);
    meter_submit_answered(test->meter, mark);
    meter_sent(test->meter);
    assert_value(test, "shoal_submit_answer_seconds_sum", 0.02);
}

static void more_answers_in_one_write_than_are_kept_are_counted_all(void **state)
{
    struct test *test = *state;
    meter_received(test->meter);
    for (size_t i = 0; i < 1000; i++)
        meter_submit_answered(test->meter, meter_submit_arrived(test->meter));
    meter_sent(test->meter);
    assert_value(test, "shoal_submit_answer_seconds_count", 1000);
}

// ---- New blocks

#define NEW_BLOCK(stage) "shoal_new_block_seconds_" stage

static void new_block_is_measured_from_its_template_to_the_last_miner(void **state)
{
    struct test *test = *state;
    meter_template_seen(test->meter, true);
    pass(MS);
    meter_template_seen(test->meter, false); // more fees
    pass(MS);
    meter_work_made(test->meter, true);
    for (size_t i = 0; i < 3; i++) {
        pass(MS);
        meter_sent(test->meter);
    }
    meter_work_told(test->meter);
    pass(MS);
    meter_sent(test->meter); // later jobs are no part of it
    assert_value(test, NEW_BLOCK("sum{stage=\"work_made\"}"), 0.002);
    assert_value(test, NEW_BLOCK("sum{stage=\"first_notified\"}"), 0.003);
    assert_value(test, NEW_BLOCK("sum{stage=\"last_notified\"}"), 0.005);
    assert_value(test, NEW_BLOCK("count{stage=\"last_notified\"}"), 1);
    assert_value(test, "shoal_templates_total{kind=\"new_block\"}", 1);
    assert_value(test, "shoal_templates_total{kind=\"refresh\"}", 1);
}

static void work_on_the_same_block_is_not_measured(void **state)
{
    struct test *test = *state;
    meter_template_seen(test->meter, false);
    meter_work_made(test->meter, false);
    meter_sent(test->meter);
    meter_work_told(test->meter);
    meter_work_made(test->meter, true); // of a pause that ended: its template is long known
    meter_sent(test->meter);
    meter_work_told(test->meter);
    assert_value(test, NEW_BLOCK("count{stage=\"work_made\"}"), 0);
    assert_value(test, NEW_BLOCK("count{stage=\"first_notified\"}"), 0);
    assert_value(test, NEW_BLOCK("count{stage=\"last_notified\"}"), 0);
}

static void new_block_without_miners_has_no_miner_notified(void **state)
{
    struct test *test = *state;
    meter_template_seen(test->meter, true);
    meter_work_made(test->meter, true);
    meter_work_told(test->meter);
    meter_sent(test->meter);
    assert_value(test, NEW_BLOCK("count{stage=\"work_made\"}"), 1);
    assert_value(test, NEW_BLOCK("count{stage=\"first_notified\"}"), 0);
    assert_value(test, NEW_BLOCK("count{stage=\"last_notified\"}"), 0);
}

// ---- Shares to peers

#define PEERS 3

struct peers {
    struct swarm *swarm;
    struct swarm_stream streams[PEERS];
};

static void peers_open(struct peers *peers, const struct test *test)
{
    peers->swarm = calloc(1, sizeof(*peers->swarm));
    assert_non_null(peers->swarm);
    peers->swarm->streams = map_new(&test->fixture.node.env);
    for (uint32_t i = 0; i < PEERS; i++) {
        struct hash256 key = {{0}};
        uint32_t number = i + 1;
        memcpy(key.bytes, &number, sizeof(number));
        peers->streams[i] = (struct swarm_stream){.swarm = peers->swarm, .number = number};
        map_set(peers->swarm->streams, &key, &peers->streams[i]);
        assert_ptr_equal(swarm_stream_find(peers->swarm, number), &peers->streams[i]);
        peers->swarm->peers[2 * i].number = number; // with empty places between
    }
}

static void peers_close(struct peers *peers)
{
    map_free(peers->swarm->streams);
    free(peers->swarm);
}

static void tell_share(struct test *test, const struct peers *peers)
{
    test->fixture.node.share_found_ns = read_clock();
    meter_share_told(test->meter, peers->swarm);
}

#define RELAY(stage) "shoal_share_relay_seconds_" stage

static void share_is_measured_to_the_first_and_the_last_peer(void **state)
{
    struct test *test = *state;
    struct peers peers;
    peers_open(&peers, test);
    meter_stream_written(test->meter, &peers.streams[0]); // something else, before
    tell_share(test, &peers);
    for (size_t i = 0; i < PEERS; i++) {
        pass(MS);
        meter_stream_written(test->meter, &peers.streams[i]);
        meter_stream_written(test->meter, &peers.streams[i]);
    }
    assert_value(test, RELAY("count{stage=\"first_peer\"}"), 1);
    assert_value(test, RELAY("sum{stage=\"first_peer\"}"), 0.001);
    assert_value(test, RELAY("count{stage=\"last_peer\"}"), 1);
    assert_value(test, RELAY("sum{stage=\"last_peer\"}"), 0.003);
    peers_close(&peers);
}

static void shares_overtake_each_other_in_one_write(void **state)
{
    struct test *test = *state;
    struct peers peers;
    peers_open(&peers, test);
    tell_share(test, &peers);
    pass(MS);
    meter_stream_written(test->meter, &peers.streams[0]);
    tell_share(test, &peers);
    pass(MS);
    for (size_t i = 0; i < PEERS; i++) // both shares to the last two
        meter_stream_written(test->meter, &peers.streams[i]);
    assert_value(test, RELAY("sum{stage=\"first_peer\"}"), 0.001 + 0.001);
    assert_value(test, RELAY("count{stage=\"last_peer\"}"), 2);
    assert_value(test, RELAY("sum{stage=\"last_peer\"}"), 0.002 + 0.001);
    peers_close(&peers);
}

static void peer_that_goes_is_not_waited_for(void **state)
{
    struct test *test = *state;
    struct peers peers;
    peers_open(&peers, test);
    tell_share(test, &peers);
    pass(MS);
    meter_stream_gone(test->meter, &peers.streams[1]);
    meter_stream_written(test->meter, &peers.streams[0]);
    pass(MS);
    meter_stream_written(test->meter, &peers.streams[2]);
    assert_value(test, RELAY("sum{stage=\"last_peer\"}"), 0.002);
    tell_share(test, &peers);
    for (size_t i = 0; i < PEERS; i++) // stream 1 is in the list of peers still
        meter_stream_gone(test->meter, &peers.streams[i]);
    assert_value(test, RELAY("count{stage=\"first_peer\"}"), 1);
    assert_value(test, RELAY("count{stage=\"last_peer\"}"), 1);
    peers_close(&peers);
}

// What is beyond the places is not measured; places come back.
static void shares_that_nobody_takes_do_not_pile_up(void **state)
{
    struct test *test = *state;
    struct peers peers;
    peers_open(&peers, test);
    for (size_t i = 0; i < 100; i++)
        tell_share(test, &peers);
    for (size_t i = 0; i < PEERS; i++)
        meter_stream_written(test->meter, &peers.streams[i]);
    assert_value(test, RELAY("count{stage=\"last_peer\"}"), 32);
    tell_share(test, &peers);
    for (size_t i = 0; i < PEERS; i++)
        meter_stream_written(test->meter, &peers.streams[i]);
    assert_value(test, RELAY("count{stage=\"last_peer\"}"), 33);
    peers_close(&peers);
}

static void share_without_peers_is_not_measured(void **state)
{
    struct test *test = *state;
    struct peers peers;
    peers_open(&peers, test);
    memset(peers.swarm->peers, 0, sizeof(peers.swarm->peers));
    tell_share(test, &peers);
    assert_value(test, RELAY("count{stage=\"first_peer\"}"), 0);
    assert_value(test, RELAY("count{stage=\"last_peer\"}"), 0);
    peers_close(&peers);
}

// ---- Everything else

static void block_is_measured_to_the_first_answer(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    node_fixture_grow(&test->fixture, 70, 10);
    for (size_t i = 0; i < 3; i++)
        node_fixture_find_block(&test->fixture);
    node->blocks[0].found_ns = read_clock();
    node->blocks[1].found_ns = read_clock();
    pass(40 * MS);
    struct block_report report = {.hash = node->blocks[0].id, .fate = BLOCK_ACCEPTED, .reason = ""};
    blocks_result(node, &report);
    pass(MS);
    blocks_result(node, &report); // a second daemon
    report.hash = node->blocks[1].id;
    report.fate = BLOCK_UNREACHABLE; // nobody answered
    blocks_result(node, &report);
    report.hash = node->blocks[2].id; // of an earlier life
    report.fate = BLOCK_ACCEPTED;
    blocks_result(node, &report);
    assert_value(test, "shoal_block_answer_seconds_count", 1);
    assert_value(test, "shoal_block_answer_seconds_sum", 0.04);
}

// Two commits that wait to be told.
static bool next_commit(struct store *store, struct store_commit *commit)
{
    static unsigned given;
    (void)store;
    *commit = (struct store_commit){.duration_us = 1500, .bytes = 1000};
    given++;
    return given <= 2;
}

static void commits_are_counted_when_the_store_rings(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    struct store *real = node->store;
    const struct store_kind kind = {.next_commit = next_commit};
    struct store told = {.kind = &kind};
    node->store = &told;
    meter_store_woken(test->meter);
    node->store = real;
    assert_value(test, "shoal_store_commit_seconds_count", 2);
    assert_value(test, "shoal_store_commit_seconds_sum", 0.003);
    assert_value(test, "shoal_store_committed_bytes_total", 2000);
}

static void turn_is_measured_from_the_end_of_the_last(void **state)
{
    struct test *test = *state;
    meter_turn_ended(test->meter); // nobody knows when the first began
    assert_value(test, "shoal_loop_turn_seconds_count", 0);
    pass(30 * MS);
    meter_turn_ended(test->meter);
    assert_value(test, "shoal_loop_turn_seconds_count", 1);
    assert_value(test, "shoal_loop_turn_seconds_sum", 0.03);
}

static void pool_with_an_odd_name_is_one_series(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    meter_free(test->meter);
    snprintf(test->fixture.pool.name, sizeof(test->fixture.pool.name), "a\"b\\");
    test->meter = meter_new(node, read_clock);
    node->meter = test->meter;
    assert_value(test, "shoal_pool_info{pool=\"a\\\"b\\\\\"}", 1);
}

static void each_daemon_has_its_series_and_no_other(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    meter_free(test->meter);
    test->fixture.config.daemon.count = 2;
    test->meter = meter_new(node, read_clock);
    node->meter = test->meter;
    assert_value(test, "shoal_daemon_ready{daemon=\"2\"}", 0);
    assert_null(strstr(write_all(test), "daemon=\"3\""));
}

// ---- The table of the documentation

// Up to the next newline, or the given character; *at is behind it.
static size_t take_until(const char **at, char end)
{
    size_t size = strcspn(*at, (const char[]){end, '\n', '\0'});
    *at += size + ((*at)[size] != '\0');
    return size;
}

// Three lines: HELP with the meaning, TYPE with the kind, and the first sample with the label.
static void write_row(const char **at, struct buffer *out)
{
    *at += strlen("# HELP ");
    const char *name = *at;
    size_t name_size = take_until(at, ' ');
    const char *help = *at;
    size_t help_size = take_until(at, '\n');
    *at += strlen("# TYPE ") + name_size + 1;
    const char *kind = *at;
    size_t kind_size = take_until(at, '\n');
    const char *label = *at + strcspn(*at, "{ ");
    size_t label_size = *label == '{' ? strcspn(label + 1, "=") : 0;
    bool has_label = label_size > 0 && strncmp(label + 1, "le=", 3) != 0;
    write_format(out, "| `%.*s` | %.*s | %.*s | ", (int)name_size, name, (int)kind_size, kind,
                 has_label ? (int)label_size : 0, label + 1);
    write_bytes(out, help, help_size);
    write_text(out, " |\n");
}

static void write_table(const char *text, struct buffer *out)
{
    write_text(out, "| name | kind | label | what |\n|---|---|---|---|\n");
    for (const char *at = text; *at != '\0';) {
        if (strncmp(at, "# HELP ", 7) == 0)
            write_row(&at, out);
        else
            take_until(&at, '\n');
    }
    write_u8(out, 0);
}

static void documentation_lists_every_metric(void **state)
{
    struct test *test = *state;
    struct buffer table;
    buffer_init(&table, DOC_SIZE);
    write_table(write_all(test), &table);
    assert_false(table.failed);
    char *doc = calloc(1, DOC_SIZE);
    FILE *file = fopen(DOC, "r");
    assert_non_null(doc);
    assert_non_null(file);
    assert_in_range(fread(doc, 1, DOC_SIZE - 1, file), 1, DOC_SIZE - 2);
    fclose(file);
    char *begin = strstr(doc, BEGIN);
    char *end = strstr(doc, END);
    assert_true(begin != NULL && end != NULL);
    *end = '\0';
    if (strcmp(begin + strlen(BEGIN), (const char *)table.data) != 0) {
        fputs((const char *)table.data, stdout);
        fail_msg("%s: the table between the marks is not this one", DOC);
    }
    free(doc);
    buffer_clear(&table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_engines_count_is_read_when_asked),
        TEST(blocks_are_counted_by_fate_and_place),
        TEST(tip_changes_that_leave_links_are_reorganisations),
        TEST(answer_is_measured_from_the_first_read_of_its_turn_to_the_write),
        TEST(answer_that_waits_for_the_disk_is_measured_over_turns),
        TEST(more_answers_in_one_write_than_are_kept_are_counted_all),
        TEST(new_block_is_measured_from_its_template_to_the_last_miner),
        TEST(work_on_the_same_block_is_not_measured),
        TEST(new_block_without_miners_has_no_miner_notified),
        TEST(share_is_measured_to_the_first_and_the_last_peer),
        TEST(shares_overtake_each_other_in_one_write),
        TEST(peer_that_goes_is_not_waited_for),
        TEST(shares_that_nobody_takes_do_not_pile_up),
        TEST(share_without_peers_is_not_measured),
        TEST(block_is_measured_to_the_first_answer),
        TEST(commits_are_counted_when_the_store_rings),
        TEST(turn_is_measured_from_the_end_of_the_last),
        TEST(pool_with_an_odd_name_is_one_series),
        TEST(each_daemon_has_its_series_and_no_other),
        TEST(documentation_lists_every_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
