#include <stdlib.h>
#include <string.h>
#include "dht/peers_state.h"

// Longer than any node runs; keeps sums in range.
#define BAN_LONGEST_MS (INT64_C(100) * 365 * 86400 * 1000)

// ---- Who is banned

// One host: an IPv4 address, or the /64 that one household is given.
bool bans_same_address(const struct address *a, const struct address *b)
{
    if (a->family != b->family || a->family == ADDRESS_NONE)
        return false;
    return memcmp(a->bytes, b->bytes, a->family == ADDRESS_IPV4 ? 4 : 8) == 0;
}

static bool names_address(const struct ban *ban, const struct address *address)
{
    return ban->by_address && bans_same_address(&ban->address, address);
}

static bool names_node(const struct ban *ban, const struct node_id *id,
                       const struct transport_key *key)
{
    return ban->has_node &&
           ((id != NULL && id_equal(&ban->id, id)) || (key != NULL && key_equal(&ban->key, key)));
}

bool peers_is_banned(const struct peers *peers, const struct address *address, struct now now)
{
    for (size_t i = 0; i < peers->bans_count; i++) {
        const struct ban *ban = &peers->bans[i];
        if (ban->until.ms > now.mono.ms && names_address(ban, address))
            return true;
    }
    return false;
}

bool peers_is_banned_node(const struct peers *peers, const struct node_id *id,
                          const struct transport_key *key, struct now now)
{
    for (size_t i = 0; i < peers->bans_count; i++) {
        const struct ban *ban = &peers->bans[i];
        if (ban->until.ms > now.mono.ms && names_node(ban, id, key))
            return true;
    }
    return false;
}

bool bans_hit_link(const struct peers *peers, const struct peers_link *link, struct now now)
{
    return peers_is_banned(peers, &link->endpoint.address, now) ||
           peers_is_banned_node(peers, &link->id, &link->key, now);
}

// ---- Banning

static void forget_old(struct peers *peers, struct now now)
{
    for (size_t i = peers->bans_count; i-- > 0;) {
        if (peers->bans[i].until.ms + PEERS_BAN_FORGET_MS <= now.mono.ms)
            peers->bans[i] = peers->bans[--peers->bans_count];
    }
}

// Where a new ban goes: in place of the last one of the same node and address, else to the end,
// else over the one that ends first.
static struct ban *find_place(struct peers *peers, const struct ban *new)
{
    struct ban *first = NULL;
    for (size_t i = 0; i < peers->bans_count; i++) {
        struct ban *ban = &peers->bans[i];
        if (ban->has_node == new->has_node && bans_same_address(&ban->address, &new->address) &&
            (!ban->has_node || names_node(ban, &new->id, &new->key)))
            return ban;
        if (first == NULL || ban->until.ms < first->until.ms)
            first = ban;
    }
    if (peers->bans_count == PEERS_BANS_MAX)
        return first;
    struct ban *bans =
        peers_grow(peers->bans, peers->bans_count, &peers->bans_capacity, sizeof *bans);
    if (bans == NULL)
        return first;
    peers->bans = bans;
    return &bans[peers->bans_count++];
}

static void set_ban(struct peers *peers, const struct ban *ban, struct now now)
{
    forget_old(peers, now);
    struct ban *place = find_place(peers, ban);
    if (place != NULL)
        *place = *ban;
    book_remove_banned(peers, ban);
}

// Twice the last one that the node or its address had, if it was not long ago.
static int64_t next_length_ms(const struct peers *peers, const struct ban *new, struct now now)
{
    int64_t length = PEERS_BAN_MIN_MS;
    for (size_t i = 0; i < peers->bans_count; i++) {
        const struct ban *ban = &peers->bans[i];
        bool is_same = names_node(ban, &new->id, &new->key) ||
                       (new->by_address &&names_address(ban, &new->address));
        if (is_same && ban->until.ms + PEERS_BAN_FORGET_MS > now.mono.ms &&
            2 * ban->length_ms > length)
            length = 2 * ban->length_ms;
    }
    return length < PEERS_BAN_MAX_MS ? length : PEERS_BAN_MAX_MS;
}

