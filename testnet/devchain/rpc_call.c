#include "testnet/devchain/rpc_call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/pow/target.h"
#include "testnet/common/memory.h"

#define SATS_PER_COIN UINT64_C(100000000)

const struct rpc_method *rpc_methods(void)
{
    static const struct rpc_method methods[] = {
        {"devfault", rpc_devfault, FAULT_CHOICES " ( \"method\" )",
         "misbehave from now on, in all methods or one"},
        {"devreorg", rpc_devreorg, "blocks", "replace the last blocks by a heavier empty branch"},
        {"generate", rpc_generate, "blocks", "mine blocks here and now (low difficulty only)"},
        {"generatetoaddress", rpc_generatetoaddress, "blocks \"address\"",
         "mine blocks here and now, paid to an address"},
        {"getbestblockhash", rpc_getbestblockhash, "", "hash of the tip"},
        {"getblock", rpc_getblock, "\"blockhash\" ( verbosity )",
         "a block: 0 hex, 1 txids, 2 transactions"},
        {"getblockchaininfo", rpc_getblockchaininfo, "", "which chain, how long, how hard"},
        {"getblockcount", rpc_getblockcount, "", "height of the tip"},
        {"getblockhash", rpc_getblockhash, "height", "hash of a block of the best chain"},
        {"getblockheader", rpc_getblockheader, "\"blockhash\" ( verbose )", "a block's header"},
        {"getblocktemplate", rpc_getblocktemplate,
         "{\"rules\":[\"segwit\"],\"longpollid\":\"id\",\"mode\":\"template|proposal\"}",
         "what to mine (BIP 22, 23, 145), with long polling"},
        {"getdifficulty", rpc_getdifficulty, "", "difficulty of all blocks"},
        {"getmempoolinfo", rpc_getmempoolinfo, "", "size of the pool of transactions"},
        {"getmininginfo", rpc_getmininginfo, "", "height, difficulty and waiting transactions"},
        {"getnetworkinfo", rpc_getnetworkinfo, "", "version of this daemon"},
        {"getrawmempool", rpc_getrawmempool, "( verbose )", "the waiting transactions"},
        {"help", rpc_help, "( \"command\" )", "this list, or one line of it"},
        {"sendrawtransaction", rpc_sendrawtransaction, "\"hex\"", "offer a transaction"},
        {"stop", rpc_stop, "", "end this daemon"},
        {"submitblock", rpc_submitblock, "\"hex\"", "offer a block: null, or why not (BIP 22)"},
        {"uptime", rpc_uptime, "", "seconds since the start"},
        {NULL, NULL, NULL, NULL},
    };
    return methods;
}

const struct rpc_method *rpc_method_find(const char *name)
{
    for (const struct rpc_method *method = rpc_methods(); method->name != NULL; method++) {
        if (strcmp(method->name, name) == 0)
            return method;
    }
    return NULL;
}

void rpc_fail(struct rpc_call *call, enum rpc_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->message, sizeof call->message, format, arguments);
    va_end(arguments);
    call->code = code;
}

struct json_value rpc_param(const struct rpc_call *call, size_t i, const char *name)
{
    struct json_value value = {0};
    if (json_is_array(call->params)) {
        value = json_first(call->params);
        for (; i > 0 && json_exists(value); i--)
            value = json_next(value);
    } else if (json_is_object(call->params)) {
        value = json_get(call->params, name);
    }
    return json_is_present(value) ? value : (struct json_value){0};
}

bool rpc_param_hash(struct rpc_call *call, size_t i, const char *name, struct hash256 *hash)
{
    char text[65];
    struct json_value value = rpc_param(call, i, name);
    if (!json_is_text(value)) {
        rpc_fail(call, RPC_TYPE_ERROR, "%s: a string is wanted", name);
        return false;
    }
    if (!json_to_text(value, text, sizeof text) || strlen(text) != 64 ||
        !hash_from_display(hash, text)) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be 64 hexadecimal digits", name);
        return false;
    }
    return true;
}

bool rpc_param_integer(struct rpc_call *call, size_t i, const char *name, struct rpc_range range,
                       int64_t *value)
{
    struct json_value given = rpc_param(call, i, name);
    int64_t number;
    if (!json_is_present(given))
        return true;
    if (!json_to_i64(given, &number)) {
        rpc_fail(call, RPC_TYPE_ERROR, "%s: an integer is wanted", name);
        return false;
    }
    if (number < range.min || number > range.max) {
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "%s out of range: %" PRId64 " is not in %" PRId64 "..%" PRId64, name, number,
                 range.min, range.max);
        return false;
    }
    *value = number;
    return true;
}

uint8_t *rpc_param_hex(struct rpc_call *call, size_t i, const char *name, size_t *size)
{
    struct json_value value = rpc_param(call, i, name);
    if (!json_is_text(value)) {
        rpc_fail(call, RPC_TYPE_ERROR, "%s: a string is wanted", name);
        return NULL;
    }
    const char *text;
    size_t text_size;
    json_raw(value, &text, &text_size);
    uint8_t *bytes = memory_new(text_size / 2, 1);
    *size = text_size / 2;
    if (hex_decode(text, text_size, bytes, *size))
        return bytes;
    free(bytes);
    rpc_fail(call, RPC_DESERIALIZATION_ERROR, "%s is not hexadecimal", name);
    return NULL;
}

void rpc_write_hash(struct json_writer *writer, const char *name, const struct hash256 *hash)
{
    char text[65];
    hash_to_display(hash, text);
    json_write_text(writer, name, text);
}

// The writer has no fixed decimals, and a double would not show all amounts exactly.
void rpc_write_amount(struct json_writer *writer, const char *name, uint64_t sats)
{
    write_format(writer->out, "%s\"%s\":%" PRIu64 ".%08" PRIu64, writer->needs_comma ? "," : "",
                 name, sats / SATS_PER_COIN, sats % SATS_PER_COIN);
    writer->needs_comma = true;
}

void rpc_write_chainwork(struct json_writer *writer, const char *name, const struct u256 *work)
{
    char text[65];
    u256_to_hex(work, text);
    json_write_text(writer, name, text);
}

void rpc_write_hex32(struct json_writer *writer, const char *name, uint32_t value)
{
    char text[9];
    snprintf(text, sizeof text, "%08" PRIx32, value);
    json_write_text(writer, name, text);
}

void rpc_write_target(struct json_writer *writer, const char *name, uint32_t bits)
{
    struct u256 target;
    target_expand(bits, &target);
    rpc_write_chainwork(writer, name, &target);
}

double rpc_difficulty(uint32_t bits)
{
    struct u256 target;
    target_expand(bits, &target);
    return target_to_difficulty(&target, pow_algorithm(POW_SHA256D));
}
