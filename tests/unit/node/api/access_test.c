// Requests: what sessions and tokens are taken for, and everything that is not taken.
#include "node/api/access.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/api/access_fixture.h"

static void enter(struct access_fixture *fixture, struct access_session *session)
{
    if (!access_fixture_login(fixture, "alice", true, "", session))
        fail_msg("%s", fixture->change.problem.detail);
}

static void make_token(struct access_fixture *fixture, enum api_role role, int64_t expires_s,
                       char token[ACCESS_TOKEN_TEXT])
{
    struct access_token_wish wish = {"a test", role, expires_s};
    if (!access_token_create(fixture->access, access_fixture_as(fixture, &fixture->local), &wish,
                             token))
        fail_msg("%s", fixture->change.problem.detail);
}

static void assert_nobody(struct access_fixture *fixture, const char *cookie)
{
    struct api_identity who;
    assert_int_equal(access_fixture_cookie(fixture, cookie, NULL, &who), ACCESS_GRANTED);
    assert_int_equal(who.role, API_PUBLIC);
    assert_string_equal(who.name, "");
    assert_int_equal(who.session, 0);
}

static void assert_token_wrong(struct access_fixture *fixture, const char *token)
{
    struct api_identity who;
    assert_int_equal(access_fixture_token(fixture, token, &who), ACCESS_WRONG);
    assert_int_equal(who.role, API_PUBLIC);
    assert_string_equal(who.name, "");
}

// ---- Passwords

static void password_opens_a_session_with_the_role_of_the_account(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_attempt attempt = {"alice", FIXTURE_PASSWORD, "", "192.0.2.1"};
    struct access_login login;
    struct access_session session;
    struct api_identity who;
    access_fixture_add(fixture, "alice", API_OPERATOR);
    assert_true(access_login_begin(fixture->access, &attempt, fixture->now, &login,
                                   &fixture->change.problem));
    password_job_run(&login.job); // the one with the real cost
    assert_true(access_login_end(fixture->access, &login, fixture->now, &session,
                                 &fixture->change.problem));
    assert_int_equal(access_fixture_cookie(fixture, session.id, NULL, &who), ACCESS_GRANTED);
    assert_int_equal(who.role, API_OPERATOR);
    assert_string_equal(who.name, "alice");
    assert_string_equal(who.address, "192.0.2.1");
    assert_int_equal(who.session, session.identity.session);
    assert_true(access_fixture_has_line(fixture, "\"action\":\"session\",\"what\":\"\","
                                                 "\"result\":\"done\""));
}

static void wrong_password_is_refused_by_the_real_check(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_attempt attempt = {"alice", "correct horse batterz", "", "192.0.2.1"};
    struct access_login login;
    struct access_session session;
    access_fixture_add(fixture, "alice", API_OPERATOR);
    assert_true(access_login_begin(fixture->access, &attempt, fixture->now, &login,
                                   &fixture->change.problem));
    password_job_run(&login.job);
    assert_false(access_login_end(fixture->access, &login, fixture->now, &session,
                                  &fixture->change.problem));
    assert_int_equal(fixture->change.problem.status, 401);
}

static void unknown_name_is_answered_as_a_wrong_password(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    struct api_problem known;
    access_fixture_add(fixture, "alice", API_OPERATOR);
    assert_false(access_fixture_login(fixture, "alice", false, "", &session));
    known = fixture->change.problem;
    assert_false(access_fixture_login(fixture, "mallory", false, "", &session));
    assert_int_equal(fixture->change.problem.status, known.status);
    assert_string_equal(fixture->change.problem.detail, known.detail);
    // Not even if the job said that the password of nobody is right.
    assert_false(access_fixture_login(fixture, "mallory", true, "", &session));
    // What was typed as a name may be a password.
    assert_false(access_fixture_has_line(fixture, "mallory"));
    assert_true(access_fixture_has_line(fixture, "\"who\":\"(unknown)\""));
}

static void unknown_name_costs_as_much_and_is_locked_as_well(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_attempt attempt = {"mallory", "x", "", ""};
    struct access_login login;
    struct access_session session;
    char address[64];
    attempt.address = address;
    for (int i = 0; i < 10; i++) {
        snprintf(address, sizeof(address), "192.0.2.%d", i);
        assert_true(access_login_begin(fixture->access, &attempt, fixture->now, &login,
                                       &fixture->change.problem));
        assert_string_equal(login.job.against, password_hash_of_nobody());
        assert_false(access_login_end(fixture->access, &login, fixture->now, &session,
                                      &fixture->change.problem));
    }
    assert_false(access_login_begin(fixture->access, &attempt, fixture->now, &login,
                                    &fixture->change.problem));
    assert_int_equal(fixture->change.problem.status, 429);
    assert_int_equal(fixture->change.problem.retry_after_s, 900);
}

