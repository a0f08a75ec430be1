#include "testnet/devchain/settings.h"

#include <stdio.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/pow/target.h"
#include "testnet/common/options.h"

#define EASIEST_BITS 0x207fffffu
#define NOT_GIVEN    UINT64_MAX

// The command line as typed.
struct typed {
    const char *bind;
    uint64_t port;
    const char *user;
    const char *password;
    const char *cookie;
    bool no_auth;
    const char *data;
    bool scrypt;
    const char *bits;
    uint64_t hashrate;
    double spacing;
    uint64_t genesis_time;
    uint64_t transactions;
    const char *fault;
    bool print_anchor;
    bool log_json;
    const char *log_level;
};

#define FIELD(name) offsetof(struct typed, name)

static const struct option options[] = {
    {.name = "scrypt",
     .kind = OPTION_FLAG,
     .offset = FIELD(scrypt),
     .help = "proof of work by scrypt: the chain is devchain-scrypt, else devchain (SHA-256d)"},
    {.name = "bits",
     .kind = OPTION_TEXT,
     .offset = FIELD(bits),
     .value_name = "HEX",
     .help = "difficulty of all blocks in compact form, such as 1e0fffff; 207fffff is the easiest"},
    {.name = "hashrate",
     .kind = OPTION_COUNT,
     .offset = FIELD(hashrate),
     .min = 1,
     .max = 1000000000000000,
     .fallback = "1M",
     .value_name = "N",
     .help = "without --bits: hashes per second that all miners have together"},
    {.name = "spacing",
     .kind = OPTION_NUMBER,
     .offset = FIELD(spacing),
     .min = 0,
     .max = 86400,
     .fallback = "5",
     .value_name = "SECONDS",
     .help = "without --bits: wanted time between blocks at that hashrate; also the rate of "
             "--transactions"},
    {.name = "genesis-time",
     .kind = OPTION_COUNT,
     .offset = FIELD(genesis_time),
     .min = 1,
     .max = 4000000000,
     .fallback = "1735689600",
     .value_name = "SECONDS",
     .help = "time of block 0, in seconds since 1970"},
    {.name = "print-anchor",
     .kind = OPTION_FLAG,
     .offset = FIELD(print_anchor),
     .help = "print the 80 bytes of the header of block 0 as hex and end: a pool file's "
             "anchor_header"},
    {.name = "transactions",
     .kind = OPTION_COUNT,
     .offset = FIELD(transactions),
     .min = 0,
     .max = 2000,
     .fallback = "10",
     .value_name = "N",
     .help = "fee-paying transactions of its own, about so many in --spacing"},
    {.name = "data",
     .kind = OPTION_TEXT,
     .offset = FIELD(data),
     .value_name = "DIR",
     .help = "keep the blocks there and continue with them; else in memory"},
    {.name = "bind",
     .kind = OPTION_TEXT,
     .offset = FIELD(bind),
     .fallback = "127.0.0.1",
     .value_name = "ADDRESS",
     .help = "where the RPC listens"},
    {.name = "port",
     .kind = OPTION_COUNT,
     .offset = FIELD(port),
     .max = 65535,
     .value_name = "N",
     .help = "default 18643, with --scrypt 19643; 0: any free one, which the log names"},
    {.name = "user",
     .kind = OPTION_TEXT,
     .offset = FIELD(user),
     .value_name = "NAME",
     .help = "of the RPC, together with --password"},
    {.name = "password",
     .kind = OPTION_TEXT,
     .offset = FIELD(password),
     .value_name = "TEXT",
     .help = "of the RPC, together with --user"},
    {.name = "cookie",
     .kind = OPTION_TEXT,
     .offset = FIELD(cookie),
     .value_name = "FILE",
     .help = "write a new password there at each start; with --data and no other choice:\n"
             "DIR/.cookie"},
    {.name = "no-auth",
     .kind = OPTION_FLAG,
     .offset = FIELD(no_auth),
     .help = "everybody on this machine may call the RPC"},
    {.name = "fault",
     .kind = OPTION_CHOICE,
     .offset = FIELD(fault),
     .choices = FAULT_CHOICES,
     .fallback = "off",
     .help = "misbehave from the start; the RPC devfault changes it"},
    {.name = "log-level",
     .kind = OPTION_CHOICE,
     .offset = FIELD(log_level),
     .choices = "error|warn|info|debug",
     .fallback = "info",
     .help = "how much is logged"},
    {.name = "log-json",
     .kind = OPTION_FLAG,
     .offset = FIELD(log_json),
     .help = "log lines as JSON"},
};

static const struct option_set option_set = {
    .program = "devchain",
    .purpose = "A small honest coin daemon for trying a pool: bitcoind's JSON-RPC over a chain of "
               "its own.",
    .epilogue = "Blocks are checked as far as a miner can get them wrong. There is no network, no "
                "wallet and no\nscript interpreter: coins paid to miners can be seen and not "
                "spent. `help` of the RPC lists its methods.",
    .options = options,
    .count = sizeof options / sizeof options[0],
};

// Writes the error and gives false, so that a check can end with it.
static bool fail(char error[OPTIONS_ERROR_SIZE], const char *text)
{
    snprintf(error, OPTIONS_ERROR_SIZE, "%s", text);
    return false;
}

