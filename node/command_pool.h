// What `shoal pool new` works out by itself.
#ifndef SHOAL_NODE_COMMAND_POOL_H
#define SHOAL_NODE_COMMAND_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include "node/net/loop.h"
#include "node/pool_file.h"

struct pool_daemon {
    const char *url; // NULL if there is none
    const char *user;
    const char *password;
    const char *cookie_file;
};

// The easiest link target for a pool of this expected hashrate (hashes a second).
uint32_t pool_easiest_bits(double hashrate, uint32_t link_spacing);
// Fills the anchor keys from a running daemon of pool->chain, which is set. False with a sentence.
bool pool_daemon_anchor(const struct pool_daemon *daemon, struct pool *pool,
                        char error[POOL_FILE_ERROR_SIZE]);

#endif
