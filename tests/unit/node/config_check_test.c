// Values that are more than text: urls, addresses, seeds, secrets, switches; every form that is
// right and, for the keys of the network, every way to get it wrong.
#include "node/config_check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define KEY "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF"

struct fixture {
    struct config config;
    struct config_error error;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

#define READ(fixture, ...)                                                                         \
    config_read((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)),                \
                (const char *const[]){__VA_ARGS__}, &(fixture)->config, &(fixture)->error)
#define REQUIRED "--pool", "p", "--daemon", "http://127.0.0.1:8332"

static void assert_says(const struct fixture *fixture, const char *part)
{
    if (strstr(fixture->error.text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, fixture->error.text);
}

static const struct {
    const char *key;
    const char *value;
    const char *what;
} wrong_values[] = {
    {"seed", "here:8400", "no key behind a slash"},
    {"seed", "here:8400/", "no key of 64"},
    {"seed", "here:8400/0123", "no key of 64"},
    {"seed", "here:8400/" KEY "00", "no key of 64"},
    {"seed", "here/" KEY, "no port"},
    {"seed", "here:0/" KEY, "no port"},
    {"seed", "here:70000/" KEY, "no port"},
    {"seed", "here:840000/" KEY, "no port"},
    {"seed", ":8400/" KEY, "no host"},
    {"seed", "::1:8400/" KEY, "no host"},
    {"seed", "[here]:8400/" KEY, "no host"},
    {"seed", "a b:8400/" KEY, "no host"},
    {"found", "yes", "neither 0 nor 1"},
    {"found", "", "neither 0 nor 1"},
    {"upnp", "2", "neither 0 nor 1"},
    {"peer-listen", "unix:/x", "no address that others can reach"},
    {"peer-listen", "0.0.0.0:0", "no port"},
    {"peer-listen", "8400", "no address with a port"},
    {"peer-public", "here.example", "no address with a port"},
    {"peer-public", "203.0.113.5:0", "no port"},
    {"peer-public", "2001:db8::1", "no IP address"},
    {"peer-entry", "x", "neither 0 nor 1"},
    {"peer-inbound", "0", "out of range"},
    {"peer-inbound", "81", "out of range"},
    {"peer-outbound", "17", "out of range"},
};

static void wrong_value_is_refused_with_key_source_and_value(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(wrong_values) / sizeof(wrong_values[0]); i++) {
        char flag[64], said[256];
        snprintf(flag, sizeof(flag), "--%s", wrong_values[i].key);
        snprintf(said, sizeof(said), "%s: \"%s\" (flag %s) ", wrong_values[i].key,
                 wrong_values[i].value, flag);
        if (READ(fixture, REQUIRED, flag, wrong_values[i].value))
            fail_msg("%s was taken", said);
        assert_says(fixture, said);
        assert_says(fixture, wrong_values[i].what);
    }
}

