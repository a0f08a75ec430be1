// The commands with arguments that are wrong, and those that need no node: exit status and what is
// said.
#include "node/command_table.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "node/base/u256.h"
#include "node/command_pool.h"
#include "node/pow/target.h"

#define ARGUMENTS_MAX 40

struct said {
    char out[131072];
    char error[4096];
};

struct run {
    command_run *command;
    const char *query; // the name; NULL where the command does not look at it
    const char *const *argv;
};

static void read_back(int file, char *out, size_t capacity)
{
    ssize_t size = pread(file, out, capacity - 1, 0);
    out[size < 0 ? 0 : size] = '\0';
    close(file);
}

static int temporary_file(void)
{
    char path[] = "/tmp/shoal-said-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    return file;
}

// Runs with standard output and error going to files. argv ends with NULL.
static int run(const struct run *run, struct said *said)
{
    int out = temporary_file(), error = temporary_file(), argc = 0;
    fflush(NULL);
    int old_out = dup(STDOUT_FILENO), old_error = dup(STDERR_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    while (run->argv[argc] != NULL)
        argc++;
    int status = run->command(run->query, argc, run->argv);
    fflush(NULL);
    dup2(old_out, STDOUT_FILENO);
    dup2(old_error, STDERR_FILENO);
    close(old_out);
    close(old_error);
    read_back(out, said->out, sizeof(said->out));
    read_back(error, said->error, sizeof(said->error));
    return status;
}

#define ARGV(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void assert_fails(const struct run *what, int status, const char *part)
{
    struct said said;
    int found = run(what, &said);
    if (found != status || strstr(said.error, part) == NULL)
        fail_msg("status %d, \"%s\" instead of %d, \"%s\"", found, said.error, status, part);
    assert_memory_equal(said.error, "shoal: ", 7);
}

#define ANCHOR                                                                                     \
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac7" \
    "2c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000"
#define WHOLE                                                                                      \
    "--chain", "regtest", "--name", "reef", "--hashrate", "1M", "--anchor-height", "0",            \
        "--anchor-header", ANCHOR

static void pool_new_writes_a_file_that_check_takes(void **state)
{
    (void)state;
    char path[] = "/tmp/shoal-pool-XXXXXX", again[80];
    int file = mkstemp(path);
    close(file);
    unlink(path);
    struct said made, checked, shown;
    struct run new = {command_pool, NULL, ARGV("new", WHOLE, "--min-payout=70000", path)};
    assert_int_equal(run(&new, &made), EXIT_OK);
    struct run check = {command_pool, NULL, ARGV("check", path)};
    assert_int_equal(run(&check, &checked), EXIT_OK);
    snprintf(again, sizeof(again), "pool_id %.70s", checked.out);
    assert_string_equal(made.out, again);
    struct run show = {command_pool, NULL, ARGV("show", path)};
    assert_int_equal(run(&show, &shown), EXIT_OK);
    assert_non_null(strstr(shown.out, "70000"));
    assert_non_null(strstr(shown.out, again));
    // A pool is not overwritten: its miners would be in another one.
    assert_fails(&new, EXIT_FAILED, "File exists");
    unlink(path);
}

static void pool_new_refuses_what_is_wrong(void **state)
{
    (void)state;
    const struct {
        const char *const *argv;
        int status;
        const char *part;
    } cases[] = {
        {ARGV("new"), EXIT_MISUSED, "give a file"},
        {ARGV("new", "a", "b"), EXIT_MISUSED, "one file too many"},
        {ARGV("new", "x", "--name"), EXIT_MISUSED, "name: the flag has no value"},
        {ARGV("new", "x", "--nam", "y"), EXIT_MISUSED, "is --name meant?"},
        {ARGV("new", "x", "--data", "y"), EXIT_MISUSED, "no flag --data here"},
        {ARGV("new", "x", "--chain", "doge"), EXIT_MISUSED, "chain: 'doge'"},
        {ARGV("new", "x", "--link-spacing", "0"), EXIT_MISUSED, "link_spacing: 0"},
        {ARGV("new", "x", "--hashrate", "fast"), EXIT_MISUSED, "hashrate: \"fast\""},
        {ARGV("new", "x", "--hashrate", "1T", "--easiest-bits", "1d00ffff", "--chain", "regtest"),
         EXIT_MISUSED, "not both"},
        {ARGV("new", "x", "--daemon", "http://127.0.0.1:1", "--anchor-height", "0"), EXIT_MISUSED,
         "not both"},
        {ARGV("new", "x", "--daemon", "http://127.0.0.1:1"), EXIT_MISUSED, "chain: "},
        {ARGV("new", "x", "--daemon", "ftp://a", "--chain", "regtest"), EXIT_FAILED, "daemon: "},
        {ARGV("new", "x", "--daemon", "http://127.0.0.1:1", "--chain", "regtest"), EXIT_FAILED,
         "nobody listens"},
        {ARGV("new", "x", "--chain", "regtest"), EXIT_MISUSED, "name: "},
        {ARGV("new", "/nowhere/at/all", WHOLE), EXIT_FAILED, "cannot make \"/nowhere/at/all\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run what = {command_pool, NULL, cases[i].argv};
        assert_fails(&what, cases[i].status, cases[i].part);
        assert_int_equal(access("x", F_OK), -1);
    }
}

static void pool_check_names_file_line_and_key(void **state)
{
    (void)state;
    char path[] = "/tmp/shoal-pool-XXXXXX", part[80];
    int file = mkstemp(path);
    static const char text[] = "name = reef\nlink_spacing = 0\n";
    assert_int_equal(write(file, text, sizeof(text) - 1), sizeof(text) - 1);
    close(file);
    struct run what = {command_pool, NULL, ARGV("check", path)};
    snprintf(part, sizeof(part), "%s:2: link_spacing: ", path);
    assert_fails(&what, EXIT_FAILED, part);
    unlink(path);
    what.argv = ARGV("check", "/nowhere");
    assert_fails(&what, EXIT_FAILED, "cannot read \"/nowhere\": No such file");
    what.argv = ARGV("show");
    assert_fails(&what, EXIT_MISUSED, "give one pool file");
    what.argv = ARGV("check", "a", "b");
    assert_fails(&what, EXIT_MISUSED, "give one pool file");
    what.argv = ARGV("make");
    assert_fails(&what, EXIT_MISUSED, "shoal pool new, show, check or secret");
    what.argv = ARGV("check", "/tmp");
    assert_fails(&what, EXIT_FAILED, "cannot read \"/tmp\": Is a directory");
}

static void secret_is_new_each_time_and_taken_by_the_configuration(void **state)
{
    (void)state;
    struct said first, second;
    struct run what = {command_pool, NULL, ARGV("secret")};
    assert_int_equal(run(&what, &first), EXIT_OK);
    assert_int_equal(run(&what, &second), EXIT_OK);
    assert_int_equal(strlen(first.out), 65);
    assert_int_equal(strspn(first.out, "0123456789abcdef"), 64);
    assert_string_not_equal(first.out, second.out);
    first.out[64] = '\0';
    what = (struct run){command_config, NULL,
                        ARGV("--pool", "p", "--daemon", "http://a", "--secret", first.out)};
    assert_int_equal(run(&what, &second), EXIT_OK);
    assert_null(strstr(second.out, first.out));
    what = (struct run){command_pool, NULL, ARGV("secret", "32")};
    assert_fails(&what, EXIT_MISUSED, "takes no arguments");
}

static void easiest_bits_fit_a_tenth_of_the_hashrate(void **state)
{
    (void)state;
    struct u256 target;
    assert_true(target_expand(pool_easiest_bits(1e15, 30), &target));
    struct u256 work = target_work(&target);
    double hashes = u256_to_double(&work);
    assert_true(hashes > 0.99 * 3e15 && hashes < 1.01 * 3e15);
    assert_true(target_expand(pool_easiest_bits(1e6, 1), &target)); // never harder: all of it
    work = target_work(&target);
    hashes = u256_to_double(&work);
    assert_true(hashes > 0.99 * 1e6 && hashes < 1.01 * 1e6);
    assert_int_equal(pool_easiest_bits(1e-3, 30), 0x21008000);
    assert_true(target_bits_are_canonical(pool_easiest_bits(1e23, 3600)));
}

static void question_without_a_node_says_where_it_was_asked(void **state)
{
    (void)state;
    static const char *const names[] = {"status",  "miners", "blocks", "payouts", "credits",
                                        "daemons", "peers",  "dht",    "chain"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct run what = {command_query, names[i], ARGV("--data", "/nowhere/at/all")};
        assert_fails(&what, EXIT_UNREACHED, "no node answers at /nowhere/at/all/control.sock");
        what.argv = ARGV("--json", "--data", "/nowhere/at/all");
        assert_fails(&what, EXIT_UNREACHED, "is \"shoal node\" running");
        what.argv = ARGV("--dat", "/x");
        assert_fails(&what, EXIT_MISUSED, "is --data meant?");
        what.argv = ARGV("all");
        assert_fails(&what, EXIT_MISUSED, "\"all\" is one word too many");
    }
    struct run block = {command_query, "block", ARGV("--json")};
    assert_fails(&block, EXIT_MISUSED, "HASH is missing: shoal block HASH");
    block.argv = ARGV("00ff");
    assert_fails(&block, EXIT_MISUSED, "64 hex digits");
}

static void node_without_its_files_does_not_start(void **state)
{
    (void)state;
    struct run what = {command_node, NULL, ARGV("--daemon", "http://a")};
    assert_fails(&what, EXIT_MISUSED, "pool: missing");
    what.argv = ARGV("--pool", "/nowhere/p", "--daemon", "http://a");
    assert_fails(&what, EXIT_FAILED, "pool: cannot read \"/nowhere/p\"");
    what.argv = ARGV("--config", "/nowhere/c");
    assert_fails(&what, EXIT_MISUSED, "config: cannot read \"/nowhere/c\"");
}

static void values_in_force_are_printed(void **state)
{
    (void)state;
    struct said said;
    struct run what = {command_config, NULL,
                       ARGV("--pool", "p", "--daemon", "http://a", "--log-level", "warn")};
    assert_int_equal(run(&what, &said), EXIT_OK);
    assert_non_null(strstr(said.out, "[log]\nlevel = warn\n"));
    what.argv = ARGV("--pool", "p");
    assert_fails(&what, EXIT_MISUSED, "daemon: missing");
}

// In roff a hyphen is \\-.
static void write_name(const char *name, bool is_roff, char out[64])
{
    size_t size = 0;
    for (; *name != '\0' && size < 62; name++) {
        if (*name == '-' && is_roff)
            out[size++] = '\\';
        out[size++] = *name;
    }
    out[size] = '\0';
}

static void every_command_is_in_the_help_the_manual_and_the_completions(void **state)
{
    (void)state;
    static const struct {
        command_run *command;
        const char *name;
        const char *argument; // NULL: none
        const char *form;     // of a command's name in it
    } texts[] = {
        {command_help, "help", NULL, "\n  %s "},
        {command_man, "man", NULL, "\\fBshoal %s\\fR"},
        {command_completion, "completion", "bash", "    '%s ')"},
        {command_completion, "completion", "zsh", "        '%s:"},
        {command_completion, "completion", "fish", "__fish_use_subcommand -a %s -d"},
    };
    struct said *said = malloc(sizeof(*said));
    assert_non_null(said);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct run what = {texts[i].command, texts[i].name, ARGV(texts[i].argument)};
        assert_int_equal(run(&what, said), EXIT_OK);
        const struct command *command;
        for (size_t j = 0; (command = command_row(j)) != NULL; j++) {
            char part[128], name[64];
            bool is_roff = texts[i].command == command_man;
            write_name(command->name, is_roff, name);
            const char *place = strchr(texts[i].form, '%');
            snprintf(part, sizeof(part), "%.*s%s%s", (int)(place - texts[i].form), texts[i].form,
                     name, place + 2);
            if (strstr(said->out, part) == NULL)
                fail_msg("\"%s\" is not in what \"shoal %s\" prints", part, texts[i].name);
        }
    }
    free(said);
}

static void command_that_is_none_is_told_from_one_that_may_be_meant(void **state)
{
    (void)state;
    struct run what = {command_help, "help", ARGV("stats")};
    assert_fails(&what, EXIT_MISUSED, "is \"status\" meant?");
    what.argv = ARGV("nonsense");
    assert_fails(&what, EXIT_MISUSED, "no command \"nonsense\"; \"shoal help\" lists them");
    what.argv = ARGV("status", "x");
    assert_fails(&what, EXIT_MISUSED, "\"x\" is one word too many");
    what.argv = ARGV("--data", "x");
    assert_fails(&what, EXIT_MISUSED, "no flag --data here");
    what = (struct run){command_man, "man", ARGV("shoal.txt")};
    assert_fails(&what, EXIT_MISUSED, "\"shoal.txt\" is none of shoal|shoal.conf");
    what = (struct run){command_completion, "completion", ARGV(NULL)};
    assert_fails(&what, EXIT_MISUSED, "bash|zsh|fish is missing");
    what = (struct run){command_query, "status", ARGV("--json=1")};
    assert_fails(&what, EXIT_MISUSED, "--json takes no value");
    what.argv = ARGV("-j");
    assert_fails(&what, EXIT_MISUSED, "flags begin with --");
    what.argv = ARGV("--", "--json");
    assert_fails(&what, EXIT_MISUSED, "\"--json\" is one word too many");
}

static int run_with_input(const struct run *what, const char *input, struct said *said)
{
    int file = temporary_file(), old = dup(STDIN_FILENO);
    assert_int_equal(pwrite(file, input, strlen(input), 0), strlen(input));
    dup2(file, STDIN_FILENO);
    int status = run(what, said);
    dup2(old, STDIN_FILENO);
    close(old);
    close(file);
    return status;
}

// No node runs: the files are there all the same.
static void accounts_are_made_and_removed_while_no_node_runs(void **state)
{
    (void)state;
    char folder[] = "/tmp/shoal-owner-XXXXXX", path[64];
    struct said *said = malloc(sizeof(*said));
    assert_non_null(said);
    assert_non_null(mkdtemp(folder));
    struct run what = {command_account, "account",
                       ARGV("add", "alice", "--role", "admin", "--data", folder)};
    assert_int_equal(run_with_input(&what, "too short\n", said), EXIT_FAILED);
    assert_non_null(strstr(said->error, "fewer than 10 bytes"));
    assert_int_equal(run_with_input(&what, "", said), EXIT_FAILED);
    assert_non_null(strstr(said->error, "was not given"));
    assert_int_equal(run_with_input(&what, "correct horse battery\n", said), EXIT_OK);
    assert_int_equal(run_with_input(&what, "correct horse battery\n", said), EXIT_FAILED);
    assert_non_null(strstr(said->error, "already"));
    what = (struct run){command_token, "token",
                        ARGV("create", "--role", "viewer", "--label", "x", "--data", folder)};
    assert_int_equal(run(&what, said), EXIT_OK);
    assert_int_equal(strncmp(said->out, "shoal_", 6), 0);
    what = (struct run){command_account, "account", ARGV("remove", "alice", "--data", folder)};
    assert_int_equal(run(&what, said), EXIT_OK);
    assert_int_equal(run(&what, said), EXIT_FAILED);
    what = (struct run){command_audit, "audit", ARGV("--data", folder)};
    assert_int_equal(run(&what, said), EXIT_OK);
    assert_non_null(strstr(said->out, "accounts/remove"));
    assert_null(strstr(said->out, "argon2"));
    what = (struct run){command_operate, "drain", ARGV("--data", folder)};
    assert_int_equal(run(&what, said), EXIT_UNREACHED);
    static const char *const names[] = {"accounts.json", "accounts.lock", "audit.log"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    free(said);
}

static void wrong_words_of_an_operator_are_named(void **state)
{
    (void)state;
    struct run what = {command_operate, "ban", ARGV("192.0.2.1", "--for", "5y", "--data", "/x")};
    assert_fails(&what, EXIT_MISUSED, "\"5y\" is no time");
    what = (struct run){command_operate, "log-level", ARGV("loud")};
    assert_fails(&what, EXIT_MISUSED, "none of error|warn|info|debug");
    what = (struct run){command_token, "token", ARGV("create", "--role", "god", "--label", "x")};
    assert_fails(&what, EXIT_MISUSED, "none of viewer|operator|admin");
    what = (struct run){command_account, "account", ARGV("add", "bob", "--data", "/nowhere/at")};
    assert_fails(&what, EXIT_FAILED, "/nowhere/at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_new_writes_a_file_that_check_takes),
        cmocka_unit_test(pool_new_refuses_what_is_wrong),
        cmocka_unit_test(pool_check_names_file_line_and_key),
        cmocka_unit_test(secret_is_new_each_time_and_taken_by_the_configuration),
        cmocka_unit_test(easiest_bits_fit_a_tenth_of_the_hashrate),
        cmocka_unit_test(question_without_a_node_says_where_it_was_asked),
        cmocka_unit_test(node_without_its_files_does_not_start),
        cmocka_unit_test(values_in_force_are_printed),
        cmocka_unit_test(accounts_are_made_and_removed_while_no_node_runs),
        cmocka_unit_test(wrong_words_of_an_operator_are_named),
        cmocka_unit_test(every_command_is_in_the_help_the_manual_and_the_completions),
        cmocka_unit_test(command_that_is_none_is_told_from_one_that_may_be_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
