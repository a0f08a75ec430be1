#include "stratum/submit.h"

#include <string.h>
#include "node/base/log.h"
#include "node/bitcoin/coinbase.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"
#include "stratum/reply.h"

#define TIME_AHEAD_MAX       7200 // seconds, as consensus has it
#define SPOILED_SHARES_MAX   8
#define SPOILED_SHIFT        16  // a hash this far off is no near miss: it is another header's
#define COINBASE_SURE        500 // no device spoils one as small as this by cutting it off
#define REJECTS_RESEND_MS    60000
#define REJECTS_RECONNECT_MS 120000
#define REJECTS_DROP_MS      180000

// What each verdict means to the miner and to the ban score.
static const struct verdict_row {
    enum reply_code code;
    const char *message;
    enum ban_offence offence;
    bool is_offence;
} rows[STRATUM_VERDICTS_COUNT] = {
    [STRATUM_ACCEPTED] = {0, NULL, BAN_SHARE_GOOD, true},
    [STRATUM_NOT_SUBSCRIBED] = {REPLY_NOT_SUBSCRIBED, "Not subscribed", BAN_SHARE_INVALID, true},
    [STRATUM_MALFORMED] = {REPLY_OTHER, "Malformed share", BAN_SHARE_MALFORMED, true},
    [STRATUM_JOB_UNKNOWN] = {REPLY_JOB_UNKNOWN, "Job not found", BAN_SHARE_INVALID, false},
    [STRATUM_STALE] = {REPLY_JOB_UNKNOWN, "Stale share, the job is of an earlier block",
                       BAN_SHARE_INVALID, false},
    [STRATUM_TIME_INVALID] = {REPLY_OTHER, "ntime out of range", BAN_SHARE_INVALID, true},
    [STRATUM_VERSION_INVALID] = {REPLY_OTHER, "Version bits outside the negotiated mask",
                                 BAN_SHARE_INVALID, true},
    [STRATUM_DUPLICATE] = {REPLY_DUPLICATE, "Duplicate share", BAN_SHARE_INVALID, true},
    [STRATUM_BUSY] = {REPLY_OTHER, "Too many shares at once, please wait", BAN_SHARE_INVALID,
                      false},
    [STRATUM_LOW_DIFFICULTY] = {REPLY_LOW_DIFFICULTY, "Low difficulty share", BAN_SHARE_INVALID,
                                true},
    [STRATUM_UNAUTHORIZED] = {REPLY_UNAUTHORIZED, "Unauthorized worker", BAN_SHARE_INVALID, true},
};

static struct job *find_job(const struct session *session, const struct line_value *text)
{
    uint32_t id;
    if (!line_to_hex_u32(text, &id)) {
        return NULL;
    }
    for (size_t i = 0; i < session->jobs_count; i++) {
        if (session->jobs[i]->id == id) {
            return session->jobs[i];
        }
    }
    return NULL;
}

static struct user_name *find_user(const struct session *session, const struct line_value *text)
{
    if (!session->is_authorized) {
        return NULL;
    }
    for (size_t i = 0; i < session->users_count; i++) {
        if (user_name_matches(session->users[i], text)) {
            return session->users[i];
        }
    }
    return NULL;
}

// The sixth parameter replaces the job's bits within the mask. Without it the version is the job's.
static bool parse_version(const struct session *session, const struct line *line,
                          struct submit *submit)
{
    uint32_t version = submit->job->work->version;
    uint32_t bits;
    submit->solution.version = version;
    if (line->params_count < 6 || line->params[5].kind == LINE_NULL) {
        return true;
    }
    if (!line_to_hex_u32(&line->params[5], &bits)) {
        return false;
    }
    // Bits outside the mask go in as well: the hash shows whether the miner hashed them, and if it
    // is a block it is one all the same.
    submit->solution.version = (version & ~session->version_mask) | bits;
    return true;
}

