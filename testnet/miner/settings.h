// The miner's command line, read and checked as a whole.
#ifndef SHOAL_TESTNET_MINER_SETTINGS_H
#define SHOAL_TESTNET_MINER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/pow/pow.h"
#include "testnet/common/options.h"
#include "testnet/miner/pools.h"

#define SETTINGS_USER_MAX 1000

struct settings {
    struct pools pools;
    struct option_list users; // connection i takes user i modulo their count
    const char *password;
    const char *agent;
    enum pow_kind pow;
    size_t threads;
    size_t connections;
    uint64_t hashrate; // of all threads together; 0: as fast as it goes
    uint64_t shares;   // stop after so many accepted ones; 0: never
    double seconds;    // stop after so long; 0: never
    double report;     // seconds between reports; 0: only at the end
    bool is_json;
    uint32_t version_mask;
    bool wants_extranonce;
    double suggest_difficulty;
};

enum settings_result { SETTINGS_OK, SETTINGS_HELP, SETTINGS_BAD };

// SETTINGS_BAD: `error` names option and value and says what would be right. Texts are views of
// argv.
enum settings_result settings_read(int argc, char *const *argv, struct settings *settings,
                                   char error[OPTIONS_ERROR_SIZE]);
void settings_write_help(struct buffer *out);
// The user of a connection, %n replaced by its number from 1 on. `out` has room for
// SETTINGS_USER_MAX + 24.
void settings_user(const struct settings *settings, size_t connection, char *out);

#endif