static bool read_bits(const struct typed *typed, struct settings *settings,
                      char error[OPTIONS_ERROR_SIZE])
{
    uint8_t bytes[4];
    if (typed->bits == NULL) {
        // The target that takes hashrate * spacing hashes on average.
        double hashes = (double)typed->hashrate * typed->spacing;
        struct u256 most = u256_max();
        struct u256 count = u256_from_u64(hashes < 2 ? 2 : (uint64_t)hashes);
        struct u256 target = u256_divide(&most, &count, NULL);
        struct u256 easiest;
        target_expand(EASIEST_BITS, &easiest);
        bool is_easier = u256_compare(&target, &easiest) > 0;
        settings->daemon.bits = target_compact(is_easier ? &easiest : &target);
        return true;
    }
    bool is_hex = hex_decode(typed->bits, strlen(typed->bits), bytes, sizeof bytes);
    uint32_t bits = is_hex ? (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                                 (uint32_t)bytes[2] << 8 | bytes[3]
                           : 0;
    struct u256 target, easiest;
    target_expand(EASIEST_BITS, &easiest);
    settings->daemon.bits = bits;
    if (is_hex && target_bits_are_canonical(bits) && target_expand(bits, &target) &&
        u256_compare(&target, &easiest) <= 0)
        return true;
    snprintf(error, OPTIONS_ERROR_SIZE,
             "--bits %s: wanted 8 hex digits of a compact target in its usual form, not easier "
             "than 207fffff",
             typed->bits);
    return false;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static bool read_login(const struct typed *typed, struct settings *settings,
                       char error[OPTIONS_ERROR_SIZE])
{
    bool has_user = typed->user != NULL;
    bool has_password = typed->password != NULL;
    int ways = (has_user || has_password) + (typed->cookie != NULL) + typed->no_auth;
    if (ways > 1)
        return fail(error, "--user with --password, --cookie, --no-auth: wanted one of "
                           "these, more than one is given");
    if (has_user != has_password)
        return fail(error, has_user ? "--user: wanted --password with it"
                                    : "--password: wanted --user with it");
    if (ways == 0 && typed->data == NULL)
        return fail(error, "who may call the RPC? wanted --user with --password, "
                           "--cookie FILE, --data DIR (cookie there) or --no-auth");
    if (typed->no_auth && !is_loopback(typed->bind))
        return fail(error, "--no-auth: wanted only with a --bind of this machine alone "
                           "(127.0.0.1, ::1); anybody could stop the daemon");
    settings->is_open = typed->no_auth;
    if (has_user && strchr(typed->user, ':') != NULL)
        return fail(error, "--user: wanted a name without a colon");
    size_t size = 0;
    if (has_user)
        size = (size_t)snprintf(settings->password, sizeof settings->password, "%s:%s", typed->user,
                                typed->password);
    if (size >= sizeof settings->password)
        return fail(error, "--user, --password: wanted at most 500 characters together");
    if (ways > 0 && typed->cookie == NULL)
        return true;
    size = (size_t)snprintf(settings->cookie_path, sizeof settings->cookie_path, "%s%s",
                            typed->cookie != NULL ? typed->cookie : typed->data,
                            typed->cookie != NULL ? "" : "/.cookie");
    return size < sizeof settings->cookie_path ||
           fail(error, "--cookie, --data: wanted a path of at most 4000 characters");
}

static bool check(const struct typed *typed, struct settings *settings,
                  char error[OPTIONS_ERROR_SIZE])
{
    *settings = (struct settings){.bind = typed->bind,
                                  .is_print_anchor = typed->print_anchor,
                                  .log_form = typed->log_json ? LOG_FORM_JSON : LOG_FORM_TEXT};
    settings->daemon = (struct daemon_options){
        .params = chain_params_by_name(typed->scrypt ? "devchain-scrypt" : "devchain"),
        .genesis_time = (uint32_t)typed->genesis_time,
        .spacing = typed->spacing,
        .transactions = typed->transactions,
        .directory = typed->data};
    settings->port =
        typed->port != NOT_GIVEN ? (uint16_t)typed->port : settings->daemon.params->rpc_port;
    log_level_from_text(typed->log_level, &settings->log_level);
    fault_from_text(typed->fault, &settings->fault);
    if (!(typed->spacing >= 0.001))
        return fail(error, "--spacing: wanted at least 0.001 seconds");
    if (!read_bits(typed, settings, error))
        return false;
    return typed->print_anchor || read_login(typed, settings, error);
}

enum settings_result settings_read(int argc, char *const *argv, struct settings *settings,
                                   char error[OPTIONS_ERROR_SIZE])
{
    struct typed typed = {.port = NOT_GIVEN};
    switch (options_parse(&option_set, argc, argv, &typed, error)) {
    case OPTIONS_HELP:
        return SETTINGS_HELP;
    case OPTIONS_BAD:
        return SETTINGS_BAD;
    case OPTIONS_OK:
        break;
    }
    return check(&typed, settings, error) ? SETTINGS_OK : SETTINGS_BAD;
}

void settings_write_help(struct buffer *out)
{
    options_write_help(&option_set, out);
}
