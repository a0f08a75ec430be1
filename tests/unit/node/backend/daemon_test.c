// Where a daemon is and how it lets us in: urls, users, cookie files, and that no secret is shown.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/node/backend/harness.h"

static bool is_refused(struct world *world)
{
    return strstr(world_daemon_view(world, 0).error, "refuses the user and password") != NULL;
}

static void user_and_password_are_taken_from_the_config(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world.config.daemons[0].user = "alice";
    world.config.daemons[0].password = "opensesame";
    // echo -n alice:opensesame | base64
    fake_daemon_settings(world.daemons[0])->authorization = "Basic YWxpY2U6b3BlbnNlc2FtZQ==";
    world_start(&world);
    world_run_until(&world, has_work);
    world_clear(&world);
}

static void user_and_password_are_taken_from_the_url_and_never_shown(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    snprintf(world.urls[0], sizeof(world.urls[0]), "http://alice:opensesame@127.0.0.1:%u",
             world.ports[0]);
    fake_daemon_settings(world.daemons[0])->authorization = "Basic YWxpY2U6b3BlbnNlc2FtZQ==";
    world_hurry(&world);
    world_start(&world);
    world_run_until(&world, has_work);
    fake_daemon_settings(world.daemons[0])->authorization = "Basic b3RoZXI=";
    world_run_until(&world, is_refused);
    world_kill(&world, 0);
    world_run_until(&world, is_unsafe);
    struct daemon_view view = world_daemon_view(&world, 0);
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "http://127.0.0.1:%u/", world.ports[0]);
    assert_string_equal(view.url, wanted);
    assert_null(strstr(view.error, "opensesame"));
    assert_null(strstr(world.unsafe_reason, "opensesame"));
    assert_int_equal(world_log_count(&world, "opensesame"), 0);
    assert_int_equal(world_log_count(&world, "alice"), 0);
    assert_true(world_log_count(&world, wanted) > 0);
    world_clear(&world);
}

static void write_file(const char *path, const char *text)
{
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
}

static bool has_error(struct world *world)
{
    return world_daemon_view(world, 0).error[0] != '\0';
}

static void cookie_file_is_read_and_read_again_when_the_daemon_starts_anew(void **state)
{
    (void)state;
    struct world world;
    char path[64];
    snprintf(path, sizeof(path), "/tmp/shoal-cookie-test-%d", (int)getpid());
    unlink(path);
    world_init(&world, 1);
    world.config.daemons[0].cookie_file = path;
    // echo -n __cookie__:one | base64; the same with two
    fake_daemon_settings(world.daemons[0])->authorization = "Basic X19jb29raWVfXzpvbmU=";
    world_start(&world);
    world_run_until(&world, has_error);
    assert_non_null(strstr(world_daemon_view(&world, 0).error, "cannot read the cookie file"));
    assert_non_null(strstr(world_daemon_view(&world, 0).error, "No such file"));
    write_file(path, "__cookie__:one\n");
    world_run_until(&world, has_work);

    uint64_t failures = world_daemon_view(&world, 0).failures_count;
    write_file(path, "__cookie__:two");
    fake_daemon_settings(world.daemons[0])->authorization = "Basic X19jb29raWVfXzp0d28=";
    world_run_for(&world, 200);
    assert_int_equal(world.unsafe_count, 0);
    assert_int_equal(world_daemon_view(&world, 0).failures_count, failures); // not even noticed

    fake_daemon_settings(world.daemons[0])->authorization = "Basic b3RoZXI=";
    world_run_until(&world, is_refused);
    assert_non_null(strstr(world_daemon_view(&world, 0).error, "cookie file is this daemon's"));
    unlink(path);
    world_clear(&world);
}

static void file_that_is_no_cookie_is_told(void **state)
{
    (void)state;
    struct world world;
    char path[64];
    snprintf(path, sizeof(path), "/tmp/shoal-cookie-test-%d", (int)getpid());
    write_file(path, "no colon here\n");
    world_init(&world, 1);
    world.config.daemons[0].cookie_file = path;
    world_start(&world);
    world_run_until(&world, has_error);
    assert_non_null(strstr(world_daemon_view(&world, 0).error, "does not hold user:password"));
    assert_int_equal(world_log_count(&world, "no colon here"), 0); // it may be a secret
    assert_int_equal(fake_daemon_requests(world.daemons[0]), 0);
    unlink(path);
    world_clear(&world);
}

static void url_without_a_port_goes_to_the_usual_one(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    world.config.daemons[0].url = "http://127.0.0.1";
    world_start(&world);
    assert_string_equal(world_daemon_view(&world, 0).url, "http://127.0.0.1:18443/");
    world_clear(&world);
}

static void assert_refused(struct world *world, const char *part)
{
    char error[BACKEND_ERROR_SIZE] = "";
    const struct backend_events events = {.context = world};
    assert_null(backend_new(world->loop, &world->env, &world->config, &events, error));
    if (strstr(error, part) == NULL) {
        fail_msg("'%s' lacks '%s'", error, part);
    }
    assert_null(strstr(error, "opensesame"));
}

static void wrong_configs_are_refused_with_what_would_be_right(void **state)
{
    (void)state;
    struct world world;
    char long_text[600];
    memset(long_text, 'a', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    world_init(&world, 1);
    struct backend_config good = world.config;
    world.config.daemons_count = 0;
    assert_refused(&world, "name 1 to 8");
    world.config.daemons_count = LIMIT_DAEMONS + 1;
    assert_refused(&world, "name 1 to 8");
    world.config = good;
    world.config.daemons[0].url = "ftp://alice:opensesame@host";
    assert_refused(&world, "usually http://127.0.0.1:18443");
    world.config.daemons[0].url = "127.0.0.1:18443";
    assert_refused(&world, "write http://host:port");
    world.config = good;
    world.config.daemons[0].user = long_text;
    assert_refused(&world, "longer than 255");
    world.config = good;
    world.config.daemons[0].cookie_file = long_text;
    assert_refused(&world, "cookie file is too long");
    world_clear(&world);
}

static void backend_may_be_freed_at_any_moment(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 40; ms++) {
        struct world world;
        world_init(&world, 2);
        fake_daemon_settings(world.daemons[0])->fault = ms % 2 == 0 ? FAULT_NONE : FAULT_HANG;
        world_start(&world);
        world_run_for(&world, ms / 2);
        world_clear(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_and_password_are_taken_from_the_config),
        cmocka_unit_test(user_and_password_are_taken_from_the_url_and_never_shown),
        cmocka_unit_test(cookie_file_is_read_and_read_again_when_the_daemon_starts_anew),
        cmocka_unit_test(file_that_is_no_cookie_is_told),
        cmocka_unit_test(url_without_a_port_goes_to_the_usual_one),
        cmocka_unit_test(wrong_configs_are_refused_with_what_would_be_right),
        cmocka_unit_test(backend_may_be_freed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