// user, job, extranonce2, ntime, nonce[, version bits]
static enum stratum_verdict submit_parse(const struct session *session, const struct line *line,
                                         struct submit *submit)
{
    const struct line_value *params = line->params;
    struct job_solution *solution = &submit->solution;
    if (!session->is_subscribed) {
        return STRATUM_NOT_SUBSCRIBED;
    }
    if (line->params_count < 5 || params[0].kind != LINE_TEXT || params[1].kind != LINE_TEXT) {
        return STRATUM_MALFORMED;
    }
    submit->user = find_user(session, &params[0]);
    submit->job = find_job(session, &params[1]);
    if (submit->job == NULL) {
        return session->is_authorized ? STRATUM_JOB_UNKNOWN : STRATUM_UNAUTHORIZED;
    }
    memcpy(solution->extranonce, session->extranonce1, EXTRANONCE1_SIZE);
    if (!line_to_hex(&params[2], solution->extranonce + EXTRANONCE1_SIZE, EXTRANONCE2_SIZE) ||
        !line_to_hex_u32(&params[3], &solution->time) ||
        !line_to_hex_u32(&params[4], &solution->nonce) || !parse_version(session, line, submit)) {
        return STRATUM_MALFORMED;
    }
    return STRATUM_ACCEPTED;
}

static bool is_time_valid(const struct stratum *stratum, const struct job *job, uint32_t time)
{
    int64_t now = wall_seconds(stratum->now.wall);
    // The daemon's clock, if it is ahead of ours, gave the job its time.
    int64_t latest = (now > job->time ? now : job->time) + TIME_AHEAD_MAX;
    return time >= job->work->min_time && time <= latest && time <= job->commitment.time_max;
}

// What can be said without the hash, cheapest first.
static enum stratum_verdict submit_check(const struct session *session, struct submit *submit)
{
    const struct stratum *stratum = session->engine;
    const struct job_solution *solution = &submit->solution;
    const struct job *job = submit->job;
    if (job->work->era != stratum->era) {
        return STRATUM_STALE;
    }
    if (!is_time_valid(stratum, job, solution->time)) {
        return STRATUM_TIME_INVALID;
    }
    if (((solution->version ^ job->work->version) & ~session->version_mask) != 0) {
        return STRATUM_VERSION_INVALID;
    }
    return STRATUM_ACCEPTED;
}

static enum duplicates_result note_solution(const struct stratum *stratum, struct submit *submit)
{
    const struct job_solution *solution = &submit->solution;
    struct duplicates_key key = {
        .time = solution->time, .nonce = solution->nonce, .version = solution->version};
    memcpy(&key.extranonce2, solution->extranonce + EXTRANONCE1_SIZE, EXTRANONCE2_SIZE);
    return duplicates_insert(&submit->job->seen, &key, stratum->duplicates_seed);
}

// Nothing but rejects for a minute: perhaps it works on something old. For two: perhaps it needs a
// fresh connection. For three: it only costs.
static void count_reject(struct session *session)
{
    int64_t now = session->engine->now.mono.ms;
    if (session->rejects_since.ms == MONO_NEVER.ms) {
        session->rejects_since.ms = now;
        session->reject_tier = 0;
        return;
    }
    int64_t passed = now - session->rejects_since.ms;
    if (passed >= REJECTS_DROP_MS) {
        session_close(session, STRATUM_CLOSE_INVALID_SHARES);
    } else if (passed >= REJECTS_RECONNECT_MS && session->reject_tier < 2) {
        session->reject_tier = 2;
        reply_reconnect(session_out(session));
    } else if (passed >= REJECTS_RESEND_MS && session->reject_tier < 1) {
        session->reject_tier = 1;
        assign_job(session, true);
    }
}

