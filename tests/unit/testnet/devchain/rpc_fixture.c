#include "tests/unit/testnet/devchain/rpc_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/log.h"

void rpc_set_up(struct rpc_fixture *f)
{
    char error[STORE_ERROR_SIZE];
    *f = (struct rpc_fixture){0};
    test_chain_open(&f->test);
    f->env = f->test.env;
    f->env.log = log_new_silent();
    f->now = (struct now){.mono = {5000}, .wall = f->test.now};
    f->arrived = f->now;
    struct daemon_options options = {.params = chain_params_by_name("devchain"),
                                     .bits = TEST_BITS,
                                     .genesis_time = TEST_GENESIS_TIME,
                                     .spacing = 5,
                                     .transactions = 20};
    f->daemon = daemon_new(&f->env, &options, f->now, error);
    assert_non_null(f->daemon);
    buffer_init(&f->reply.body, RPC_REPLY_MAX);
}

void rpc_tear_down(struct rpc_fixture *f)
{
    json_free(f->json);
    buffer_clear(&f->reply.body);
    daemon_free(f->daemon);
    log_free(f->env.log);
    test_chain_close(&f->test);
}

enum rpc_outcome rpc_send(struct rpc_fixture *f, const char *text)
{
    struct rpc_request request = {text, strlen(text), f->arrived};
    json_free(f->json);
    f->json = NULL;
    enum rpc_outcome outcome = rpc_handle(f->daemon, &request, f->now, &f->reply);
    if (outcome == RPC_ANSWER && f->reply.body.size > 0)
        f->json = json_parse((const char *)f->reply.body.data, f->reply.body.size, 1000000);
    return outcome;
}

enum rpc_outcome rpc_ask(struct rpc_fixture *f, const char *method, const char *params)
{
    struct buffer text;
    buffer_init(&text, 16 << 20);
    write_format(&text, "{\"id\":7,\"method\":\"%s\",\"params\":%s}", method, params);
    write_u8(&text, 0);
    enum rpc_outcome outcome = rpc_send(f, (const char *)text.data);
    buffer_clear(&text);
    return outcome;
}

struct json_value rpc_result(struct rpc_fixture *f, const char *method, const char *params)
{
    assert_int_equal(rpc_ask(f, method, params), RPC_ANSWER);
    assert_non_null(f->json);
    assert_int_equal(f->reply.http_status, 200);
    assert_true(json_is_null(json_get(json_root(f->json), "error")));
    return json_get(json_root(f->json), "result");
}

int64_t rpc_error(struct rpc_fixture *f, const char *method, const char *params)
{
    int64_t code = 0;
    assert_int_equal(rpc_ask(f, method, params), RPC_ANSWER);
    assert_non_null(f->json);
    assert_true(json_is_null(json_get(json_root(f->json), "result")));
    struct json_value error = json_get(json_root(f->json), "error");
    assert_true(json_to_i64(json_get(error, "code"), &code));
    assert_true(json_is_text(json_get(error, "message")));
    return code;
}

int64_t rpc_integer(struct json_value value)
{
    int64_t number = 0;
    assert_true(json_to_i64(value, &number));
    return number;
}

void rpc_assert_text(struct json_value value, const char *expected)
{
    char text[600];
    assert_true(json_to_text(value, text, sizeof text));
    assert_string_equal(text, expected);
}
