// The configuration: layers, every kind of value, every way to get it wrong, and the documentation.
#include "node/config.h"
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
#include "node/config_table.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF"

struct fixture {
    struct config config;
    struct config_error error;
    char path[64]; // of a configuration file
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->path, sizeof(fixture->path), "/tmp/shoal-config-XXXXXX");
    int file = mkstemp(fixture->path);
    close(file);
    setenv("HOME", "/home/somebody", 1);
    *state = fixture;
    return file < 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    free(fixture);
    return 0;
}

static void write_file(const struct fixture *fixture, const char *text)
{
    FILE *file = fopen(fixture->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
    chmod(fixture->path, 0600);
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

// ---- Layers

static void defaults_hold_where_nothing_is_said(void **state)
{
    struct fixture *fixture = *state;
    assert_true(READ(fixture, REQUIRED));
    const struct config *config = &fixture->config;
    assert_string_equal(config->pool, "p");
    assert_string_equal(config->data, "/home/somebody/.shoal");
    assert_int_equal(config->daemon.count, 1);
    assert_string_equal(config->daemon.items[0], "http://127.0.0.1:8332");
    assert_int_equal(config->daemon_poll_s, 5);
    assert_int_equal(config->stratum_listen.count, 1);
    assert_string_equal(config->stratum_listen.items[0], "0.0.0.0:3333");
    assert_int_equal(config->stratum_connections, 4096);
    assert_int_equal(config->stratum_version_mask, 0x1fffe000);
    assert_true(config->stratum_shares_per_minute == 15);
    assert_string_equal(config->http_listen, "127.0.0.1:8080");
    assert_int_equal(config->log_level, LOG_INFO);
    assert_int_equal(config->log_form, LOG_FORM_TEXT);
    assert_int_equal(config->warnings.count, 0);
}

static void file_gives_way_to_environment_and_that_to_flags(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "pool = from-file\n[log]\nlevel = warn\nformat = json\n"
                        "[stratum]\nconnections = 7\n[daemon]\npoll = 9\n");
    setenv("SHOAL_LOG_LEVEL", "debug", 1);
    setenv("SHOAL_STRATUM_CONNECTIONS", "8", 1);
    bool is_read = READ(fixture, "--config", fixture->path, "--daemon", "http://a",
                        "--stratum-connections=10");
    unsetenv("SHOAL_LOG_LEVEL");
    unsetenv("SHOAL_STRATUM_CONNECTIONS");
    assert_true(is_read);
    assert_string_equal(fixture->config.pool, "from-file");
    assert_int_equal(fixture->config.log_form, LOG_FORM_JSON);
    assert_int_equal(fixture->config.log_level, LOG_DEBUG);
    assert_int_equal(fixture->config.stratum_connections, 10);
    assert_int_equal(fixture->config.daemon_poll_s, 9);
}

static void file_may_be_named_by_the_environment(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "pool = p\ndaemon = http://a\n");
    setenv("SHOAL_CONFIG", fixture->path, 1);
    bool is_read = config_read(0, NULL, &fixture->config, &fixture->error);
    unsetenv("SHOAL_CONFIG");
    assert_true(is_read);
    assert_string_equal(fixture->config.daemon.items[0], "http://a");
}

static void list_of_a_later_layer_replaces_the_earlier_one(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "pool = p\ndaemon = http://a, http://b\ndaemon = http://c\n");
    assert_true(READ(fixture, "--config", fixture->path));
    assert_int_equal(fixture->config.daemon.count, 3);
    assert_string_equal(fixture->config.daemon.items[1], "http://b");
    assert_string_equal(fixture->config.daemon.items[2], "http://c");
    assert_true(
        READ(fixture, "--config", fixture->path, "--daemon", "http://d", "--daemon", "http://e"));
    assert_int_equal(fixture->config.daemon.count, 2);
    assert_string_equal(fixture->config.daemon.items[0], "http://d");
    assert_string_equal(fixture->config.daemon.items[1], "http://e");
}

