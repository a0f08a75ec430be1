#include "dht/lookup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum state { NEW, ASKED, LATE, LOST, ANSWERED };

struct candidate {
    struct hint hint;
    struct address_group near; // of its address
    uint64_t distance;
    struct node_id id; // of one that answered
    enum state state;
    unsigned hops;          // of queries that led to it, its own included
    uint32_t round_trip_ms; // of those known at the beginning; 0: not known
};

struct path {
    struct candidate candidates[LOOKUP_CANDIDATES_MAX]; // nearest first
    size_t count;
    size_t queries;
    size_t quick;
    bool has_answer;
    bool has_loss;
};

struct lookup {
    struct lookup_config config;
    unsigned next_path; // where to go on, so that all paths advance alike
    struct path paths[];
};

struct lookup *lookup_new(const struct lookup_config *config)
{
    assert(config->paths > 0 && config->paths <= LOOKUP_PATHS_MAX);
    size_t size = sizeof(struct lookup) + config->paths * sizeof(struct path);
    struct lookup *lookup = calloc(1, size);
    if (lookup != NULL)
        lookup->config = *config;
    return lookup;
}

void lookup_free(struct lookup *lookup)
{
    free(lookup);
}

static struct candidate *find(struct path *path, const struct dht_key *key)
{
    for (size_t i = 0; i < path->count; i++) {
        if (dht_key_equal(&path->candidates[i].hint.key, key))
            return &path->candidates[i];
    }
    return NULL;
}

// Whether another path already asked this node, or this address under another key.
static bool is_taken(const struct lookup *lookup, const struct path *own, const struct hint *hint)
{
    for (unsigned i = 0; i < lookup->config.paths; i++) {
        const struct path *path = &lookup->paths[i];
        for (size_t k = 0; path != own && k < path->count; k++) {
            const struct candidate *other = &path->candidates[k];
            if (other->state != NEW && (dht_key_equal(&other->hint.key, &hint->key) ||
                                        endpoint_equal(&other->hint.endpoint, &hint->endpoint)))
                return true;
        }
    }
    return false;
}

// Whether the path has no use for it: known, our own, or one more of a crowded neighbourhood.
static bool is_refused(const struct lookup *lookup, struct path *path, const struct hint *hint)
{
    struct address_group group = address_group_near(&hint->endpoint.address);
    size_t near = 0;
    if (dht_key_equal(&hint->key, &lookup->config.own) || find(path, &hint->key) != NULL)
        return true;
    for (size_t i = 0; i < path->count; i++) {
        const struct candidate *other = &path->candidates[i];
        if (other->near.value != group.value)
            continue;
        if (endpoint_equal(&other->hint.endpoint, &hint->endpoint))
            return true;
        near++;
    }
    return !lookup->config.is_crowded && near >= LOOKUP_NEAR_MAX;
}

// The furthest that was never asked, or lost, gives way to a nearer one; path->count if none does.
static size_t find_place(const struct path *path, uint64_t distance)
{
    if (path->count < LOOKUP_CANDIDATES_MAX)
        return path->count;
    for (size_t i = path->count; i-- > 0;) {
        const struct candidate *candidate = &path->candidates[i];
        if (candidate->state == LOST || (candidate->state == NEW && candidate->distance > distance))
            return i;
    }
    return LOOKUP_CANDIDATES_MAX;
}

// Moves the candidate at `at` to where its distance belongs.
static void sort_in(struct path *path, size_t at)
{
    struct candidate moved = path->candidates[at];
    for (; at > 0 && path->candidates[at - 1].distance > moved.distance; at--)
        path->candidates[at] = path->candidates[at - 1];
    for (; at + 1 < path->count && path->candidates[at + 1].distance < moved.distance; at++)
        path->candidates[at] = path->candidates[at + 1];
    path->candidates[at] = moved;
}

