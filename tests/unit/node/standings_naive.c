#include "tests/unit/node/standings_naive.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/target.h"

// ---- Reading

static struct naive_credit *append(struct naive *naive)
{
    if (naive->count == naive->capacity) {
        naive->capacity = naive->capacity * 2 + 64;
        naive->credits = realloc(naive->credits, naive->capacity * sizeof(*naive->credits));
        assert_non_null(naive->credits);
    }
    struct naive_credit *credit = &naive->credits[naive->count++];
    memset(credit, 0, sizeof(*credit));
    return credit;
}

static void read_team(const uint8_t tag[16], char team[12])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    memset(team, 0, 12);
    if (tag[4] != 0x7e || tag[5] == 0)
        return;
    size_t size = 0;
    while (size < 11 && tag[5 + size] != 0 && strchr(allowed, (char)tag[5 + size]) != NULL)
        size++;
    for (size_t i = size; i < 11; i++) {
        if (tag[5 + i] != 0)
            return;
    }
    memcpy(team, tag + 5, size);
}

static struct naive_credit *read_share(struct naive *naive, const struct sharechain *chain,
                                       const struct hash256 *id, const struct link_view *link)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer buffer;
    struct share share;
    struct share_view view;
    struct u256 target;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    assert_true(sharechain_share_bytes(chain, id, &buffer));
    assert_true(share_decode(bytes, buffer.size, &share));
    assert_true(sharechain_share(chain, id, &view));
    struct naive_credit *credit = append(naive);
    credit->height = link->height;
    credit->time = link->time;
    credit->id = *id;
    credit->script = share.info.payout_script;
    read_team(share.info.node_tag, credit->team);
    credit->work = view.weight;
    uint32_t bits = (uint32_t)bytes[1 + 72] | (uint32_t)bytes[1 + 73] << 8 |
                    (uint32_t)bytes[1 + 74] << 16 | (uint32_t)bytes[1 + 75] << 24;
    assert_true(target_expand(bits, &target));
    credit->is_block = target_is_met(id, &target);
    return credit;
}

static void read_link(struct naive *naive, const struct sharechain *chain,
                      const struct link_view *link)
{
    struct buffer bytes;
    struct body body;
    buffer_init(&bytes, 1 << 20);
    assert_true(sharechain_body_bytes(chain, &link->id, &bytes));
    assert_true(body_decode(bytes.data, bytes.size, 4000, &body));
    struct naive_credit fees = *read_share(naive, chain, &link->id, link);
    naive->count -= link->is_detached ? 1 : 0;
    fees.is_fee = true;
    fees.is_block = false;
    fees.work = u256_from_u64(0);
    for (size_t i = 0; i < body.count; i++) {
        struct hash256 id;
        body_id_at(&body, i, &id);
        struct naive_credit *credit = read_share(naive, chain, &id, link);
        struct u256 fee =
            u256_multiply_u64(&credit->work, sharechain_pool(chain)->inclusion_fee_bp, NULL);
        fee = u256_divide_u64(&fee, 10000);
        credit->work = u256_subtract(&credit->work, &fee);
        fees.work = u256_add(&fees.work, &fee);
    }
    if (!u256_is_zero(&fees.work))
        *append(naive) = fees;
    buffer_clear(&bytes);
}

void naive_read(struct naive *naive, const struct sharechain *chain, uint32_t since)
{
    struct link_view link, tip;
    memset(naive, 0, sizeof(*naive));
    sharechain_tip(chain, &tip);
    assert_true(sharechain_link_at(chain, since - 1, &link));
    naive->since = since;
    naive->since_time = link.time;
    naive->time = tip.time;
    for (uint32_t height = since; height <= tip.height; height++) {
        assert_true(sharechain_link_at(chain, height, &link));
        read_link(naive, chain, &link);
    }
}

void naive_clear(struct naive *naive)
{
    free(naive->credits);
    naive->credits = NULL;
}

// ---- One who stands somewhere