static void urls_and_addresses_of_all_forms_are_taken(void **state)
{
    struct fixture *fixture = *state;
    static const char *const urls[] = {
        "http://h",          "https://h:1",          "http://u:p@h:8332/wallet/x",
        "http://u:p:@@h:80", "http://[::1]:18443/x", "http://[::1]",
        "http://h/a:b@c",    "http://10.0.0.1:65535"};
    static const char *const addresses[] = {"0.0.0.0:3333", "[::]:3333", "[::ffff:1.2.3.4]:1",
                                            "127.0.0.1:0", "unix:/run/x"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        assert_true(READ(fixture, "--pool", "p", "--daemon", urls[i]));
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        assert_true(READ(fixture, REQUIRED, "--stratum-listen", addresses[i]));
}

static void seeds_and_addresses_of_nodes_of_all_forms_are_taken(void **state)
{
    struct fixture *fixture = *state;
    static const char *const seeds[] = {"h:1/" KEY, "203.0.113.5:8400/" KEY, "[::1]:65535/" KEY,
                                        "pool.example.org:8400/" KEY};
    static const char *const publics[] = {"203.0.113.5", "203.0.113.5:1", "[2001:db8::1]",
                                          "[2001:db8::1]:8400"};
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
        assert_true(READ(fixture, REQUIRED, "--seed", seeds[i]));
    for (size_t i = 0; i < sizeof(publics) / sizeof(publics[0]); i++)
        assert_true(READ(fixture, REQUIRED, "--peer-public", publics[i]));
    assert_true(READ(fixture, REQUIRED, "--peer-listen="));
    assert_int_equal(fixture->config.peer_listen.count, 0);
}

static void seed_is_taken_apart(void **state)
{
    (void)state;
    struct seed_name seed;
    const char *wrong;
    assert_true(seed_name_parse("[2001:db8::5]:8401/" KEY, &seed, &wrong));
    assert_string_equal(seed.host, "2001:db8::5");
    assert_int_equal(seed.port, 8401);
    assert_int_equal(seed.key[0], 0x01);
    assert_int_equal(seed.key[31], 0xef);
    char text[400], host[257];
    memset(host, 'h', sizeof(host));
    host[256] = '\0';
    snprintf(text, sizeof(text), "%s:8400/" KEY, host);
    assert_false(seed_name_parse(text, &seed, &wrong)); // a character too long
    snprintf(text, sizeof(text), "%s:8400/" KEY, host + 1);
    assert_true(seed_name_parse(text, &seed, &wrong));
}

static void secret_of_another_size_is_refused_and_never_shown(void **state)
{
    struct fixture *fixture = *state;
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    const char *const secrets[] = {"secretsecret", "0123456789abcdef0123456789abcdef", KEY "00",
                                   zeros};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        assert_false(READ(fixture, REQUIRED, "--secret", secrets[i]));
        assert_says(fixture, "secret: the value (flag --secret) is not made of 64 random hex");
        assert_null(strstr(fixture->error.text, secrets[i]));
    }
    assert_true(READ(fixture, REQUIRED, "--secret", KEY));
    assert_int_equal(fixture->config.warnings.count, 1);
    assert_non_null(strstr(fixture->config.warnings.items[0], "SHOAL_SECRET"));
    struct buffer values;
    buffer_init(&values, 65536);
    config_write_values(&fixture->config, &values);
    write_u8(&values, '\0');
    assert_null(strstr((const char *)values.data, KEY));
    buffer_clear(&values);
}

static void secret_in_a_file_that_others_can_read_is_a_warning(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] = "pool = p\ndaemon = http://a\nsecret = " KEY "\n";
    char path[] = "/tmp/shoal-config-XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(write(file, text, sizeof(text) - 1), sizeof(text) - 1);
    close(file);
    assert_true(READ(fixture, "--config", path));
    assert_int_equal(fixture->config.warnings.count, 0);
    chmod(path, 0644);
    assert_true(READ(fixture, "--config", path));
    unlink(path);
    assert_non_null(strstr(fixture->config.warnings.items[0], "chmod 600"));
}

static void switch_needs_no_value_as_a_flag(void **state)
{
    struct fixture *fixture = *state;
    assert_true(READ(fixture, "--found", REQUIRED, "--peer-entry"));
    assert_true(fixture->config.found);
    assert_true(fixture->config.peer_entry);
    assert_true(READ(fixture, REQUIRED, "--found", "0", "--upnp=0"));
    assert_false(fixture->config.found);
    assert_false(fixture->config.upnp);
    assert_false(READ(fixture, REQUIRED, "--found", "please"));
    assert_says(fixture, "found: \"please\" (flag --found) is neither 0 nor 1");
    assert_false(READ(fixture, REQUIRED, "--found", "--found"));
    assert_says(fixture, "found: given a second time");
}

static void dashboard_beyond_this_machine_wants_tls_or_a_word(void **state)
{
    struct fixture *fixture = *state;
    assert_false(READ(fixture, REQUIRED, "--http-listen", "0.0.0.0:8080"));
    assert_says(fixture, "--http-tls-cert");
    assert_says(fixture, "--http-plain 1");
    assert_false(READ(fixture, REQUIRED, "--http-listen", "[2001:db8::1]:80"));
    assert_true(READ(fixture, REQUIRED, "--http-listen", "0.0.0.0:8080", "--http-plain", "1"));
    assert_true(READ(fixture, REQUIRED, "--http-listen", "0.0.0.0:8080", "--http-tls-cert", "c",
                     "--http-tls-key", "k"));
    assert_true(READ(fixture, REQUIRED, "--http-listen", "[::1]:8080"));
    assert_true(READ(fixture, REQUIRED, "--http-listen", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_value_is_refused_with_key_source_and_value, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(urls_and_addresses_of_all_forms_are_taken, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(seeds_and_addresses_of_nodes_of_all_forms_are_taken, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(seed_is_taken_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secret_of_another_size_is_refused_and_never_shown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(secret_in_a_file_that_others_can_read_is_a_warning, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(dashboard_beyond_this_machine_wants_tls_or_a_word, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(switch_needs_no_value_as_a_flag, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
