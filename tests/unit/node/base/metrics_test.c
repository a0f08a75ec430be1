#include "node/base/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const verdicts[] = {"good", "bad", NULL};
static const double bounds[] = {0.25, 1, 2.5};

static const struct metric_spec plain_counter = {METRIC_COUNTER, "a_total", "Things.", NULL,
                                                 NULL,           NULL,      0};
static const struct metric_spec counter = {
    METRIC_COUNTER, "shares_total", "Shares by verdict.", "verdict", verdicts, NULL, 0};
static const struct metric_spec gauge = {METRIC_GAUGE, "level", "How high.", NULL, NULL, NULL, 0};
static const struct metric_spec histogram = {
    METRIC_HISTOGRAM, "wait_seconds", "How long.", NULL, NULL, bounds, 3};
static const struct metric_spec labelled_histogram = {
    METRIC_HISTOGRAM, "way_seconds", "How far.", "stage", verdicts, bounds, 3};

static int set_up(void **state)
{
    *state = metrics_new();
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    metrics_free(*state);
    return 0;
}

static struct metric *add(struct metrics *metrics, const struct metric_spec *spec)
{
    struct metric *metric = metrics_add(metrics, spec);
    assert_non_null(metric);
    return metric;
}

static void assert_text(const struct metrics *metrics, const char *wanted)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    metrics_write(metrics, &out);
    write_u8(&out, 0);
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, wanted);
    buffer_clear(&out);
}

static void nothing_registered_is_an_empty_text(void **state)
{
    assert_text(*state, "");
}

static void counter_adds_up_and_starts_at_zero(void **state)
{
    struct metric *plain = add(*state, &plain_counter);
    struct metric *labelled = add(*state, &counter);
    metric_count(plain, 0, 1);
    metric_count(plain, 0, 2.5);
    metric_count(labelled, 1, 7);
    assert_text(*state, "# HELP a_total Things.\n"
                        "# TYPE a_total counter\n"
                        "a_total 3.5\n"
                        "# HELP shares_total Shares by verdict.\n"
                        "# TYPE shares_total counter\n"
                        "shares_total{verdict=\"good\"} 0\n"
                        "shares_total{verdict=\"bad\"} 7\n");
}

static void counter_kept_elsewhere_is_set(void **state)
{
    struct metric *plain = add(*state, &plain_counter);
    metric_set(plain, 0, 40);
    metric_set(plain, 0, 41);
    assert_text(*state, "# HELP a_total Things.\n# TYPE a_total counter\na_total 41\n");
}

static void gauge_shows_the_last_number(void **state)
{
    struct metric *metric = add(*state, &gauge);
    metric_set(metric, 0, -3);
    metric_set(metric, 0, -4.25);
    assert_text(*state, "# HELP level How high.\n# TYPE level gauge\nlevel -4.25\n");
}

static void numbers_that_are_not_finite_have_their_words(void **state)
{
    struct metric *metric = add(*state, &gauge);
    metric_set(metric, 0, NAN);
    assert_text(*state, "# HELP level How high.\n# TYPE level gauge\nlevel NaN\n");
    metric_set(metric, 0, INFINITY);
    assert_text(*state, "# HELP level How high.\n# TYPE level gauge\nlevel +Inf\n");
    metric_set(metric, 0, -INFINITY);
    assert_text(*state, "# HELP level How high.\n# TYPE level gauge\nlevel -Inf\n");
}

// 2^53 - 1, the last number that counts by one; and one that has no short decimal form.
static void large_and_odd_numbers_read_back_as_they_were(void **state)
{
    struct metric *metric = add(*state, &gauge);
    metric_set(metric, 0, 9007199254740991.0);
    assert_text(*state, "# HELP level How high.\n# TYPE level gauge\nlevel 9007199254740991\n");
    metric_set(metric, 0, 0.1 + 0.2);
    assert_text(*state, "# HELP level How high.\n# TYPE level gauge\nlevel 0.30000000000000004\n");
    metric_set(metric, 0, 1e-9);
    assert_text(*state, "# HELP level How high.\n# TYPE level gauge\nlevel 1e-09\n");
}

static void buckets_are_cumulative_and_a_bound_belongs_to_its_bucket(void **state)
{
    struct metric *metric = add(*state, &histogram);
    metric_observe(metric, 0, 0.25); // le: less or equal
    metric_observe(metric, 0, 0.26);
    metric_observe(metric, 0, 1);
    metric_observe(metric, 0, 2.5);
    metric_observe(metric, 0, 2.75);
    metric_observe(metric, 0, INFINITY);
    assert_text(*state, "# HELP wait_seconds How long.\n"
                        "# TYPE wait_seconds histogram\n"
                        "wait_seconds_bucket{le=\"0.25\"} 1\n"
                        "wait_seconds_bucket{le=\"1\"} 3\n"
                        "wait_seconds_bucket{le=\"2.5\"} 4\n"
                        "wait_seconds_bucket{le=\"+Inf\"} 6\n"
                        "wait_seconds_sum +Inf\n"
                        "wait_seconds_count 6\n");
}