static void locked_address_does_not_try_and_others_do(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    struct access_login login;
    access_fixture_add(fixture, "alice", API_OPERATOR);
    access_fixture_add(fixture, "bob", API_OPERATOR);
    for (int i = 0; i < 10; i++)
        assert_false(
            access_fixture_login(fixture, i % 2 == 0 ? "alice" : "bob", false, "", &session));
    assert_false(access_fixture_login(fixture, "alice", true, "", &session));
    assert_int_equal(fixture->change.problem.status, 429);
    assert_int_equal(fixture->change.problem.retry_after_s, 60);
    struct access_attempt attempt = {"alice", FIXTURE_PASSWORD, "", "192.0.2.2"};
    assert_true(access_login_begin(fixture->access, &attempt, fixture->now, &login,
                                   &fixture->change.problem));
    access_fixture_pass(fixture, 60);
    enter(fixture, &session);
    assert_true(access_fixture_has_line(fixture, "refused; locked"));
}

static void account_that_changed_during_the_check_is_not_entered(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_attempt attempt = {"alice", FIXTURE_PASSWORD, "", "192.0.2.1"};
    struct access_login login;
    struct access_session session;
    struct password_job job = {.is_right = true};
    access_fixture_add(fixture, "alice", API_OPERATOR);
    assert_true(access_login_begin(fixture->access, &attempt, fixture->now, &login,
                                   &fixture->change.problem));
    login.job.is_right = true;
    snprintf(job.hash, sizeof(job.hash), "%s", password_hash_of_nobody());
    assert_true(access_password_end(fixture->access, access_fixture_as(fixture, &fixture->local),
                                    "alice", &job));
    assert_false(access_login_end(fixture->access, &login, fixture->now, &session,
                                  &fixture->change.problem));
    assert_true(access_account_remove(fixture->access, access_fixture_as(fixture, &fixture->local),
                                      "alice"));
    assert_false(access_login_end(fixture->access, &login, fixture->now, &session,
                                  &fixture->change.problem));
}

static void texts_that_are_too_long_are_refused_before_any_cost(void **state)
{
    struct access_fixture *fixture = *state;
    char text[200];
    struct access_login login;
    memset(text, 'a', sizeof(text));
    text[199] = '\0';
    struct access_attempt attempts[] = {
        {text, "x", "", "192.0.2.1"},      {"alice", text, "", "192.0.2.1"},
        {"alice", "x", text, "192.0.2.1"}, {"", "x", "", "192.0.2.1"},
        {"a<b>", "x", "", "192.0.2.1"},
    };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        assert_false(access_login_begin(fixture->access, &attempts[i], fixture->now, &login,
                                        &fixture->change.problem));
        assert_int_equal(fixture->change.problem.status, 400);
    }
}

// ---- Second factor

static void begin_totp(struct access_fixture *fixture, uint8_t secret[TOTP_SECRET_SIZE])
{
    char code[TOTP_CODE_SIZE];
    access_fixture_add(fixture, "alice", API_OPERATOR);
    assert_true(access_totp_begin(fixture->access, access_fixture_as(fixture, &fixture->local),
                                  "alice", secret));
    totp_code(secret, wall_seconds(fixture->now.wall) / 30, code);
    assert_true(access_totp_confirm(fixture->access, access_fixture_as(fixture, &fixture->local),
                                    "alice", code));
    access_fixture_pass(fixture, 60);
}

static void second_factor_is_asked_for_and_each_code_is_taken_once(void **state)
{
    struct access_fixture *fixture = *state;
    uint8_t secret[TOTP_SECRET_SIZE];
    char code[TOTP_CODE_SIZE];
    struct access_session session;
    begin_totp(fixture, secret);
    totp_code(secret, wall_seconds(fixture->now.wall) / 30, code);
    assert_false(access_fixture_login(fixture, "alice", true, "", &session));
    assert_false(access_fixture_login(fixture, "alice", true, "000000", &session));
    assert_false(access_fixture_login(fixture, "alice", false, code, &session));
    assert_true(access_fixture_login(fixture, "alice", true, code, &session));
    assert_false(access_fixture_login(fixture, "alice", true, code, &session));
    access_fixture_reopen(fixture); // nor by another process
    assert_false(access_fixture_login(fixture, "alice", true, code, &session));
    access_fixture_pass(fixture, 30);
    totp_code(secret, wall_seconds(fixture->now.wall) / 30, code);
    assert_true(access_fixture_login(fixture, "alice", true, code, &session));
}

