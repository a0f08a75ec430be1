// The smallest chain that the network can spread and sync: links that follow each other, and grains
// that hang on nothing, without coins, credits or proof of work. Fills in struct network_chain; for
// tests of dht/ that need a chain and not the share-chain.
//
//   share = u8 version=1, header(80) = u8 is_link, u32 height, bytes(32) previous, u32 nonce, zeros
//
// Its id is the header's double SHA-256; version 0xee is an invalid share. A body is one zero byte:
// no grains. A block is the header and anything.
#ifndef SHOAL_TESTS_SUPPORT_PLAIN_CHAIN_H
#define SHOAL_TESTS_SUPPORT_PLAIN_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/chain.h"
#include "dht/gossip.h"
#include "node/base/hash.h"

#define PLAIN_SHARE_SIZE 81
#define PLAIN_SHARES_MAX 4096

struct plain_share {
    struct hash256 id;
    uint8_t bytes[PLAIN_SHARE_SIZE];
    bool is_link;
    bool waits;
    uint32_t source;
    uint32_t height;
    struct hash256 previous;
};

struct plain_chain {
    struct hash256 pool_id;
    struct plain_share *shares;
    size_t count;
    struct chain_tip tip;
    size_t judged;          // by add_share
    bool is_strict;         // nothing is plausible
    struct hash256 working; // proves the work of whoever shows it
    struct network_chain table;
    // Called for each share that became valid, from inside add_share.
    void (*became_valid)(void *context, const struct gossip_share *share);
    void (*moved)(void *context);
    void *context;
};

void plain_chain_init(struct plain_chain *chain, const struct hash256 *pool_id);
void plain_chain_clear(struct plain_chain *chain);
// Mines a share of our own: a link on the tip, or a grain; its id.
struct hash256 plain_chain_mine(struct plain_chain *chain, bool is_link, uint32_t nonce);
// The bytes of a share, as somebody might send it.
void plain_share_make(uint8_t bytes[PLAIN_SHARE_SIZE], bool is_link, uint32_t height,
                      const struct hash256 *previous, uint32_t nonce);
bool plain_chain_has(const struct plain_chain *chain, const struct hash256 *id);

#endif
