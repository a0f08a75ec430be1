// The members of a JSON object against rows.
#include "node/api/body.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct api_member members[] = {
    {{"address", API_NAME, 1, 20, 0, NULL, "Whom."}, true},
    {{"seconds", API_NUMBER, 60, 3600, 600, NULL, "How long."}, false},
    {{"level", API_WORD, 0, 0, 0, "low high", "How much."}, false},
};

struct outcome {
    bool is_read;
    struct api_value values[API_PARAMETERS_MAX];
    struct api_problem problem;
};

static struct outcome read_text(const char *text)
{
    struct outcome outcome = {.is_read = false};
    const struct api_body body = {members, 3, "command"};
    struct json *json = json_parse(text, strlen(text), 64);
    assert_non_null(json);
    outcome.is_read = api_body_read(&body, json_root(json), outcome.values, &outcome.problem);
    json_free(json);
    return outcome;
}

static void assert_refused(const char *text, const char *parameter)
{
    struct outcome outcome = read_text(text);
    if (outcome.is_read)
        fail_msg("was taken: %s", text);
    assert_int_equal(outcome.problem.status, 400);
    if (parameter == NULL)
        assert_null(outcome.problem.parameter);
    else
        assert_string_equal(outcome.problem.parameter, parameter);
}

static void members_are_read_in_the_order_of_the_rows(void **state)
{
    (void)state;
    struct outcome outcome =
        read_text("{\"level\":\"high\",\"command\":\"x\",\"seconds\":61,\"address\":\"a\\\"\"}");
    assert_true(outcome.is_read);
    assert_string_equal(outcome.values[0].text, "a\"");
    assert_int_equal(outcome.values[1].number, 61);
    assert_string_equal(outcome.values[2].text, "high");
}

static void what_is_not_given_has_its_default(void **state)
{
    (void)state;
    struct outcome outcome = read_text("{\"address\":\"a\"}");
    assert_true(outcome.is_read);
    assert_true(outcome.values[0].is_given);
    assert_false(outcome.values[1].is_given);
    assert_int_equal(outcome.values[1].number, 600);
    assert_string_equal(outcome.values[2].text, "low");
}

static void number_may_come_as_text(void **state)
{
    (void)state;
    struct outcome outcome = read_text("{\"address\":\"a\",\"seconds\":\"61\"}");
    assert_true(outcome.is_read);
    assert_int_equal(outcome.values[1].number, 61);
}

static void wrong_members_are_refused_by_name(void **state)
{
    (void)state;
    assert_refused("{}", "address");
    assert_refused("{\"address\":\"\"}", "address");
    assert_refused("{\"address\":7}", "address");
    assert_refused("{\"address\":null}", "address");
    assert_refused("{\"address\":[\"a\"]}", "address");
    assert_refused("{\"address\":\"012345678901234567890\"}", "address");
    assert_refused("{\"address\":\"a\\u0000b\"}", "address");
    assert_refused("{\"address\":\"a\\nb\"}", "address");
    assert_refused("{\"address\":\"a\",\"address\":\"b\"}", "address");
    assert_refused("{\"address\":\"a\",\"seconds\":59}", "seconds");
    assert_refused("{\"address\":\"a\",\"seconds\":-61}", "seconds");
    assert_refused("{\"address\":\"a\",\"seconds\":61.5}", "seconds");
    assert_refused("{\"address\":\"a\",\"seconds\":99999999999999999999}", "seconds");
    assert_refused("{\"address\":\"a\",\"seconds\":true}", "seconds");
    assert_refused("{\"address\":\"a\",\"level\":\"middle\"}", "level");
    assert_refused("{\"address\":\"a\",\"more\":1}", NULL);
    assert_refused("{\"address\":\"a\",\"Address\":\"a\"}", NULL);
}

static void object_that_is_none_has_no_members(void **state)
{
    (void)state;
    const struct api_body body = {members, 3, NULL}, empty = {NULL, 0, NULL};
    struct api_value values[API_PARAMETERS_MAX];
    struct api_problem problem;
    assert_true(api_body_read(&empty, (struct json_value){0}, values, &problem));
    assert_false(api_body_read(&body, (struct json_value){0}, values, &problem));
    assert_string_equal(problem.parameter, "address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_in_the_order_of_the_rows),
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(number_may_come_as_text),
        cmocka_unit_test(wrong_members_are_refused_by_name),
        cmocka_unit_test(object_that_is_none_has_no_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
