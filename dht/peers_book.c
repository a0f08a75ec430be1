#include "dht/peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "dht/contact.h"
#include "dht/peers_state.h"

// ---- Nodes

static bool may_dial(const struct peers *peers, const struct endpoint *endpoint)
{
    if (endpoint->address.family == ADDRESS_NONE)
        return false;
    return peers->config.is_crowded || address_is_public(&endpoint->address);
}

static const struct endpoint *first_endpoint(const struct book_node *node)
{
    return node->ipv4.address.family != ADDRESS_NONE ? &node->ipv4 : &node->ipv6;
}

const struct endpoint *book_endpoint(const struct book_node *node)
{
    bool has_both =
        node->ipv4.address.family != ADDRESS_NONE && node->ipv6.address.family != ADDRESS_NONE;
    return has_both && node->failures % 2 == 1 ? &node->ipv6 : first_endpoint(node);
}

// False for our own. It may have no endpoint.
bool book_make_node(const struct peers *peers, const struct node_record *record,
                    const uint8_t *bytes, size_t size, struct book_node *node)
{
    assert(size <= RECORD_SIZE_MAX);
    *node = (struct book_node){
        .key = record->transport_key,
        .seq = record->seq,
        .expiry = record->expiry,
        .size = (uint16_t)size,
        .is_public = true,
    };
    record_node_id(record, &node->id);
    memcpy(node->bytes, bytes, size);
    const struct endpoint *const said[] = {&record->ipv4, &record->ipv6};
    struct endpoint *const kept[] = {&node->ipv4, &node->ipv6};
    for (size_t i = 0; i < 2; i++) {
        if (may_dial(peers, said[i]))
            *kept[i] = *said[i];
        else if (said[i]->address.family != ADDRESS_NONE)
            node->is_public = false;
    }
    node->near = address_group_near(&first_endpoint(node)->address);
    node->wide = address_group_wide(&first_endpoint(node)->address);
    return !id_equal(&node->id, &peers->config.own);
}

static bool has_endpoint(const struct book_node *node)
{
    return first_endpoint(node)->address.family != ADDRESS_NONE;
}

bool book_is_terrible(const struct book_node *node)
{
    return node->failures >= (node->is_reached ? FAILURES_REACHED : FAILURES_UNKNOWN);
}

// Whether one of our outbound links is with it.
static bool is_linked(const struct peers *peers, const struct book_node *node)
{
    const struct peer_link *link = peers_find_node(peers, &node->id, &node->key);
    return link != NULL && link->place != PEER_PLACE_NONE;
}

// ---- The book

struct book_node *book_find(const struct peers *peers, const struct node_id *id)
{
    uint64_t start = id_start_of(&id->hash).value;
    for (size_t i = 0; i < peers->book_count; i++) {
        if (peers->book_starts[i].value == start && id_equal(&peers->book[i].id, id))
            return &peers->book[i];
    }
    return NULL;
}

// Puts a node into the place `i`.
static void place(struct peers *peers, size_t i, const struct book_node *node)
{
    peers->book[i] = *node;
    peers->book_starts[i] = id_start_of(&node->id.hash);
}

void book_remove(struct peers *peers, struct book_node *node)
{
    place(peers, (size_t)(node - peers->book), &peers->book[--peers->book_count]);
}

// A lost one stays for a day more: records that are not renewed are what a partition of hours looks
// like, and a link proves the key again.
int64_t book_end(const struct book_node *node)
{
    return (int64_t)node->expiry + (node->is_lost ? LOST_KEPT_S : 0);
}

void book_expire(struct peers *peers, struct now now)
{
    int64_t seconds = wall_seconds(now.wall);
    if (seconds < (int64_t)peers->expiry_min)
        return;
    peers->expiry_min = UINT32_MAX;
    for (size_t i = peers->book_count; i-- > 0;) {
        struct book_node *node = &peers->book[i];
        int64_t end = book_end(node);
        bool is_over = end <= seconds;
        if (is_over && node->kept_rank == 0 && !is_linked(peers, node)) {
            book_remove(peers, node);
            continue;
        }
        // Those that stay beyond their time are looked at again when what holds them ends.
        if (!is_over && end < (int64_t)peers->expiry_min)
            peers->expiry_min = (uint32_t)end;
    }
}

