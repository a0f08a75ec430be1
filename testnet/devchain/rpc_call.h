// One call on its way through the RPC: what its methods get, the helpers they share, and the table
// they are in. Only the rpc_*.c files include this.
#ifndef SHOAL_TESTNET_DEVCHAIN_RPC_CALL_H
#define SHOAL_TESTNET_DEVCHAIN_RPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/json.h"
#include "testnet/devchain/daemon.h"

enum rpc_code {
    RPC_MISC_ERROR = -1,
    RPC_TYPE_ERROR = -3,
    RPC_INVALID_ADDRESS_OR_KEY = -5,
    RPC_INVALID_PARAMETER = -8,
    RPC_DATABASE_ERROR = -20,
    RPC_DESERIALIZATION_ERROR = -22,
    RPC_VERIFY_ERROR = -25,
    RPC_VERIFY_REJECTED = -26,
    RPC_VERIFY_ALREADY_IN_CHAIN = -27,
    RPC_IN_WARMUP = -28,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_PARSE_ERROR = -32700,
};

struct rpc_call {
    struct daemon *daemon;
    struct now now;
    struct now arrived;
    bool may_hold;
    bool is_held;             // set by a method that wants to answer later
    bool is_spoiled;          // FAULT_OTHER_CHAIN hits this call
    struct json_value params; // array, object or absent
    struct json_writer result;
    int code; // of the error, 0 if none
    char message[256];
};

// Writes call->result or fails; a result that was begun is then dropped.
typedef void rpc_function(struct rpc_call *call);

struct rpc_method {
    const char *name;
    rpc_function *function;
    const char *arguments;
    const char *help;
};

// The table: NULL-terminated by name.
const struct rpc_method *rpc_methods(void);
const struct rpc_method *rpc_method_find(const char *name);

void rpc_fail(struct rpc_call *call, enum rpc_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Parameter i by position or, in an object, by name; absent if not given or null.
struct json_value rpc_param(const struct rpc_call *call, size_t i, const char *name);
// False and failed if it is absent or no block hash.
bool rpc_param_hash(struct rpc_call *call, size_t i, const char *name, struct hash256 *hash);
struct rpc_range {
    int64_t min;
    int64_t max;
};
// Absent leaves *value. False and failed if it is no integer of the range.
bool rpc_param_integer(struct rpc_call *call, size_t i, const char *name, struct rpc_range range,
                       int64_t *value);
// The bytes of a hex string, malloc'ed; NULL and failed with `code` and `what` if it is none.
uint8_t *rpc_param_hex(struct rpc_call *call, size_t i, const char *name, size_t *size);

// Hash in the order people read.
void rpc_write_hash(struct json_writer *writer, const char *name, const struct hash256 *hash);
// Satoshi as a JSON number of coins with eight decimals.
void rpc_write_amount(struct json_writer *writer, const char *name, uint64_t sats);
void rpc_write_chainwork(struct json_writer *writer, const char *name, const struct u256 *work);
// 8 hex digits, most significant first.
void rpc_write_hex32(struct json_writer *writer, const char *name, uint32_t value);
void rpc_write_target(struct json_writer *writer, const char *name, uint32_t bits);
// bitcoind's number, for scrypt as well.
double rpc_difficulty(uint32_t bits);
// An object with everything about a transaction.
void rpc_write_tx(const struct rpc_call *call, struct json_writer *writer,
                  const struct tx_view *tx);

// rpc_chain.c
rpc_function rpc_getbestblockhash;
rpc_function rpc_getblock;
rpc_function rpc_getblockchaininfo;
rpc_function rpc_getblockcount;
rpc_function rpc_getblockhash;
rpc_function rpc_getblockheader;
rpc_function rpc_getdifficulty;
// rpc_mining.c
rpc_function rpc_getblocktemplate;
rpc_function rpc_getmininginfo;
rpc_function rpc_submitblock;
// rpc_pool.c
rpc_function rpc_getmempoolinfo;
rpc_function rpc_getrawmempool;
rpc_function rpc_sendrawtransaction;
// rpc_control.c
rpc_function rpc_devfault;
rpc_function rpc_devreorg;
rpc_function rpc_generate;
rpc_function rpc_generatetoaddress;
rpc_function rpc_getnetworkinfo;
rpc_function rpc_help;
rpc_function rpc_stop;
rpc_function rpc_uptime;

#endif
