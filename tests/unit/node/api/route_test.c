#include "node/api/route.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void answer_nothing(void *context, const struct api_call *call, struct api_reply *reply)
{
    (void)context;
    (void)call;
    (void)reply;
}

static const struct api_parameter page_parameters[] = {
    {"limit", API_NUMBER, 1, 500, 50, NULL, "How many."},
    {"period", API_WORD, 0, 0, 0, "day week all", "How long."},
};
static const struct api_parameter id_parameters[] = {
    {"id", API_HASH, 0, 0, 0, NULL, "Which."},
    {"depth", API_NUMBER, 0, 9, 3, NULL, "How deep."},
};
static const struct api_parameter name_parameters[] = {
    {"name", API_NAME, 1, 11, 0, NULL, "Which."},
};

static const struct api_route routes[] = {
    {.method = API_GET,
     .path = "links",
     .parameters = page_parameters,
     .parameters_count = 2,
     .answer = answer_nothing},
    {.method = API_GET,
     .path = "links/{id}",
     .parameters = id_parameters,
     .parameters_count = 2,
     .answer = answer_nothing},
    {.method = API_GET, .path = "links/newest", .answer = answer_nothing},
    {.method = API_GET,
     .path = "teams/{name}",
     .parameters = name_parameters,
     .parameters_count = 1,
     .answer = answer_nothing},
    {.method = API_POST,
     .path = "accounts",
     .role = API_ADMIN,
     .has_body = true,
     .answer = answer_nothing},
    {.method = API_GET, .path = "accounts", .role = API_ADMIN, .answer = answer_nothing},
    {.method = API_PUT,
     .path = "accounts/{name}/password",
     .role = API_VIEWER,
     .has_body = true,
     .parameters = name_parameters,
     .parameters_count = 1,
     .answer = answer_nothing},
    {.method = API_DELETE,
     .path = "accounts/{name}",
     .role = API_ADMIN,
     .parameters = name_parameters,
     .parameters_count = 1,
     .answer = answer_nothing},
    {.method = API_POST,
     .path = "session",
     .has_body = true,
     .is_open = true,
     .answer = answer_nothing},
};

struct fixture {
    struct api_router *router;
    struct api_call call;
    struct api_reply reply;
    struct buffer body;
    char text[4096]; // of the reply
};

static void set_up(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->router = api_router_new();
    assert_true(api_router_add(fixture->router, routes, sizeof(routes) / sizeof(routes[0])));
    buffer_init(&fixture->body, sizeof(fixture->text) - 1);
    fixture->reply = (struct api_reply){.status = 200, .body = &fixture->body};
}

static void tear_down(struct fixture *fixture)
{
    api_call_clear(&fixture->call);
    api_router_free(fixture->router);
    buffer_clear(&fixture->body);
}

// The status of a request; its call and the text of its problem are left in the fixture.
static int ask(struct fixture *fixture, const struct api_request *request)
{
    api_call_clear(&fixture->call);
    memset(&fixture->call, 0, sizeof(fixture->call));
    fixture->reply = (struct api_reply){.status = 200, .body = &fixture->body};
    buffer_reset(&fixture->body);
    if (api_router_find(fixture->router, request, &fixture->call, &fixture->reply))
        api_call_read(request, &fixture->call, &fixture->reply);
    if (fixture->body.size > 0)
        memcpy(fixture->text, fixture->body.data, fixture->body.size);
    fixture->text[fixture->body.size] = '\0';
    return fixture->reply.status;
}

static int get(struct fixture *fixture, const char *path, const char *query)
{
    struct api_request request = {
        .method = API_GET, .path = path, .query = query, .content_type = ""};
    return ask(fixture, &request);
}

static void assert_problem(const struct fixture *fixture, int status, const char *parameter)
{
    struct json *json = json_parse(fixture->text, strlen(fixture->text), 64);
    assert_non_null(json);
    int64_t said = 0;
    assert_string_equal(fixture->reply.content_type, "application/problem+json");
    assert_int_equal(fixture->reply.status, status);
    assert_true(json_to_i64(json_get(json_root(json), "status"), &said));
    assert_int_equal(said, status);
    assert_true(json_is_text(json_get(json_root(json), "title")));
    assert_true(json_is_text(json_get(json_root(json), "detail")));
    if (parameter != NULL && !json_text_equals(json_get(json_root(json), "parameter"), parameter))
        fail_msg("\"%s\" is not the parameter of %s", parameter, fixture->text);
    json_free(json);
}

