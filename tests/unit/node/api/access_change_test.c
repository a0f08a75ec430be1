// Changes of accounts and tokens: who may, what is kept, and a file that is not as it should be.
#include <fcntl.h>
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
#include "tests/unit/node/api/access_fixture.h"

static struct api_identity identity(const char *name, enum api_role role)
{
    struct api_identity who = {.role = role, .address = "192.0.2.1"};
    snprintf(who.name, sizeof(who.name), "%s", name);
    return who;
}

static bool add_as(struct access_fixture *fixture, const struct api_identity *who, const char *name,
                   enum api_role role)
{
    return access_account_add(fixture->access, access_fixture_as(fixture, who), name, role,
                              access_fixture_hash());
}

static void assert_problem(const struct access_fixture *fixture, bool done, int status)
{
    assert_false(done);
    if (fixture->change.problem.status != status)
        fail_msg("%d: %s", fixture->change.problem.status, fixture->change.problem.detail);
}

// ---- Accounts

static void only_admins_add_and_remove_accounts(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity viewer = identity("v", API_VIEWER), operator= identity("o", API_OPERATOR);
    struct api_identity nobody = identity("", API_PUBLIC), admin = identity("a", API_ADMIN);
    assert_problem(fixture, add_as(fixture, &nobody, "bob", API_VIEWER), 403);
    assert_problem(fixture, add_as(fixture, &viewer, "bob", API_VIEWER), 403);
    assert_problem(fixture, add_as(fixture, &operator, "bob", API_VIEWER), 403);
    assert_false(access_has_admin(fixture->access));
    assert_true(add_as(fixture, &admin, "bob", API_ADMIN));
    assert_true(access_has_admin(fixture->access));
    assert_problem(
        fixture,
        access_account_remove(fixture->access, access_fixture_as(fixture, &operator), "bob"), 403);
    assert_true(access_fixture_has_line(fixture, "\"who\":\"a\",\"token\":null,\"from\":"
                                                 "\"192.0.2.1\",\"action\":\"accounts/add\","
                                                 "\"what\":\"name=bob role=admin\","
                                                 "\"result\":\"done\""));
}

static void token_of_an_admin_changes_no_accounts_or_tokens(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity who = identity("bob", API_ADMIN);
    struct access_token_wish wish = {"x", API_VIEWER, 3600};
    struct password_job job;
    uint8_t secret[TOTP_SECRET_SIZE];
    char token[ACCESS_TOKEN_TEXT];
    access_fixture_add(fixture, "bob", API_ADMIN);
    snprintf(who.token, sizeof(who.token), "0011223344556677");
    assert_problem(fixture, add_as(fixture, &who, "eve", API_ADMIN), 403);
    assert_problem(fixture,
                   access_account_remove(fixture->access, access_fixture_as(fixture, &who), "bob"),
                   403);
    assert_problem(
        fixture,
        access_token_create(fixture->access, access_fixture_as(fixture, &who), &wish, token), 403);
    assert_problem(
        fixture,
        access_token_revoke(fixture->access, access_fixture_as(fixture, &who), "0011223344556677"),
        403);
    assert_problem(
        fixture,
        access_password_begin(fixture->access, access_fixture_as(fixture, &who),
                              &(struct access_password_wish){"bob", "", FIXTURE_PASSWORD}, &job),
        403);
    assert_problem(
        fixture,
        access_totp_begin(fixture->access, access_fixture_as(fixture, &who), "bob", secret), 403);
}

