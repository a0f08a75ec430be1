// A miner's team on its way from the user name or the password into the commitment of its jobs.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/stratum/rig.h"

// Subscribes, authorizes with these parameters, and gets its first job.
static uint64_t authorize(struct rig *rig, const char *params)
{
    char line[400];
    size_t asked = rig->commitments_count;
    uint64_t session = rig_connect(rig, "192.0.2.1");
    rig_send(rig, session, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"test/1\"]}");
    rig_take(rig, session);
    snprintf(line, sizeof(line), "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[%s]}",
             params);
    rig_send(rig, session, line);
    const char *answer = rig_take(rig, session);
    assert_non_null(strstr(answer, "{\"id\":2,\"result\":true"));
    assert_non_null(strstr(answer, "mining.notify"));
    assert_int_equal(rig->commitments_count, asked + 1);
    return session;
}

static void assert_team(struct rig *rig, const char *params, const char *team, const char *worker)
{
    uint64_t session = authorize(rig, params);
    struct stratum_session_view view = rig_view(rig, session);
    assert_string_equal(rig->asked_team.name, team);
    assert_string_equal(view.team, team);
    assert_string_equal(view.worker, worker);
    assert_int_equal(view.payout->size, 22);
}

static void team_of_name_or_password_is_asked_for_with_each_job(void **state)
{
    (void)state;
    struct rig *rig = rig_started();
    rig_work(rig, 1, true);
    assert_team(rig, "\"" RIG_ADDRESS "\",\"x\"", "", "");
    assert_team(rig, "\"" RIG_ADDRESS "@red\",\"x\"", "red", "");
    assert_team(rig, "\"" RIG_ADDRESS ".rig@Red\",\"x\"", "red", "rig");
    assert_team(rig, "\"" RIG_ADDRESS "_rig@red\"", "red", "rig");
    assert_team(rig, "\"" RIG_ADDRESS ".rig@red+0.5\",null", "red", "rig");
    assert_team(rig, "\"" RIG_ADDRESS ".rig\",\"d=1,team=blue\"", "blue", "rig");
    // The password is the more explicit of the two.
    assert_team(rig, "\"" RIG_ADDRESS ".rig@red\",\"team=blue\"", "blue", "rig");
    rig_free(rig);
}

static void bad_team_is_no_team_and_no_refusal(void **state)
{
    (void)state;
    struct rig *rig = rig_started();
    rig_work(rig, 1, true);
    assert_team(rig, "\"" RIG_ADDRESS "@\",\"x\"", "", "");
    assert_team(rig, "\"" RIG_ADDRESS "@<script>\",\"x\"", "", "-script-");
    assert_team(rig, "\"" RIG_ADDRESS ".rig@a\\\"b\",\"x\"", "", "rig@a-b");
    assert_team(rig, "\"" RIG_ADDRESS ".rig@a\\nb\",\"x\"", "", "rig@a-b");
    assert_team(rig, "\"" RIG_ADDRESS ".rig@r\xc3\xb6t\",\"x\"", "", "rig@r--t");
    assert_team(rig, "\"" RIG_ADDRESS ".me@example.com\",\"x\"", "", "me@example.com");
    assert_team(rig, "\"" RIG_ADDRESS ".rig@twelve-chars\",\"x\"", "", "rig@twelve-chars");
    assert_team(rig, "\"" RIG_ADDRESS ".rig\",\"team=\"", "", "rig");
    assert_team(rig, "\"" RIG_ADDRESS ".rig@red\",\"team=<b>\"", "", "rig");
    assert_int_equal(rig->refused_count, 0);
    rig_free(rig);
}

static void first_user_of_a_connection_says_its_team(void **state)
{
    (void)state;
    struct rig *rig = rig_started();
    rig_work(rig, 1, true);
    uint64_t session = authorize(rig, "\"" RIG_ADDRESS ".a@red\",\"x\"");
    rig_send(rig, session,
             "{\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS
             ".b@blue\",\"x\"]}");
    assert_non_null(strstr(rig_take(rig, session), "{\"id\":3,\"result\":true"));
    rig_work(rig, 2, true);
    assert_string_equal(rig->asked_team.name, "red");
    rig_free(rig);
}

static void share_is_taken_under_the_name_with_its_team_and_without(void **state)
{
    (void)state;
    struct rig *rig = rig_started();
    rig_work(rig, 1, true);
    struct rig_miner miner = {.rig = rig, .session = rig_connect(rig, "192.0.2.1")};
    rig_miner_begin(&miner, "test/1", RIG_ADDRESS ".rig@red", NULL);
    assert_non_null(strstr(rig_miner_share(&miner), "\"result\":true"));
    snprintf(miner.user, sizeof(miner.user), "%s", RIG_ADDRESS ".rig");
    assert_non_null(strstr(rig_miner_share(&miner), "\"result\":true"));
    snprintf(miner.user, sizeof(miner.user), "%s", RIG_ADDRESS ".other@red");
    assert_null(strstr(rig_miner_share(&miner), "\"result\":true"));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(team_of_name_or_password_is_asked_for_with_each_job),
        cmocka_unit_test(bad_team_is_no_team_and_no_refusal),
        cmocka_unit_test(first_user_of_a_connection_says_its_team),
        cmocka_unit_test(share_is_taken_under_the_name_with_its_team_and_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
