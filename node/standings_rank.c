// Who is where: lists are made when asked for, out of the rows.
#include <stdlib.h>
#include <string.h>
#include "node/standings_state.h"

// ---- Periods

static uint32_t back(uint32_t number, uint32_t steps)
{
    return number > steps ? number - steps : 0;
}

static uint32_t first_hour(const struct standings_state *state)
{
    return back(state->at.time / HOUR_S, HOURS_COUNT - 1);
}

static uint32_t first_day(const struct standings_state *state)
{
    return back(state->at.time / DAY_S, DAYS_COUNT - 1);
}

uint32_t standings_period_start(const struct standings *standings, enum standings_period period,
                                uint32_t *seconds)
{
    const struct standings_state *state = standings_state(standings);
    uint32_t start = 0;
    switch (period) {
    case STANDINGS_DAY:
        start = first_hour(state) * HOUR_S;
        break;
    case STANDINGS_WEEK:
        start = first_day(state) * DAY_S;
        break;
    case STANDINGS_ALL:
        break;
    }
    if (start < state->at.since_time)
        start = state->at.since_time;
    *seconds = state->at.time > start ? state->at.time - start : 1;
    return start;
}

static struct tally sum(const struct tally *ring, size_t count, uint32_t first)
{
    struct tally all = {.number = 0};
    for (size_t i = 0; i < count; i++) {
        const struct tally *tally = &ring[i];
        if (tally->number == 0 || tally->number < first)
            continue;
        all.work = u256_add(&all.work, &tally->work);
        if (tally->shares > 0 && (all.shares == 0 || hash_is_lower(&tally->best, &all.best)))
            all.best = tally->best;
        all.shares += tally->shares;
        all.blocks += tally->blocks;
    }
    return all;
}

struct tally row_tally(const struct standings_state *state, const struct row *row,
                       enum standings_period period)
{
    switch (period) {
    case STANDINGS_DAY:
        return sum(row->hours, HOURS_COUNT, first_hour(state));
    case STANDINGS_WEEK:
        return sum(row->days, DAYS_COUNT, first_day(state));
    case STANDINGS_ALL:
        break;
    }
    return row->all;
}

// ---- Entries

// A streak is not over before a whole day without a share is.
static uint32_t running_streak(const struct standings_state *state, const struct row *row)
{
    return row->streak_day + 1 >= state->at.time / DAY_S ? row->streak : 0;
}

static void fill_entry(const struct standings *standings, const struct row *row,
                       enum standings_period period, struct standings_entry *entry)
{
    const struct standings_state *state = standings_state(standings);
    struct tally tally = row_tally(state, row, period);
    uint32_t seconds;
    standings_period_start(standings, period, &seconds);
    *entry = (struct standings_entry){
        .subject = row->subject,
        .script = row->script,
        .team = row->team,
        .work = tally.work,
        .hashrate = u256_to_double(&tally.work) / seconds,
        .shares = tally.shares,
        .blocks = tally.blocks,
        .best = tally.best,
        .streak_days = running_streak(state, row),
        .streak_longest_days = row->streak_longest,
        .first_at = row->first_at,
        .last_at = row->last_at,
    };
}

bool standings_find(const struct standings *standings, const struct standings_entry *who,
                    enum standings_period period, struct standings_entry *found)
{
    const struct standings_state *state = standings_state(standings);
    const struct row *row = state_find(state, who->subject, &who->script, &who->team);
    if (row != NULL)
        fill_entry(standings, row, period, found);
    return row != NULL;
}

size_t standings_members(const struct standings *standings, const struct team *team)
{
    const struct standings_state *state = standings_state(standings);
    size_t count = 0;
    for (size_t i = 0; i < state->rows_count; i++) {
        const struct row *row = state->rows[i];
        count += row->subject == STANDINGS_MEMBERS &&
                         memcmp(row->team.name, team->name, sizeof(team->name)) == 0
                     ? 1
                     : 0;
    }
    return count;
}

bool standings_main_team(const struct standings *standings, const struct script *script,
                         struct team *team)
{
    const struct standings_state *state = standings_state(standings);
    const struct row *main = NULL;
    for (size_t i = 0; i < state->rows_count; i++) {
        const struct row *row = state->rows[i];
        if (row->subject != STANDINGS_MEMBERS || !script_equal(&row->script, script))
            continue;
        int order = main == NULL ? 1 : u256_compare(&row->all.work, &main->all.work);
        if (order > 0 || (order == 0 && strcmp(row->team.name, main->team.name) < 0))
            main = row;
    }
    if (main != NULL)
        *team = main->team;
    return main != NULL;
}

