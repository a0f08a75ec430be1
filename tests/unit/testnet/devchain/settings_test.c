#include "testnet/devchain/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/target.h"

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
    char error[512];
    char a[] = "devchain --no-auth";
    assert_int_equal(read_line(a, &settings, error), SETTINGS_OK);
    assert_string_equal(settings.daemon.params->name, "devchain");
    assert_int_equal(settings.port, 18643);
    assert_true(settings.is_open);
    assert_string_equal(settings.cookie_path, "");
    char b[] = "devchain --scrypt --bits 1e0fffff --data /x --transactions 0 --port 0";
    assert_int_equal(read_line(b, &settings, error), SETTINGS_OK);
    assert_string_equal(settings.daemon.params->name, "devchain-scrypt");
    assert_int_equal(settings.daemon.bits, 0x1e0fffff);
    assert_int_equal(settings.port, 0);
    assert_string_equal(settings.cookie_path, "/x/.cookie");
    assert_false(settings.is_open);
    char c[] = "devchain --user me --password a:b --data /x --fault hang --bind 0.0.0.0";
    assert_int_equal(read_line(c, &settings, error), SETTINGS_OK);
    assert_string_equal(settings.password, "me:a:b");
    assert_string_equal(settings.cookie_path, "");
    assert_int_equal(settings.fault, FAULT_HANG);
    char d[] = "devchain --print-anchor";
    assert_int_equal(read_line(d, &settings, error), SETTINGS_OK);
    char e[] = "devchain --help";
    assert_int_equal(read_line(e, &settings, error), SETTINGS_HELP);
}

// The target that hashrate and spacing ask for takes that many hashes on average.
static void hashrate_and_spacing_make_the_bits(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        double hashes;
    } cases[] = {{"devchain --no-auth --hashrate 2M --spacing 5", 1e7},
                 {"devchain --no-auth --hashrate 1k --spacing 0.5", 500},
                 {"devchain --no-auth --hashrate 5T --spacing 600", 3e15},
                 {"devchain --no-auth --hashrate 1 --spacing 0.001", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[100], error[512];
        struct settings settings;
        struct u256 target;
        snprintf(line, sizeof line, "%s", cases[i].line);
        assert_int_equal(read_line(line, &settings, error), SETTINGS_OK);
        assert_true(target_bits_are_canonical(settings.daemon.bits));
        assert_true(target_expand(settings.daemon.bits, &target));
        struct u256 work = target_work(&target);
        double ratio = u256_to_double(&work) / cases[i].hashes;
        assert_true(ratio > 0.9999 && ratio < 1.01);
    }
}

static void errors_say_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *error;
    } cases[] = {
        {"devchain", "wanted --user with --password, --cookie FILE, --data DIR"},
        {"devchain --user a", "--user: wanted --password with it"},
        {"devchain --password a", "--password: wanted --user with it"},
        {"devchain --user a:b --password c", "--user: wanted a name without a colon"},
        {"devchain --no-auth --cookie /x", "wanted one of these, more than one is given"},
        {"devchain --no-auth --user a --password b", "wanted one of these"},
        {"devchain --no-auth --bind 0.0.0.0", "--no-auth: wanted only with a --bind of this"},
        {"devchain --no-auth --bits 1d00fff", "--bits 1d00fff: wanted 8 hex digits"},
        {"devchain --no-auth --bits 1d00fffff", "--bits 1d00fffff: wanted 8 hex digits"},
        {"devchain --no-auth --bits 20800000", "--bits 20800000: wanted 8 hex digits"},
        {"devchain --no-auth --bits 217fffff", "not easier than 207fffff"},
        {"devchain --no-auth --bits 1e00000f", "--bits 1e00000f: wanted 8 hex digits"},
        {"devchain --no-auth --spacing 0", "--spacing: wanted at least 0.001 seconds"},
        {"devchain --no-auth --port 65536", "--port 65536: wanted a number from 0 to 65535"},
        {"devchain --no-auth --transactions 2001", "--transactions 2001: wanted"},
        {"devchain --no-auth --fault sulk", "--fault sulk: wanted one of off|hang"},
        {"devchain --no-auth --log-level loud", "--log-level loud: wanted one of error|warn"},
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
        cmocka_unit_test(hashrate_and_spacing_make_the_bits),
        cmocka_unit_test(errors_say_what_would_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
