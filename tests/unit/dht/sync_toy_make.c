// Making, growing, copying and comparing toy chains.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/dht/sync_toy.h"

#define COIN_EVERY 10
#define GRAINS_MAX 4000

void toy_init(struct toy_chain *toy, uint64_t seed)
{
    uint8_t header[CHAIN_HEADER_SIZE];
    struct hash256 zero = {{0}};
    *toy = (struct toy_chain){.seeded = {seed}};
    toy->env = seeded_env(&toy->seeded);
    memset(toy->pool_id.bytes, 0x11, 32);
    toy->shares = map_new(&toy->env);
    toy->bodies = map_new(&toy->env);
    toy->headers = map_new(&toy->env);
    toy_make_header(&zero, 7, header);
    struct network_chain table = toy_table(toy);
    table.add_headers(toy, 0, header, 1);
}

static void free_shares(struct toy_share *share)
{
    while (share != NULL) {
        struct toy_share *next = share->next;
        free(share->body);
        free(share);
        share = next;
    }
}

void toy_clear(struct toy_chain *toy)
{
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    while (map_next(toy->bodies, &cursor, &key, &value))
        free(value);
    free_shares(toy->first);
    free_shares(toy->waiting);
    while (toy->first_header != NULL) {
        struct toy_header *next = toy->first_header->next;
        free(toy->first_header);
        toy->first_header = next;
    }
    map_free(toy->shares);
    map_free(toy->bodies);
    map_free(toy->headers);
    free(toy->best);
    seeded_env_clear(&toy->env);
}

struct chain_tip toy_tip(const struct toy_chain *toy)
{
    struct chain_tip tip = {.id = toy->pool_id};
    if (toy->best_count == 0)
        return tip;
    const struct toy_share *best = toy->best[toy->best_count - 1];
    tip.id = best->id;
    tip.height = best->height;
    tip.work = u256_from_u64(best->total);
    return tip;
}

const struct toy_share *toy_link_at(const struct toy_chain *toy, uint32_t height)
{
    return height == 0 || height > toy->best_count ? NULL : toy->best[height - 1];
}

// ---- Growing

static void add(struct toy_chain *toy, const struct toy_spec *spec, struct hash256 *id)
{
    static const uint8_t none[1] = {0};
    uint8_t bytes[TOY_SHARE_SIZE];
    struct now now = {{0}, {0}};
    *id = toy_make(spec, bytes);
    struct chain_arrival arrival = {
        .share = bytes,
        .share_size = sizeof bytes,
        .body = spec->body != NULL ? spec->body : none,
        .body_size = spec->body != NULL ? spec->body_size : 1,
        .is_sync = true,
    };
    if (spec->work == 0)
        arrival.body = NULL;
    struct network_chain table = toy_table(toy);
    enum chain_verdict verdict = table.add_share(toy, &arrival, now);
    assert(verdict == CHAIN_VALID);
}

static struct hash256 new_header(struct toy_chain *toy, const struct hash256 *prev, uint64_t nonce)
{
    uint8_t bytes[CHAIN_HEADER_SIZE];
    struct network_chain table = toy_table(toy);
    struct hash256 id = toy_make_header(prev, nonce, bytes);
    enum chain_verdict verdict = table.add_headers(toy, 0, bytes, 1);
    assert(verdict == CHAIN_VALID);
    return id;
}

struct growing {
    const struct toy_growth *growth;
    uint64_t nonce;
    struct hash256 coin;
    struct hash256 stale_coin;
    bool has_rival; // a link that lost, to be included in the next
    struct hash256 rival;
};

static void grow_headers(struct toy_chain *toy, struct growing *growing)
{
    struct hash256 prev = toy->best_header->id;
    growing->coin = new_header(toy, &prev, growing->nonce++);
    growing->stale_coin = growing->coin;
    if (growing->growth->has_stale_headers)
        growing->stale_coin = new_header(toy, &prev, growing->nonce++);
}