static void second_factor_is_in_force_once_it_is_confirmed(void **state)
{
    struct access_fixture *fixture = *state;
    uint8_t secret[TOTP_SECRET_SIZE], other[TOTP_SECRET_SIZE];
    char code[TOTP_CODE_SIZE];
    struct access_session session;
    access_fixture_add(fixture, "alice", API_OPERATOR);
    assert_true(access_totp_begin(fixture->access, access_fixture_as(fixture, &fixture->local),
                                  "alice", secret));
    enter(fixture, &session); // not yet
    assert_false(access_totp_confirm(fixture->access, access_fixture_as(fixture, &fixture->local),
                                     "alice", "000000"));
    assert_int_equal(fixture->change.problem.status, 400);
    assert_true(access_totp_begin(fixture->access, access_fixture_as(fixture, &fixture->local),
                                  "alice", other));
    totp_code(secret, wall_seconds(fixture->now.wall) / 30, code);
    assert_false(access_totp_confirm(fixture->access, access_fixture_as(fixture, &fixture->local),
                                     "alice", code)); // of the one before
    access_fixture_pass(fixture, 901);
    totp_code(other, wall_seconds(fixture->now.wall) / 30, code);
    assert_false(access_totp_confirm(fixture->access, access_fixture_as(fixture, &fixture->local),
                                     "alice", code)); // too late
    assert_int_equal(fixture->change.problem.status, 409);
}

static void second_factor_can_be_taken_away(void **state)
{
    struct access_fixture *fixture = *state;
    uint8_t secret[TOTP_SECRET_SIZE];
    struct access_session session;
    begin_totp(fixture, secret);
    assert_true(
        access_totp_remove(fixture->access, access_fixture_as(fixture, &fixture->local), "alice"));
    enter(fixture, &session);
    assert_false(
        access_totp_remove(fixture->access, access_fixture_as(fixture, &fixture->local), "alice"));
    assert_int_equal(fixture->change.problem.status, 404);
}

// ---- Sessions

static void forged_cookie_is_nobody(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    access_fixture_add(fixture, "alice", API_ADMIN);
    enter(fixture, &session);
    session.id[10] = session.id[10] == '0' ? '1' : '0';
    assert_nobody(fixture, session.id);
    assert_nobody(fixture, "");
    assert_nobody(fixture, "0000000000000000000000000000000000000000000000000000000000000000");
    session.id[63] = '\0';
    assert_nobody(fixture, session.id);
}

static void session_of_another_server_beside_ours_does_no_harm(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    struct api_identity who;
    char cookie[512];
    access_fixture_add(fixture, "alice", API_ADMIN);
    enter(fixture, &session);
    snprintf(cookie, sizeof(cookie), "%064d; shoal_session=%s", 7, session.id);
    assert_int_equal(access_fixture_cookie(fixture, cookie, NULL, &who), ACCESS_GRANTED);
    assert_int_equal(who.role, API_ADMIN);
}

static void cookie_alone_changes_nothing(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    struct api_identity who;
    access_fixture_add(fixture, "alice", API_ADMIN);
    enter(fixture, &session);
    assert_int_equal(access_fixture_cookie(fixture, session.id, session.csrf, &who),
                     ACCESS_GRANTED);
    assert_int_equal(who.role, API_ADMIN);
    assert_string_equal(access_session_csrf(fixture->access, who.session), session.csrf);
    assert_int_equal(access_fixture_cookie(fixture, session.id, "", &who), ACCESS_WRONG);
    assert_int_equal(who.role, API_PUBLIC);
    session.csrf[0] = session.csrf[0] == '0' ? '1' : '0';
    assert_int_equal(access_fixture_cookie(fixture, session.id, session.csrf, &who), ACCESS_WRONG);
    assert_int_equal(who.role, API_PUBLIC);
}

static void session_ends_when_it_is_not_used_and_at_its_age(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    struct api_identity who;
    access_fixture_add(fixture, "alice", API_ADMIN);
    enter(fixture, &session);
    access_fixture_pass(fixture, ACCESS_SESSION_IDLE_S - 1);
    assert_int_equal(access_fixture_cookie(fixture, session.id, NULL, &who), ACCESS_GRANTED);
    assert_int_equal(who.role, API_ADMIN);
    access_fixture_pass(fixture, ACCESS_SESSION_IDLE_S);
    assert_nobody(fixture, session.id);
    enter(fixture, &session);
    for (int64_t i = 0; i < ACCESS_SESSION_MAX_S / 1000; i++) {
        access_fixture_pass(fixture, 1000);
        access_fixture_cookie(fixture, session.id, NULL, &who);
        assert_int_equal(who.role, API_ADMIN);
    }
    access_fixture_pass(fixture, 1000);
    assert_nobody(fixture, session.id);
}