static void names_and_hashes_that_are_wrong_are_refused(void **state)
{
    struct access_fixture *fixture = *state;
    static const char *const names[] = {
        "",    "local", "Bob",  "b b", "<script>",
        "b\"", ".bob",  "-bob", "b\n", "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_problem(fixture, add_as(fixture, &fixture->local, names[i], API_VIEWER), 400);
        assert_string_equal(fixture->change.problem.parameter, "name");
    }
    assert_true(add_as(fixture, &fixture->local, "abcdefghijklmnopqrstuvwxyz012345", API_VIEWER));
    assert_problem(fixture, add_as(fixture, &fixture->local, "bob", API_PUBLIC), 400);
    assert_problem(fixture,
                   access_account_add(fixture->access, access_fixture_as(fixture, &fixture->local),
                                      "bob", API_VIEWER, "in the clear"),
                   400);
    assert_true(add_as(fixture, &fixture->local, "bob", API_VIEWER));
    assert_problem(fixture, add_as(fixture, &fixture->local, "bob", API_ADMIN), 409);
}

static void accounts_are_bounded(void **state)
{
    struct access_fixture *fixture = *state;
    for (int i = 0; i < ACCESS_ACCOUNTS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "user%d", i);
        access_fixture_add(fixture, name, API_VIEWER);
    }
    assert_problem(fixture, add_as(fixture, &fixture->local, "more", API_VIEWER), 409);
    access_fixture_reopen(fixture);
    assert_problem(fixture, add_as(fixture, &fixture->local, "more", API_VIEWER), 409);
}

static void last_admin_is_removed_on_the_machine_only(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity admin = identity("a", API_ADMIN);
    access_fixture_add(fixture, "a", API_ADMIN);
    access_fixture_add(fixture, "b", API_ADMIN);
    assert_true(access_account_remove(fixture->access, access_fixture_as(fixture, &admin), "b"));
    assert_problem(fixture,
                   access_account_remove(fixture->access, access_fixture_as(fixture, &admin), "a"),
                   409);
    assert_problem(fixture,
                   access_account_remove(fixture->access, access_fixture_as(fixture, &admin), "b"),
                   404);
    assert_true(
        access_account_remove(fixture->access, access_fixture_as(fixture, &fixture->local), "a"));
}

static void everything_is_read_back_after_a_restart(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_token_wish wish = {"Grafana \"<b>\" \xc3\xa9", API_OPERATOR, 3600};
    char token[ACCESS_TOKEN_TEXT], code[TOTP_CODE_SIZE];
    uint8_t secret[TOTP_SECRET_SIZE];
    struct stat status;
    struct buffer before, after;
    struct json_writer writer;
    access_fixture_add(fixture, "alice", API_ADMIN);
    access_fixture_add(fixture, "bob", API_VIEWER);
    assert_true(access_token_create(fixture->access, access_fixture_as(fixture, &fixture->local),
                                    &wish, token));
    wish.expires_s = ACCESS_TOKEN_NEVER;
    assert_true(access_token_create(fixture->access, access_fixture_as(fixture, &fixture->local),
                                    &wish, token));
    assert_true(access_totp_begin(fixture->access, access_fixture_as(fixture, &fixture->local),
                                  "bob", secret));
    totp_code(secret, wall_seconds(fixture->now.wall) / 30, code);
    assert_true(access_totp_confirm(fixture->access, access_fixture_as(fixture, &fixture->local),
                                    "bob", code));
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    buffer_init(&before, 65536);
    buffer_init(&after, 65536);
    json_writer_init(&writer, &before);
    access_write_accounts(fixture->access, &writer);
    access_write_tokens(fixture->access, fixture->now, &writer);
    access_fixture_reopen(fixture);
    json_writer_init(&writer, &after);
    access_write_accounts(fixture->access, &writer);
    access_write_tokens(fixture->access, fixture->now, &writer);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    write_u8(&after, '\0');
    assert_non_null(strstr((const char *)after.data, "Grafana \\\"<b>\\\" \xc3\xa9"));
    assert_null(strstr((const char *)after.data, "argon2"));
    buffer_clear(&before);
    buffer_clear(&after);
}

static void two_processes_do_not_have_the_accounts(void **state)
{
    struct access_fixture *fixture = *state;
    assert_null(access_open(fixture->folder, &fixture->env, fixture->error));
    assert_non_null(strstr(fixture->error, "accounts.lock"));
}

