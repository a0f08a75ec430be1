// The codec of JSON-RPC as coin daemons speak it: calls are written in the 1.0 form, which all of
// them take; replies are read in the 1.0 and the 2.0 form. Knows no method and sends nothing.
#ifndef SHOAL_NODE_BACKEND_RPC_H
#define SHOAL_NODE_BACKEND_RPC_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/json.h"

// Writes {"jsonrpc":"1.0","id":..,"method":..,"params":[ ; the caller writes the parameters without
// names, then ends the call. In a batch the calls stand in a JSON array of the caller.
void rpc_begin_call(struct json_writer *writer, uint64_t id, const char *method);
void rpc_end_call(struct json_writer *writer);

// Error codes that daemons agree on.
#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_NOT_FOUND        (-5) // bitcoind: no such block or transaction
#define RPC_NOT_CONNECTED    (-9)
#define RPC_STILL_SYNCING    (-10)
#define RPC_DECODE_FAILED    (-22)
#define RPC_WARMING_UP       (-28)

#define RPC_MESSAGE_SIZE 160
struct rpc_reply {
    bool has_id; // a number; its value in id
    uint64_t id;
    bool is_error;
    int64_t code; // of an error; 0 if it names none
    char
        message[RPC_MESSAGE_SIZE]; // of an error, control characters replaced; empty if it has none
    struct json_value result;      // unless is_error; may be null
};

// False if the value is no reply: no object, or one with neither a result nor an error. Lives as
// long as the document.
bool rpc_read_reply(struct json_value value, struct rpc_reply *reply);

#endif
