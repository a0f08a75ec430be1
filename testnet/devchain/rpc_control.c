#include <stdio.h>
#include <string.h>
#include "node/base/log.h"
#include "node/bitcoin/address.h"
#include "testnet/devchain/open_script.h"
#include "testnet/devchain/rpc_call.h"

#define GENERATE_MAX    10000
#define HASHES_FAST_MAX (1u << 26) // about ten seconds of one core
#define HASHES_SLOW_MAX (1u << 16)
#define LUCK_MAX        64     // times the average: missed once in e^64
#define OWN_PURSE       0xfffe // the open script that generate pays

// The daemon answers nobody while it mines, so a call may not take long. 0 and failed if it would.
static uint64_t hashes_allowed(struct rpc_call *call, int64_t blocks)
{
    double per_block = daemon_hashes_per_block(call->daemon);
    bool is_slow = pow_algorithm(chain_params(call->daemon->chain)->pow)->is_slow;
    double limit = is_slow ? HASHES_SLOW_MAX : HASHES_FAST_MAX;
    if (per_block * (double)blocks <= limit)
        return (uint64_t)(per_block * LUCK_MAX) + 1;
    rpc_fail(call, RPC_INVALID_PARAMETER,
             "%lld blocks take about %.0f hashes, this call does at most %.0f; use an easier "
             "--bits (such as 207fffff) or a miner",
             (long long)blocks, per_block * (double)blocks, limit);
    return 0;
}

static void generate(struct rpc_call *call, int64_t count, const uint8_t *script, size_t size)
{
    struct mine_options mine = {script, size, hashes_allowed(call, count)};
    if (mine.hashes_max == 0)
        return;
    json_begin_array(&call->result, NULL);
    for (int64_t i = 0; i < count; i++) {
        struct hash256 id;
        if (!daemon_generate(call->daemon, &mine, call->now.wall, &id)) {
            rpc_fail(call, RPC_MISC_ERROR, "Block %lld of %lld could not be made; see the log",
                     (long long)i + 1, (long long)count);
            return;
        }
        rpc_write_hash(&call->result, NULL, &id);
    }
    json_end_array(&call->result);
}

static bool read_count(struct rpc_call *call, int64_t max, int64_t *count)
{
    *count = -1;
    if (!rpc_param_integer(call, 0, "nblocks", (struct rpc_range){1, max}, count))
        return false;
    if (*count < 0)
        rpc_fail(call, RPC_INVALID_PARAMETER, "nblocks is missing: a number of blocks is wanted");
    return *count > 0;
}

void rpc_generate(struct rpc_call *call)
{
    struct script script;
    int64_t count;
    open_script_witness(OWN_PURSE, &script);
    if (read_count(call, GENERATE_MAX, &count))
        generate(call, count, script.bytes, script.size);
}

void rpc_generatetoaddress(struct rpc_call *call)
{
    int64_t count;
    char text[ADDRESS_SIZE_MAX] = "";
    struct script script;
    if (!read_count(call, GENERATE_MAX, &count))
        return;
    json_to_text(rpc_param(call, 1, "address"), text, sizeof text);
    enum address_result result =
        address_decode(chain_params(call->daemon->chain), text, strlen(text), &script);
    if (result != ADDRESS_OK)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid address: %s",
                 address_result_text(result));
    else
        generate(call, count, script.bytes, script.size);
}

void rpc_devreorg(struct rpc_call *call)
{
    int64_t count;
    int64_t height = chain_tip(call->daemon->chain)->height;
    if (!read_count(call, GENERATE_MAX, &count))
        return;
    if (count > height) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "there are only %lld blocks to replace",
                 (long long)height);
        return;
    }
    uint64_t hashes_max = hashes_allowed(call, count + 1);
    if (hashes_max == 0)
        return;
    if (daemon_reorganise(call->daemon, (uint64_t)count, hashes_max, call->now.wall))
        rpc_write_hash(&call->result, NULL, &chain_tip(call->daemon->chain)->block.id);
    else
        rpc_fail(call, RPC_MISC_ERROR, "The branch could not be made; see the log");
}

void rpc_devfault(struct rpc_call *call)
{
    struct fault *fault = &call->daemon->fault;
    char name[FAULT_METHOD_SIZE] = "";
    struct fault wanted = {0};
    bool is_named = json_to_text(rpc_param(call, 0, "fault"), name, sizeof name);
    if (!is_named || !fault_from_text(name, &wanted.kind)) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "fault: one of %s is wanted", FAULT_CHOICES);
        return;
    }
    struct json_value method = rpc_param(call, 1, "method");
    bool is_known = json_to_text(method, wanted.method, sizeof wanted.method) &&
                    rpc_method_find(wanted.method) != NULL;
    bool is_control = is_known && strcmp(wanted.method, "devfault") == 0;
    if (json_is_present(method) && (!is_known || is_control)) {
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "method: the name of another RPC is wanted; `help` lists them");
        return;
    }
    *fault = wanted;
    log_event(call->daemon->env->log, LOG_WARN, "fault", "misbehaving on purpose",
              LOG_TEXT("fault", fault_text(fault->kind)), LOG_TEXT("method", fault->method));
    json_write_text(&call->result, NULL, fault_text(fault->kind));
}

void rpc_getnetworkinfo(struct rpc_call *call)
{
    struct json_writer *out = &call->result;
    json_begin_object(out, NULL);
    json_write_u64(out, "version", 10000);
    json_write_text(out, "subversion", "/devchain:" SHOAL_VERSION "/");
    json_write_u64(out, "connections", 0);
    json_write_bool(out, "networkactive", false);
    json_begin_array(out, "warnings");
    json_end_array(out);
    json_end_object(out);
}

static void write_help_line(struct buffer *out, const struct rpc_method *method)
{
    write_format(out, "%s%s%s - %s", method->name, method->arguments[0] != '\0' ? " " : "",
                 method->arguments, method->help);
}

void rpc_help(struct rpc_call *call)
{
    char name[64] = "";
    struct buffer text;
    buffer_init(&text, 1 << 16);
    json_to_text(rpc_param(call, 0, "command"), name, sizeof name);
    const struct rpc_method *asked = rpc_method_find(name);
    if (asked != NULL)
        write_help_line(&text, asked);
    else if (name[0] != '\0')
        write_format(&text, "help: unknown command: %s", name);
    for (const struct rpc_method *m = rpc_methods(); name[0] == '\0' && m->name != NULL; m++) {
        write_help_line(&text, m);
        write_text(&text, "\n");
    }
    json_write_text_sized(&call->result, NULL, (const char *)text.data, text.size);
    buffer_clear(&text);
}

void rpc_stop(struct rpc_call *call)
{
    call->daemon->is_stopping = true;
    json_write_text(&call->result, NULL, "devchain stopping");
}

void rpc_uptime(struct rpc_call *call)
{
    int64_t ms = call->now.mono.ms - call->daemon->started.mono.ms;
    json_write_i64(&call->result, NULL, ms / 1000);
}
