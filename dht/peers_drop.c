// Which of our links are the nearest, and which has to go.
//
// The trial: nodes that were never measured are dialled, a few at a time, until PEERS_TRIED were
// measured or none is left. The nearest of them are `near` from the beginning on; of the others,
// `tried`, the slowest goes when its place is needed: for the next one while the trial runs, and
// afterwards where there are more outbound links than there should be. In a small pool nobody has
// to go.
#include "dht/peers.h"

#include "dht/peers_state.h"

// Whoever answers no ping ends the trial as its slowest.
static void judge_silent(struct peers *peers, struct now now)
{
    for (size_t i = 0; i < peers->links_count; i++) {
        struct peer_link *link = &peers->links[i];
        if (link->place == PEER_PLACE_TRIED && link->round_trip_ms == 0 &&
            now.mono.ms - link->since.ms >= PEERS_MEASURE_MS)
            outbound_measured(peers, link, UNMEASURED_MS);
    }
}

static uint32_t slowness(const struct peer_link *link)
{
    return link->round_trip_ms == 0 ? UNMEASURED_MS : link->round_trip_ms;
}

// Of links of one place: whether `a` should go rather than `b`.
static bool is_worse(const struct peer_link *a, const struct peer_link *b)
{
    uint64_t brought_a = a->delivered - a->delivered_before;
    uint64_t brought_b = b->delivered - b->delivered_before;
    if (a->place == PEER_PLACE_RANDOM && brought_a != brought_b)
        return brought_a < brought_b;
    if (slowness(a) != slowness(b))
        return slowness(a) > slowness(b);
    return a->link.peer > b->link.peer;
}

static struct peer_link *find_worst(const struct peers *peers, enum peer_place place)
{
    struct peer_link *worst = NULL;
    for (size_t i = 0; i < peers->links_count; i++) {
        struct peer_link *link = &peers->links[i];
        // Of those tried, one that is not measured yet may still be the nearest.
        if (link->place != place || (place == PEER_PLACE_TRIED && link->round_trip_ms == 0))
            continue;
        if (worst == NULL || is_worse(link, worst))
            worst = link;
    }
    return worst;
}

static void rank_near(struct peers *peers, size_t places)
{
    for (size_t i = 0; i < peers->links_count; i++) {
        if (peers->links[i].place == PEER_PLACE_NEAR)
            peers->links[i].place = PEER_PLACE_TRIED;
    }
    while (places-- > 0) {
        struct peer_link *best = NULL;
        for (size_t i = 0; i < peers->links_count; i++) {
            struct peer_link *link = &peers->links[i];
            if (link->place == PEER_PLACE_TRIED && slowness(link) != UNMEASURED_MS &&
                (best == NULL || is_worse(best, link)))
                best = link;
        }
        if (best == NULL)
            return;
        best->place = PEER_PLACE_NEAR;
    }
}

static bool has_candidate(const struct peers *peers, enum wish wish,
                          const struct peer_link *leaving, struct now now)
{
    struct choice found;
    choice_find(peers, wish, leaving, now, &found);
    return found.best != NOBODY;
}

static bool trial_is_running(const struct peers *peers, const struct census *census, struct now now)
{
    if (peers->measured >= PEERS_TRIED || census->places == 0)
        return false;
    return census->unmeasured > 0 || has_candidate(peers, WISH_TRIED, NULL, now);
}

// More than there should be: those that were only tried go first, then what others have taken the
// places of.
static struct peer_link *find_surplus(const struct peers *peers, const struct census *census)
{
    if (census->links <= peers->config.outbound_max)
        return NULL;
    struct peer_link *worst = find_worst(peers, PEER_PLACE_TRIED);
    if (worst == NULL && census->random > choice_random_places(census))
        worst = find_worst(peers, PEER_PLACE_RANDOM);
    if (worst == NULL && census->kept > choice_kept_places(census))
        worst = find_worst(peers, PEER_PLACE_KEPT);
    return worst;
}

// "Rotating the worst random one every 10 min", if the book offers another.
static struct peer_link *rotate(struct peers *peers, const struct census *census, struct now now)
{
    struct peer_link *worst = find_worst(peers, PEER_PLACE_RANDOM);
    if (now.mono.ms < peers->rotate_at.ms)
        return NULL;
    peers->rotate_at.ms = now.mono.ms + PEERS_ROTATE_MS;
    for (size_t i = 0; i < peers->links_count; i++)
        peers->links[i].delivered_before = peers->links[i].delivered;
    if (worst == NULL || census->links < peers->config.outbound_max ||
        !has_candidate(peers, WISH_RANDOM, worst, now))
        return NULL;
    return worst;
}

static void drop(struct peers *peers, struct peer_link *link, int64_t rest_ms, struct now now)
{
    struct book_node *node = book_find(peers, &link->link.id);
    if (node != NULL)
        node->next_dial.ms = now.mono.ms + rest_ms;
    peers_remove_link(peers, link, now);
}

// A trial ends by something that happens, and rotation waits for that.
static struct mono_time drop_deadline(const struct peers *peers, bool is_running)
{
    struct mono_time deadline = is_running ? MONO_NEVER : peers->rotate_at;
    for (size_t i = 0; i < peers->links_count; i++) {
        const struct peer_link *link = &peers->links[i];
        struct mono_time silent = {link->since.ms + PEERS_MEASURE_MS};
        if (link->place == PEER_PLACE_TRIED && link->round_trip_ms == 0)
            deadline = mono_min(deadline, silent);
    }
    return deadline;
}

bool peers_next_drop(struct peers *peers, struct now now, uint32_t *peer)
{
    if (now.mono.ms < peers->drop_look.ms)
        return false;
    if (peers->rotate_at.ms == 0)
        peers->rotate_at.ms = now.mono.ms + PEERS_ROTATE_MS;
    judge_silent(peers, now);
    struct census census = choice_census(peers);
    rank_near(peers, choice_near_places(&census));
    bool is_running = trial_is_running(peers, &census, now);
    bool is_full = census.chosen >= census.places + PEERS_EXTRA;
    struct peer_link *link = NULL;
    int64_t rest_ms = PEERS_RETRY_MIN_MS;
    if (!is_running)
        link = find_surplus(peers, &census);
    else if (is_full)
        link = find_worst(peers, PEER_PLACE_TRIED);
    if (link == NULL && !is_running) {
        link = rotate(peers, &census, now);
        rest_ms = PEERS_RETRY_MAX_MS; // or the next choice_draw could be the same
    }
    if (link == NULL) {
        peers->drop_look = drop_deadline(peers, is_running);
        return false;
    }
    *peer = link->link.peer;
    drop(peers, link, rest_ms, now);
    return true;
}