struct u256 standings_work(const struct standings *standings, enum standings_period period)
{
    const struct standings_state *state = standings_state(standings);
    struct u256 work = u256_from_u64(0);
    for (size_t i = 0; i < state->rows_count; i++) {
        if (state->rows[i]->subject != STANDINGS_ADDRESSES)
            continue;
        struct tally tally = row_tally(state, state->rows[i], period);
        work = u256_add(&work, &tally.work);
    }
    return work;
}

// ---- Lists

static uint32_t streak_of(const struct standings_entry *entry, enum standings_period period)
{
    return period == STANDINGS_ALL ? entry->streak_longest_days : entry->streak_days;
}

static bool has_something(const struct standings_entry *entry, const struct standings_query *query)
{
    switch (query->kind) {
    case STANDINGS_HASHRATE:
        return !u256_is_zero(&entry->work);
    case STANDINGS_BEST_SHARE:
        return entry->shares > 0;
    case STANDINGS_STREAK:
        return entry->shares > 0 && streak_of(entry, query->period) > 0;
    case STANDINGS_BLOCKS:
        return entry->blocks > 0;
    }
    return false;
}

static int order_of(uint64_t left, uint64_t right)
{
    return left > right ? -1 : left < right;
}

static int compare_names(const struct standings_entry *left, const struct standings_entry *right)
{
    int order = memcmp(left->team.name, right->team.name, sizeof(left->team.name));
    return order != 0 ? order : script_compare(&left->script, &right->script);
}

static int compare_work(const void *a, const void *b)
{
    const struct standings_entry *left = a;
    const struct standings_entry *right = b;
    int order = u256_compare(&right->work, &left->work);
    return order != 0 ? order : compare_names(left, right);
}

static int compare_best(const void *a, const void *b)
{
    const struct standings_entry *left = a;
    const struct standings_entry *right = b;
    if (hash_equal(&left->best, &right->best))
        return compare_names(left, right);
    return hash_is_lower(&left->best, &right->best) ? -1 : 1;
}

static int compare_streaks_running(const void *a, const void *b)
{
    const struct standings_entry *left = a;
    const struct standings_entry *right = b;
    int order = order_of(left->streak_days, right->streak_days);
    return order != 0 ? order : compare_names(left, right);
}

static int compare_streaks(const void *a, const void *b)
{
    const struct standings_entry *left = a;
    const struct standings_entry *right = b;
    int order = order_of(left->streak_longest_days, right->streak_longest_days);
    return order != 0 ? order : compare_names(left, right);
}

static int compare_blocks(const void *a, const void *b)
{
    const struct standings_entry *left = a;
    const struct standings_entry *right = b;
    int order = order_of(left->blocks, right->blocks);
    return order != 0 ? order : compare_names(left, right);
}

static int (*comparison(const struct standings_query *query))(const void *, const void *)
{
    switch (query->kind) {
    case STANDINGS_HASHRATE:
        break;
    case STANDINGS_BEST_SHARE:
        return compare_best;
    case STANDINGS_STREAK:
        return query->period == STANDINGS_ALL ? compare_streaks : compare_streaks_running;
    case STANDINGS_BLOCKS:
        return compare_blocks;
    }
    return compare_work;
}

static bool is_asked_for(const struct row *row, const struct standings_query *query)
{
    return row->subject == query->subject &&
           (row->subject != STANDINGS_MEMBERS ||
            memcmp(row->team.name, query->team.name, sizeof(row->team.name)) == 0);
}

struct standings_entry *standings_rank(const struct standings *standings,
                                       const struct standings_query *query, size_t *count)
{
    const struct standings_state *state = standings_state(standings);
    *count = 0;
    struct standings_entry *entries =
        state->counts[query->subject] == 0
            ? NULL
            : calloc(state->counts[query->subject], sizeof(struct standings_entry));
    for (size_t i = 0; entries != NULL && i < state->rows_count; i++) {
        if (!is_asked_for(state->rows[i], query))
            continue;
        fill_entry(standings, state->rows[i], query->period, &entries[*count]);
        *count += has_something(&entries[*count], query) ? 1 : 0;
    }
    if (*count > 0)
        qsort(entries, *count, sizeof(*entries), comparison(query));
    return entries;
}
