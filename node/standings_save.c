// A state as bytes, in the store of this node alone: a version, where it stands, rows without what
// has left the periods, milestones, and the SHA-256 of all that.
#include <string.h>
#include "node/pow/sha256.h"
#include "node/standings_state.h"

#define STATE_VERSION 1
// More than a state within its bounds can take (twice the rows, each with all its tallies).
#define ROWS_READ_MAX (4 * (2 * STANDINGS_ADDRESSES_MAX + STANDINGS_TEAMS_MAX))

// ---- Writing

static void write_script(struct buffer *out, const struct script *script)
{
    write_u8(out, script->size);
    write_bytes(out, script->bytes, script->size);
}

static void write_tally(struct buffer *out, const struct tally *tally)
{
    uint8_t work[32];
    u256_to_bytes_le(&tally->work, work);
    write_u32(out, tally->number);
    write_u64(out, tally->shares);
    write_u64(out, tally->blocks);
    write_bytes(out, work, sizeof(work));
    if (tally->shares > 0)
        write_bytes(out, tally->best.bytes, sizeof(tally->best.bytes));
}

// Of the last `count` hours or days up to `newest`.
static bool is_live(const struct tally *tally, uint32_t newest, uint32_t count)
{
    return tally->number > 0 && tally->number + count > newest;
}

static void write_ring(struct buffer *out, const struct tally *ring, uint32_t count,
                       uint32_t newest)
{
    uint8_t live = 0;
    for (uint32_t i = 0; i < count; i++)
        live = (uint8_t)(live + (is_live(&ring[i], newest, count) ? 1 : 0));
    write_u8(out, live);
    for (uint32_t i = 0; i < count; i++) {
        if (is_live(&ring[i], newest, count))
            write_tally(out, &ring[i]);
    }
}

static void write_row(struct buffer *out, const struct row *row, uint32_t time)
{
    write_u8(out, (uint8_t)row->subject);
    write_script(out, &row->script);
    write_bytes(out, row->team.name, sizeof(row->team.name));
    write_tally(out, &row->all);
    write_ring(out, row->hours, HOURS_COUNT, time / HOUR_S);
    write_ring(out, row->days, DAYS_COUNT, time / DAY_S);
    write_u32(out, row->first_at);
    write_u32(out, row->last_at);
    write_u32(out, row->streak);
    write_u32(out, row->streak_day);
    write_u32(out, row->streak_longest);
}

static void write_milestone(struct buffer *out, const struct milestone *milestone)
{
    write_u64(out, milestone->number);
    write_u8(out, (uint8_t)milestone->kind);
    write_script(out, &milestone->script);
    write_u64(out, milestone->value);
    write_bytes(out, milestone->share.bytes, sizeof(milestone->share.bytes));
    write_bytes(out, milestone->pow.bytes, sizeof(milestone->pow.bytes));
    write_u32(out, milestone->height);
    write_u32(out, milestone->time);
}

void state_encode(const struct standings_state *state, struct buffer *out)
{
    const struct standings_view *at = &state->at;
    write_u8(out, STATE_VERSION);
    write_u32(out, at->height);
    write_bytes(out, at->id.bytes, sizeof(at->id.bytes));
    write_u32(out, at->time);
    write_u32(out, at->since);
    write_u32(out, at->since_time);
    write_u64(out, state->records);
    write_bytes(out, state->best.bytes, sizeof(state->best.bytes));
    write_u32(out, (uint32_t)state->rows_count);
    for (size_t i = 0; i < state->rows_count; i++)
        write_row(out, state->rows[i], at->time);
    write_u64(out, state->milestones_made);
    write_u32(out, (uint32_t)state->milestones_count);
    for (size_t i = 0; i < state->milestones_count; i++)
        write_milestone(out, &state->milestones[i]);
    struct hash256 sum;
    sha256_once(out->data, out->size, &sum);
    write_bytes(out, sum.bytes, sizeof(sum.bytes));
}

// ---- Reading

static void read_script(struct reader *reader, struct script *script)
{
    *script = (struct script){.size = read_u8(reader)};
    if (script->size > SCRIPT_SIZE_MAX)
        reader->failed = true;
    else
        read_bytes(reader, script->bytes, script->size);
}

