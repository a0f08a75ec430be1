// A share-chain for the tests of sync, as small as one can be: shares have an anchor, a header of
// the coin, a height, work and a body; they are valid if what they point to is here and their check
// sum is right. It fills in the table of dht/chain.h as the real one does.
//
//   share = u8 1, header (anchor 32, coin header id 32, u32 height, u32 work, u64 nonce),
//           body root 32, u64 check sum of all before, filler
//   coin header = prev 32, u64 nonce, 39 zeros, u8 0 (anything else breaks the coin's rules)
#ifndef SHOAL_TESTS_UNIT_DHT_SYNC_TOY_H
#define SHOAL_TESTS_UNIT_DHT_SYNC_TOY_H

#include "dht/chain.h"
#include "node/base/map.h"
#include "tests/unit/sharechain/seeded.h"

#define TOY_SHARE_SIZE 160
#define TOY_BODY_MAX   (5 + 4000 * 32)

struct toy_share {
    struct toy_share *next;
    struct hash256 id;
    struct hash256 anchor_id;
    struct hash256 coin_id;
    struct hash256 root;
    uint32_t height;
    uint32_t work; // 0: a grain
    uint32_t source;
    bool is_valid;
    bool is_link;
    struct toy_share *anchor; // of valid ones, NULL: the pool
    uint64_t total;
    size_t size; // 0: a skeleton
    uint8_t bytes[TOY_SHARE_SIZE];
    uint8_t *body;
    size_t body_size;
};

struct toy_header {
    struct toy_header *next;
    struct hash256 id;
    struct toy_header *prev; // NULL: the anchor header
    uint32_t height;
    uint8_t bytes[CHAIN_HEADER_SIZE];
};

struct toy_chain {
    struct seeded seeded;
    struct env env;
    struct hash256 pool_id;
    struct map *shares; // all that was judged valid
    struct map *bodies; // by root: struct toy_body
    struct map *headers;
    struct toy_share *first;
    struct toy_share *waiting; // unknown shares, and valid ones that want their body
    struct toy_header *first_header;
    struct toy_header *best_header;
    struct toy_share **best; // links by height - 1
    size_t best_count;
    size_t best_capacity;
    uint32_t window;     // proof_accept: links that want their grains; 0: all
    bool refuses_proofs; // its policy
    size_t proofs;       // alive
    size_t proofs_begun;
    size_t shares_judged; // add_share was called
    size_t forgotten;     // forget_source was called
};

void toy_init(struct toy_chain *toy, uint64_t seed);
void toy_clear(struct toy_chain *toy);
// The table of a chain; the functions may be replaced to make a liar of it.
struct network_chain toy_table(struct toy_chain *toy);

// ---- Making objects

struct toy_spec {
    struct hash256 anchor;
    struct hash256 coin;
    uint32_t height;
    uint32_t work;
    uint64_t nonce;
    const uint8_t *body; // NULL: an empty one
    size_t body_size;
};
// TOY_SHARE_SIZE bytes; returns the id.
struct hash256 toy_make(const struct toy_spec *spec, uint8_t *bytes);
struct hash256 toy_make_header(const struct hash256 *prev, uint64_t nonce, uint8_t *bytes);
// The anchor header, which every toy knows.
struct hash256 toy_anchor_header(void);
// Encodes ids, sorted, as a body; returns its size.
size_t toy_make_body(struct hash256 *ids, size_t count, uint8_t *out);

// Everything of `from` is given to `to`, from its own disk as it were.
void toy_copy(const struct toy_chain *from, struct toy_chain *to);
// Grows the best chain: each link with so many grains and a coin header every ten links. One in
// `lost_every` links (0: none) gets a rival that loses and that a later grain is anchored on.
struct toy_growth {
    uint32_t links;
    uint32_t grains;
    uint32_t work;
    uint32_t lost_every;
    bool has_stale_headers; // some grains are on blocks that lost
    uint64_t salt;
};
void toy_grow(struct toy_chain *toy, const struct toy_growth *growth);
struct chain_tip toy_tip(const struct toy_chain *toy);
// The best chain's link.
const struct toy_share *toy_link_at(const struct toy_chain *toy, uint32_t height);
// Shares of the best chain from a height on, its grains included, are all here.
bool toy_is_whole(const struct toy_chain *toy, uint32_t from_height);

// ---- Between its files

struct toy_share *toy_find_share(const struct toy_chain *toy, const struct hash256 *id);
bool toy_is_link(const struct toy_chain *toy, const struct hash256 *id);
void toy_link_became_valid(struct toy_chain *toy, struct toy_share *share);
void toy_keep_share(struct toy_chain *toy, struct toy_share *share);
bool toy_is_in(const struct hash256 *ids, size_t count, const struct hash256 *id);
enum chain_verdict toy_add_share(void *context, const struct chain_arrival *arrival,
                                 struct now now);
void toy_add_body(void *context, uint32_t source, const uint8_t *bytes, size_t size);
enum chain_verdict toy_add_headers(void *context, uint32_t source, const uint8_t *headers,
                                   size_t count);
void toy_forget_source(void *context, uint32_t source);
size_t toy_lacking(void *context, enum chain_lack kind, struct hash256 *ids, uint32_t *sources,
                   size_t count_max);

#endif