static void paths_lead_to_their_routes(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    assert_int_equal(get(&fixture, "links", ""), 200);
    assert_ptr_equal(fixture.call.route, &routes[0]);
    assert_int_equal(get(&fixture, "links/" ID, "depth=9"), 200);
    assert_ptr_equal(fixture.call.route, &routes[1]);
    assert_string_equal(fixture.call.values[0].text, ID);
    assert_int_equal(fixture.call.values[1].number, 9);
    // What is written out goes before what is in braces, though it stands behind it.
    assert_int_equal(get(&fixture, "links/newest", ""), 200);
    assert_ptr_equal(fixture.call.route, &routes[2]);
    tear_down(&fixture);
}

static void other_paths_are_404_and_other_methods_405_with_what_is_allowed(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    static const char *const paths[] = {"",
                                        "/",
                                        "link",
                                        "linkss",
                                        "links/",
                                        "links/x/y",
                                        "Links",
                                        "accounts//password",
                                        "accounts/a/b/password",
                                        "links%2Fnewest"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (get(&fixture, paths[i], "") != 404)
            fail_msg("\"%s\" gives %d", paths[i], fixture.reply.status);
        assert_problem(&fixture, 404, NULL);
    }
    struct api_request request = {
        .method = API_DELETE, .path = "accounts", .query = "", .content_type = ""};
    assert_int_equal(ask(&fixture, &request), 405);
    assert_problem(&fixture, 405, NULL);
    assert_string_equal(fixture.reply.allow, "GET, HEAD, POST");
    request.method = API_OTHER;
    request.path = "links";
    assert_int_equal(ask(&fixture, &request), 405);
    assert_string_equal(fixture.reply.allow, "GET, HEAD");
    tear_down(&fixture);
}

static void a_name_longer_than_any_is_404(void **state)
{
    (void)state;
    struct fixture fixture;
    char path[600];
    set_up(&fixture);
    snprintf(path, sizeof(path), "teams/%0300d", 1);
    assert_int_equal(get(&fixture, path, ""), 404);
    tear_down(&fixture);
}

static void defaults_count_where_nothing_is_given(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    assert_int_equal(get(&fixture, "links", ""), 200);
    assert_int_equal(fixture.call.values[0].number, 50);
    assert_false(fixture.call.values[0].is_given);
    assert_string_equal(fixture.call.values[1].text, "day");
    assert_int_equal(get(&fixture, "links", "period=week&&limit=500&"), 200);
    assert_int_equal(fixture.call.values[0].number, 500);
    assert_true(fixture.call.values[0].is_given);
    assert_string_equal(fixture.call.values[1].text, "week");
    tear_down(&fixture);
}

static void wrong_parameters_are_named(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    static const struct {
        const char *path, *query, *parameter;
    } cases[] = {
        {"links", "limit=0", "limit"},
        {"links", "limit=501", "limit"},
        {"links", "limit=", "limit"},
        {"links", "limit", "limit"},
        {"links", "limit=-1", "limit"},
        {"links", "limit=+1", "limit"},
        {"links", "limit=1.0", "limit"},
        {"links", "limit=1e1", "limit"},
        {"links", "limit=99999999999999999999999", "limit"},
        {"links", "limit=1&limit=1", "limit"},
        {"links", "limit=%31%00", "limit"},
        {"links", "limit=%3", "limit"},
        {"links", "limit=%zz", "limit"},
        {"links", "period=month", "period"},
        {"links", "period=da", "period"},
        {"links", "period=day%20week", "period"},
        {"links", "period=", "period"},
        {"links", "from=1", "from"},
        {"links", "LIMIT=1", "LIMIT"},
        {"links", "=1", ""},
        {"links", "%6=1", "?"},
        {"links/" ID, "id=" ID, "id"}, // stands in the path
        {"links/" ID "0", "", "id"},
        {"links/xyz", "", "id"},
        {"links/newest", "limit=1", "limit"},
        {"teams/abcdefghijkl", "", "name"},
        {"teams/%ff", "", "name"},
        {"teams/%c0%af", "", "name"}, // "/" in a form that is none
        {"teams/a%00", "", "name"},
        {"teams/a%0a", "", "name"},
        {"teams/a%", "", "name"},
        {"teams/%c2%80", "", "name"}, // a control character
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = get(&fixture, cases[i].path, cases[i].query);
        if (status != 400)
            fail_msg("%s?%s gives %d", cases[i].path, cases[i].query, status);
        assert_problem(&fixture, 400, cases[i].parameter);
    }
    tear_down(&fixture);
}

