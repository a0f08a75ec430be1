// Following the best chain: forward link by link; where it changed, from the newest kept state that
// is on it. What was read of the newest links stays in memory, so that going back a few links reads
// nothing again.
#include "node/standings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/standings_state.h"

#define KEEP_EVERY 60u // links: half an hour
#define KEPT_COUNT 4u
#define READ_COUNT 128u // of the newest links: more than two times KEEP_EVERY
// While it catches up with a long chain, states are not worth keeping before they are near its end.
#define KEEP_NEAR      (KEPT_COUNT * KEEP_EVERY)
#define STATE_SIZE_MAX (128u << 20)

// A state in the store.
struct kept_state {
    bool is_there;
    uint32_t height;
    struct hash256 id;
};

struct standings {
    const struct env *env;
    struct sharechain *chain;
    struct store *store;
    struct standings_state state;
    struct kept_state kept[KEPT_COUNT];
    struct counted_link *read[READ_COUNT]; // by height
    uint64_t rebuilds;
};

const struct standings_state *standings_state(const struct standings *standings)
{
    return &standings->state;
}

const char *milestone_kind_text(enum milestone_kind kind)
{
    switch (kind) {
    case MILESTONE_FIRST_GRAIN:
        return "first_grain";
    case MILESTONE_GRAINS:
        return "grains";
    case MILESTONE_BLOCK:
        return "block";
    case MILESTONE_BEST_SHARE:
        return "best_share";
    case MILESTONE_STREAK:
        return "streak";
    }
    return "unknown";
}

// ---- Kept states

static size_t kept_key(size_t slot, char key[16])
{
    return (size_t)snprintf(key, 16, "standings%zu", slot);
}

static void keep(struct standings *standings)
{
    const struct standings_view *at = &standings->state.at;
    size_t slot = (at->height / KEEP_EVERY) % KEPT_COUNT;
    char key[16];
    struct buffer bytes;
    if (standings->store == NULL)
        return;
    buffer_init(&bytes, STATE_SIZE_MAX);
    state_encode(&standings->state, &bytes);
    if (!bytes.failed) {
        store_put(standings->store, STORE_META, key, kept_key(slot, key), bytes.data, bytes.size);
        standings->kept[slot] = (struct kept_state){true, at->height, at->id};
    }
    buffer_clear(&bytes);
}

static bool kept_read(struct standings *standings, size_t slot)
{
    char key[16];
    struct buffer bytes;
    buffer_init(&bytes, STATE_SIZE_MAX);
    bool is_read = store_get(standings->store, STORE_META, key, kept_key(slot, key), &bytes) &&
                   state_decode(&standings->state, bytes.data, bytes.size);
    buffer_clear(&bytes);
    return is_read;
}

static bool is_on_chain(const struct standings *standings, uint32_t height,
                        const struct hash256 *id)
{
    struct link_view link;
    return sharechain_link_at(standings->chain, height, &link) && hash_equal(&link.id, id);
}

// The newest kept state on the best chain that is not older than what can be counted anew.
static bool kept_restore(struct standings *standings)
{
    uint32_t whole_from = sharechain_whole_from(standings->chain);
    for (;;) {
        struct kept_state *newest = NULL;
        for (size_t i = 0; i < KEPT_COUNT; i++) {
            struct kept_state *kept = &standings->kept[i];
            if (kept->is_there && kept->height >= whole_from &&
                is_on_chain(standings, kept->height, &kept->id) &&
                (newest == NULL || kept->height > newest->height))
                newest = kept;
        }
        if (newest == NULL)
            return false;
        if (kept_read(standings, (size_t)(newest - standings->kept)) &&
            hash_equal(&standings->state.at.id, &newest->id))
            return true;
        newest->is_there = false; // damaged, or of another version
    }
}

// ---- Links as they are counted

static void counted_link_free(struct counted_link *link)
{
    if (link != NULL)
        free(link->shares);
    free(link);
}

struct reading {
    struct counted_link *link;
    bool has_failed;
};

