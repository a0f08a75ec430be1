// An operator's actions on a node without sockets: what is done, what is refused, and that nothing
// is done without its line in the audit log.
#include "node/operate.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/node/node_fixture.h"

struct test {
    struct node_fixture fixture;
    struct buffer out;
    char file[CONFIG_TEXT_SIZE + 32]; // the configuration
    char flag[CONFIG_TEXT_SIZE + 64];
    const char *argv[3];
    char error[API_PROBLEM_SIZE];
};

static void write_config(struct test *test, const char *text)
{
    FILE *file = fopen(test->file, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    struct node *node = &test->fixture.node;
    struct config_error error;
    node_fixture_open(&test->fixture);
    snprintf(test->fixture.config.data, sizeof(test->fixture.config.data),
             "/tmp/shoal-operate-XXXXXX");
    assert_non_null(mkdtemp(test->fixture.config.data));
    node->access = access_open(node->config->data, &node->env, test->error);
    assert_non_null(node->access);
    snprintf(test->file, sizeof(test->file), "%s/shoal.conf", node->config->data);
    snprintf(test->flag, sizeof(test->flag), "--config=%s", test->file);
    test->argv[0] = test->flag;
    test->argv[1] = "--pool=p";
    test->argv[2] = "--daemon=http://127.0.0.1:1";
    node->argc = 3;
    node->argv = test->argv;
    node->config_to_change = &test->fixture.config;
    write_config(test, "");
    struct config *config = malloc(sizeof(*config));
    assert_non_null(config);
    assert_true(config_read(node->argc, node->argv, config, &error));
    snprintf(config->data, sizeof(config->data), "%s", test->fixture.config.data);
    test->fixture.config = *config;
    free(config);
    buffer_init(&test->out, 1 << 20);
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    static const char *const names[] = {"accounts.json", "accounts.lock", "audit.log",
                                        "shoal.conf"};
    access_close(test->fixture.node.access);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[CONFIG_TEXT_SIZE + 32];
        snprintf(path, sizeof(path), "%s/%s", test->fixture.config.data, names[i]);
        unlink(path);
    }
    rmdir(test->fixture.config.data);
    node_fixture_close(&test->fixture);
    buffer_clear(&test->out);
    free(test);
    return 0;
}

// The answer to a line of the control socket; NULL if it is none of ours.
static const char *ask(struct test *test, const char *line)
{
    buffer_reset(&test->out);
    if (!operate_answer(&test->fixture.node, line, strlen(line), &test->out))
        return NULL;
    write_u8(&test->out, '\0');
    return (const char *)test->out.data;
}

static void assert_answers(struct test *test, const char *line, const char *part)
{
    const char *answer = ask(test, line);
    if (answer == NULL || strstr(answer, part) == NULL)
        fail_msg("%s: %s, without %s", line, answer == NULL ? "(not ours)" : answer, part);
}

static bool is_logged(struct test *test, const char *part)
{
    return strstr(ask(test, "{\"command\":\"audit\"}"), part) != NULL;
}

static void other_commands_are_left_to_others(void **state)
{
    struct test *test = *state;
    assert_null(ask(test, "{\"command\":\"status\"}"));
    assert_null(ask(test, "{\"command\":7}"));
    assert_null(ask(test, "nonsense"));
    assert_null(ask(test, ""));
}

static void drained_node_makes_no_work_until_it_is_undrained(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    struct stratum_totals totals;
    assert_null(operate_refuses_work(node));
    assert_answers(test, "{\"command\":\"drain\"}", "\"is_drained\":true");
    assert_non_null(operate_refuses_work(node));
    stratum_totals(node->stratum, net_loop_now(node->loop), &totals);
    assert_string_equal(totals.pause_reason, operate_refuses_work(node));
    assert_answers(test, "{\"command\":\"drain\"}", "\"error\":\"The node is drained already");
    assert_answers(test, "{\"command\":\"undrain\"}", "\"is_drained\":false");
    assert_null(operate_refuses_work(node));
    assert_true(node->wants_work);
    assert_answers(test, "{\"command\":\"undrain\"}", "\"error\":");
    assert_true(is_logged(test, "\"who\":\"local\",\"token\":null,\"from\":\"this machine\","
                                "\"action\":\"drain\",\"what\":\"\",\"result\":\"done\""));
}

