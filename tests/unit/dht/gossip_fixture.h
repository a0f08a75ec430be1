// A chain for the tests of gossip that believes what a share says of itself. A share is a verdict
// byte and 80 bytes of header, of which its id is the hash: so the same id comes with any verdict.
// A header that begins with 'L' is a link's.
#ifndef SHOAL_TESTS_UNIT_DHT_GOSSIP_FIXTURE_H
#define SHOAL_TESTS_UNIT_DHT_GOSSIP_FIXTURE_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/gossip.h"
#include "node/base/map.h"

#define TOY_SIZE 81

enum toy_byte { TOY_VALID = 1, TOY_UNKNOWN, TOY_INVALID, TOY_IGNORED };

struct toy_share {
    struct hash256 id;
    uint8_t bytes[TOY_SIZE];
    uint8_t *body; // NULL: none
    size_t body_size;
};

struct toy_chain {
    struct map *shares;
    struct toy_share *told; // the last one that became valid and was not told yet
    size_t judged;
    struct network_chain table;
};

static inline struct hash256 toy_make(uint8_t bytes[TOY_SIZE], enum toy_byte verdict, bool is_link,
                                      uint64_t number)
{
    struct hash256 id;
    memset(bytes, 0, TOY_SIZE);
    bytes[0] = (uint8_t)verdict;
    bytes[1] = is_link ? 'L' : 'G';
    memcpy(bytes + 2, &number, sizeof number);
    crypto_hash_sha256(id.bytes, bytes + 1, TOY_SIZE - 1);
    crypto_hash_sha256(id.bytes, id.bytes, sizeof id.bytes);
    return id;
}

static inline bool toy_has_share(void *context, const struct hash256 *id)
{
    const struct toy_chain *chain = context;
    return map_find(chain->shares, id) != NULL;
}

static inline bool toy_has_link(void *context, const struct hash256 *id)
{
    const struct toy_chain *chain = context;
    const struct toy_share *share = map_find(chain->shares, id);
    return share != NULL && share->body != NULL;
}

static inline bool toy_share_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct toy_chain *chain = context;
    const struct toy_share *share = map_find(chain->shares, id);
    if (share != NULL)
        write_bytes(out, share->bytes, TOY_SIZE);
    return share != NULL;
}

static inline bool toy_body_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct toy_chain *chain = context;
    const struct toy_share *share = map_find(chain->shares, id);
    if (share == NULL || share->body == NULL)
        return false;
    write_bytes(out, share->body, share->body_size);
    return true;
}

// Ids that begin with ffff are above any target.
static inline bool toy_is_plausible(void *context, const struct hash256 *id)
{
    (void)context;
    return id->bytes[0] != 0xff || id->bytes[1] != 0xff;
}

static inline struct toy_share *toy_keep(struct toy_chain *chain, const uint8_t bytes[TOY_SIZE],
                                         const uint8_t *body, size_t body_size)
{
    struct hash256 id;
    crypto_hash_sha256(id.bytes, bytes + 1, TOY_SIZE - 1);
    crypto_hash_sha256(id.bytes, id.bytes, sizeof id.bytes);
    struct toy_share *share = map_find(chain->shares, &id);
    if (share == NULL) {
        share = calloc(1, sizeof *share);
        if (share == NULL)
            abort();
        share->id = id;
        memcpy(share->bytes, bytes, TOY_SIZE);
        map_set(chain->shares, &id, share);
    }
    if (body != NULL && share->body == NULL && bytes[1] == 'L') {
        share->body = malloc(body_size);
        if (share->body == NULL)
            abort();
        memcpy(share->body, body, body_size);
        share->body_size = body_size;
    }
    return share;
}

static inline enum chain_verdict toy_add_share(void *context, const struct chain_arrival *arrival,
                                               struct now now)
{
    struct toy_chain *chain = context;
    (void)now;
    chain->judged++;
    if (arrival->share_size != TOY_SIZE || arrival->share[0] == TOY_INVALID)
        return CHAIN_INVALID;
    if (arrival->share[0] == TOY_UNKNOWN)
        return CHAIN_UNKNOWN;
    if (arrival->share[0] != TOY_VALID)
        return CHAIN_IGNORED;
    chain->told = toy_keep(chain, arrival->share, arrival->body, arrival->body_size);
    return CHAIN_VALID;
}

// A block begins with the share's header, which says 'B' at its end.
static inline bool toy_is_block(void *context, const struct hash256 *id, const uint8_t *block,
                                size_t size)
{
    const struct toy_chain *chain = context;
    const struct toy_share *share = map_find(chain->shares, id);
    return share != NULL && size > 80 && memcmp(share->bytes + 1, block, 80) == 0 &&
           block[80] == 'B';
}

static inline void toy_chain_init(struct toy_chain *chain, const struct env *env)
{
    *chain = (struct toy_chain){
        .shares = map_new(env),
        .table = {.context = chain,
                  .has_share = toy_has_share,
                  .has_link = toy_has_link,
                  .share_bytes = toy_share_bytes,
                  .body_bytes = toy_body_bytes,
                  .is_plausible = toy_is_plausible,
                  .add_share = toy_add_share,
                  .is_block = toy_is_block},
    };
}

static inline void toy_chain_clear(struct toy_chain *chain)
{
    size_t cursor = 0;
    struct hash256 id;
    for (void *value; map_next(chain->shares, &cursor, &id, &value);) {
        struct toy_share *share = value;
        map_remove(chain->shares, &id);
        free(share->body);
        free(share);
    }
    map_free(chain->shares);
}

// As the owner of gossip does after each message: tells what became valid.
static inline void toy_tell(struct toy_chain *chain, struct gossip *gossip, bool is_own,
                            struct now now)
{
    const struct toy_share *share = chain->told;
    if (share == NULL)
        return;
    struct gossip_share told = {.id = share->id,
                                .bytes = share->bytes,
                                .size = TOY_SIZE,
                                .body = share->body,
                                .body_size = share->body_size,
                                .is_own = is_own};
    chain->told = NULL;
    gossip_tell(gossip, &told, now);
}

static inline struct now toy_now(int64_t ms)
{
    return (struct now){.mono = {ms}, .wall = {ms}};
}

#endif