// A link: its grains first. The rival of the last one is a grain of it, and so is one on the rival.
static void grow_link(struct toy_chain *toy, struct growing *growing, uint8_t *body)
{
    const struct toy_growth *growth = growing->growth;
    struct chain_tip tip = toy_tip(toy);
    struct hash256 *ids = calloc(GRAINS_MAX, sizeof *ids);
    assert(ids != NULL);
    size_t count = 0;
    struct toy_spec grain = {.anchor = tip.id, .coin = growing->coin, .height = tip.height + 1};
    for (; count < growth->grains; count++) {
        grain.coin = count == 1 ? growing->stale_coin : growing->coin;
        grain.nonce = growing->nonce++;
        add(toy, &grain, &ids[count]);
    }
    if (growing->has_rival) {
        struct toy_spec on_rival = {.anchor = growing->rival,
                                    .coin = growing->coin,
                                    .height = tip.height + 1,
                                    .nonce = growing->nonce++};
        ids[count++] = growing->rival;
        add(toy, &on_rival, &ids[count++]);
    }
    struct toy_spec link = {.anchor = tip.id,
                            .coin = growing->coin,
                            .height = tip.height + 1,
                            .work = growth->work,
                            .nonce = growing->nonce++,
                            .body = body,
                            .body_size = toy_make_body(ids, count, body)};
    struct hash256 id;
    add(toy, &link, &id);
    growing->has_rival = growth->lost_every > 0 && link.height % growth->lost_every == 0;
    if (growing->has_rival) {
        // Half of the grains, so that its body is another one.
        link.body_size = toy_make_body(ids, growth->grains / 2, body);
        link.nonce = growing->nonce++;
        add(toy, &link, &growing->rival);
    }
    free(ids);
}

void toy_grow(struct toy_chain *toy, const struct toy_growth *growth)
{
    struct growing growing = {.growth = growth, .nonce = growth->salt << 32};
    uint8_t *body = malloc(TOY_BODY_MAX);
    assert(body != NULL && growth->work > 0);
    for (uint32_t i = 0; i < growth->links; i++) {
        if (i % COIN_EVERY == 0)
            grow_headers(toy, &growing);
        grow_link(toy, &growing, body);
    }
    free(body);
}

// ---- Copying

static void copy_headers(struct toy_chain *to, const struct toy_header *header)
{
    struct network_chain table = toy_table(to);
    if (header == NULL || map_find(to->headers, &header->id) != NULL)
        return;
    copy_headers(to, header->prev);
    table.add_headers(to, 0, header->bytes, 1);
}

void toy_copy(const struct toy_chain *from, struct toy_chain *to)
{
    struct network_chain table = toy_table(to);
    struct now now = {{0}, {0}};
    for (const struct toy_header *at = from->first_header; at != NULL; at = at->next)
        copy_headers(to, at);
    // The list has the newest first.
    size_t count = 0;
    for (const struct toy_share *at = from->first; at != NULL; at = at->next)
        count++;
    const struct toy_share **shares = calloc(count + 1, sizeof(struct toy_share *));
    assert(shares != NULL);
    for (const struct toy_share *at = from->first; at != NULL; at = at->next)
        shares[--count] = at;
    for (; shares[count] != NULL; count++) {
        struct chain_arrival arrival = {.share = shares[count]->bytes,
                                        .share_size = shares[count]->size,
                                        .body = shares[count]->body,
                                        .body_size = shares[count]->body_size};
        table.add_share(to, &arrival, now);
    }
    free(shares);
    to->shares_judged = 0;
}

static bool link_is_whole(const struct toy_chain *toy, const struct toy_share *link)
{
    struct network_chain table = toy_table((struct toy_chain *)(uintptr_t)toy);
    struct reader reader = reader_init(link->body, link->body_size);
    uint64_t count = read_varint(&reader);
    if (link->size == 0 || link->body == NULL)
        return false;
    for (; count > 0; count--) {
        struct hash256 id;
        read_bytes(&reader, id.bytes, 32);
        if (!table.has_share(table.context, &id))
            return false;
    }
    return reader_is_done(&reader);
}

bool toy_is_whole(const struct toy_chain *toy, uint32_t from_height)
{
    for (uint32_t height = from_height; height <= toy->best_count; height++) {
        if (!link_is_whole(toy, toy->best[height - 1]))
            return false;
    }
    return true;
}