// A value for each key that is not its default.
static const char *const other_values[][2] = {
    {"pool", "q"},
    {"data", "/elsewhere"},
    {"seed", "seed.example:8400/" KEY},
    {"found", "1"},
    {"secret", KEY},
    {"upnp", "0"},
    {"daemon", "https://b"},
    {"daemon-user", "ana"},
    {"daemon-password", "x"},
    {"daemon-cookie", "/c"},
    {"daemon-poll", "6"},
    {"peer-listen", "127.0.0.1:8401"},
    {"peer-public", "203.0.113.5"},
    {"peer-entry", "1"},
    {"peer-inbound", "10"},
    {"peer-outbound", "3"},
    {"stratum-listen", "[::1]:1"},
    {"stratum-connections", "2"},
    {"stratum-connections-per-address", "3"},
    {"stratum-difficulty", "0.5"},
    {"stratum-difficulty-min", "0.25"},
    {"stratum-shares-per-minute", "20"},
    {"stratum-version-mask", "1fffffe0"},
    {"stratum-device-override", "*"},
    {"http-listen", "127.0.0.1:1"},
    {"http-host", "pool.example"},
    {"http-tls-cert", "/cert.pem"},
    {"http-tls-key", "/key.pem"},
    {"http-plain", "1"},
    {"http-public", "0"},
    {"log-level", "error"},
    {"log-format", "json"},
};

static void assert_only_difference(const struct config *a, const struct config *b, const char *key)
{
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        bool is_same = memcmp((const uint8_t *)a + row->offset, (const uint8_t *)b + row->offset,
                              row->size) == 0;
        bool is_named = strcmp(row->name, "config") == 0; // differs where a file is read
        if (!is_named && is_same == (strcmp(row->name, key) == 0))
            fail_msg("setting %s: %s is %s", key, row->name, is_same ? "the same" : "another");
    }
}

static void every_key_can_be_set_in_every_layer(void **state)
{
    struct fixture *fixture = *state;
    struct config *before = malloc(sizeof(*before));
    assert_true(READ(fixture, REQUIRED));
    *before = fixture->config;
    size_t count = sizeof(other_values) / sizeof(other_values[0]);
    assert_null(config_row(count + 1)); // all keys but `config`
    for (size_t i = 0; i < count; i++) {
        const char *key = other_values[i][0], *value = other_values[i][1];
        const struct config_row *row = config_row_find(key);
        char variable[64], flag[64], text[256];
        bool is_required = row->is_required; // then the flag of REQUIRED would win
        const char *const pool[] = {"--pool", "p"}, *const daemon[] = {"--daemon",
                                                                       "http://127.0.0.1:8332"};
        const char *const *first = strcmp(key, "pool") == 0 ? daemon : pool;
        const char *const *second = strcmp(key, "daemon") == 0 ? pool : daemon;
        config_row_variable(row, variable);
        setenv(variable, value, 1);
        const char *const rest[] = {first[0], first[1], second[0], second[1]};
        assert_true(config_read(is_required ? 2 : 4, rest, &fixture->config, &fixture->error));
        unsetenv(variable);
        assert_only_difference(before, &fixture->config, key);
        snprintf(flag, sizeof(flag), "--%s", key);
        const char *const flags[] = {flag, value, rest[0], rest[1], rest[2], rest[3]};
        assert_true(config_read(is_required ? 4 : 6, flags, &fixture->config, &fixture->error));
        assert_only_difference(before, &fixture->config, key);
        bool has_section = row->section[0] != '\0';
        snprintf(text, sizeof(text), "%s%s%s%s = %s\n", has_section ? "[" : "", row->section,
                 has_section ? "]\n" : "", key + (has_section ? strlen(row->section) + 1 : 0),
                 value);
        write_file(fixture, text);
        const char *const file[] = {"--config", fixture->path, rest[0], rest[1], rest[2], rest[3]};
        assert_true(config_read(is_required ? 4 : 6, file, &fixture->config, &fixture->error));
        assert_only_difference(before, &fixture->config, key);
    }
    free(before);
}

