// A daemon with its RPC for tests: requests in, parsed answers out.
#ifndef SHOAL_TESTS_UNIT_TESTNET_DEVCHAIN_RPC_FIXTURE_H
#define SHOAL_TESTS_UNIT_TESTNET_DEVCHAIN_RPC_FIXTURE_H

#include "node/base/json.h"
#include "testnet/devchain/rpc.h"
#include "tests/unit/testnet/devchain/block_maker.h"

struct rpc_fixture {
    struct test_chain test; // for its randomness and time
    struct env env;
    struct daemon *daemon;
    struct now now;
    struct now arrived;
    struct rpc_reply reply;
    struct json *json; // the last reply
};

// The rules that getblocktemplate wants.
#define RPC_SEGWIT "[{\"rules\":[\"segwit\"]}]"

void rpc_set_up(struct rpc_fixture *f);
void rpc_tear_down(struct rpc_fixture *f);
enum rpc_outcome rpc_send(struct rpc_fixture *f, const char *text);
// Calls a method with the text of its parameters.
enum rpc_outcome rpc_ask(struct rpc_fixture *f, const char *method, const char *params);
// The result of a call that must succeed, good until the next call.
struct json_value rpc_result(struct rpc_fixture *f, const char *method, const char *params);
// The error code of a call that must fail.
int64_t rpc_error(struct rpc_fixture *f, const char *method, const char *params);
int64_t rpc_integer(struct json_value value);
void rpc_assert_text(struct json_value value, const char *expected);

#endif