static void count(struct stratum *stratum, struct session *session, const struct job *job,
                  struct stratum_judgement *judgement)
{
    judgement->difficulty = job != NULL ? job->difficulty : 0;
    stratum->totals.shares[judgement->verdict]++;
    stratum->totals.grains += judgement->is_grain ? 1 : 0;
    stratum->totals.blocks += judgement->is_block ? 1 : 0;
    judgement->worker = "";
    if (session != NULL) {
        const struct user_name *user = session->users_count > 0 ? session->users[0] : NULL;
        judgement->worker = user != NULL ? user->text + user->worker_at : "";
        judgement->payout = session->is_authorized ? &session->payout : NULL;
        judgement->session = session->id;
        session->shares[judgement->verdict]++;
        session->grains += judgement->is_grain ? 1 : 0;
        session->blocks += judgement->is_block ? 1 : 0;
    }
    stratum->events.share_judged(stratum->events.context, judgement);
}

static void answer_rejected(struct session *session, const struct line_value *id,
                            enum stratum_verdict verdict, uint64_t mark)
{
    const struct verdict_row *row = &rows[verdict];
    reply_error(session_out(session), id, "false", row->code, row->message);
    answers_given(session, mark);
    if (row->is_offence) {
        session_offend(session, row->offence, STRATUM_CLOSE_INVALID_SHARES);
    }
    if (verdict != STRATUM_BUSY) {
        count_reject(session);
    }
}

// The end of a submit that is not worth a hash.
static void reject_early(struct session *session, const struct submit *submit,
                         const struct line_value *id, enum stratum_verdict verdict)
{
    struct stratum_judgement judgement = {.verdict = verdict};
    count(session->engine, session, submit->job, &judgement);
    answer_rejected(session, id, verdict, submit->mark);
}

// A device that cuts off the coinbase hashes another header than we rebuild: none of its shares
// comes near.
static void watch_for_spoiler(struct session *session, const struct submit *submit,
                              const struct hash256 *hash)
{
    struct u256 value = target_of_hash(hash);
    size_t prefix = submit->job->own_prefix != NULL ? submit->job->own_prefix->size
                                                    : submit->job->work->prefix_size;
    value = u256_shift_right(&value, SPOILED_SHIFT);
    if (session->shares[STRATUM_ACCEPTED] > 0 || coinbase_size(prefix) <= COINBASE_SURE ||
        u256_compare(&value, &submit->job->target) <= 0) {
        return;
    }
    session->spoiled_shares++;
    if (session->spoiled_shares >= SPOILED_SHARES_MAX && session->is_mining) {
        device_refuse_spoiler(session);
    }
}

static uint64_t tell_share(struct stratum *stratum, const struct session *session,
                           const struct submit *submit, const struct hash256 *hash,
                           struct stratum_share *share)
{
    const struct job *job = submit->job;
    share->session = session != NULL ? session->id : 0;
    share->user = session != NULL && submit->user != NULL ? submit->user->text : "";
    share->owner = job->work->owner;
    share->payout = &job->payout;
    share->commitment = &job->commitment;
    share->has_own_prefix = job->own_prefix != NULL;
    share->prefix = job->own_prefix != NULL ? job->own_prefix->bytes : job->work->prefix;
    share->prefix_size = job->own_prefix != NULL ? job->own_prefix->size : job->work->prefix_size;
    memcpy(share->header, submit->header, HEADER_SIZE);
    memcpy(share->extranonce, submit->solution.extranonce, COINBASE_EXTRANONCE_SIZE);
    share->hash = *hash;
    return stratum->events.share_found(stratum->events.context, share);
}

static void accept_work(struct stratum *stratum, struct session *session, const struct job *job,
                        bool is_grain)
{
    double hashes = job->difficulty * stratum->hashes_per_difficulty;
    rate_add(&stratum->rate, hashes, stratum->now.mono);
    if (session == NULL) {
        return;
    }
    rate_add(&session->rate, hashes, stratum->now.mono);
    session->work_accepted += hashes;
    session->share_at = stratum->now.wall;
    session->rejects_since = MONO_NEVER;
    session->spoiled_shares = 0;
    if (is_grain) {
        session->line_tokens += 1; // work that is credited is no flood, however much of it there is
    }
    // Shares that a miner brings along from a lost connection say nothing about its speed now.
    if (session->is_mining && job->made.ms >= session->connected.mono.ms) {
        vardiff_add_share(&session->vardiff, job->difficulty, stratum->now.mono);
    }
    ban_add_offence(stratum->bans, &session->peer, BAN_SHARE_GOOD, stratum->now.mono);
}