// ---- Refusals

static void required_keys_are_asked_for(void **state)
{
    struct fixture *fixture = *state;
    assert_false(READ(fixture, "--pool", "p"));
    assert_says(fixture, "daemon: missing; give --daemon URL (or SHOAL_DAEMON, ");
    assert_false(READ(fixture, "--daemon", "http://a"));
    assert_says(fixture, "pool: missing; give --pool FILE (or SHOAL_POOL, ");
    assert_false(READ(fixture, "--daemon", "http://a", "--pool", ""));
    assert_says(fixture, "pool: missing");
    assert_true(config_read_partly(0, NULL, &fixture->config, &fixture->error));
}

static void unknown_key_is_refused_with_the_nearest_known_one(void **state)
{
    struct fixture *fixture = *state;
    assert_false(READ(fixture, REQUIRED, "--stratum-listn", "x"));
    assert_says(fixture, "stratum-listn: there is no such key (flag)");
    assert_says(fixture, "\"stratum-listen\" (in a file: \"listen\" in [stratum]) meant?");
    assert_false(READ(fixture, REQUIRED, "--xyzzyplugh-something", "x"));
    assert_says(fixture, "\"shoal help config\" lists them");
    write_file(fixture, "pool = p\n\n[log]\nlevl = info\n");
    assert_false(READ(fixture, "--config", fixture->path));
    assert_says(fixture, "log-levl: there is no such key");
    assert_says(fixture, ":4)");
    assert_says(fixture, "\"level\" in [log]");
}

static void unknown_variable_is_a_warning(void **state)
{
    struct fixture *fixture = *state;
    setenv("SHOAL_LOG_LEVLE", "debug", 1);
    bool is_read = READ(fixture, REQUIRED);
    unsetenv("SHOAL_LOG_LEVLE");
    assert_true(is_read);
    assert_int_equal(fixture->config.warnings.count, 1);
    assert_non_null(strstr(fixture->config.warnings.items[0], "SHOAL_LOG_LEVLE"));
    assert_non_null(strstr(fixture->config.warnings.items[0], "log-level"));
}

// One wrong value for each key that can be wrong, and what the message must say of it.
static const struct {
    const char *key;
    const char *value;
    const char *what;
} wrong_values[] = {
    {"daemon", "127.0.0.1:8332", "is no url"},
    {"daemon", "http://", "is no url"},
    {"daemon", "http://:8332", "no host"},
    {"daemon", "http:///x", "no host"},
    {"daemon", "http://h:", "no port"},
    {"daemon", "http://h:0", "no port"},
    {"daemon", "http://h:65536/x", "no port"},
    {"daemon", "http://[::1]:8332x", "no port"},
    {"daemon", "http://h:999999", "no port"},
    {"daemon", "http://a,,http://b", "empty item"},
    {"daemon", "http://1,http://2,http://3,http://4,http://5,http://6,http://7,http://8,http://9",
     "more than 8 items"},
    {"daemon-poll", "0", "out of range"},
    {"daemon-poll", "31", "out of range"},
    {"daemon-poll", "5s", "no whole number"},
    {"daemon-poll", "", "no whole number"},
    {"daemon-poll", "-5", "no whole number"},
    {"daemon-poll", "99999999999999999999999", "no whole number"},
    {"stratum-listen", "3333", "no address with a port"},
    {"stratum-listen", "0.0.0.0:", "no port"},
    {"stratum-listen", "0.0.0.0:65536", "no port"},
    {"stratum-listen", "0.0.0.0:33x", "no port"},
    {"stratum-listen", "1.2.3.4.5:3333", "no IP address"},
    {"stratum-listen", "here:3333", "no IP address"},
    {"stratum-listen", "::1:3333", "no IP address"},
    {"stratum-listen", "[1.2.3.4]:3333", "no IP address"},
    {"stratum-listen", "[]:3333", "no IP address"},
    {"stratum-listen", "unix:", "no path"},
    {"stratum-connections", "0", "out of range"},
    {"stratum-connections", "1.5", "no whole number"},
    {"stratum-connections-per-address", "1000001", "out of range"},
    {"stratum-difficulty", "-1", "out of range"},
    {"stratum-difficulty", "nan", "no number"},
    {"stratum-difficulty", "0x10", "no number"},
    {"stratum-difficulty", "1e400", "out of range"},
    {"stratum-difficulty", "1 ", "no number"},
    {"stratum-difficulty-min", "inf", "no number"},
    {"stratum-shares-per-minute", "0", "out of range"},
    {"stratum-shares-per-minute", "601", "out of range"},
    {"stratum-version-mask", "1fffe00", "not 8 hex digits"},
    {"stratum-version-mask", "0x1fffe000", "not 8 hex digits"},
    {"http-listen", "localhost", "no address with a port"},
    {"http-listen", "localhost:8080", "no IP address"},
    {"log-level", "loud", "no level"},
    {"log-level", "INFO", "no level"},
    {"log-format", "xml", "no form"},
};

