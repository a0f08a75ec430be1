#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"
#include "node/standings_state.h"

static const size_t rows_max[STANDINGS_SUBJECTS_COUNT] = {
    [STANDINGS_ADDRESSES] = STANDINGS_ADDRESSES_MAX,
    [STANDINGS_TEAMS] = STANDINGS_TEAMS_MAX,
    [STANDINGS_MEMBERS] = STANDINGS_ADDRESSES_MAX,
};

bool state_init(struct standings_state *state, const struct env *env)
{
    *state = (struct standings_state){.env = env};
    state->keys = map_new(env);
    return state->keys != NULL;
}

void state_clear(struct standings_state *state)
{
    for (size_t i = 0; i < state->rows_count; i++)
        free(state->rows[i]);
    free(state->rows);
    free(state->milestones);
    map_free(state->keys);
    *state = (struct standings_state){.env = state->env};
}

bool state_reset(struct standings_state *state)
{
    state_clear(state);
    return state_init(state, state->env);
}

static void row_key(enum standings_subject subject, const struct script *script,
                    const struct team *team, struct hash256 *key)
{
    uint8_t bytes[1 + sizeof(struct team) + SCRIPT_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    write_u8(&buffer, (uint8_t)subject);
    if (subject != STANDINGS_ADDRESSES)
        write_bytes(&buffer, team->name, sizeof(team->name));
    if (subject != STANDINGS_TEAMS)
        write_bytes(&buffer, script->bytes, script->size);
    sha256_once(bytes, buffer.size, key);
}

struct row *state_find(const struct standings_state *state, enum standings_subject subject,
                       const struct script *script, const struct team *team)
{
    struct hash256 key;
    row_key(subject, script, team, &key);
    return map_find(state->keys, &key);
}

static bool rows_fit(struct standings_state *state)
{
    if (state->rows_count < state->rows_capacity)
        return true;
    size_t capacity = state->rows_capacity == 0 ? 64 : state->rows_capacity * 2;
    struct row **grown = realloc(state->rows, capacity * sizeof(struct row *));
    if (grown == NULL)
        return false;
    state->rows = grown;
    state->rows_capacity = capacity;
    return true;
}

struct row *state_row(struct standings_state *state, enum standings_subject subject,
                      const struct script *script, const struct team *team)
{
    struct hash256 key;
    row_key(subject, script, team, &key);
    struct row *row = map_find(state->keys, &key);
    if (row != NULL)
        return row;
    row = rows_fit(state) ? calloc(1, sizeof(*row)) : NULL;
    if (row == NULL)
        return NULL;
    row->subject = subject;
    if (subject != STANDINGS_TEAMS)
        row->script = *script;
    if (subject != STANDINGS_ADDRESSES)
        row->team = *team;
    state->rows[state->rows_count++] = row;
    state->counts[subject]++;
    map_set(state->keys, &key, row);
    return row;
}

// ---- Bounds

// Those to keep first.
static int compare_to_keep(const void *a, const void *b)
{
    const struct row *left = *(struct row *const *)a;
    const struct row *right = *(struct row *const *)b;
    int order = u256_compare(&right->all.work, &left->all.work);
    if (order == 0)
        order = memcmp(left->team.name, right->team.name, sizeof(left->team.name));
    return order != 0 ? order : script_compare(&left->script, &right->script);
}

static void row_forget(struct standings_state *state, struct row *row)
{
    struct hash256 key;
    row_key(row->subject, &row->script, &row->team, &key);
    map_remove(state->keys, &key);
    state->counts[row->subject]--;
    free(row);
}

static void trim_subject(struct standings_state *state, enum standings_subject subject)
{
    qsort(state->rows, state->rows_count, sizeof(struct row *), compare_to_keep);
    size_t kept = 0, seen = 0;
    for (size_t i = 0; i < state->rows_count; i++) {
        struct row *row = state->rows[i];
        if (row->subject == subject && ++seen > rows_max[subject])
            row_forget(state, row);
        else
            state->rows[kept++] = row;
    }
    state->rows_count = kept;
}

void state_trim(struct standings_state *state)
{
    for (unsigned i = 0; i < STANDINGS_SUBJECTS_COUNT; i++) {
        if (state->counts[i] > 2 * rows_max[i])
            trim_subject(state, (enum standings_subject)i);
    }
}

// ---- Milestones

static void milestones_forget(struct standings_state *state)
{
    size_t gone = state->milestones_count - STANDINGS_MILESTONES_MAX;
    memmove(state->milestones, state->milestones + gone,
            STANDINGS_MILESTONES_MAX * sizeof(struct milestone));
    state->milestones_count = STANDINGS_MILESTONES_MAX;
}

bool state_add_milestone(struct standings_state *state, const struct milestone *milestone)
{
    if (state->milestones_count == state->milestones_capacity) {
        size_t capacity = state->milestones_capacity == 0 ? 64 : state->milestones_capacity * 2;
        struct milestone *grown = realloc(state->milestones, capacity * sizeof(*grown));
        if (grown == NULL)
            return false;
        state->milestones = grown;
        state->milestones_capacity = capacity;
    }
    struct milestone *added = &state->milestones[state->milestones_count++];
    *added = *milestone;
    added->number = ++state->milestones_made;
    if (state->milestones_count == 2 * STANDINGS_MILESTONES_MAX)
        milestones_forget(state);
    return true;
}