static bool is_banned(const struct peers *peers, const struct book_node *node, struct now now)
{
    return peers_is_banned_node(peers, &node->id, &node->key, now) ||
           peers_is_banned(peers, &node->ipv4.address, now) ||
           peers_is_banned(peers, &node->ipv6.address, now);
}

void book_remove_banned(struct peers *peers, const struct ban *ban)
{
    for (size_t i = peers->book_count; i-- > 0;) {
        struct book_node *node = &peers->book[i];
        bool is_same =
            ban->has_node && (id_equal(&node->id, &ban->id) || key_equal(&node->key, &ban->key));
        bool is_there = ban->by_address && (bans_same_address(&node->ipv4.address, &ban->address) ||
                                            bans_same_address(&node->ipv6.address, &ban->address));
        if (is_same || is_there)
            book_remove(peers, node);
    }
}

// ---- Who has a place

static struct book_node *more_terrible(struct book_node *a, struct book_node *b)
{
    if (!book_is_terrible(b))
        return a;
    return a == NULL || b->failures > a->failures ? b : a;
}

// The neighbours of a newcomer, and who would give way to it, by how far away they are.
struct neighbours {
    size_t near;
    size_t wide;
    struct book_node *near_loser;
    struct book_node *wide_loser;
    struct book_node *loser;
};

static struct neighbours find_neighbours(const struct peers *peers, const struct book_node *node)
{
    struct neighbours found = {0};
    for (size_t i = 0; i < peers->book_count; i++) {
        struct book_node *other = &peers->book[i];
        found.loser = more_terrible(found.loser, other);
        if (other->wide.value != node->wide.value || id_equal(&other->id, &node->id))
            continue;
        found.wide++;
        found.wide_loser = more_terrible(found.wide_loser, other);
        if (other->near.value != node->near.value)
            continue;
        found.near++;
        found.near_loser = more_terrible(found.near_loser, other);
    }
    return found;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t first;
    uint64_t second;
    memcpy(&first, a, sizeof first);
    memcpy(&second, b, sizeof second);
    return (first > second) - (first < second);
}

// The /16 with most nodes in the book.
static uint64_t most_populous(const struct peers *peers, size_t *count)
{
    uint64_t groups[PEERS_BOOK_MAX];
    uint64_t best = 0;
    size_t run = 0;
    *count = 0;
    for (size_t i = 0; i < peers->book_count; i++)
        groups[i] = peers->book[i].wide.value;
    qsort(groups, peers->book_count, sizeof groups[0], compare_u64);
    for (size_t i = 0; i < peers->book_count; i++) {
        run = i > 0 && groups[i] == groups[i - 1] ? run + 1 : 1;
        if (run > *count) {
            *count = run;
            best = groups[i];
        }
    }
    return best;
}

// Of the most populous /16, if the newcomer's is smaller: a stranger whose record ends first.
static struct book_node *find_stranger(const struct peers *peers, size_t newcomers)
{
    size_t count;
    struct book_node *found = NULL;
    uint64_t group = most_populous(peers, &count);
    if (count <= newcomers + 1)
        return NULL;
    for (size_t i = 0; i < peers->book_count; i++) {
        struct book_node *node = &peers->book[i];
        if (node->wide.value != group || node->is_reached || node->kept_rank != 0)
            continue;
        if (found == NULL || node->expiry < found->expiry)
            found = node;
    }
    return found;
}

static bool append(struct peers *peers, const struct book_node *node)
{
    size_t count = peers->book_count;
    struct id_start *starts =
        peers_grow(peers->book_starts, count, &peers->book_starts_capacity, sizeof *starts);
    if (starts == NULL)
        return false;
    peers->book_starts = starts;
    struct book_node *book = peers_grow(peers->book, count, &peers->book_capacity, sizeof *book);
    if (book == NULL)
        return false;
    peers->book = book;
    place(peers, peers->book_count++, node);
    return true;
}

