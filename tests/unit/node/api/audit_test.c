// The audit log: its lines, their numbers, its size, a disk that takes nothing.
#include "node/api/audit.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#define NOW ((struct now){.mono = {5000}, .wall = {1700000000123}})

struct fixture {
    char folder[64];
    char path[128], old_path[160];
    struct audit *audit;
    struct api_problem problem;
    struct buffer text;
};

static void reopen(struct fixture *fixture, uint64_t size_max)
{
    char error[API_PROBLEM_SIZE];
    audit_close(fixture->audit);
    fixture->audit = audit_open(fixture->path, size_max, error);
    assert_non_null(fixture->audit);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/shoal-audit-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/audit.log", fixture->folder);
    snprintf(fixture->old_path, sizeof(fixture->old_path), "%s.1", fixture->path);
    buffer_init(&fixture->text, 1 << 20);
    reopen(fixture, AUDIT_SIZE_MAX);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    audit_close(fixture->audit);
    unlink(fixture->path);
    unlink(fixture->old_path);
    rmdir(fixture->folder);
    buffer_clear(&fixture->text);
    free(fixture);
    return 0;
}

static bool write_what(struct fixture *fixture, const char *what)
{
    struct api_identity who = {.name = "alice", .address = "192.0.2.1"};
    struct audit_entry entry = {&who, "drain", what, "done"};
    return audit_write(fixture->audit, &entry, true, NOW, &fixture->problem);
}

// The document's members as text.
static const char *list(struct fixture *fixture, uint64_t from, uint64_t limit)
{
    struct json_writer writer;
    buffer_reset(&fixture->text);
    json_writer_init(&writer, &fixture->text);
    json_begin_object(&writer, NULL);
    audit_list(fixture->audit, from, limit, &writer);
    json_end_object(&writer);
    write_u8(&fixture->text, '\0');
    return (const char *)fixture->text.data;
}

static void read_log(const struct fixture *fixture, char *out, size_t capacity)
{
    FILE *file = fopen(fixture->path, "rb");
    assert_non_null(file);
    size_t size = fread(out, 1, capacity - 1, file);
    out[size] = '\0';
    fclose(file);
}

