// Any text as what a coin daemon answers, alone or as a batch. What is read as a reply has a result
// or an error, and a message that can be shown to people.
#include <stdlib.h>
#include <string.h>
#include "node/backend/rpc.h"

#define TOKENS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const char *message)
{
    if (memchr(message, '\0', RPC_MESSAGE_SIZE) == NULL)
        abort();
    for (; *message != '\0'; message++) {
        if ((unsigned char)*message < 0x20 || *message == 0x7f)
            abort();
    }
}

static void check_reply(struct json_value value)
{
    struct rpc_reply reply;
    memset(&reply, 0xff, sizeof reply);
    if (!rpc_read_reply(value, &reply))
        return;
    if (!json_is_object(value))
        abort();
    check_message(reply.message);
    if (reply.is_error ? !json_is_present(json_get(value, "error")) : !json_exists(reply.result))
        abort();
    if (!reply.is_error && (reply.code != 0 || reply.message[0] != '\0'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json = json_parse((const char *)data, size, TOKENS_MAX);
    if (json == NULL)
        return 0;
    struct json_value root = json_root(json);
    check_reply(root);
    if (json_is_array(root)) {
        for (struct json_value v = json_first(root); json_exists(v); v = json_next(v))
            check_reply(v);
    }
    json_free(json);
    return 0;
}
