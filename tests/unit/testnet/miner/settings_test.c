#include "testnet/miner/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

// Splits a command line at spaces; the settings point into `line`.
static enum settings_result read_line(char *line, struct settings *settings, char error[512])
{
    char *argv[32];
    int argc = 0;
    error[0] = '\0';
    for (char *at = line; at != NULL && argc < 32; argc++) {
        argv[argc] = at;
        at = strchr(at, ' ');
        if (at != NULL)
            *at++ = '\0';
    }
    return settings_read(argc, argv, settings, error);
}

static void good_command_lines_are_understood(void **state)
{
    (void)state;
    struct settings settings;
    char error[512], user[SETTINGS_USER_MAX + 24];
    char a[] = "miner --url h:1 --user u";
    assert_int_equal(read_line(a, &settings, error), SETTINGS_OK);
    assert_int_equal(settings.pow, POW_SHA256D);
    assert_int_equal(settings.threads, 1);
    assert_int_equal(settings.connections, 1);
    assert_int_equal(settings.hashrate, 0);
    assert_int_equal(settings.version_mask, 0x1fffe000);
    assert_string_equal(settings.password, "x");
    char b[] =
        "miner --scrypt --url h:1 --url g:2 --user a.%n --user b --connections 5 --hashrate 2M "
        "--no-version-rolling --json --shares 7 --seconds 1.5";
    assert_int_equal(read_line(b, &settings, error), SETTINGS_OK);
    assert_int_equal(settings.pow, POW_SCRYPT);
    assert_int_equal(settings.pools.count, 2);
    assert_int_equal(settings.hashrate, 2000000);
    assert_int_equal(settings.version_mask, 0);
    assert_int_equal(settings.shares, 7);
    assert_true(settings.is_json);
    settings_user(&settings, 0, user);
    assert_string_equal(user, "a.1");
    settings_user(&settings, 1, user);
    assert_string_equal(user, "b");
    settings_user(&settings, 4, user);
    assert_string_equal(user, "a.5");
    char c[] = "miner --help";
    assert_int_equal(read_line(c, &settings, error), SETTINGS_HELP);
}

static void errors_say_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *error;
    } cases[] = {
        {"miner --user u", "--url is missing: wanted --url HOST:PORT"},
        {"miner --url h:1", "--user is missing: wanted --user ADDRESS"},
        {"miner --user u --url h", "--url h: wanted HOST:PORT"},
        {"miner --user u --url h:70000", "--url h:70000: wanted HOST:PORT"},
        {"miner --user u --url h:1 --threads 0", "--threads 0: wanted a number from 1 to 256"},
        {"miner --user u --url h:1 --connections 0", "--connections 0: wanted"},
        {"miner --user u --url h:1 --hashrate fast", "--hashrate fast: wanted a number"},
        {"miner --user u --url h:1 --seconds -1", "--seconds -1: wanted a number from 0"},
        {"miner --user u --url h:1 --scrypt=yes", "--scrypt=yes: takes no value"},
        {"miner --user u --url h:1 --speed 3", "--speed: there is no such option"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[100], error[512];
        struct settings settings;
        snprintf(line, sizeof line, "%s", cases[i].line);
        assert_int_equal(read_line(line, &settings, error), SETTINGS_BAD);
        if (strstr(error, cases[i].error) == NULL)
            fail_msg("%s: %s", cases[i].line, error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_command_lines_are_understood),
        cmocka_unit_test(errors_say_what_would_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