static void offer(struct lookup *lookup, struct path *path, const struct hint *hint, unsigned hops,
                  uint32_t round_trip_ms)
{
    struct id_start target = id_start_of(&lookup->config.target);
    uint64_t distance = id_distance(hint->id_start, target);
    if (is_refused(lookup, path, hint))
        return;
    size_t place = find_place(path, distance);
    if (place == LOOKUP_CANDIDATES_MAX)
        return;
    path->candidates[place] =
        (struct candidate){.hint = *hint,
                           .near = address_group_near(&hint->endpoint.address),
                           .distance = distance,
                           .hops = hops,
                           .round_trip_ms = round_trip_ms};
    path->count += place == path->count;
    sort_in(path, place);
}

void lookup_begin(struct lookup *lookup, const struct lookup_start *starts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hint hint = hint_of(&starts[i].contact);
        offer(lookup, &lookup->paths[i % lookup->config.paths], &hint, 1, starts[i].round_trip_ms);
    }
}

// Before anybody has answered: who will soonest, of those about as near as the nearest. What it
// names is asked a hop earlier. A careful look-up has no haste.
static struct candidate *quickest_of(const struct lookup *lookup, struct path *path)
{
    struct candidate *quickest = NULL;
    if (lookup->config.paths > 1 || path->has_answer || path->quick == LOOKUP_QUICK)
        return NULL;
    for (size_t i = 0; i < path->count && i < LOOKUP_QUICK_AMONG; i++) {
        struct candidate *candidate = &path->candidates[i];
        if (candidate->state == NEW && candidate->round_trip_ms != 0 &&
            !is_taken(lookup, path, &candidate->hint) &&
            (quickest == NULL || candidate->round_trip_ms < quickest->round_trip_ms))
            quickest = candidate;
    }
    path->quick += quickest != NULL;
    return quickest;
}

// The nearest candidate of a path that should be asked now, or NULL.
static struct candidate *next_of(const struct lookup *lookup, struct path *path)
{
    size_t asked = 0;
    size_t usable = 0;
    struct candidate *next = NULL;
    bool has_arrived = false;
    for (size_t i = 0; i < path->count && usable < LOOKUP_RESULTS_MAX; i++) {
        struct candidate *candidate = &path->candidates[i];
        // Of those that are not asked next nobody needs to know it yet.
        if (candidate->state == NEW && next == NULL && is_taken(lookup, path, &candidate->hint))
            candidate->state = LOST;
        if (candidate->state == LOST)
            continue;
        has_arrived = has_arrived || (usable == 0 && candidate->state == ANSWERED);
        usable += candidate->state != LATE;
        asked += candidate->state == ASKED && next == NULL; // the nearer ones
        if (candidate->state == NEW && next == NULL)
            next = candidate;
    }
    size_t alpha = path->has_loss ? LOOKUP_ALPHA_LOSS : LOOKUP_ALPHA;
    // Where the nearest has answered only its neighbours are left: there is nothing to wait for.
    if (has_arrived)
        alpha = LOOKUP_RESULTS_MAX;
    if (path->queries >= LOOKUP_QUERIES_MAX)
        return NULL;
    return asked < alpha ? next : quickest_of(lookup, path);
}

bool lookup_next(struct lookup *lookup, struct hint *hint, unsigned *path)
{
    for (unsigned i = 0; i < lookup->config.paths; i++) {
        unsigned at = lookup->next_path;
        struct candidate *next = next_of(lookup, &lookup->paths[at]);
        lookup->next_path = (at + 1) % lookup->config.paths;
        if (next == NULL)
            continue;
        next->state = ASKED;
        lookup->paths[at].queries++;
        *hint = next->hint;
        *path = at;
        return true;
    }
    return false;
}

static void fail(struct lookup *lookup, unsigned path, const struct dht_key *key, enum state state)
{
    assert(path < lookup->config.paths);
    struct candidate *candidate = find(&lookup->paths[path], key);
    if (candidate == NULL || candidate->state == ANSWERED)
        return;
    candidate->state = state;
    lookup->paths[path].has_loss = true;
}

