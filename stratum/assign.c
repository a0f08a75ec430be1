// Which job a session gets, and when: difficulty, commitment, notify.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "node/pow/target.h"
#include "stratum/engine.h"
#include "stratum/reply.h"

// Sessions of the largest miners are asked for this many times fewer shares, step by step, while
// the node gets more of them than it wants.
#define RATE_STEP    8.0
#define RATE_STEPS   3
#define FLOOD_SHARES 64 // so many before a rate is believed to be one

void assign_drop_stale(struct session *session)
{
    struct stratum *stratum = session->engine;
    while (session->jobs_count > 0) {
        struct job *oldest = session->jobs[session->jobs_count - 1];
        if (oldest->work->era == stratum->era) {
            return;
        }
        session->jobs_count--;
        engine_release_job(stratum, oldest);
    }
}

static void add_job(struct session *session, struct job *job)
{
    if (session->jobs_count == LIMIT_SESSION_JOBS) {
        engine_release_job(session->engine, session->jobs[--session->jobs_count]);
    }
    memmove(&session->jobs[1], &session->jobs[0], session->jobs_count * sizeof(struct job *));
    session->jobs[0] = job;
    session->jobs_count++;
}

// The easiest target that matters: what is below it earns something and must not be held back by
// the miner.
static struct u256 easiest_target(const struct work *work,
                                  const struct stratum_commitment *commitment)
{
    return u256_compare(&commitment->grain_target, &work->network_target) > 0
               ? commitment->grain_target
               : work->network_target;
}

static void fill_target(const struct session *session, const struct u256 *easiest, double wanted,
                        struct job_options *options)
{
    const struct stratum *stratum = session->engine;
    double ceiling = target_to_difficulty(easiest, stratum->algorithm);
    bool wants_powers_of_two = session->vardiff.wants_powers_of_two;
    options->difficulty =
        vardiff_round(fmax(wanted, session->vardiff.floor), ceiling, wants_powers_of_two);
    options->target = target_from_difficulty(options->difficulty, stratum->algorithm);
    // Rounding in floating point must not cost a share at the very edge.
    if (u256_compare(&options->target, easiest) < 0) {
        options->target = *easiest;
    }
}

static struct job *make_job(struct session *session, double wanted, double *ceiling)
{
    struct stratum *stratum = session->engine;
    struct work *work = stratum->work;
    uint8_t own_prefix_bytes[STRATUM_OWN_PREFIX_MAX];
    struct buffer own_prefix;
    struct stratum_commitment commitment = {.tag = 0};
    struct stratum_job_request request = {.owner = work->owner,
                                          .session = session->id,
                                          .payout = &session->payout,
                                          .team = &session->team,
                                          .hashrate = session_hashrate(session)};
    buffer_init_fixed(&own_prefix, own_prefix_bytes, sizeof(own_prefix_bytes));
    work->refs++;
    bool is_made =
        stratum->events.job_commitment(stratum->events.context, &request, &commitment, &own_prefix);
    struct job *job = NULL;
    if (is_made && !own_prefix.failed) {
        struct u256 easiest = easiest_target(work, &commitment);
        struct job_options options = {.id = stratum->next_job++,
                                      .commitment = &commitment,
                                      .own_prefix = &own_prefix,
                                      .payout = &session->payout};
        fill_target(session, &easiest, wanted, &options);
        *ceiling = target_to_difficulty(&easiest, stratum->algorithm);
        job = job_new(work, &options, stratum->now.mono);
    }
    engine_release_work(stratum, work);
    return job;
}

static void send_job(struct session *session, double wanted)
{
    struct stratum *stratum = session->engine;
    double ceiling;
    struct job *job = make_job(session, wanted, &ceiling);
    if (session->is_closed || job == NULL) {
        engine_release_job(stratum, job);
        session_close(session, STRATUM_CLOSE_NO_JOB);
        return;
    }
    bool is_clean = session->is_job_clean;
    session->is_job_clean = false;
    session->job_at = stratum->now.mono;
    add_job(session, job);
    vardiff_sent(&session->vardiff, job->difficulty, ceiling, stratum->now.mono);
    struct buffer *out = session_out(session);
    // Miners queue one difficulty for the next notify: exactly one stands before it.
    if (job->difficulty != session->difficulty_sent) {
        session->difficulty_sent = job->difficulty;
        reply_set_difficulty(out, job->difficulty);
    }
    job_write_notify(job, is_clean, out);
    stratum->totals.jobs_sent++;
    session_reschedule(session);
}

static void assign_difficulty(struct session *session, bool is_clean, double wanted)
{
    struct stratum *stratum = session->engine;
    if (!session->is_mining || session->is_closed || stratum->work == NULL) {
        return;
    }
    session->is_job_clean = session->is_job_clean || is_clean;
    if (session->queued > 0) {
        // A slow reader gets one job, the newest, when it has read the rest.
        stratum->totals.jobs_replaced += session->is_job_due ? 1 : 0;
        session->is_job_due = true;
        return;
    }
    session->is_job_due = false;
    send_job(session, wanted);
}

void assign_job(struct session *session, bool is_clean)
{
    assign_difficulty(session, is_clean, session->vardiff.difficulty);
}

