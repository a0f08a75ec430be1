// The insides of the standings, shared by its files and by nobody else: standings.c (following the
// chain), standings_count.c (what one link changes), standings_table.c (rows and how many there may
// be), standings_save.c (a state as bytes), standings_rank.c (who is where).
#ifndef SHOAL_NODE_STANDINGS_STATE_H
#define SHOAL_NODE_STANDINGS_STATE_H

#include "node/base/map.h"
#include "node/standings.h"

#define HOUR_S      3600u
#define DAY_S       86400u
#define HOURS_COUNT 24u // of a day
#define DAYS_COUNT  7u  // of a week

// What was credited in an hour, in a day, or ever.
struct tally {
    uint32_t number; // of the hour or day since 1970; 0: nothing yet
    uint64_t shares;
    uint64_t blocks;
    struct u256 work;
    struct hash256 best; // with shares > 0
};

// An address, a team, or an address in a team.
struct row {
    enum standings_subject subject;
    struct script script;
    struct team team;
    struct tally all;
    struct tally hours[HOURS_COUNT]; // by number modulo count: one of a day ago is overwritten
    struct tally days[DAYS_COUNT];
    uint32_t first_at, last_at;
    uint32_t streak; // days in a row, the last of them streak_day
    uint32_t streak_day;
    uint32_t streak_longest;
};

struct counted_share {
    struct hash256 id;
    struct hash256 pow;
    struct script script;
    struct team team;
    struct u256 weight;
    struct u256 fee;
    bool is_credited;
    bool is_block;
};

// What is counted of a link. The first share is its own.
struct counted_link {
    struct hash256 id;
    uint32_t height;
    uint32_t time;
    size_t shares_count, shares_capacity;
    struct counted_share *shares;
};

// All that follows from the links since..height: what is kept and gone back to.
struct standings_state {
    const struct env *env;
    struct standings_view at;
    struct row **rows;
    size_t rows_count, rows_capacity;
    size_t counts[STANDINGS_SUBJECTS_COUNT];
    struct map *keys;             // of a row's subject, script and team -> row
    struct milestone *milestones; // oldest first
    size_t milestones_count, milestones_capacity;
    uint64_t milestones_made;
    uint64_t records; // best shares of all so far
    struct hash256 best;
};

// standings_table.c
bool state_init(struct standings_state *state, const struct env *env);
void state_clear(struct standings_state *state);
// Forgets everything counted.
bool state_reset(struct standings_state *state);
struct row *state_find(const struct standings_state *state, enum standings_subject subject,
                       const struct script *script, const struct team *team);
// The row, made if it is not there; NULL if out of memory.
struct row *state_row(struct standings_state *state, enum standings_subject subject,
                      const struct script *script, const struct team *team);
// Where there are twice as many rows of a subject as are wanted, those with least work go.
void state_trim(struct standings_state *state);
bool state_add_milestone(struct standings_state *state, const struct milestone *milestone);

// standings_count.c
// Counts the link after state->at; false if out of memory: the state is of no use then.
bool state_count(struct standings_state *state, const struct counted_link *link);
// As 256-bit little-endian integers.
bool hash_is_lower(const struct hash256 *a, const struct hash256 *b);

// standings_save.c
// `out` is empty.
void state_encode(const struct standings_state *state, struct buffer *out);
// False if these are no such bytes, or memory is out: the state is of no use then.
bool state_decode(struct standings_state *state, const uint8_t *bytes, size_t size);

// standings_rank.c
// The tally of a period that ends at the state's time.
struct tally row_tally(const struct standings_state *state, const struct row *row,
                       enum standings_period period);

// standings.c
const struct standings_state *standings_state(const struct standings *standings);

#endif
