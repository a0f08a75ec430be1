// What makes a node a member of its pool, as far as the network can tell: the pool id, the puzzle
// that identities of this pool must solve, and the secret of a private pool (p2p.md, Identity and
// Link). Made once at start by whoever read the configuration, borrowed by every engine of dht/.
#ifndef SHOAL_DHT_MEMBERSHIP_H
#define SHOAL_DHT_MEMBERSHIP_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/hash.h"

#define MEMBERSHIP_SECRET_SIZE 32

struct membership {
    struct hash256 pool_id;
    unsigned puzzle_bits; // IDENTITY_PUZZLE_BITS, or _TEST on devchain and regtest pools
    bool is_private;
    uint8_t secret[MEMBERSHIP_SECRET_SIZE]; // of a private pool, else zeros
};

// Wipes the secret.
void membership_clear(struct membership *membership);

#endif