static bool shares_fit(struct counted_link *link)
{
    if (link->shares_count < link->shares_capacity)
        return true;
    size_t capacity = link->shares_capacity == 0 ? 32 : link->shares_capacity * 2;
    struct counted_share *grown = realloc(link->shares, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    link->shares = grown;
    link->shares_capacity = capacity;
    return true;
}

static void note_share(void *context, const struct credited_share *credited)
{
    struct reading *reading = context;
    if (!shares_fit(reading->link)) {
        reading->has_failed = true;
        return;
    }
    struct counted_share *share = &reading->link->shares[reading->link->shares_count++];
    *share = (struct counted_share){
        .id = credited->id,
        .pow = credited->pow,
        .script = credited->payout_script,
        .weight = credited->weight,
        .fee = credited->fee,
        .is_credited = credited->is_credited,
        .is_block = credited->is_block,
    };
    team_from_tag(credited->node_tag, &share->team);
}

// Of the best chain at this height, from memory or from the chain; NULL if it cannot be had.
static const struct counted_link *link_read(struct standings *standings, uint32_t height)
{
    struct link_view view;
    struct counted_link **place = &standings->read[height % READ_COUNT];
    if (!sharechain_link_at(standings->chain, height, &view))
        return NULL;
    if (*place != NULL && hash_equal(&(*place)->id, &view.id))
        return *place;
    struct reading reading = {.link = calloc(1, sizeof(struct counted_link))};
    if (reading.link == NULL)
        return NULL;
    reading.link->id = view.id;
    reading.link->height = view.height;
    reading.link->time = view.time;
    if (!sharechain_link_shares(standings->chain, &view.id, note_share, &reading) ||
        reading.has_failed) {
        counted_link_free(reading.link);
        return NULL;
    }
    counted_link_free(*place);
    *place = reading.link;
    return reading.link;
}

// ---- Following

// Counting begins above the last link whose credits are not known; false while that is not here.
static bool begin(struct standings *standings)
{
    struct standings_state *state = &standings->state;
    struct link_view below;
    uint32_t whole_from = sharechain_whole_from(standings->chain);
    if (!state_reset(state) || !sharechain_link_at(standings->chain, whole_from, &below))
        return false;
    state->at = (struct standings_view){
        .is_known = true,
        .height = below.height,
        .id = below.id,
        .time = below.time,
        .since = below.height + 1,
        .since_time = below.time,
    };
    return true;
}

static bool rebuild(struct standings *standings)
{
    bool is_restored = kept_restore(standings);
    if (!is_restored && !begin(standings))
        return false;
    standings->rebuilds++;
    log_event(standings->env->log, LOG_DEBUG, "standings", "counting goes on from here",
              LOG_U64("height", standings->state.at.height),
              LOG_U64("since", standings->state.at.since), LOG_BOOL("was_kept", is_restored));
    return true;
}

void standings_follow(struct standings *standings)
{
    struct standings_state *state = &standings->state;
    struct link_view tip;
    sharechain_tip(standings->chain, &tip);
    if (state->at.is_known && hash_equal(&state->at.id, &tip.id))
        return;
    bool is_behind = state->at.is_known && is_on_chain(standings, state->at.height, &state->at.id);
    if (!is_behind && !rebuild(standings))
        return;
    while (state->at.height < tip.height) {
        const struct counted_link *link = link_read(standings, state->at.height + 1);
        if (link == NULL)
            return; // the store fails: tried again when the tip moves
        if (!state_count(state, link)) {
            state_reset(state); // out of memory: from a kept state, next time
            return;
        }
        if (link->height % KEEP_EVERY == 0 && tip.height - link->height < KEEP_NEAR)
            keep(standings);
    }
}

// ---- Making and freeing

// What the store has from an earlier life.
static void kept_find(struct standings *standings)
{
    for (size_t i = 0; standings->store != NULL && i < KEPT_COUNT; i++) {
        if (!kept_read(standings, i))
            continue;
        const struct standings_view *at = &standings->state.at;
        standings->kept[i] = (struct kept_state){true, at->height, at->id};
    }
    state_reset(&standings->state);
}

struct standings *standings_new(const struct env *env, struct sharechain *chain,
                                struct store *store)
{
    struct standings *standings = calloc(1, sizeof(*standings));
    if (standings == NULL)
        return NULL;
    standings->env = env;
    standings->chain = chain;
    standings->store = store;
    if (!state_init(&standings->state, env)) {
        free(standings);
        return NULL;
    }
    kept_find(standings);
    return standings;
}

void standings_free(struct standings *standings)
{
    if (standings == NULL)
        return;
    for (size_t i = 0; i < READ_COUNT; i++)
        counted_link_free(standings->read[i]);
    state_clear(&standings->state);
    free(standings);
}

// ---- Reading

void standings_view(const struct standings *standings, struct standings_view *view)
{
    *view = standings->state.at;
}

bool standings_milestone(const struct standings *standings, size_t i, struct milestone *milestone)
{
    const struct standings_state *state = &standings->state;
    if (i >= state->milestones_count || i >= STANDINGS_MILESTONES_MAX)
        return false;
    *milestone = state->milestones[state->milestones_count - 1 - i];
    return true;
}

void standings_stats(const struct standings *standings, struct standings_stats *stats)
{
    const struct standings_state *state = &standings->state;
    *stats = (struct standings_stats){
        .milestones = state->milestones_count,
        .bytes = sizeof(*standings) + state->rows_count * sizeof(struct row) +
                 state->rows_capacity * sizeof(struct row *) +
                 state->milestones_capacity * sizeof(struct milestone),
        .rebuilds = standings->rebuilds,
    };
    memcpy(stats->rows, state->counts, sizeof(stats->rows));
    for (size_t i = 0; i < READ_COUNT; i++) {
        const struct counted_link *link = standings->read[i];
        if (link != NULL)
            stats->bytes += sizeof(*link) + link->shares_capacity * sizeof(*link->shares);
    }
}