// A new job has an empty set of seen shares.
static void replace_full_job(struct session *session, const struct job *job)
{
    if (session->jobs_count > 0 && job == session->jobs[0] && !session->is_job_due) {
        assign_job(session, false);
    }
}

static void answer_accepted(struct session *session, const struct submit *submit,
                            const struct line_value *id, uint64_t sequence)
{
    const struct job *job = submit->job;
    if (sequence > 0) {
        answers_hold(session, id, sequence, submit->mark);
    } else {
        answers_give(session, id, submit->mark);
    }
    if (job->seen.count >= DUPLICATES_MAX / 4 * 3) {
        replace_full_job(session, job); // before it is full
    }
    assign_adjust(session);
}

void submit_finish(struct stratum *stratum, struct session *session, struct submit *submit,
                   const struct line_value *id, const struct hash256 *hash)
{
    struct job *job = submit->job;
    struct stratum_share share = {
        .is_block = target_is_met(hash, &job->work->network_target),
        .is_link = target_is_met(hash, &job->commitment.link_target),
        .is_grain = target_is_met(hash, &job->commitment.grain_target),
        .verdict = submit->verdict,
    };
    if (share.verdict == STRATUM_ACCEPTED && !target_is_met(hash, &job->target)) {
        share.verdict = STRATUM_LOW_DIFFICULTY;
    } else if (share.verdict == STRATUM_ACCEPTED && submit->user == NULL) {
        share.verdict = STRATUM_UNAUTHORIZED;
    }
    uint64_t sequence = 0;
    bool is_good = share.verdict == STRATUM_ACCEPTED;
    if (share.is_block || (share.is_grain && is_good)) {
        sequence = tell_share(stratum, session, submit, hash, &share);
    }
    struct u256 reached = target_of_hash(hash);
    struct stratum_judgement judgement = {
        .verdict = share.verdict,
        .hash_difficulty = target_to_difficulty(&reached, stratum->algorithm),
        .is_grain = share.is_grain && is_good,
        .is_block = share.is_block,
    };
    count(stratum, session, job, &judgement);
    if (is_good) {
        accept_work(stratum, session, job, share.is_grain);
    }
    if (session != NULL && is_good) {
        answer_accepted(session, submit, id, sequence);
    } else if (session != NULL) {
        answer_rejected(session, id, share.verdict, submit->mark);
        watch_for_spoiler(session, submit, hash);
    }
    engine_release_job(stratum, job);
}

void method_submit(struct session *session, const struct line *line)
{
    struct stratum *stratum = session->engine;
    struct submit submit = {.mark = stratum->events.submit_arrived(stratum->events.context)};
    enum stratum_verdict verdict = submit_parse(session, line, &submit);
    if (verdict != STRATUM_ACCEPTED) {
        reject_early(session, &submit, &line->id, verdict);
        return;
    }
    submit.verdict = submit_check(session, &submit);
    enum duplicates_result noted = note_solution(stratum, &submit);
    if (noted != DUPLICATES_NEW) {
        verdict = noted == DUPLICATES_SEEN ? STRATUM_DUPLICATE : STRATUM_BUSY;
        reject_early(session, &submit, &line->id,
                     submit.verdict != STRATUM_ACCEPTED ? submit.verdict : verdict);
        if (noted == DUPLICATES_FULL) {
            replace_full_job(session, submit.job);
        }
        return;
    }
    job_header(submit.job, &submit.solution, submit.header);
    submit.job->refs++;
    if (!stratum->algorithm->is_slow) {
        struct hash256 hash;
        sha256d_80(submit.header, &hash);
        submit_finish(stratum, session, &submit, &line->id, &hash);
    } else if (!hashing_ask(session, &submit, &line->id)) {
        reject_early(session, &submit, &line->id, STRATUM_BUSY);
        engine_release_job(stratum, submit.job);
    }
}