static void wrong_value_is_refused_with_key_source_value_and_range(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(wrong_values) / sizeof(wrong_values[0]); i++) {
        char flag[64], value[256];
        const char *key = wrong_values[i].key;
        const struct config_row *row = config_row_find(key);
        assert_non_null(row);
        snprintf(flag, sizeof(flag), "--%s", key);
        snprintf(value, sizeof(value), "\"%s\" (flag --%s)", wrong_values[i].value, key);
        const char *const flags[] = {"--pool", "p", flag, wrong_values[i].value};
        if (config_read(4, flags, &fixture->config, &fixture->error))
            fail_msg("%s was taken", value);
        assert_ptr_equal(strstr(fixture->error.text, key), fixture->error.text);
        assert_says(fixture, value);
        assert_says(fixture, wrong_values[i].what);
        assert_says(fixture, row->range);
    }
}

static void value_that_does_not_fit_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *text = malloc(2000);
    memset(text, 'x', 2000);
    text[1999] = '\0';
    const char *const keys[] = {"--pool",
                                "--data",
                                "--daemon-user",
                                "--daemon-password",
                                "--config",
                                "--daemon-cookie",
                                "--stratum-device-override"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *const flags[] = {"--daemon", "http://a", keys[i], text};
        assert_false(config_read(4, flags, &fixture->config, &fixture->error));
        if (i != 4) // the file is looked for before its name is kept
            assert_says(fixture, "too long");
    }
    free(text);
}

static void secrets_are_not_repeated_in_messages_nor_in_the_values(void **state)
{
    struct fixture *fixture = *state;
    char password[400];
    memset(password, 'k', sizeof(password));
    password[399] = '\0';
    assert_false(READ(fixture, "--daemon-password", password));
    assert_null(strstr(fixture->error.text, "kkkk"));
    assert_false(READ(fixture, "--daemon", "htp://ana:hush@host"));
    assert_null(strstr(fixture->error.text, "hush"));
    assert_true(READ(fixture, "--pool", "p", "--daemon", "http://ana:hush@host:1",
                     "--daemon-password", "whisper"));
    struct buffer values;
    buffer_init(&values, 65536);
    config_write_values(&fixture->config, &values);
    write_u8(&values, '\0');
    assert_null(strstr((const char *)values.data, "hush"));
    assert_null(strstr((const char *)values.data, "whisper"));
    assert_non_null(strstr((const char *)values.data, "http://***@host:1"));
    buffer_clear(&values);
}

static void key_given_twice_is_refused_unless_it_is_a_list(void **state)
{
    struct fixture *fixture = *state;
    assert_false(READ(fixture, REQUIRED, "--log-level", "info", "--log-level=warn"));
    assert_says(fixture, "log-level: given a second time (flag --log-level)");
    write_file(fixture, "pool = p\npool = q\n");
    assert_false(READ(fixture, "--config", fixture->path));
    assert_says(fixture, "pool: given a second time");
    assert_says(fixture, ":2)");
}

