#include <stdlib.h>
#include "dht/peers_state.h"

// What an attacker cannot have all of at once, as Bitcoin Core protects it: an unpredictable
// network, nearness, use, work, age. Numbers of links.
#define PROTECTED_NETWORKS   4
#define PROTECTED_NEAR       4
#define PROTECTED_DELIVERING 4

struct candidates {
    struct peer_link *links[PEERS_INBOUND_LIMIT];
    size_t count;
};

// Negative if `a` deserves more to stay.
typedef int compare_links(const struct peer_link *a, const struct peer_link *b);
typedef bool has_merit(const struct peer_link *link);

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

// Positive if `a` is the younger.
static int compare_age(const struct peer_link *a, const struct peer_link *b)
{
    int order = (a->since.ms > b->since.ms) - (a->since.ms < b->since.ms);
    return order != 0 ? order : compare(a->link.peer, b->link.peer);
}

static int compare_network(const struct peer_link *a, const struct peer_link *b)
{
    int order = compare(b->wide_hash, a->wide_hash);
    return order != 0 ? order : compare_age(a, b);
}

static int compare_near(const struct peer_link *a, const struct peer_link *b)
{
    int order = compare(a->round_trip_ms, b->round_trip_ms);
    return order != 0 ? order : compare_age(a, b);
}

static int compare_delivered(const struct peer_link *a, const struct peer_link *b)
{
    int order =
        (a->delivered_at.ms < b->delivered_at.ms) - (a->delivered_at.ms > b->delivered_at.ms);
    return order != 0 ? order : compare_age(a, b);
}

static bool is_any(const struct peer_link *link)
{
    return link->place == PEER_PLACE_NONE;
}

static bool is_measured(const struct peer_link *link)
{
    return link->round_trip_ms != 0;
}

static bool is_delivering(const struct peer_link *link)
{
    return link->delivered > 0;
}

static bool is_working(const struct peer_link *link)
{
    return link->link.has_work;
}

// Takes the `count` best of those with merit out of the candidates.
static void protect(struct candidates *candidates, size_t count, compare_links *order,
                    has_merit *merit)
{
    while (count-- > 0) {
        size_t best = candidates->count;
        for (size_t i = 0; i < candidates->count; i++) {
            if (merit(candidates->links[i]) &&
                (best == candidates->count ||
                 order(candidates->links[i], candidates->links[best]) < 0))
                best = i;
        }
        if (best == candidates->count)
            return;
        candidates->links[best] = candidates->links[--candidates->count];
    }
}

static size_t count_of_network(const struct candidates *candidates, const struct peer_link *link)
{
    size_t count = 0;
    for (size_t i = 0; i < candidates->count; i++)
        count += candidates->links[i]->wide.value == link->wide.value;
    return count;
}

// The youngest of the most populous network; of equally populous ones, of that which has it.
static struct peer_link *find_loser(const struct candidates *candidates)
{
    struct peer_link *loser = NULL;
    size_t loser_count = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        struct peer_link *link = candidates->links[i];
        size_t count = count_of_network(candidates, link);
        if (loser == NULL || count > loser_count ||
            (count == loser_count && compare_age(link, loser) > 0)) {
            loser = link;
            loser_count = count;
        }
    }
    return loser;
}

static size_t work_places(const struct peers *peers)
{
    return peers->config.inbound_max * PEERS_INBOUND_WORK / PEERS_INBOUND;
}

static struct peer_link *choose_evicted(const struct peers *peers)
{
    struct candidates candidates = {.count = 0};
    for (size_t i = 0; i < peers->links_count; i++) {
        struct peer_link *link = &peers->links[i];
        if (link->place == PEER_PLACE_NONE && candidates.count < PEERS_INBOUND_LIMIT)
            candidates.links[candidates.count++] = link;
    }
    protect(&candidates, PROTECTED_NETWORKS, compare_network, is_any);
    protect(&candidates, PROTECTED_NEAR, compare_near, is_measured);
    protect(&candidates, PROTECTED_DELIVERING, compare_delivered, is_delivering);
    protect(&candidates, work_places(peers), compare_age, is_working);
    protect(&candidates, candidates.count / 2, compare_age, is_any);
    return find_loser(&candidates);
}

enum peers_admission inbound_admit(const struct peers *peers, const struct peers_link *link,
                                   struct peer_link **evicted)
{
    size_t inbound = 0;
    size_t without_work = 0;
    for (size_t i = 0; i < peers->links_count; i++) {
        if (peers->links[i].place != PEER_PLACE_NONE)
            continue;
        inbound++;
        without_work += !peers->links[i].link.has_work;
    }
    // Places for work stay free for it. Who has none competes with those who have none: where they
    // have all their places, no more prove work than are protected.
    size_t open_places = peers->config.inbound_max - work_places(peers);
    bool is_full = inbound >= peers->config.inbound_max;
    bool is_open = link->has_work || without_work < open_places;
    if (!is_full && is_open)
        return PEERS_ADMITTED;
    *evicted = choose_evicted(peers);
    return *evicted != NULL ? PEERS_ADMITTED_EVICTS : PEERS_FULL;
}