static void members_are_checked_before_anything_is_done(void **state)
{
    struct test *test = *state;
    assert_answers(test, "{\"command\":\"log-level\"}", "\"error\":\"\\\"level\\\" is missing");
    assert_answers(test, "{\"command\":\"log-level\",\"level\":\"loud\"}", "error warn info debug");
    assert_answers(test, "{\"command\":\"drain\",\"more\":1}", "not known");
    assert_answers(test, "{\"command\":\"peers/ban\",\"address\":\"localhost\"}", "is none");
    assert_answers(test, "{\"command\":\"peers/ban\",\"address\":\"1.2.3.4\",\"seconds\":5}",
                   "seconds");
    // There is no network in this node.
    assert_answers(test, "{\"command\":\"peers/ban\",\"address\":\"1.2.3.4\"}", "not begun");
    assert_answers(test, "{\"command\":\"miners/disconnect\",\"session\":77}", "no miner");
    assert_null(operate_refuses_work(&test->fixture.node));
}

static void reload_puts_in_force_what_it_can_and_names_the_rest(void **state)
{
    struct test *test = *state;
    const struct config *config = test->fixture.node.config;
    write_config(test, "[stratum]\nconnections = 77\n[log]\nlevel = warn\n[peer]\ninbound = 9\n");
    assert_answers(test, "{\"command\":\"config/reload\"}",
                   "{\"key\":\"stratum-connections\",\"needs_restart\":false}");
    assert_int_equal(config->stratum_connections, 77);
    assert_int_equal(config->log_level, LOG_WARN);
    assert_int_equal(config->peer_inbound, 64);
    assert_answers(test, "{\"command\":\"config/reload\"}",
                   "{\"key\":\"peer-inbound\",\"needs_restart\":true}");
    assert_null(strstr((const char *)test->out.data, "stratum-connections"));
}

static void bad_file_changes_nothing_and_is_logged(void **state)
{
    struct test *test = *state;
    const struct config *config = test->fixture.node.config;
    write_config(test, "[stratum]\nconnections = 77\nnonsense = 1\n");
    assert_answers(test, "{\"command\":\"config/reload\"}", "\"error\":\"Nothing was changed");
    assert_int_equal(config->stratum_connections, 4096);
    assert_true(is_logged(test, "\"result\":\"refused: Nothing was changed"));
    operate_hangup(&test->fixture.node); // the same, told to the log
    assert_true(is_logged(test, "\"from\":\"SIGHUP\""));
    assert_int_equal(config->stratum_connections, 4096);
}

// A limit of the process stands for the full disk.
static void nothing_is_done_without_its_line(void **state)
{
    struct test *test = *state;
    struct rlimit old, none;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    const char *answer = ask(test, "{\"command\":\"drain\"}");
    bool is_refused = strstr(answer, "audit.log") != NULL;
    bool is_drained = test->fixture.node.is_drained;
    answer = ask(test, "{\"command\":\"log-level\",\"level\":\"error\"}");
    is_refused = is_refused && strstr(answer, "\"error\":\"Nothing was changed") != NULL;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(is_refused);
    assert_false(is_drained);
    assert_int_equal(test->fixture.node.config->log_level, LOG_INFO);
    assert_answers(test, "{\"command\":\"drain\"}", "\"is_drained\":true");
}

static void accounts_are_asked_for_over_the_same_socket(void **state)
{
    struct test *test = *state;
    assert_answers(test,
                   "{\"command\":\"accounts/add\",\"name\":\"ada\",\"role\":\"admin\",\"hash\":"
                   "\"$argon2id$v=19$m=65536,t=2,p=1$FsIP5lSNTJR6bD0dBDGYrA$"
                   "M7DkticXtqEzwFRXEvdMlsLP3nKlAjReaVd1bNStzek\"}",
                   "{\"document\":\"accounts/add\"");
    assert_answers(test, "{\"command\":\"accounts\"}", "\"name\":\"ada\",\"role\":\"admin\"");
    assert_answers(test, "{\"command\":\"accounts/totp\",\"name\":\"ada\"}", "otpauth://totp/");
    assert_answers(test, "{\"command\":\"accounts/totp\",\"name\":\"eve\"}", "\"error\":\"name:");
    assert_answers(test, "{\"command\":\"tokens/create\",\"label\":\"x\",\"role\":\"viewer\"}",
                   "\"token\":\"shoal_");
    assert_answers(test, "{\"command\":\"tokens\"}", "\"owner\":\"local\"");
    assert_null(strstr((const char *)test->out.data, "hash"));
}

int main(void)
{
#define OPERATE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        OPERATE_TEST(other_commands_are_left_to_others),
        OPERATE_TEST(drained_node_makes_no_work_until_it_is_undrained),
        OPERATE_TEST(members_are_checked_before_anything_is_done),
        OPERATE_TEST(reload_puts_in_force_what_it_can_and_names_the_rest),
        OPERATE_TEST(bad_file_changes_nothing_and_is_logged),
        OPERATE_TEST(nothing_is_done_without_its_line),
        OPERATE_TEST(accounts_are_asked_for_over_the_same_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