static void session_is_over_after_signing_out(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    access_fixture_add(fixture, "alice", API_ADMIN);
    enter(fixture, &session);
    assert_true(access_session_end(fixture->access, access_fixture_as(fixture, &session.identity)));
    assert_nobody(fixture, session.id);
    assert_string_equal(access_session_csrf(fixture->access, session.identity.session), "");
    assert_false(
        access_session_end(fixture->access, access_fixture_as(fixture, &session.identity)));
    assert_true(access_fixture_has_line(fixture, "\"action\":\"session/end\""));
}

static void sessions_are_bounded_and_the_unused_one_goes(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session sessions[ACCESS_SESSIONS_MAX], more;
    struct api_identity who;
    access_fixture_add(fixture, "alice", API_VIEWER);
    for (size_t i = 0; i < ACCESS_SESSIONS_MAX; i++) {
        access_fixture_pass(fixture, 1);
        enter(fixture, &sessions[i]);
    }
    access_fixture_pass(fixture, 1);
    access_fixture_cookie(fixture, sessions[0].id, NULL, &who); // used now
    enter(fixture, &more);
    access_fixture_cookie(fixture, sessions[0].id, NULL, &who);
    assert_int_equal(who.role, API_VIEWER);
    access_fixture_cookie(fixture, more.id, NULL, &who);
    assert_int_equal(who.role, API_VIEWER);
    assert_nobody(fixture, sessions[1].id);
}

static void sessions_do_not_outlive_the_process_nor_the_account(void **state)
{
    struct access_fixture *fixture = *state;
    struct access_session session;
    access_fixture_add(fixture, "alice", API_VIEWER);
    enter(fixture, &session);
    access_fixture_reopen(fixture);
    assert_nobody(fixture, session.id);
    enter(fixture, &session);
    assert_true(access_account_remove(fixture->access, access_fixture_as(fixture, &fixture->local),
                                      "alice"));
    assert_nobody(fixture, session.id);
}

// ---- Tokens

static void token_has_its_role_and_needs_no_csrf(void **state)
{
    struct access_fixture *fixture = *state;
    char token[ACCESS_TOKEN_TEXT], header[128];
    struct api_identity who;
    make_token(fixture, API_OPERATOR, 3600, token);
    assert_int_equal(access_fixture_token(fixture, token, &who), ACCESS_GRANTED);
    assert_int_equal(who.role, API_OPERATOR);
    assert_string_equal(who.name, "local");
    assert_memory_equal(who.token, token + 6, 16);
    snprintf(header, sizeof(header), "bEARER %s", token);
    struct access_credentials credentials = {header, "", "192.0.2.1", true, ""};
    assert_int_equal(
        access_check(fixture->access, &credentials, fixture->now, &who, &fixture->retry_after_s),
        ACCESS_GRANTED);
    assert_int_equal(who.role, API_OPERATOR);
    access_fixture_reopen(fixture); // kept, as a hash
    assert_int_equal(access_fixture_token(fixture, token, &who), ACCESS_GRANTED);
    char *file = access_fixture_read(fixture->path);
    assert_null(strstr(file, token + 23));
    free(file);
}

static void forged_token_is_refused(void **state)
{
    struct access_fixture *fixture = *state;
    char token[ACCESS_TOKEN_TEXT], forged[ACCESS_TOKEN_TEXT + 8];
    make_token(fixture, API_ADMIN, 3600, token);
    snprintf(forged, sizeof(forged), "%s", token);
    forged[80] = forged[80] == 'f' ? 'e' : 'f';
    assert_token_wrong(fixture, forged); // another secret
    snprintf(forged, sizeof(forged), "%s", token);
    forged[8] = forged[8] == 'f' ? 'e' : 'f';
    assert_token_wrong(fixture, forged); // another id
    snprintf(forged, sizeof(forged), "%s0", token);
    assert_token_wrong(fixture, forged);
    snprintf(forged, sizeof(forged), "%.86s", token);
    assert_token_wrong(fixture, forged);
    snprintf(forged, sizeof(forged), "%s", token);
    forged[80] = 'F';
    assert_token_wrong(fixture, forged);
    assert_token_wrong(fixture, "");
    assert_token_wrong(fixture, "shoal__");
}

