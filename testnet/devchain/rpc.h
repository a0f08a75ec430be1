// JSON-RPC as bitcoind speaks it (its legacy 1.0 and, asked with "jsonrpc":"2.0", the newer form),
// from the text of a request to the text of the answer. Knows nothing of HTTP but the status that
// goes with an answer.
#ifndef SHOAL_TESTNET_DEVCHAIN_RPC_H
#define SHOAL_TESTNET_DEVCHAIN_RPC_H

#include <stddef.h>
#include "node/base/bytes.h"
#include "testnet/devchain/daemon.h"

#define RPC_BODY_MAX  (32u << 20)
#define RPC_REPLY_MAX (256u << 20)

struct rpc_request {
    const char *body;
    size_t size;
    struct now arrived;
};

enum rpc_outcome {
    RPC_ANSWER,
    RPC_HOLD,    // a long poll: ask again with the same request after a block and every 100 ms
    RPC_SILENCE, // fault on purpose: keep the connection, never answer
};

struct rpc_reply {
    unsigned http_status;
    const char *content_type;
    struct buffer body; // initialised by the caller
};

// Fills the reply on RPC_ANSWER only. A batch never holds.
enum rpc_outcome rpc_handle(struct daemon *daemon, const struct rpc_request *request,
                            struct now now, struct rpc_reply *reply);

#endif
