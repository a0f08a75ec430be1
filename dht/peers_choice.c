// What outbound links there should be, and which nodes of the book can fill a place.
#include <string.h>
#include "dht/peers_state.h"

#define LINKS_OURS (PEERS_OUTBOUND_LIMIT + PEERS_EXTRA + PEERS_FIXED_MAX)

// ---- What there is and what there should be

static void count_place(struct census *census, enum peer_place place)
{
    census->fixed += place == PEER_PLACE_SEED;
    census->kept += place == PEER_PLACE_KEPT;
    census->random += place == PEER_PLACE_RANDOM;
    census->near += place == PEER_PLACE_NEAR || place == PEER_PLACE_TRIED;
    census->chosen += place != PEER_PLACE_SEED && place != PEER_PLACE_NONE;
}

struct census choice_census(const struct peers *peers)
{
    struct census census = {0};
    for (size_t i = 0; i < peers->links_count; i++) {
        const struct peer_link *link = &peers->links[i];
        count_place(&census, link->place);
        census.links += link->place != PEER_PLACE_NONE;
        census.unmeasured += link->place == PEER_PLACE_TRIED && link->round_trip_ms == 0;
    }
    size_t fixed_links = census.fixed;
    for (size_t i = 0; i < peers->dials_count; i++) {
        count_place(&census, peers->dials[i].place);
        census.unmeasured += peers->dials[i].place == PEER_PLACE_TRIED;
    }
    size_t places = peers->config.outbound_max;
    census.places = places > fixed_links ? places - fixed_links : 0;
    return census;
}

size_t choice_near_places(const struct census *census)
{
    return census->places * PEERS_NEAREST / PEERS_OUTBOUND;
}

size_t choice_kept_places(const struct census *census)
{
    return census->places * PEERS_KEPT / PEERS_OUTBOUND;
}

// Places for kept ones that are not there go to random ones: who made us forget the last run, or
// knew us from the first one on, gains nothing.
size_t choice_random_places(const struct census *census)
{
    size_t kept =
        census->kept < choice_kept_places(census) ? census->kept : choice_kept_places(census);
    return census->places - choice_near_places(census) - kept;
}

// ---- Candidates

// Networks that have an outbound link already.
struct taken {
    struct address_group groups[2 * LINKS_OURS];
    size_t count;
};

// Without the link that would leave for it; NULL: none would.
static void find_taken(const struct peers *peers, const struct peer_link *leaving,
                       struct taken *taken)
{
    taken->count = 0;
    if (peers->config.is_crowded)
        return;
    for (size_t i = 0; i < peers->links_count; i++) {
        const struct peer_link *link = &peers->links[i];
        if (link->place != PEER_PLACE_NONE && link != leaving && taken->count < 2 * LINKS_OURS)
            taken->groups[taken->count++] = link->wide;
    }
    for (size_t i = 0; i < peers->dials_count && taken->count < 2 * LINKS_OURS; i++)
        taken->groups[taken->count++] = peers->dials[i].wide;
}

bool choice_is_dialled(const struct peers *peers, const struct transport_key *key)
{
    for (size_t i = 0; i < peers->dials_count; i++) {
        if (key_equal(&peers->dials[i].key, key))
            return true;
    }
    return false;
}

bool choice_is_fixed(const struct peers *peers, const struct transport_key *key)
{
    for (size_t i = 0; i < peers->fixed_count; i++) {
        if (key_equal(&peers->fixed[i].key, key))
            return true;
    }
    return false;
}

static bool is_meant(const struct book_node *node, enum wish wish)
{
    switch (wish) {
    case WISH_KEPT:
        return node->kept_rank != 0;
    case WISH_RANDOM:
        return true;
    case WISH_TRIED:
        return node->round_trip_ms == 0;
    case WISH_NEAR:
        return node->round_trip_ms != 0 && node->round_trip_ms != UNMEASURED_MS;
    case WISH_LOST:
        return node->is_lost;
    }
    return false;
}

// Cheapest first: it is asked of the whole book.
static bool is_eligible(const struct peers *peers, const struct book_node *node,
                        const struct taken *taken, struct now now)
{
    if (book_end(node) <= wall_seconds(now.wall) && node->kept_rank == 0)
        return false;
    uint64_t wide = address_group_wide(&book_endpoint(node)->address).value;
    for (size_t i = 0; i < taken->count; i++) {
        if (taken->groups[i].value == wide)
            return false;
    }
    return peers_find_node(peers, &node->id, &node->key) == NULL &&
           !choice_is_dialled(peers, &node->key) && !choice_is_fixed(peers, &node->key);
}

static bool is_better(const struct book_node *a, const struct book_node *b, enum wish wish)
{
    if (wish == WISH_KEPT)
        return a->kept_rank < b->kept_rank;
    if (wish == WISH_LOST)
        return a->called.ms < b->called.ms;
    return a->round_trip_ms < b->round_trip_ms;
}

void choice_find(const struct peers *peers, enum wish wish, const struct peer_link *leaving,
                 struct now now, struct choice *found)
{
    struct taken taken;
    find_taken(peers, leaving, &taken);
    found->strangers_count = 0;
    found->reached_count = 0;
    found->best = NOBODY;
    found->later = MONO_NEVER;
    for (size_t i = 0; i < peers->book_count; i++) {
        const struct book_node *node = &peers->book[i];
        if (!is_meant(node, wish) || !is_eligible(peers, node, &taken, now))
            continue;
        if (node->next_dial.ms > now.mono.ms && wish != WISH_LOST) {
            found->later = mono_min(found->later, node->next_dial);
            continue;
        }
        if (found->best == NOBODY || is_better(node, &peers->book[found->best], wish))
            found->best = i;
        if (node->is_reached)
            found->reached[found->reached_count++] = (uint16_t)i;
        else
            found->strangers[found->strangers_count++] = (uint16_t)i;
    }
}

// Half of the random ones are nodes that were reached before: a book full of inventions does not
// make all our links inventions.
size_t choice_draw(const struct peers *peers, const struct choice *found)
{
    size_t strangers = found->strangers_count;
    size_t reached = found->reached_count;
    if (strangers + reached == 0)
        return NOBODY;
    bool is_reached = strangers == 0 || (reached > 0 && env_random_below(peers->env, 2) == 0);
    if (is_reached)
        return found->reached[env_random_below(peers->env, reached)];
    return found->strangers[env_random_below(peers->env, strangers)];
}