static void append_raw(const struct fixture *fixture, const char *text)
{
    FILE *file = fopen(fixture->path, "ab");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static void line_says_who_whence_what_and_the_result(void **state)
{
    struct fixture *fixture = *state;
    struct api_identity who = {.name = "bob", .token = "00112233445566ff", .address = "::1"};
    struct audit_entry entry = {&who, "peers/ban", "address=\"<b>\n\"", "done"};
    char text[1024];
    struct stat status;
    assert_true(audit_write(fixture->audit, &entry, true, NOW, &fixture->problem));
    read_log(fixture, text, sizeof(text));
    assert_string_equal(text, "{\"number\":1,\"at\":1700000000,\"who\":\"bob\",\"token\":"
                              "\"00112233445566ff\",\"from\":\"::1\",\"action\":\"peers/ban\","
                              "\"what\":\"address=\\\"<b>\\n\\\"\",\"result\":\"done\"}\n");
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void entries_come_newest_first_in_pages(void **state)
{
    struct fixture *fixture = *state;
    char what[2] = "a";
    for (; what[0] <= 'e'; what[0]++)
        assert_true(write_what(fixture, what));
    const char *text = list(fixture, 0, 2);
    assert_non_null(strstr(text, "{\"entries\":[{\"number\":5,"));
    assert_non_null(strstr(text, "{\"number\":4,"));
    assert_null(strstr(text, "{\"number\":3,"));
    assert_non_null(strstr(text, "\"next\":3}"));
    text = list(fixture, 3, 2);
    assert_non_null(strstr(text, "{\"entries\":[{\"number\":3,"));
    assert_non_null(strstr(text, "\"next\":1}"));
    text = list(fixture, 1, 2);
    assert_non_null(strstr(text, "{\"entries\":[{\"number\":1,"));
    assert_non_null(strstr(text, "\"what\":\"a\""));
    assert_non_null(strstr(text, "\"next\":null}"));
}

static void numbers_go_on_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    assert_true(write_what(fixture, "a"));
    assert_true(write_what(fixture, "b"));
    reopen(fixture, AUDIT_SIZE_MAX);
    assert_true(write_what(fixture, "c"));
    assert_non_null(strstr(list(fixture, 0, 9), "{\"entries\":[{\"number\":3,"));
}

static void line_that_was_cut_off_spoils_no_other(void **state)
{
    struct fixture *fixture = *state;
    assert_true(write_what(fixture, "a"));
    append_raw(fixture, "{\"number\":2,\"at\":17");
    reopen(fixture, AUDIT_SIZE_MAX);
    assert_true(write_what(fixture, "b"));
    append_raw(fixture, "nonsense\n{\"number\":\"x\"}\n\n");
    const char *text = list(fixture, 0, 9);
    assert_non_null(strstr(text, "{\"entries\":[{\"number\":2,"));
    assert_non_null(strstr(text, "\"what\":\"b\""));
    assert_non_null(strstr(text, "{\"number\":1,"));
    assert_non_null(strstr(text, "\"next\":null}"));
}

static void full_log_becomes_the_old_one(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;
    reopen(fixture, 1000);
    for (int i = 0; i < 12; i++)
        assert_true(write_what(fixture, "x"));
    assert_int_equal(stat(fixture->old_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(status.st_size <= 1000);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_true(status.st_size <= 1000);
    const char *text = list(fixture, 0, 12); // goes on in the old one
    assert_non_null(strstr(text, "{\"entries\":[{\"number\":12,"));
    assert_non_null(strstr(text, "{\"number\":6,"));
    assert_non_null(strstr(text, "\"next\":null}"));
    reopen(fixture, 1000);
    assert_true(write_what(fixture, "y"));
    assert_non_null(strstr(list(fixture, 0, 1), "{\"number\":13,"));
}

static void log_that_was_moved_away_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    char text[1024];
    assert_true(write_what(fixture, "a"));
    assert_int_equal(unlink(fixture->path), 0);
    assert_true(write_what(fixture, "b"));
    read_log(fixture, text, sizeof(text));
    assert_non_null(strstr(text, "{\"number\":2,"));
}

// A limit of the process stands for the full disk: a write is short, or fails.
static void full_disk_leaves_no_half_of_a_line(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit old, tight;
    char before[4096], after[4096];
    signal(SIGXFSZ, SIG_IGN);
    assert_true(write_what(fixture, "a"));
    read_log(fixture, before, sizeof(before));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = (struct rlimit){.rlim_cur = strlen(before) + 10, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    bool was_written = write_what(fixture, "b");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(was_written);
    assert_int_equal(fixture->problem.status, 503);
    assert_non_null(strstr(fixture->problem.detail, fixture->path));
    read_log(fixture, after, sizeof(after));
    assert_string_equal(after, before);
    assert_true(write_what(fixture, "c"));
    assert_non_null(strstr(list(fixture, 0, 9), "{\"number\":2,"));
}

static void folder_that_is_not_there_is_said(void **state)
{
    (void)state;
    char error[API_PROBLEM_SIZE];
    assert_null(audit_open("/nowhere/at/all/audit.log", AUDIT_SIZE_MAX, error));
    assert_non_null(strstr(error, "/nowhere/at/all/audit.log"));
}

int main(void)
{
#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        AUDIT_TEST(line_says_who_whence_what_and_the_result),
        AUDIT_TEST(entries_come_newest_first_in_pages),
        AUDIT_TEST(numbers_go_on_after_a_restart),
        AUDIT_TEST(line_that_was_cut_off_spoils_no_other),
        AUDIT_TEST(full_log_becomes_the_old_one),
        AUDIT_TEST(log_that_was_moved_away_is_made_anew),
        AUDIT_TEST(full_disk_leaves_no_half_of_a_line),
        cmocka_unit_test(folder_that_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
