// The JSON-RPC codec: calls as daemons want them, replies of both versions and of odd servers.
#include "node/backend/rpc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void call_is_written_in_the_first_form(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 1000);
    json_writer_init(&writer, &out);
    rpc_begin_call(&writer, 7, "getblockheader");
    json_write_text(&writer, NULL, "00ff");
    json_write_bool(&writer, NULL, false);
    rpc_end_call(&writer);
    static const char wanted[] = "{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"getblockheader\","
                                 "\"params\":[\"00ff\",false]}";
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.size);
    buffer_clear(&out);
}

static void batch_is_an_array_of_calls(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 1000);
    json_writer_init(&writer, &out);
    json_begin_array(&writer, NULL);
    for (uint64_t i = 0; i < 2; i++) {
        rpc_begin_call(&writer, i, "m");
        rpc_end_call(&writer);
    }
    json_end_array(&writer);
    static const char wanted[] = "[{\"jsonrpc\":\"1.0\",\"id\":0,\"method\":\"m\",\"params\":[]},"
                                 "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\",\"params\":[]}]";
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.size);
    buffer_clear(&out);
}

struct reply_case {
    const char *text;
    bool is_reply;
    bool is_error;
    int64_t code;
    const char *message;
    const char *result; // raw
    int64_t id;         // -1: none
};

static const struct reply_case cases[] = {
    // bitcoind, 1.0 and 2.0 form
    {"{\"result\":\"ab\",\"error\":null,\"id\":5}", true, false, 0, "", "ab", 5},
    {"{\"jsonrpc\":\"2.0\",\"result\":{\"a\":1},\"id\":5}", true, false, 0, "", "{\"a\":1}", 5},
    {"{\"result\":null,\"error\":null,\"id\":1}", true, false, 0, "", "null", 1},
    {"{\"result\":null,\"error\":{\"code\":-10,\"message\":\"wait\"},\"id\":1}", true, true, -10,
     "wait", "", 1},
    {"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}",
     true, true, -32601, "Method not found", "", 1},
    // bcoin puts the message first, and says nothing else when it cannot parse
    {"{\"result\":null,\"error\":{\"message\":\"no\",\"code\":-8},\"id\":\"x\"}", true, true, -8,
     "no", "", -1},
    {"{\"error\":{\"message\":\"Unexpected token\"}}", true, true, 0, "Unexpected token", "", -1},
    // proxies
    {"{\"error\":\"upstream\\nfailed\"}", true, true, 0, "upstream failed", "", -1},
    {"{\"error\":true,\"id\":2}", true, true, 0, "true", "", 2},
    {"{\"error\":{}}", true, true, 0, "", "", -1},
    // an error wins over a result
    {"{\"result\":1,\"error\":{\"code\":-1}}", true, true, -1, "", "", -1},
    {"{\"error\":{\"code\":\"-1\",\"message\":7}}", true, true, 0, "7", "", -1},
    // no replies
    {"{\"error\":null,\"id\":1}", false, false, 0, "", "", 1},
    {"{}", false, false, 0, "", "", -1},
    {"[]", false, false, 0, "", "", -1},
    {"\"x\"", false, false, 0, "", "", -1},
};

static void replies_of_every_form_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct reply_case *wanted = &cases[i];
        struct json *json = json_parse(wanted->text, strlen(wanted->text), 100);
        struct rpc_reply reply;
        assert_non_null(json);
        bool is_reply = rpc_read_reply(json_root(json), &reply);
        if (is_reply != wanted->is_reply || reply.is_error != wanted->is_error ||
            reply.code != wanted->code || strcmp(reply.message, wanted->message) != 0) {
            fail_msg("%s: reply %d error %d code %d message '%s'", wanted->text, is_reply,
                     reply.is_error, (int)reply.code, reply.message);
        }
        assert_int_equal(reply.has_id ? (int64_t)reply.id : -1, wanted->id);
        const char *text = "";
        size_t size = 0;
        json_raw(reply.result, &text, &size);
        assert_int_equal(size, strlen(wanted->result));
        assert_memory_equal(text, wanted->result, size);
        json_free(json);
    }
}

static void long_message_is_cut(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'a', sizeof(text));
    memcpy(text, "{\"error\":{\"message\":\"", 21);
    memcpy(text + sizeof(text) - 3, "\"}}", 3);
    struct json *json = json_parse(text, sizeof(text), 100);
    struct rpc_reply reply;
    assert_true(rpc_read_reply(json_root(json), &reply));
    assert_int_equal(strlen(reply.message), RPC_MESSAGE_SIZE - 1);
    json_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_is_written_in_the_first_form),
        cmocka_unit_test(batch_is_an_array_of_calls),
        cmocka_unit_test(replies_of_every_form_are_read),
        cmocka_unit_test(long_message_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