// ---- Passwords

static void new_password_of_oneself_needs_the_old_one(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity alice = identity("alice", API_VIEWER);
    struct password_job job;
    struct access_session session;
    struct api_identity who;
    access_fixture_add(fixture, "alice", API_VIEWER);
    assert_true(access_fixture_login(fixture, "alice", true, "", &session));
    assert_true(access_password_begin(
        fixture->access, access_fixture_as(fixture, &alice),
        &(struct access_password_wish){"alice", "not the old one", "a new password"}, &job));
    password_job_run(&job);
    assert_problem(
        fixture,
        access_password_end(fixture->access, access_fixture_as(fixture, &alice), "alice", &job),
        403);
    assert_true(access_password_begin(
        fixture->access, access_fixture_as(fixture, &alice),
        &(struct access_password_wish){"alice", FIXTURE_PASSWORD, "a new password"}, &job));
    password_job_run(&job);
    assert_true(
        access_password_end(fixture->access, access_fixture_as(fixture, &alice), "alice", &job));
    access_fixture_cookie(fixture, session.id, NULL, &who);
    assert_int_equal(who.role, API_PUBLIC); // sessions ended
    struct access_attempt attempt = {"alice", "a new password", "", "192.0.2.1"};
    struct access_login login;
    assert_true(access_login_begin(fixture->access, &attempt, fixture->now, &login,
                                   &fixture->change.problem));
    password_job_run(&login.job);
    assert_true(login.job.is_right);
}

static void guessing_the_old_password_is_locked_as_signing_in_is(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity alice = identity("alice", API_VIEWER);
    struct password_job job;
    access_fixture_add(fixture, "alice", API_VIEWER);
    for (int i = 0; i < 10; i++) {
        assert_true(access_password_begin(
            fixture->access, access_fixture_as(fixture, &alice),
            &(struct access_password_wish){"alice", "a guess", "a new password"}, &job));
        assert_problem(
            fixture,
            access_password_end(fixture->access, access_fixture_as(fixture, &alice), "alice", &job),
            403);
    }
    assert_problem(fixture,
                   access_password_begin(
                       fixture->access, access_fixture_as(fixture, &alice),
                       &(struct access_password_wish){"alice", FIXTURE_PASSWORD, "a new password"},
                       &job),
                   429);
}

static void password_of_others_is_for_admins(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity bob = identity("bob", API_OPERATOR), admin = identity("root", API_ADMIN);
    struct password_job job;
    access_fixture_add(fixture, "alice", API_VIEWER);
    assert_problem(
        fixture,
        access_password_begin(fixture->access, access_fixture_as(fixture, &bob),
                              &(struct access_password_wish){"alice", "", "a new password"}, &job),
        403);
    assert_true(access_password_begin(fixture->access, access_fixture_as(fixture, &admin),
                                      &(struct access_password_wish){"alice", "", "a new password"},
                                      &job));
    assert_string_equal(job.against, "");
    assert_problem(fixture,
                   access_password_begin(fixture->access, access_fixture_as(fixture, &admin),
                                         &(struct access_password_wish){"alice", "", "too short"},
                                         &job),
                   400);
    assert_problem(
        fixture,
        access_password_begin(fixture->access, access_fixture_as(fixture, &admin),
                              &(struct access_password_wish){"eve", "", "a new password"}, &job),
        404);
}

// ---- Tokens

static bool create_as(struct access_fixture *fixture, const struct api_identity *who,
                      const struct access_token_wish *wish, char token[ACCESS_TOKEN_TEXT])
{
    return access_token_create(fixture->access, access_fixture_as(fixture, who), wish, token);
}