void peers_ban(struct peers *peers, const struct address *address, int64_t ms, struct now now)
{
    if (ms <= 0 || address->family == ADDRESS_NONE)
        return;
    struct ban ban = {.address = *address, .by_address = true};
    ban.until.ms = now.mono.ms + (ms < BAN_LONGEST_MS ? ms : BAN_LONGEST_MS);
    set_ban(peers, &ban, now);
}

bool peers_unban(struct peers *peers, const struct address *address)
{
    size_t before = peers->bans_count;
    for (size_t i = before; i-- > 0;) {
        if (bans_same_address(&peers->bans[i].address, address))
            peers->bans[i] = peers->bans[--peers->bans_count];
    }
    return peers->bans_count < before;
}

bool peers_next_ban(const struct peers *peers, size_t *cursor, struct address *address,
                    struct mono_time *until)
{
    if (*cursor >= peers->bans_count)
        return false;
    *address = peers->bans[*cursor].address;
    *until = peers->bans[*cursor].until;
    (*cursor)++;
    return true;
}

// ---- Scores

// "Fades by half each ten minutes", in whole steps, whenever somebody looks.
static void fade(unsigned *score, struct mono_time *scored_at, struct now now)
{
    int64_t halvings = (now.mono.ms - scored_at->ms) / PEERS_SCORE_HALF_MS;
    if (*score == 0 || halvings > 31) {
        *score = 0;
        *scored_at = now.mono;
        return;
    }
    *score >>= halvings;
    scored_at->ms += halvings * PEERS_SCORE_HALF_MS;
}

void scores_keep(struct peers *peers, const struct peer_link *link, struct now now)
{
    struct past_score past = {link->link.endpoint.address, link->link.id, link->link.key,
                              link->score, link->scored_at};
    fade(&past.score, &past.scored_at, now);
    if (past.score == 0 || link->is_banned)
        return;
    struct past_score *least = NULL;
    for (size_t i = 0; i < peers->scores_count; i++) {
        fade(&peers->scores[i].score, &peers->scores[i].scored_at, now);
        if (least == NULL || peers->scores[i].score < least->score)
            least = &peers->scores[i];
    }
    if (least != NULL && (least->score == 0 || peers->scores_count == SCORES_MAX)) {
        *least = past;
        return;
    }
    struct past_score *scores =
        peers_grow(peers->scores, peers->scores_count, &peers->scores_capacity, sizeof *scores);
    if (scores == NULL)
        return;
    peers->scores = scores;
    scores[peers->scores_count++] = past;
}

void scores_restore(struct peers *peers, struct peer_link *link, struct now now)
{
    const struct peers_link *is = &link->link;
    link->scored_at = now.mono;
    for (size_t i = peers->scores_count; i-- > 0;) {
        struct past_score *past = &peers->scores[i];
        bool is_there =
            !peers->config.is_crowded && bans_same_address(&past->address, &is->endpoint.address);
        if (!is_there && !key_equal(&past->key, &is->key) && !id_equal(&past->id, &is->id))
            continue;
        fade(&past->score, &past->scored_at, now);
        if (past->score > link->score) {
            link->score = past->score;
            link->scored_at = past->scored_at;
        }
        *past = peers->scores[--peers->scores_count];
    }
}

static void ban_link(struct peers *peers, const struct peer_link *link, struct now now)
{
    struct ban ban = {
        .address = link->link.endpoint.address,
        .id = link->link.id,
        .key = link->link.key,
        .has_node = true,
        .by_address = !peers->config.is_crowded,
    };
    ban.length_ms = next_length_ms(peers, &ban, now);
    ban.until.ms = now.mono.ms + ban.length_ms;
    set_ban(peers, &ban, now);
}

bool peers_fault(struct peers *peers, uint32_t peer, unsigned points, struct now now)
{
    struct peer_link *link = peers_find_link(peers, peer);
    if (link == NULL)
        return false;
    if (link->is_banned)
        return true;
    fade(&link->score, &link->scored_at, now);
    link->score = points < PEERS_SCORE_BAN ? link->score + points : link->score + PEERS_SCORE_BAN;
    if (link->score < PEERS_SCORE_BAN)
        return false;
    link->is_banned = true;
    ban_link(peers, link, now);
    return true;
}
