// Makes valid shares on an easy devchain pool, as a node with miners would: for tests and benches
// of the share-chain. Everything comes from a seed; the clock is moved by hand.
#ifndef SHOAL_TESTS_SUPPORT_SHARE_MAKER_H
#define SHOAL_TESTS_SUPPORT_SHARE_MAKER_H

#include "node/base/env.h"
#include "node/base/log.h"
#include "node/base/team.h"
#include "sharechain/sharechain.h"

struct maker_random {
    uint64_t state;
};

// An env whose randomness follows from the seed; the log is silent. maker_env_clear frees the log.
void maker_env_init(struct env *env, struct maker_random *random, uint64_t seed);
void maker_env_clear(struct env *env);

// A devchain pool with the given spacing and grains_per_link; everybody's proof of work is a few
// hashes.
void maker_pool(struct pool *pool, uint32_t link_spacing, uint16_t grains_per_link);
// Script number i: P2WPKH of a key that nobody has.
struct script maker_script(uint32_t i);

enum maker_want { MAKER_GRAIN, MAKER_LINK };

struct maker_spec {
    struct hash256 prev;
    struct wall_time now;
    struct script script;
    struct team team;
    enum maker_want want;    // MAKER_GRAIN: a share that misses the link target
    uint64_t salt;           // another salt, another share
    uint64_t coinbase_value; // 0: the subsidy
    size_t branch_count;     // hashes in the merkle branch
    bool is_no_block;        // its hash misses the target of a block
};

struct made_share {
    struct hash256 id;
    struct hash256 pow;
    uint8_t bytes[SHARE_SIZE_MAX];
    size_t size;
    uint8_t *body; // freed by made_share_clear
    size_t body_size;
};

// Mints on the chain's view and hashes until the share is of the wanted kind. False if no mint or
// none was found.
bool maker_share(struct sharechain *chain, const struct maker_spec *spec, struct made_share *made);
// The same in two steps, for many shares of one mint; mint_release frees it. NULL if there is none.
struct mint *maker_mint(struct sharechain *chain, const struct maker_spec *spec);
bool maker_share_of(const struct mint *mint, const struct maker_spec *spec,
                    struct made_share *made);
void made_share_clear(struct made_share *made);
enum verdict maker_add(struct sharechain *chain, const struct made_share *made, uint32_t source);
// A block header on top of prev with the right bits and a hash that meets them.
void maker_header(struct sharechain *chain, const struct header_node *prev, uint32_t time,
                  uint64_t salt, uint8_t out[HEADER_SIZE]);

#endif