static bool is_of(const struct naive_credit *credit, const struct standings_entry *entry)
{
    bool is_script = script_equal(&credit->script, &entry->script);
    bool is_team = strcmp(credit->team, entry->team.name) == 0;
    switch (entry->subject) {
    case STANDINGS_ADDRESSES:
        return is_script;
    case STANDINGS_TEAMS:
        return is_team;
    case STANDINGS_MEMBERS:
        return is_script && is_team;
    }
    return false;
}

static uint32_t period_start(const struct naive *naive, enum standings_period period)
{
    uint32_t start = 0;
    if (period == STANDINGS_DAY)
        start = (naive->time / 3600 - 23) * 3600;
    if (period == STANDINGS_WEEK)
        start = (naive->time / 86400 - 6) * 86400;
    return start;
}

static bool has_lower_id(const struct hash256 *a, const struct hash256 *b)
{
    for (size_t i = 32; i-- > 0;) {
        if (a->bytes[i] != b->bytes[i])
            return a->bytes[i] < b->bytes[i];
    }
    return false;
}

static void fill_streaks(const struct naive *naive, struct standings_entry *entry)
{
    uint32_t today = naive->time / 86400, run = 0, last = 0;
    for (size_t i = 0; i < naive->count; i++) {
        const struct naive_credit *credit = &naive->credits[i];
        uint32_t day = credit->time / 86400;
        if (credit->is_fee || day == last || !is_of(credit, entry))
            continue;
        run = day == last + 1 ? run + 1 : 1;
        last = day;
        if (run > entry->streak_longest_days)
            entry->streak_longest_days = run;
    }
    // Today may still bring one.
    entry->streak_days = last + 1 >= today ? run : 0;
}

static void fill(const struct naive *naive, enum standings_period period,
                 struct standings_entry *entry)
{
    uint32_t start = period_start(naive, period);
    for (size_t i = 0; i < naive->count; i++) {
        const struct naive_credit *credit = &naive->credits[i];
        if (!is_of(credit, entry))
            continue;
        if (!credit->is_fee && entry->first_at == 0)
            entry->first_at = credit->time;
        if (!credit->is_fee)
            entry->last_at = credit->time;
        if (credit->time < start)
            continue;
        entry->work = u256_add(&entry->work, &credit->work);
        if (credit->is_fee)
            continue;
        if (entry->shares == 0 || has_lower_id(&credit->id, &entry->best))
            entry->best = credit->id;
        entry->shares++;
        entry->blocks += credit->is_block ? 1 : 0;
    }
    uint32_t begun = start < naive->since_time ? naive->since_time : start;
    entry->hashrate =
        u256_to_double(&entry->work) / (naive->time > begun ? naive->time - begun : 1);
    fill_streaks(naive, entry);
}

// ---- Lists

static uint64_t score(const struct standings_entry *entry, const struct standings_query *query)
{
    switch (query->kind) {
    case STANDINGS_HASHRATE:
        return u256_is_zero(&entry->work) ? 0 : 1;
    case STANDINGS_BEST_SHARE:
        return entry->shares;
    case STANDINGS_STREAK:
        if (query->period == STANDINGS_ALL)
            return entry->streak_longest_days;
        return entry->shares > 0 ? entry->streak_days : 0;
    case STANDINGS_BLOCKS:
        return entry->blocks;
    }
    return 0;
}

static bool is_before(const struct standings_entry *a, const struct standings_entry *b,
                      const struct standings_query *query)
{
    uint64_t left = score(a, query), right = score(b, query);
    int order = 0;
    if (query->kind == STANDINGS_HASHRATE)
        order = u256_compare(&a->work, &b->work);
    else if (query->kind == STANDINGS_BEST_SHARE)
        order = has_lower_id(&a->best, &b->best) ? 1 : has_lower_id(&b->best, &a->best) ? -1 : 0;
    else
        order = left > right ? 1 : left < right ? -1 : 0;
    if (order != 0)
        return order > 0;
    if (query->subject == STANDINGS_TEAMS)
        return strcmp(a->team.name, b->team.name) < 0;
    size_t size = a->script.size < b->script.size ? a->script.size : b->script.size;
    int names = memcmp(a->script.bytes, b->script.bytes, size);
    return names != 0 ? names < 0 : a->script.size < b->script.size;
}