static void token_has_at_most_the_role_of_its_maker(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity bob = identity("bob", API_OPERATOR);
    char token[ACCESS_TOKEN_TEXT];
    struct access_token_wish wish = {"x", API_ADMIN, 3600};
    access_fixture_add(fixture, "bob", API_OPERATOR);
    assert_problem(fixture, create_as(fixture, &bob, &wish, token), 403);
    wish.role = API_OPERATOR;
    assert_true(create_as(fixture, &bob, &wish, token));
    wish.role = API_PUBLIC;
    assert_problem(fixture, create_as(fixture, &bob, &wish, token), 400);
}

static void token_wish_is_checked(void **state)
{
    struct access_fixture *fixture = *state;
    char token[ACCESS_TOKEN_TEXT], label[ACCESS_LABEL_SIZE + 1];
    memset(label, 'x', sizeof(label));
    label[ACCESS_LABEL_SIZE] = '\0';
    const struct access_token_wish wishes[] = {
        {"", API_VIEWER, 3600},
        {label, API_VIEWER, 3600},
        {"a\tb", API_VIEWER, 3600},
        {"no \xff UTF-8", API_VIEWER, 3600},
        {"x", API_VIEWER, ACCESS_TOKEN_MIN_S - 1},
        {"x", API_VIEWER, ACCESS_TOKEN_MAX_S + 1},
        {"x", API_VIEWER, -1},
    };
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
        assert_problem(fixture, create_as(fixture, &fixture->local, &wishes[i], token), 400);
}

static void tokens_go_with_their_owner(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity bob = identity("bob", API_OPERATOR), who;
    char token[ACCESS_TOKEN_TEXT], other[ACCESS_TOKEN_TEXT];
    struct access_token_wish wish = {"x", API_VIEWER, 3600};
    access_fixture_add(fixture, "bob", API_OPERATOR);
    assert_true(create_as(fixture, &bob, &wish, token));
    assert_true(create_as(fixture, &fixture->local, &wish, other));
    assert_true(
        access_account_remove(fixture->access, access_fixture_as(fixture, &fixture->local), "bob"));
    assert_int_equal(access_fixture_token(fixture, token, &who), ACCESS_WRONG);
    assert_int_equal(access_fixture_token(fixture, other, &who), ACCESS_GRANTED);
}

static void tokens_of_others_are_revoked_by_admins_only(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity bob = identity("bob", API_OPERATOR), eve = identity("eve", API_OPERATOR);
    struct api_identity admin = identity("root", API_ADMIN);
    char token[ACCESS_TOKEN_TEXT], id[17];
    struct access_token_wish wish = {"x", API_VIEWER, 3600};
    access_fixture_add(fixture, "bob", API_OPERATOR);
    assert_true(create_as(fixture, &bob, &wish, token));
    snprintf(id, sizeof(id), "%.16s", token + 6);
    assert_problem(fixture,
                   access_token_revoke(fixture->access, access_fixture_as(fixture, &eve), id), 404);
    assert_true(access_token_revoke(fixture->access, access_fixture_as(fixture, &admin), id));
    assert_problem(fixture,
                   access_token_revoke(fixture->access, access_fixture_as(fixture, &bob), id), 404);
}

static void tokens_are_bounded_and_expired_ones_make_room(void **state)
{
    struct access_fixture *fixture = *state;
    char token[ACCESS_TOKEN_TEXT];
    struct access_token_wish wish = {"x", API_VIEWER, 3600};
    for (int i = 0; i < ACCESS_TOKENS_MAX; i++) {
        wish.expires_s = i == 7 ? 60 : 3600;
        assert_true(create_as(fixture, &fixture->local, &wish, token));
    }
    assert_problem(fixture, create_as(fixture, &fixture->local, &wish, token), 409);
    access_fixture_pass(fixture, 61);
    assert_true(create_as(fixture, &fixture->local, &wish, token));
    assert_problem(fixture, create_as(fixture, &fixture->local, &wish, token), 409);
}

// ---- The file