static void each_value_of_a_label_has_a_histogram_of_its_own(void **state)
{
    struct metric *metric = add(*state, &labelled_histogram);
    metric_observe(metric, 1, 0.5);
    metric_observe(metric, 1, 8);
    assert_text(*state, "# HELP way_seconds How far.\n"
                        "# TYPE way_seconds histogram\n"
                        "way_seconds_bucket{stage=\"good\",le=\"0.25\"} 0\n"
                        "way_seconds_bucket{stage=\"good\",le=\"1\"} 0\n"
                        "way_seconds_bucket{stage=\"good\",le=\"2.5\"} 0\n"
                        "way_seconds_bucket{stage=\"good\",le=\"+Inf\"} 0\n"
                        "way_seconds_sum{stage=\"good\"} 0\n"
                        "way_seconds_count{stage=\"good\"} 0\n"
                        "way_seconds_bucket{stage=\"bad\",le=\"0.25\"} 0\n"
                        "way_seconds_bucket{stage=\"bad\",le=\"1\"} 1\n"
                        "way_seconds_bucket{stage=\"bad\",le=\"2.5\"} 1\n"
                        "way_seconds_bucket{stage=\"bad\",le=\"+Inf\"} 2\n"
                        "way_seconds_sum{stage=\"bad\"} 8.5\n"
                        "way_seconds_count{stage=\"bad\"} 2\n");
}

// A pool's name is the operator's own word, and stands in a label.
static void help_and_values_are_escaped(void **state)
{
    static const char *const names[] = {"a\"b\\c\nd", NULL};
    const struct metric_spec spec = {METRIC_GAUGE, "info", "Say \"yes\",\nor \\no.", "name", names,
                                     NULL,         0};
    metric_set(add(*state, &spec), 0, 1);
    assert_text(*state, "# HELP info Say \"yes\",\\nor \\\\no.\n"
                        "# TYPE info gauge\n"
                        "info{name=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void writing_appends_and_a_full_buffer_says_so(void **state)
{
    uint8_t room[16];
    struct buffer out;
    add(*state, &plain_counter);
    buffer_init_fixed(&out, room, sizeof(room));
    metrics_write(*state, &out);
    assert_true(out.failed);
}

// ---- Our own bugs

static void add_name_twice(struct metrics *metrics)
{
    add(metrics, &gauge);
    add(metrics, &gauge);
}

static void add_bad_name(struct metrics *metrics)
{
    struct metric_spec spec = gauge;
    spec.name = "how-high";
    add(metrics, &spec);
}

static void add_too_many_values(struct metrics *metrics)
{
    const char *values[METRICS_LABELS_MAX + 2] = {NULL};
    struct metric_spec spec = counter;
    for (size_t i = 0; i <= METRICS_LABELS_MAX; i++)
        values[i] = "one";
    spec.values = values;
    add(metrics, &spec);
}

static void add_falling_buckets(struct metrics *metrics)
{
    static const double falling[] = {2, 1};
    struct metric_spec spec = histogram;
    spec.buckets = falling;
    spec.buckets_count = 2;
    add(metrics, &spec);
}

static void add_counter_with_buckets(struct metrics *metrics)
{
    struct metric_spec spec = counter;
    spec.buckets = bounds;
    spec.buckets_count = 3;
    add(metrics, &spec);
}

static void count_beyond_the_label(struct metrics *metrics)
{
    metric_count(add(metrics, &counter), 2, 1);
}

static void set_beyond_the_label(struct metrics *metrics)
{
    metric_set(add(metrics, &gauge), 1, 1);
}

static void observe_beyond_the_label(struct metrics *metrics)
{
    metric_observe(add(metrics, &labelled_histogram), 2, 1);
}

static void count_backwards(struct metrics *metrics)
{
    metric_count(add(metrics, &counter), 0, -1);
}

static void observe_nothing(struct metrics *metrics)
{
    metric_observe(add(metrics, &histogram), 0, NAN);
}

static void count_a_gauge(struct metrics *metrics)
{
    metric_count(add(metrics, &gauge), 0, 1);
}

static void assert_aborts(void (*run)(struct metrics *metrics))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); // cmocka catches it
        close(STDERR_FILENO);
        run(metrics_new());
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void our_own_mistakes_end_the_program(void **state)
{
    (void)state;
    assert_aborts(add_name_twice);
    assert_aborts(add_bad_name);
    assert_aborts(add_too_many_values);
    assert_aborts(add_falling_buckets);
    assert_aborts(add_counter_with_buckets);
    assert_aborts(count_beyond_the_label);
    assert_aborts(set_beyond_the_label);
    assert_aborts(observe_beyond_the_label);
    assert_aborts(count_backwards);
    assert_aborts(observe_nothing);
    assert_aborts(count_a_gauge);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_registered_is_an_empty_text),
        TEST(counter_adds_up_and_starts_at_zero),
        TEST(counter_kept_elsewhere_is_set),
        TEST(gauge_shows_the_last_number),
        TEST(numbers_that_are_not_finite_have_their_words),
        TEST(large_and_odd_numbers_read_back_as_they_were),
        TEST(buckets_are_cumulative_and_a_bound_belongs_to_its_bucket),
        TEST(each_value_of_a_label_has_a_histogram_of_its_own),
        TEST(help_and_values_are_escaped),
        TEST(writing_appends_and_a_full_buffer_says_so),
        TEST(our_own_mistakes_end_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