static void names_are_decoded_once(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    static const char *const names[][2] = {
        {"teams/a%2Fb", "a/b"}, {"teams/%3Cb%3E", "<b>"},     {"teams/%2541", "%41"},
        {"teams/a+b", "a+b"},   {"teams/%c3%a9", "\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(get(&fixture, names[i][0], ""), 200);
        assert_string_equal(fixture.call.values[0].text, names[i][1]);
    }
    tear_down(&fixture);
}

static void what_was_wrong_is_text_however_it_is_written(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    assert_int_equal(get(&fixture, "links", "%22%3Cb%3E%0a=1"), 400);
    assert_problem(&fixture, 400, "\"<b>\n");
    assert_int_equal(get(&fixture, "links", "limit=%22%5C%ff"), 400);
    assert_problem(&fixture, 400, "limit");
    tear_down(&fixture);
}

static void roles_are_asked_for(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    static const struct {
        size_t route;
        enum api_role role, role_min;
        int status;
    } cases[] = {
        {0, API_PUBLIC, API_PUBLIC, 200}, {0, API_PUBLIC, API_VIEWER, 401},
        {0, API_VIEWER, API_VIEWER, 200}, {4, API_PUBLIC, API_PUBLIC, 401},
        {4, API_VIEWER, API_PUBLIC, 403}, {4, API_OPERATOR, API_VIEWER, 403},
        {4, API_ADMIN, API_VIEWER, 200},  {6, API_VIEWER, API_PUBLIC, 200},
        {6, API_PUBLIC, API_PUBLIC, 401}, {8, API_PUBLIC, API_VIEWER, 200},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_call call = {.route = &routes[cases[i].route],
                                .identity = {.role = cases[i].role}};
        fixture.reply = (struct api_reply){.status = 200, .body = &fixture.body};
        bool may = api_call_permitted(&call, cases[i].role_min, &fixture.reply);
        assert_int_equal(fixture.reply.status, cases[i].status);
        assert_int_equal(may, cases[i].status == 200);
    }
    tear_down(&fixture);
}

static void bodies_are_json_objects_sent_as_such(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture);
    static const struct {
        const char *type, *body;
        int status;
    } cases[] = {
        {"application/json", "{\"a\":1}", 200},
        {"Application/JSON; charset=utf-8", "{}", 200},
        {"application/json", "", 400},
        {"application/json", "[]", 400},
        {"application/json", "\"a\"", 400},
        {"application/json", "{\"a\":1}x", 400},
        {"application/json", "{\"a\":1", 400},
        {"application/json", "\xff", 400},
        {"", "{}", 415},
        {"text/plain", "{}", 415},
        {"application/jsonx", "{}", 415},
        {"application/x-www-form-urlencoded", "a=1", 415},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_request request = {.method = API_POST,
                                      .path = "accounts",
                                      .query = "",
                                      .content_type = cases[i].type,
                                      .body = cases[i].body,
                                      .body_size = strlen(cases[i].body)};
        int status = ask(&fixture, &request);
        if (status != cases[i].status)
            fail_msg("case %zu gives %d, not %d", i, status, cases[i].status);
        assert_int_equal(json_is_object(fixture.call.body), status == 200);
    }
    struct api_request unwanted = {.method = API_GET,
                                   .path = "links",
                                   .query = "",
                                   .content_type = "application/json",
                                   .body = "{}",
                                   .body_size = 2};
    assert_int_equal(ask(&fixture, &unwanted), 400);
    tear_down(&fixture);
}

static void body_of_many_members_or_deep_ones_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    char text[API_BODY_SIZE_MAX];
    set_up(&fixture);
    struct api_request request = {.method = API_POST,
                                  .path = "accounts",
                                  .query = "",
                                  .content_type = "application/json",
                                  .body = text};
    size_t used = (size_t)snprintf(text, sizeof(text), "{\"a\":0");
    for (unsigned i = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, ",\"b%u\":0", i);
    used += (size_t)snprintf(text + used, sizeof(text) - used, "}");
    request.body_size = used;
    assert_int_equal(ask(&fixture, &request), 400);
    memset(text, '[', sizeof(text));
    request.body_size = sizeof(text);
    assert_int_equal(ask(&fixture, &request), 400);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_their_routes),
        cmocka_unit_test(other_paths_are_404_and_other_methods_405_with_what_is_allowed),
        cmocka_unit_test(a_name_longer_than_any_is_404),
        cmocka_unit_test(defaults_count_where_nothing_is_given),
        cmocka_unit_test(wrong_parameters_are_named),
        cmocka_unit_test(names_are_decoded_once),
        cmocka_unit_test(what_was_wrong_is_text_however_it_is_written),
        cmocka_unit_test(roles_are_asked_for),
        cmocka_unit_test(bodies_are_json_objects_sent_as_such),
        cmocka_unit_test(body_of_many_members_or_deep_ones_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
