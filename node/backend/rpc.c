#include "node/backend/rpc.h"
#include <string.h>

void rpc_begin_call(struct json_writer *writer, uint64_t id, const char *method)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "jsonrpc", "1.0");
    json_write_u64(writer, "id", id);
    json_write_text(writer, "method", method);
    json_begin_array(writer, "params");
}

void rpc_end_call(struct json_writer *writer)
{
    json_end_array(writer);
    json_end_object(writer);
}

// Copies a text for people: bounded, on one line, resolved escapes where they fit.
static void read_message(struct json_value value, char out[RPC_MESSAGE_SIZE])
{
    if (!json_to_text(value, out, RPC_MESSAGE_SIZE)) {
        const char *text = "";
        size_t size = 0;
        json_raw(value, &text, &size);
        size = size < RPC_MESSAGE_SIZE ? size : RPC_MESSAGE_SIZE - 1;
        memcpy(out, text, size);
        out[size] = '\0';
    }
    for (char *at = out; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            *at = ' ';
        }
    }
}

// Errors are objects with code and message; some proxies and old daemons send a plain text.
static void read_error(struct json_value error, struct rpc_reply *reply)
{
    reply->is_error = true;
    if (!json_is_object(error)) {
        read_message(error, reply->message);
        return;
    }
    if (!json_to_i64(json_get(error, "code"), &reply->code)) {
        reply->code = 0;
    }
    if (json_is_present(json_get(error, "message"))) {
        read_message(json_get(error, "message"), reply->message);
    }
}

bool rpc_read_reply(struct json_value value, struct rpc_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    if (!json_is_object(value)) {
        return false;
    }
    reply->has_id = json_to_u64(json_get(value, "id"), &reply->id);
    struct json_value error = json_get(value, "error");
    if (json_is_present(error)) {
        read_error(error, reply);
        return true;
    }
    reply->result = json_get(value, "result");
    return json_exists(reply->result);
}