static bool add(struct peers *peers, const struct book_node *node)
{
    struct neighbours found = find_neighbours(peers, node);
    struct book_node *loser = NULL;
    bool is_narrow = !peers->config.is_crowded;
    if (is_narrow && found.near >= PEERS_BOOK_NEAR_MAX)
        loser = found.near_loser;
    else if (is_narrow && found.wide >= PEERS_BOOK_WIDE_MAX)
        loser = found.wide_loser;
    else if (peers->book_count < PEERS_BOOK_MAX)
        return append(peers, node);
    else
        loser = found.loser != NULL ? found.loser : find_stranger(peers, found.wide);
    if (loser == NULL)
        return false;
    place(peers, (size_t)(loser - peers->book), node);
    return true;
}

// A newer record of a node that is there. What we know of it holds where it did not move; its
// failures count on in any case, or its maker could have us dial again and again.
static bool renew(struct peers *peers, struct book_node *known, const struct book_node *node)
{
    struct book_node new = *node;
    bool has_moved =
        !endpoint_equal(&known->ipv4, &node->ipv4) || !endpoint_equal(&known->ipv6, &node->ipv6);
    if (node->near.value != known->near.value && !peers->config.is_crowded) {
        struct neighbours found = find_neighbours(peers, node);
        if (found.near >= PEERS_BOOK_NEAR_MAX || found.wide >= PEERS_BOOK_WIDE_MAX)
            return false;
    }
    new.failures = known->failures;
    new.kept_rank = known->kept_rank;
    if (!has_moved) {
        new.next_dial = known->next_dial;
        new.round_trip_ms = known->round_trip_ms;
        new.is_reached = known->is_reached;
        new.is_lost = known->is_lost;
        new.called = known->called;
    }
    if (has_moved)
        peers_look_again(peers);
    *known = new;
    return true;
}

bool book_put(struct peers *peers, const struct book_node *node, struct now now)
{
    struct book_node *known = book_find(peers, &node->id);
    if (known != NULL && node->seq <= known->seq) {
        return node->seq == known->seq && node->size == known->size &&
               memcmp(node->bytes, known->bytes, node->size) == 0;
    }
    if (known != NULL && !has_endpoint(node))
        book_remove(peers, known); // it cannot be reached any more, and says so
    if (!has_endpoint(node) || is_banned(peers, node, now))
        return false;
    if (node->expiry < peers->expiry_min)
        peers->expiry_min = node->expiry;
    if (known != NULL)
        return renew(peers, known, node);
    book_expire(peers, now);
    if (!add(peers, node))
        return false;
    peers_look_again(peers);
    return true;
}

bool peers_heard(struct peers *peers, const struct node_record *record, const uint8_t *bytes,
                 size_t size, struct now now)
{
    struct book_node node;
    if (record_has_expired(record, now.wall) || !book_make_node(peers, record, bytes, size, &node))
        return false;
    return book_put(peers, &node, now);
}

size_t peers_book_count(const struct peers *peers)
{
    return peers->book_count;
}

size_t peers_sample(struct peers *peers, size_t count_max, struct now now, struct buffer *out)
{
    uint16_t left[PEERS_BOOK_MAX];
    size_t left_count = 0;
    size_t count = 0;
    book_expire(peers, now);
    for (size_t i = 0; i < peers->book_count; i++) {
        const struct book_node *node = &peers->book[i];
        // Private addresses are nobody's business, and nodes that fail nobody's gain.
        if (node->failures == 0 && (node->is_public || peers->config.is_crowded) &&
            (int64_t)node->expiry > wall_seconds(now.wall))
            left[left_count++] = (uint16_t)i;
    }
    while (count < count_max && left_count > 0) {
        size_t at = (size_t)env_random_below(peers->env, left_count);
        const struct book_node *node = &peers->book[left[at]];
        left[at] = left[--left_count];
        if ((size_t)node->size + 2 > (out->is_fixed ? out->capacity : out->size_max) - out->size)
            break;
        write_u16(out, node->size);
        write_bytes(out, node->bytes, node->size);
        count++;
    }
    return count;
}