static void token_is_refused_after_its_time(void **state)
{
    struct access_fixture *fixture = *state;
    char token[ACCESS_TOKEN_TEXT], lasting[ACCESS_TOKEN_TEXT];
    struct api_identity who;
    make_token(fixture, API_VIEWER, 60, token);
    make_token(fixture, API_VIEWER, ACCESS_TOKEN_NEVER, lasting);
    access_fixture_pass(fixture, 59);
    assert_int_equal(access_fixture_token(fixture, token, &who), ACCESS_GRANTED);
    access_fixture_pass(fixture, 1);
    assert_token_wrong(fixture, token);
    access_fixture_pass(fixture, ACCESS_TOKEN_MAX_S);
    assert_int_equal(access_fixture_token(fixture, lasting, &who), ACCESS_GRANTED);
}

static void token_is_refused_after_it_was_revoked(void **state)
{
    struct access_fixture *fixture = *state;
    char token[ACCESS_TOKEN_TEXT], id[17];
    make_token(fixture, API_VIEWER, 60, token);
    snprintf(id, sizeof(id), "%.16s", token + 6);
    assert_true(
        access_token_revoke(fixture->access, access_fixture_as(fixture, &fixture->local), id));
    assert_token_wrong(fixture, token);
    access_fixture_reopen(fixture);
    assert_token_wrong(fixture, token);
}

static void many_wrong_tokens_limit_the_address_but_not_right_ones(void **state)
{
    struct access_fixture *fixture = *state;
    char token[ACCESS_TOKEN_TEXT];
    struct api_identity who;
    struct access_session session;
    make_token(fixture, API_VIEWER, 3600, token);
    for (int i = 0; i < 10; i++)
        assert_token_wrong(fixture, "shoal_x");
    assert_int_equal(access_fixture_token(fixture, "shoal_x", &who), ACCESS_LIMITED);
    assert_int_equal(who.role, API_PUBLIC);
    assert_int_equal(fixture->retry_after_s, 60);
    assert_int_equal(access_fixture_token(fixture, token, &who), ACCESS_GRANTED);
    access_fixture_add(fixture, "alice", API_VIEWER);
    enter(fixture, &session); // nor people
    access_fixture_pass(fixture, 60);
    assert_token_wrong(fixture, "shoal_x");
    assert_true(access_fixture_has_line(fixture, "ten wrong tokens"));
}

static void other_schemes_of_a_proxy_are_nobody(void **state)
{
    struct access_fixture *fixture = *state;
    struct api_identity who;
    struct access_credentials credentials = {"Basic YTpi", "", "192.0.2.1", true, ""};
    assert_int_equal(
        access_check(fixture->access, &credentials, fixture->now, &who, &fixture->retry_after_s),
        ACCESS_GRANTED);
    assert_int_equal(who.role, API_PUBLIC);
}

int main(void)
{
#define ACCESS_TEST(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, access_fixture_open, access_fixture_close)
    const struct CMUnitTest tests[] = {
        ACCESS_TEST(password_opens_a_session_with_the_role_of_the_account),
        ACCESS_TEST(wrong_password_is_refused_by_the_real_check),
        ACCESS_TEST(unknown_name_is_answered_as_a_wrong_password),
        ACCESS_TEST(unknown_name_costs_as_much_and_is_locked_as_well),
        ACCESS_TEST(locked_address_does_not_try_and_others_do),
        ACCESS_TEST(account_that_changed_during_the_check_is_not_entered),
        ACCESS_TEST(texts_that_are_too_long_are_refused_before_any_cost),
        ACCESS_TEST(second_factor_is_asked_for_and_each_code_is_taken_once),
        ACCESS_TEST(second_factor_is_in_force_once_it_is_confirmed),
        ACCESS_TEST(second_factor_can_be_taken_away),
        ACCESS_TEST(forged_cookie_is_nobody),
        ACCESS_TEST(session_of_another_server_beside_ours_does_no_harm),
        ACCESS_TEST(cookie_alone_changes_nothing),
        ACCESS_TEST(session_ends_when_it_is_not_used_and_at_its_age),
        ACCESS_TEST(session_is_over_after_signing_out),
        ACCESS_TEST(sessions_are_bounded_and_the_unused_one_goes),
        ACCESS_TEST(sessions_do_not_outlive_the_process_nor_the_account),
        ACCESS_TEST(token_has_its_role_and_needs_no_csrf),
        ACCESS_TEST(forged_token_is_refused),
        ACCESS_TEST(token_is_refused_after_its_time),
        ACCESS_TEST(token_is_refused_after_it_was_revoked),
        ACCESS_TEST(many_wrong_tokens_limit_the_address_but_not_right_ones),
        ACCESS_TEST(other_schemes_of_a_proxy_are_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