static bool is_asked_for(const struct naive_credit *credit, const struct standings_query *query)
{
    if (query->subject == STANDINGS_ADDRESSES)
        return true;
    if (query->subject == STANDINGS_TEAMS)
        return credit->team[0] != '\0';
    return strcmp(credit->team, query->team.name) == 0;
}

struct standings_entry *naive_rank(const struct naive *naive, const struct standings_query *query,
                                   size_t *count)
{
    struct standings_entry *list = calloc(naive->count + 1, sizeof(*list));
    assert_non_null(list);
    *count = 0;
    for (size_t i = 0; i < naive->count; i++) {
        const struct naive_credit *credit = &naive->credits[i];
        struct standings_entry entry = {.subject = query->subject};
        bool is_new = is_asked_for(credit, query);
        for (size_t j = 0; j < i && is_new; j++) {
            entry.script = naive->credits[j].script;
            memcpy(entry.team.name, naive->credits[j].team, sizeof(entry.team.name));
            is_new = !(is_of(credit, &entry) && is_asked_for(&naive->credits[j], query));
        }
        if (!is_new)
            continue;
        memset(&entry, 0, sizeof(entry));
        entry.subject = query->subject;
        if (query->subject != STANDINGS_TEAMS)
            entry.script = credit->script;
        if (query->subject != STANDINGS_ADDRESSES)
            memcpy(entry.team.name, credit->team, sizeof(entry.team.name));
        fill(naive, query->period, &entry);
        if (score(&entry, query) == 0)
            continue;
        size_t at = *count;
        for (; at > 0 && is_before(&entry, &list[at - 1], query); at--)
            list[at] = list[at - 1];
        list[at] = entry;
        (*count)++;
    }
    return list;
}

// ---- Milestones

static void note(struct milestone *list, size_t *count, enum milestone_kind kind, uint64_t value,
                 const struct naive_credit *credit)
{
    list[*count] = (struct milestone){
        .number = *count + 1,
        .kind = kind,
        .script = credit->script,
        .value = value,
        .share = credit->id,
        .pow = credit->id,
        .height = credit->height,
        .time = credit->time,
    };
    (*count)++;
}

// What the address had done up to and with credit number `last`.
static struct standings_entry done_until(const struct naive *naive, size_t last)
{
    struct naive part = *naive;
    struct standings_entry entry = {.subject = STANDINGS_ADDRESSES,
                                    .script = naive->credits[last].script};
    part.count = last + 1;
    part.time = naive->credits[last].time;
    fill(&part, STANDINGS_ALL, &entry);
    return entry;
}

static uint32_t longest_before(const struct naive *naive, size_t last)
{
    for (size_t i = last; i-- > 0;) {
        if (script_equal(&naive->credits[i].script, &naive->credits[last].script) &&
            !naive->credits[i].is_fee)
            return done_until(naive, i).streak_longest_days;
    }
    return 0;
}

struct milestone *naive_milestones(const struct naive *naive, size_t *count)
{
    struct milestone *list = calloc(5 * naive->count + 1, sizeof(*list));
    assert_non_null(list);
    const struct hash256 *best = NULL;
    uint64_t bests = 0;
    *count = 0;
    for (size_t i = 0; i < naive->count; i++) {
        const struct naive_credit *credit = &naive->credits[i];
        if (credit->is_fee)
            continue;
        struct standings_entry now = done_until(naive, i);
        if (now.shares == 1)
            note(list, count, MILESTONE_FIRST_GRAIN, 1, credit);
        if (now.shares == 10 || now.shares == 100 || now.shares == 1000)
            note(list, count, MILESTONE_GRAINS, now.shares, credit);
        if (credit->is_block)
            note(list, count, MILESTONE_BLOCK, now.blocks, credit);
        if (best == NULL || has_lower_id(&credit->id, best)) {
            note(list, count, MILESTONE_BEST_SHARE, bests++, credit);
            best = &credit->id;
        }
        uint32_t longest = now.streak_longest_days;
        bool is_round = longest == 7 || longest == 30 || longest == 100;
        if (is_round && longest > longest_before(naive, i))
            note(list, count, MILESTONE_STREAK, longest, credit);
    }
    return list;
}
