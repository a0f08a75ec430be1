// What one link changes, as docs/standings.md defines it.
#include <string.h>
#include "node/standings_state.h"

static struct tally *tally_at(struct tally *ring, size_t count, uint32_t number)
{
    struct tally *tally = &ring[number % count];
    if (tally->number != number)
        *tally = (struct tally){.number = number};
    return tally;
}

bool hash_is_lower(const struct hash256 *a, const struct hash256 *b)
{
    struct u256 left = u256_from_bytes_le(a->bytes);
    struct u256 right = u256_from_bytes_le(b->bytes);
    return u256_compare(&left, &right) < 0;
}

// share is NULL for a fee.
static void tally_add(struct tally *tally, const struct u256 *work,
                      const struct counted_share *share)
{
    tally->work = u256_add(&tally->work, work);
    if (share == NULL)
        return;
    if (tally->shares == 0 || hash_is_lower(&share->pow, &tally->best))
        tally->best = share->pow;
    tally->shares++;
    tally->blocks += share->is_block ? 1 : 0;
}

static void streak_add(struct row *row, uint32_t day)
{
    if (row->streak > 0 && row->streak_day == day)
        return;
    row->streak = row->streak > 0 && row->streak_day + 1 == day ? row->streak + 1 : 1;
    row->streak_day = day;
    if (row->streak > row->streak_longest)
        row->streak_longest = row->streak;
}

static void row_add(struct row *row, uint32_t time, const struct u256 *work,
                    const struct counted_share *share)
{
    tally_add(tally_at(row->hours, HOURS_COUNT, time / HOUR_S), work, share);
    tally_add(tally_at(row->days, DAYS_COUNT, time / DAY_S), work, share);
    tally_add(&row->all, work, share);
    if (share == NULL)
        return;
    if (row->first_at == 0)
        row->first_at = time;
    row->last_at = time;
    streak_add(row, time / DAY_S);
}

// ---- Milestones

static bool is_power_of_ten(uint64_t n)
{
    while (n >= 10 && n % 10 == 0)
        n /= 10;
    return n == 1;
}

static bool is_streak_to_tell(uint32_t days)
{
    return days == 7 || days == 30 || days == 100 || (days > 0 && days % 365 == 0);
}

struct telling {
    struct standings_state *state;
    const struct counted_link *link;
    const struct counted_share *share;
};

static bool tell(const struct telling *telling, enum milestone_kind kind, uint64_t value)
{
    struct milestone milestone = {
        .kind = kind,
        .script = telling->share->script,
        .value = value,
        .share = telling->share->id,
        .pow = telling->share->pow,
        .height = telling->link->height,
        .time = telling->link->time,
    };
    return state_add_milestone(telling->state, &milestone);
}

static bool tell_best(const struct telling *telling)
{
    struct standings_state *state = telling->state;
    if (state->records > 0 && !hash_is_lower(&telling->share->pow, &state->best))
        return true;
    state->best = telling->share->pow;
    state->records++;
    return tell(telling, MILESTONE_BEST_SHARE, state->records - 1);
}

// What the share made of its address; streak_before is the longest before it.
static bool tell_milestones(const struct telling *telling, const struct row *row,
                            uint32_t streak_before)
{
    bool is_told = true;
    if (row->all.shares == 1)
        is_told = tell(telling, MILESTONE_FIRST_GRAIN, 1);
    else if (is_power_of_ten(row->all.shares))
        is_told = tell(telling, MILESTONE_GRAINS, row->all.shares);
    if (telling->share->is_block)
        is_told = tell(telling, MILESTONE_BLOCK, row->all.blocks) && is_told;
    is_told = tell_best(telling) && is_told;
    if (row->streak_longest > streak_before && is_streak_to_tell(row->streak_longest))
        is_told = tell(telling, MILESTONE_STREAK, row->streak_longest) && is_told;
    return is_told;
}

// ---- A link

// The team's row and the member's, if there is a team.
static bool team_add(struct standings_state *state, uint32_t time, const struct u256 *work,
                     const struct counted_share *whose, const struct counted_share *share)
{
    if (whose->team.name[0] == '\0')
        return true;
    struct row *team = state_row(state, STANDINGS_TEAMS, &whose->script, &whose->team);
    struct row *member = state_row(state, STANDINGS_MEMBERS, &whose->script, &whose->team);
    if (team == NULL || member == NULL)
        return false;
    row_add(team, time, work, share);
    row_add(member, time, work, share);
    return true;
}

static bool share_count(struct standings_state *state, const struct counted_link *link,
                        const struct counted_share *share)
{
    struct u256 work = u256_subtract(&share->weight, &share->fee);
    struct row *row = state_row(state, STANDINGS_ADDRESSES, &share->script, &share->team);
    if (row == NULL)
        return false;
    uint32_t streak_before = row->streak_longest;
    const struct telling telling = {state, link, share};
    row_add(row, link->time, &work, share);
    return tell_milestones(&telling, row, streak_before) &&
           team_add(state, link->time, &work, share, share);
}

// "fee to L's script": and to the team that L's own share names.
static bool fees_count(struct standings_state *state, const struct counted_link *link)
{
    struct u256 fees = u256_from_u64(0);
    for (size_t i = 1; i < link->shares_count; i++)
        fees = u256_add(&fees, &link->shares[i].fee);
    if (u256_is_zero(&fees))
        return true;
    const struct counted_share *own = &link->shares[0];
    struct row *row = state_row(state, STANDINGS_ADDRESSES, &own->script, &own->team);
    if (row == NULL)
        return false;
    row_add(row, link->time, &fees, NULL);
    return team_add(state, link->time, &fees, own, NULL);
}

bool state_count(struct standings_state *state, const struct counted_link *link)
{
    for (size_t i = 0; i < link->shares_count; i++) {
        const struct counted_share *share = &link->shares[i];
        if (share->is_credited && !share_count(state, link, share))
            return false;
    }
    if (!fees_count(state, link))
        return false;
    state->at.height = link->height;
    state->at.id = link->id;
    state->at.time = link->time;
    state_trim(state);
    return true;
}