// A miner that asked for a fixed difficulty far too low would be thrown out as a flood: from there
// on its wish is only where the difficulty begins.
static void unfix_flood(struct session *session)
{
    const struct stratum_config *config = &session->engine->config;
    struct vardiff *vardiff = &session->vardiff;
    if (!vardiff->is_fixed || session->wishes.fixed <= 0 || config->lines_per_second <= 0 ||
        vardiff->rate_expected < config->lines_per_second / 4 ||
        session->shares[STRATUM_ACCEPTED] < FLOOD_SHARES) {
        return;
    }
    vardiff->is_fixed = false;
    vardiff->floor = session->wishes.fixed;
    reply_show_message(session_out(session),
                       "The difficulty you asked for is too low for your hashrate: it is raised");
}

void assign_adjust(struct session *session)
{
    double wanted;
    if (!session->is_mining || session->is_job_due || session->queued > 0) {
        return;
    }
    unfix_flood(session);
    switch (vardiff_check(&session->vardiff, session->engine->now.mono, &wanted)) {
    case VARDIFF_KEEP:
        break;
    case VARDIFF_CHANGE:
        assign_difficulty(session, false, wanted);
        break;
    case VARDIFF_CHANGE_CLEAN:
        assign_difficulty(session, true, wanted);
        break;
    }
}

static bool is_sha256d(const struct stratum *stratum)
{
    return stratum->algorithm->kind == POW_SHA256D;
}

// What the difficulty begins with: the miner's explicit word, then what this worker did last time,
// then what it suggests or what its kind usually does.
static void choose_start(const struct session *session, struct vardiff_start *start)
{
    const struct stratum *stratum = session->engine;
    const struct difficulty_wishes *wishes = &session->wishes;
    const struct stratum_config *config = &stratum->config;
    double per_rate = stratum->hashes_per_difficulty * start->rate_wanted;
    double known =
        stratum->events.worker_rate_find(stratum->events.context, session->users[0]->text);
    double typical = is_sha256d(stratum) ? session->kind->hashrate_typical : 0;
    start->confidence = VARDIFF_GUESS;
    if (start->is_fixed) {
        start->difficulty = wishes->fixed > 0 ? wishes->fixed : config->difficulty_fixed;
    } else if (wishes->start > 0) {
        start->difficulty = wishes->start;
    } else if (session->is_resumed) {
        start->difficulty = session->vardiff.difficulty;
        start->confidence = VARDIFF_KNOWN;
    } else if (known > 0) {
        start->difficulty = known / per_rate;
        start->confidence = VARDIFF_KNOWN;
    } else if (wishes->suggested > 0) {
        start->difficulty = wishes->suggested;
        start->confidence = VARDIFF_HINT;
    } else {
        start->difficulty = typical > 0 ? typical / per_rate : config->difficulty_start;
    }
}

static double difficulty_floor(const struct session *session)
{
    const struct stratum *stratum = session->engine;
    double of_kind = is_sha256d(stratum) ? session->kind->difficulty_min : 0;
    return fmax(fmax(session->wishes.min, of_kind), stratum->config.difficulty_min);
}

static void begin_vardiff(struct session *session)
{
    const struct stratum *stratum = session->engine;
    struct vardiff_start start = {
        .floor = difficulty_floor(session),
        .rate_wanted = stratum->config.shares_per_minute / 60,
        .is_fixed = session->wishes.fixed > 0 || stratum->config.difficulty_fixed > 0,
        .wants_powers_of_two = session->kind->wants_powers_of_two && session->wishes.fixed <= 0};
    choose_start(session, &start);
    start.difficulty = vardiff_round(fmax(start.difficulty, start.is_fixed ? 0 : start.floor),
                                     INFINITY, start.wants_powers_of_two);
    if (start.is_fixed) {
        start.floor = start.difficulty;
    }
    vardiff_init(&session->vardiff, &start, stratum->now.mono);
}

void assign_begin(struct session *session)
{
    if (session->is_mining || !session->is_subscribed || !session->is_authorized ||
        session->is_closed) {
        return;
    }
    begin_vardiff(session);
    session->is_mining = true;
    assign_job(session, true);
    session_reschedule(session);
}

void assign_suggested(struct session *session, double difficulty)
{
    // Some repeat their suggestion every half minute to keep the connection alive.
    if (!difficulty_is_sane(difficulty) || difficulty == session->wishes.suggested) {
        return;
    }
    session->wishes.suggested = difficulty;
    // A miner about whom we know better is not thrown back by the default of its firmware.
    if (!session->is_mining || session->wishes.start > 0 || session->vardiff.is_fixed ||
        !session->vardiff.is_fast || session->vardiff.has_shares) {
        return;
    }
    begin_vardiff(session);
    assign_job(session, false);
}

static double rate_of(const struct session *session)
{
    return session->is_mining ? session->vardiff.rate_wanted : 0;
}

// The largest miners lose least by fewer, harder shares: they are asked first when the node gets
// too many.
void assign_rebalance(struct stratum *stratum)
{
    size_t count;
    double base = stratum->config.shares_per_minute / 60;
    double limit = stratum->config.shares_per_second_max;
    struct session **sessions = engine_sessions_by_rate(stratum, &count);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sessions[i]->vardiff.rate_wanted = base;
        sum += rate_of(sessions[i]);
    }
    double lower = base;
    for (int step = 0; step < RATE_STEPS && sum > limit; step++) {
        lower /= RATE_STEP;
        for (size_t i = 0; i < count && sum > limit; i++) {
            sum -= sessions[i]->is_mining ? sessions[i]->vardiff.rate_wanted - lower : 0;
            sessions[i]->vardiff.rate_wanted = lower;
        }
    }
    free(sessions);
}