static void argument_that_is_no_flag_or_has_no_value_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_false(READ(fixture, REQUIRED, "listen"));
    assert_says(fixture, "\"listen\" is no flag");
    assert_false(READ(fixture, REQUIRED, "-v"));
    assert_says(fixture, "\"-v\" is no flag");
    assert_false(READ(fixture, REQUIRED, "--log-level"));
    assert_says(fixture, "log-level: the flag has no value");
}

// ---- The file

static void assert_file_fails(struct fixture *fixture, const char *text, const char *says)
{
    write_file(fixture, text);
    assert_false(READ(fixture, "--config", fixture->path));
    assert_says(fixture, says);
    assert_says(fixture, fixture->path);
}

static void bad_line_of_the_file_is_named(void **state)
{
    struct fixture *fixture = *state;
    assert_file_fails(fixture, "pool = p\nnonsense\n", ":2: is neither \"key = value\"");
    assert_file_fails(fixture, "pool = p\n[stratum\n", ":2: is neither");
    assert_file_fails(fixture, "pool = p ; mine\n", ":1: a comment stands on a line of its own");
    assert_file_fails(fixture, "[daemon]\npassword = a #b\n", ":2: a comment stands");
    assert_file_fails(fixture, "config = x\n", "config: cannot be set in the file itself");
    char line[1200];
    memset(line, 'y', sizeof(line));
    memcpy(line, "pool = ", 7);
    line[1199] = '\0';
    assert_file_fails(fixture, line, ":1: the line has");
}

static void indented_line_is_a_key_and_no_continuation(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture,
               "# comment\n; comment\npool = p\r\n   daemon = http://a\n\n[log]\n\tlevel = "
               "warn");
    assert_true(READ(fixture, "--config", fixture->path));
    assert_string_equal(fixture->config.pool, "p");
    assert_string_equal(fixture->config.daemon.items[0], "http://a");
    assert_int_equal(fixture->config.log_level, LOG_WARN);
}

static void semicolon_inside_of_a_value_belongs_to_it(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "pool = p\ndaemon = http://a\n[daemon]\nuser = ana\npassword = a;b#c=d\n");
    assert_true(READ(fixture, "--config", fixture->path));
    assert_string_equal(fixture->config.daemon_password, "a;b#c=d");
}

static void file_that_cannot_be_read_is_named(void **state)
{
    struct fixture *fixture = *state;
    assert_false(READ(fixture, "--config", "/nowhere/shoal.conf"));
    assert_says(fixture, "config: cannot read \"/nowhere/shoal.conf\": No such file");
    assert_false(READ(fixture, "--config", "/tmp"));
    assert_says(fixture, "is a directory");
}

static void file_larger_than_any_configuration_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *text = malloc(LIMIT_CONFIG_FILE_SIZE + 64);
    for (size_t i = 0; i < LIMIT_CONFIG_FILE_SIZE + 32; i++)
        text[i] = i % 16 == 15 ? '\n' : '#';
    text[LIMIT_CONFIG_FILE_SIZE + 32] = '\0';
    assert_file_fails(fixture, text, "too large");
    free(text);
}

static void password_in_a_file_that_all_can_read_is_a_warning(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "pool = p\ndaemon = http://a\n[daemon]\npassword = x\n");
    assert_true(READ(fixture, "--config", fixture->path));
    assert_int_equal(fixture->config.warnings.count, 0);
    chmod(fixture->path, 0644);
    assert_true(READ(fixture, "--config", fixture->path));
    assert_int_equal(fixture->config.warnings.count, 1);
    assert_non_null(strstr(fixture->config.warnings.items[0], "chmod 600"));
    write_file(fixture, "pool = p\ndaemon = http://ana:x@host\n");
    chmod(fixture->path, 0644);
    assert_true(READ(fixture, "--config", fixture->path));
    assert_int_equal(fixture->config.warnings.count, 1);
}