static void assert_damaged(struct access_fixture *fixture, const char *text, const char *why)
{
    access_close(fixture->access);
    fixture->access = NULL;
    FILE *file = fopen(fixture->path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fclose(file);
    fixture->access = access_open(fixture->folder, &fixture->env, fixture->error);
    if (fixture->access != NULL)
        fail_msg("was taken: %s", text);
    if (strstr(fixture->error, why) == NULL || strstr(fixture->error, fixture->path) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", fixture->error, why);
}

#define HASH                                                                                       \
    "$argon2id$v=19$m=65536,t=2,p=1$FsIP5lSNTJR6bD0dBDGYrA$"                                       \
    "M7DkticXtqEzwFRXEvdMlsLP3nKlAjReaVd1bNStzek"
#define ACCOUNT                                                                                    \
    "{\"name\":\"a\",\"role\":\"admin\",\"password\":\"" HASH "\",\"created_at\":1,\"totp\":null}"
#define TOKEN(owner, expires)                                                                      \
    "{\"id\":\"0011223344556677\",\"label\":\"x\",\"role\":\"viewer\",\"owner\":\"" owner          \
    "\",\"hash\":\"0000000000000000000000000000000000000000000000000000000000000001\","            \
    "\"created_at\":1,\"expires_at\":" expires "}"
#define BOOK(accounts, tokens) "{\"version\":1,\"accounts\":[" accounts "],\"tokens\":[" tokens "]}"

static void damaged_file_is_refused_with_what_is_wrong(void **state)
{
    struct access_fixture *fixture = *state;
    assert_damaged(fixture, "", "no JSON");
    assert_damaged(fixture, "{\"version\":1,\"accounts\":[", "no JSON");
    assert_damaged(fixture, "[]", "version");
    assert_damaged(fixture, "{\"version\":2,\"accounts\":[],\"tokens\":[]}", "version");
    assert_damaged(fixture, "{\"version\":1,\"accounts\":[]}", "just version");
    assert_damaged(fixture, "{\"version\":1,\"accounts\":[],\"tokens\":[],\"x\":1}",
                   "just version");
    assert_damaged(fixture, BOOK("7", ""), "account 1");
    assert_damaged(fixture, BOOK(ACCOUNT "," ACCOUNT, ""), "\"a\" is there twice");
    assert_damaged(fixture,
                   BOOK("{\"name\":\"a\",\"role\":\"god\",\"password\":\"" HASH
                        "\",\"created_at\":1,\"totp\":null}",
                        ""),
                   "no role");
    assert_damaged(fixture,
                   BOOK("{\"name\":\"a\",\"role\":\"admin\",\"password\":\"secret\","
                        "\"created_at\":1,\"totp\":null}",
                        ""),
                   "no password hash");
    assert_damaged(fixture,
                   BOOK("{\"name\":\"a\",\"role\":\"admin\",\"password\":\"" HASH
                        "\",\"created_at\":1,\"totp\":{\"secret\":\"short\",\"step\":1}}",
                        ""),
                   "second factor");
    assert_damaged(fixture,
                   BOOK("{\"name\":\"a\",\"role\":\"admin\",\"password\":\"" HASH
                        "\",\"created_at\":1,\"more\":null}",
                        ""),
                   "second factor");
    assert_damaged(fixture, BOOK("", "{}"), "token 1");
    assert_damaged(fixture, BOOK("", TOKEN("local", "0")), "expires_at");
    assert_damaged(fixture, BOOK("", TOKEN("local", "2") "," TOKEN("local", "2")), "there twice");
    assert_damaged(fixture, BOOK(ACCOUNT, TOKEN("b", "2")), "belongs to \"b\"");
}

static void file_that_others_may_read_is_refused(void **state)
{
    struct access_fixture *fixture = *state;
    access_fixture_add(fixture, "alice", API_ADMIN);
    access_close(fixture->access);
    assert_int_equal(chmod(fixture->path, 0644), 0);
    fixture->access = access_open(fixture->folder, &fixture->env, fixture->error);
    assert_null(fixture->access);
    assert_non_null(strstr(fixture->error, "chmod 600"));
    assert_int_equal(chmod(fixture->path, 0600), 0);
    access_fixture_reopen(fixture);
    assert_true(access_has_admin(fixture->access));
}

static void file_by_hand_is_taken(void **state)
{
    struct access_fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "wb");
    assert_non_null(file);
    assert_true(fputs(BOOK(ACCOUNT, TOKEN("a", "2")), file) >= 0);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fclose(file);
    access_fixture_reopen(fixture);
    assert_true(access_has_admin(fixture->access));
}

// A limit of the process stands for the full disk.
static void full_disk_changes_nothing_and_says_so(void **state)
{
    struct access_fixture *fixture = *state;
    struct rlimit old, tight;
    signal(SIGXFSZ, SIG_IGN);
    access_fixture_add(fixture, "alice", API_ADMIN);
    char *before = access_fixture_read(fixture->path);
    char *log_before = access_fixture_read(fixture->audit_path);
    // The audit log has no more room; accounts.json would have.
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (int i = 0; i < 20; i++) {
        struct api_problem problem;
        struct audit_entry entry = {&fixture->local, "filler", "", "done"};
        assert_true(
            audit_write(access_audit(fixture->access), &entry, false, fixture->now, &problem));
    }
    free(log_before);
    log_before = access_fixture_read(fixture->audit_path);
    tight = (struct rlimit){.rlim_cur = strlen(log_before) + 20, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    bool was_added = add_as(fixture, &fixture->local, "bob", API_ADMIN);
    tight.rlim_cur = 10; // nor has accounts.json
    assert_int_equal(fixture->change.problem.status, 503);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    bool was_added_later = add_as(fixture, &fixture->local, "bob", API_ADMIN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(was_added);
    assert_false(was_added_later);
    assert_int_equal(fixture->change.problem.status, 503);
    assert_non_null(strstr(fixture->change.problem.detail, "accounts.json"));
    char *after = access_fixture_read(fixture->path);
    char *log_after = access_fixture_read(fixture->audit_path);
    assert_string_equal(before, after);
    assert_string_equal(log_before, log_after);
    free(before);
    free(after);
    free(log_before);
    free(log_after);
    access_fixture_add(fixture, "bob", API_ADMIN); // was not there, neither in memory
}

int main(void)
{
#define CHANGE_TEST(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, access_fixture_open, access_fixture_close)
    const struct CMUnitTest tests[] = {
        CHANGE_TEST(only_admins_add_and_remove_accounts),
        CHANGE_TEST(token_of_an_admin_changes_no_accounts_or_tokens),
        CHANGE_TEST(names_and_hashes_that_are_wrong_are_refused),
        CHANGE_TEST(accounts_are_bounded),
        CHANGE_TEST(last_admin_is_removed_on_the_machine_only),
        CHANGE_TEST(everything_is_read_back_after_a_restart),
        CHANGE_TEST(two_processes_do_not_have_the_accounts),
        CHANGE_TEST(new_password_of_oneself_needs_the_old_one),
        CHANGE_TEST(guessing_the_old_password_is_locked_as_signing_in_is),
        CHANGE_TEST(password_of_others_is_for_admins),
        CHANGE_TEST(token_has_at_most_the_role_of_its_maker),
        CHANGE_TEST(token_wish_is_checked),
        CHANGE_TEST(tokens_go_with_their_owner),
        CHANGE_TEST(tokens_of_others_are_revoked_by_admins_only),
        CHANGE_TEST(tokens_are_bounded_and_expired_ones_make_room),
        CHANGE_TEST(damaged_file_is_refused_with_what_is_wrong),
        CHANGE_TEST(file_that_others_may_read_is_refused),
        CHANGE_TEST(file_by_hand_is_taken),
        CHANGE_TEST(full_disk_changes_nothing_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