void lookup_late(struct lookup *lookup, unsigned path, const struct dht_key *key)
{
    fail(lookup, path, key, LATE);
}

void lookup_lost(struct lookup *lookup, unsigned path, const struct dht_key *key)
{
    fail(lookup, path, key, LOST);
}

void lookup_answered(struct lookup *lookup, unsigned path, const struct contact *contact,
                     const struct hint *hints, size_t hints_count)
{
    assert(path < lookup->config.paths);
    struct path *own = &lookup->paths[path];
    struct candidate *candidate = find(own, &contact->key);
    if (candidate == NULL)
        return;
    candidate->state = ANSWERED;
    own->has_answer = true;
    candidate->id = contact->id;
    candidate->hint = hint_of(contact);
    unsigned hops = candidate->hops + 1;
    for (size_t i = 0; i < hints_count; i++)
        offer(lookup, own, &hints[i], hops, 0);
}

// A late answer is waited for only where there are too few others.
static bool path_is_done(const struct path *path)
{
    size_t answered = 0;
    bool is_waiting = false;
    bool can_ask = path->queries < LOOKUP_QUERIES_MAX;
    for (size_t i = 0; i < path->count && answered < LOOKUP_RESULTS_MAX; i++) {
        enum state state = path->candidates[i].state;
        if (state == ASKED || (state == NEW && can_ask))
            return false;
        is_waiting = is_waiting || state == LATE;
        answered += state == ANSWERED;
    }
    return answered == LOOKUP_RESULTS_MAX || !is_waiting;
}

bool lookup_is_done(const struct lookup *lookup)
{
    for (unsigned i = 0; i < lookup->config.paths; i++) {
        if (!path_is_done(&lookup->paths[i]))
            return false;
    }
    return true;
}

static void add_result(struct contact *out, size_t *count, const struct candidate *candidate,
                       struct id_start target)
{
    struct contact contact = {candidate->id, candidate->hint.key, candidate->hint.endpoint};
    size_t at = *count;
    for (size_t i = 0; i < *count; i++) {
        if (dht_key_equal(&out[i].key, &contact.key))
            return;
    }
    while (at > 0 && id_distance(id_start_of(&out[at - 1].id.hash), target) > candidate->distance) {
        if (at < LOOKUP_RESULTS_MAX)
            out[at] = out[at - 1];
        at--;
    }
    if (at == LOOKUP_RESULTS_MAX)
        return;
    out[at] = contact;
    *count += *count < LOOKUP_RESULTS_MAX;
}

size_t lookup_results(const struct lookup *lookup, struct contact out[LOOKUP_RESULTS_MAX])
{
    struct id_start target = id_start_of(&lookup->config.target);
    size_t count = 0;
    for (unsigned i = 0; i < lookup->config.paths; i++) {
        const struct path *path = &lookup->paths[i];
        for (size_t k = 0; k < path->count; k++) {
            if (path->candidates[k].state == ANSWERED)
                add_result(out, &count, &path->candidates[k], target);
        }
    }
    return count;
}

const struct hash256 *lookup_target(const struct lookup *lookup)
{
    return &lookup->config.target;
}

unsigned lookup_hops(const struct lookup *lookup)
{
    const struct candidate *nearest = NULL;
    for (unsigned i = 0; i < lookup->config.paths; i++) {
        const struct path *path = &lookup->paths[i];
        for (size_t k = 0; k < path->count; k++) {
            const struct candidate *candidate = &path->candidates[k];
            bool is_nearer = nearest == NULL || candidate->distance < nearest->distance;
            if (candidate->state == ANSWERED && is_nearer)
                nearest = candidate;
        }
    }
    return nearest == NULL ? 0 : nearest->hops;
}

size_t lookup_queries(const struct lookup *lookup)
{
    size_t queries = 0;
    for (unsigned i = 0; i < lookup->config.paths; i++)
        queries += lookup->paths[i].queries;
    return queries;
}