static void home_stands_for_itself_in_paths(void **state)
{
    struct fixture *fixture = *state;
    assert_true(READ(fixture, REQUIRED, "--data", "~/chain"));
    assert_string_equal(fixture->config.data, "/home/somebody/chain");
    unsetenv("HOME");
    assert_false(READ(fixture, REQUIRED));
    assert_says(fixture, "data: missing");
    assert_true(READ(fixture, REQUIRED, "--data", "/d"));
    setenv("HOME", "/home/somebody", 1);
}

// ---- Writing

static void values_written_are_read_back_the_same(void **state)
{
    struct fixture *fixture = *state;
    assert_true(READ(fixture, "--pool", "/a b/p", "--daemon", "http://a:1, https://b:2",
                     "--stratum-difficulty", "0.1", "--stratum-device-override", "cgminer,*",
                     "--http-listen", "", "--log-level", "debug"));
    struct config *first = malloc(sizeof(*first));
    *first = fixture->config;
    struct buffer values;
    buffer_init(&values, 65536);
    config_write_values(first, &values);
    write_u8(&values, '\0');
    write_file(fixture, (const char *)values.data);
    buffer_clear(&values);
    assert_true(READ(fixture, "--config", fixture->path));
    memset(fixture->config.config_file, 0, sizeof(fixture->config.config_file));
    memset(first->given, 0, sizeof(first->given)); // now they are all from the file
    memset(fixture->config.given, 0, sizeof(first->given));
    assert_memory_equal(first, &fixture->config, sizeof(*first));
    free(first);
}

static void count_key(void *context, const char *key)
{
    char *seen = context;
    size_t size = strlen(seen);
    snprintf(seen + size, 128 - size, "%s ", key);
}

static void comparison_names_the_keys_that_differ(void **state)
{
    struct fixture *fixture = *state;
    struct config *first = malloc(sizeof(*first));
    assert_true(READ(fixture, REQUIRED, "--daemon-poll", "9"));
    *first = fixture->config;
    assert_true(READ(fixture, REQUIRED, "--log-level", "warn"));
    char seen[128] = "";
    config_compare(first, &fixture->config, count_key, seen);
    assert_string_equal(seen, "daemon-poll log-level ");
    free(first);
}

static void documentation_holds_the_table(void **state)
{
    (void)state;
    FILE *file = fopen(SHOAL_SOURCE_DIR "/docs/operating.md", "rb");
    assert_non_null(file);
    char *page = calloc(1, 1 << 20);
    assert_true(fread(page, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    struct buffer help;
    buffer_init(&help, 1 << 20);
    config_write_help(&help);
    write_u8(&help, '\0');
    if (strstr(page, (const char *)help.data) == NULL)
        fail_msg("docs/operating.md does not hold what \"shoal help config\" prints");
    buffer_clear(&help);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_hold_where_nothing_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_gives_way_to_environment_and_that_to_flags, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(file_may_be_named_by_the_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(list_of_a_later_layer_replaces_the_earlier_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_key_can_be_set_in_every_layer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(required_keys_are_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_key_is_refused_with_the_nearest_known_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unknown_variable_is_a_warning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_value_is_refused_with_key_source_value_and_range,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(value_that_does_not_fit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_are_not_repeated_in_messages_nor_in_the_values,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(key_given_twice_is_refused_unless_it_is_a_list, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(argument_that_is_no_flag_or_has_no_value_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bad_line_of_the_file_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(indented_line_is_a_key_and_no_continuation, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(semicolon_inside_of_a_value_belongs_to_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(file_that_cannot_be_read_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_larger_than_any_configuration_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(password_in_a_file_that_all_can_read_is_a_warning, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(home_stands_for_itself_in_paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_written_are_read_back_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(comparison_names_the_keys_that_differ, set_up, tear_down),
        cmocka_unit_test(documentation_holds_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