static void read_tally(struct reader *reader, struct tally *tally)
{
    uint8_t work[32];
    *tally = (struct tally){.number = read_u32(reader)};
    tally->shares = read_u64(reader);
    tally->blocks = read_u64(reader);
    read_bytes(reader, work, sizeof(work));
    tally->work = u256_from_bytes_le(work);
    if (tally->shares > 0)
        read_bytes(reader, tally->best.bytes, sizeof(tally->best.bytes));
}

static void read_ring(struct reader *reader, struct tally *ring, uint32_t count)
{
    uint8_t live = read_u8(reader);
    for (uint8_t i = 0; i < live && !reader->failed; i++) {
        struct tally tally;
        read_tally(reader, &tally);
        ring[tally.number % count] = tally;
    }
}

static bool read_row(struct reader *reader, struct standings_state *state)
{
    struct script script;
    struct team team;
    uint8_t subject = read_u8(reader);
    read_script(reader, &script);
    read_bytes(reader, team.name, sizeof(team.name));
    if (reader->failed || subject >= STANDINGS_SUBJECTS_COUNT)
        return false;
    struct row *row = state_row(state, (enum standings_subject)subject, &script, &team);
    if (row == NULL)
        return false;
    read_tally(reader, &row->all);
    read_ring(reader, row->hours, HOURS_COUNT);
    read_ring(reader, row->days, DAYS_COUNT);
    row->first_at = read_u32(reader);
    row->last_at = read_u32(reader);
    row->streak = read_u32(reader);
    row->streak_day = read_u32(reader);
    row->streak_longest = read_u32(reader);
    return !reader->failed;
}

static bool read_milestone(struct reader *reader, struct standings_state *state)
{
    struct milestone milestone = {.number = read_u64(reader)};
    uint8_t kind = read_u8(reader);
    read_script(reader, &milestone.script);
    milestone.value = read_u64(reader);
    read_bytes(reader, milestone.share.bytes, sizeof(milestone.share.bytes));
    read_bytes(reader, milestone.pow.bytes, sizeof(milestone.pow.bytes));
    milestone.height = read_u32(reader);
    milestone.time = read_u32(reader);
    if (reader->failed || kind > MILESTONE_STREAK || milestone.number == 0)
        return false;
    milestone.kind = (enum milestone_kind)kind;
    state->milestones_made = milestone.number - 1; // adding it counts it
    return state_add_milestone(state, &milestone);
}

static bool read_all(struct reader *reader, struct standings_state *state)
{
    struct standings_view *at = &state->at;
    bool is_good = read_u8(reader) == STATE_VERSION;
    at->height = read_u32(reader);
    read_bytes(reader, at->id.bytes, sizeof(at->id.bytes));
    at->time = read_u32(reader);
    at->since = read_u32(reader);
    at->since_time = read_u32(reader);
    at->is_known = true;
    state->records = read_u64(reader);
    read_bytes(reader, state->best.bytes, sizeof(state->best.bytes));
    uint32_t rows = read_u32(reader);
    is_good = is_good && rows <= ROWS_READ_MAX;
    for (uint32_t i = 0; is_good && i < rows; i++)
        is_good = read_row(reader, state);
    uint64_t made = read_u64(reader);
    uint32_t milestones = read_u32(reader);
    is_good = is_good && milestones <= 2 * STANDINGS_MILESTONES_MAX;
    for (uint32_t i = 0; is_good && i < milestones; i++)
        is_good = read_milestone(reader, state);
    state->milestones_made = made;
    return is_good && reader_is_done(reader);
}

bool state_decode(struct standings_state *state, const uint8_t *bytes, size_t size)
{
    struct hash256 sum;
    if (size < sizeof(sum.bytes))
        return false;
    size -= sizeof(sum.bytes);
    sha256_once(bytes, size, &sum);
    struct reader reader = reader_init(bytes, size);
    return memcmp(sum.bytes, bytes + size, sizeof(sum.bytes)) == 0 && state_reset(state) &&
           read_all(&reader, state);
}
