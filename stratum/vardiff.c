#include "stratum/vardiff.h"

#include <math.h>
#include <string.h>

#define FADE_SECONDS     300.0 // of the window once it is calm
#define STEP_DOWN_MAX    8.0   // at most this factor at once; up there is no limit
#define CLEAN_FROM       8.0   // a jump up of this factor makes old work not worth finishing
#define CHANGE_MIN       1.15  // a smaller correction is not worth a message
#define CALM_FROM_SHARES 16.0
#define SHARES_TO_TRUST  4.0
#define CONFIDENCE_KEPT  8.0 // shares that an estimate is worth in the window after it
#define BURST_SHARES     16.0
#define BURST_FACTOR     4.0
#define SECONDS_MIN      0.05
#define IDLE_STEPS_MAX   8
// One share-less stretch in a hundred is longer than this many expected shares, one in ten thousand
// longer than the second. The first is right for a miner of whom nothing is known; with a few
// hundred shares an hour it would cry wolf several times an hour, so a calm session waits for the
// second.
#define IDLE_EXPECTED_FAST 4.6
#define IDLE_EXPECTED_CALM 9.2
// Half-widths of the credible interval in standard deviations: 90 % at the few looks of the fast
// phase; 3.5 where every share is a look. (With fading the count is worth twice as much as it says,
// so 3.5 reads 2.5.)
#define WIDTH_FAST 1.645
#define WIDTH_CALM 2.5

static double seconds_between(struct mono_time from, struct mono_time to)
{
    return to.ms > from.ms ? (double)(to.ms - from.ms) / 1000 : 0;
}

// The quantile of a Gamma distribution of this shape and scale 1, z standard deviations from the
// middle (Wilson and Hilferty).
static double gamma_quantile(double shape, double z)
{
    double root = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape));
    return root > 0 ? shape * root * root * root : 0;
}

static void begin_window(struct vardiff *vardiff, double rate, double confidence,
                         struct mono_time now)
{
    vardiff->shares = confidence;
    vardiff->shares_first = confidence;
    vardiff->seconds = confidence / rate;
    vardiff->rate_expected = rate;
    vardiff->begun = now;
    vardiff->updated = now;
    vardiff->burst_begun = now;
    vardiff->burst_shares = 0;
    vardiff->share_check = 4;
    // Looking at silence so soon is for a miner that is there: of one that died, the idle timer
    // takes care.
    vardiff->time_check = vardiff->is_fast && vardiff->idle_steps == 0 ? 2 : 0;
}

void vardiff_init(struct vardiff *vardiff, const struct vardiff_start *start, struct mono_time now)
{
    memset(vardiff, 0, sizeof(*vardiff));
    vardiff->difficulty = start->difficulty;
    vardiff->floor = start->floor;
    vardiff->ceiling = INFINITY;
    vardiff->rate_wanted = start->rate_wanted;
    vardiff->is_fixed = start->is_fixed;
    vardiff->wants_powers_of_two = start->wants_powers_of_two;
    vardiff->is_fast = start->confidence < VARDIFF_KNOWN;
    vardiff->silent_since = now;
    begin_window(vardiff, start->rate_wanted, start->confidence, now);
}

// Brings the window up to now.
static void pass_time(struct vardiff *vardiff, struct mono_time now)
{
    double passed = seconds_between(vardiff->updated, now);
    if (passed <= 0) {
        return;
    }
    if (!vardiff->is_fast) {
        double kept = exp(-passed / FADE_SECONDS);
        vardiff->shares *= kept;
        vardiff->seconds *= kept;
    }
    vardiff->seconds += passed;
    vardiff->updated = now;
}

void vardiff_add_share(struct vardiff *vardiff, double job_difficulty, struct mono_time now)
{
    // A late share of an easier job proves that much less work. One of a harder job proves more,
    // but counted as several it would look like a burst in the young window it falls into.
    double weight = fmin(job_difficulty / vardiff->difficulty, 1);
    pass_time(vardiff, now);
    vardiff->shares += weight;
    vardiff->burst_shares += weight;
    vardiff->rate_expected = vardiff->shares / fmax(vardiff->seconds, SECONDS_MIN);
    vardiff->silent_since = now;
    vardiff->has_shares = true;
    vardiff->idle_steps = 0;
}

static double clamp(const struct vardiff *vardiff, double difficulty)
{
    double floored = fmax(difficulty, vardiff->floor);
    return vardiff_round(floored, vardiff->ceiling, vardiff->wants_powers_of_two);
}

// A rate in shares a second, and how many shares it is worth.
struct evidence {
    double rate;
    double confidence;
};

// The change that would bring a miner of this rate to the wanted one.
static enum vardiff_change propose(struct vardiff *vardiff, struct evidence evidence,
                                   double *wanted)
{
    double factor = fmax(evidence.rate / vardiff->rate_wanted, 1 / STEP_DOWN_MAX);
    double difficulty = clamp(vardiff, vardiff->difficulty * factor);
    double change = difficulty / vardiff->difficulty;
    if (change < CHANGE_MIN && change > 1 / CHANGE_MIN) {
        return VARDIFF_KEEP;
    }
    *wanted = difficulty;
    vardiff->proposed = vardiff->difficulty * factor * vardiff->rate_wanted;
    vardiff->proposed_confidence = evidence.confidence;
    return vardiff->is_fast && change >= CLEAN_FROM ? VARDIFF_CHANGE_CLEAN : VARDIFF_CHANGE;
}

static bool is_rate_plausible(const struct vardiff *vardiff, double width)
{
    double seconds = fmax(vardiff->seconds, SECONDS_MIN);
    double low = gamma_quantile(vardiff->shares, -width) / seconds;
    double high = gamma_quantile(vardiff->shares, width) / seconds;
    return low <= vardiff->rate_wanted && vardiff->rate_wanted <= high;
}

// Seconds of silence after which a miner is taken to be slower than thought.
static double idle_seconds(const struct vardiff *vardiff)
{
    double expected = vardiff->is_fast ? IDLE_EXPECTED_FAST : IDLE_EXPECTED_CALM;
    double seconds = expected / fmin(vardiff->rate_expected, vardiff->rate_wanted);
    return seconds * (double)(1u << vardiff->idle_steps);
}

static bool can_go_down(const struct vardiff *vardiff)
{
    return !vardiff->is_fixed && vardiff->idle_steps < IDLE_STEPS_MAX &&
           clamp(vardiff, vardiff->difficulty / 2) * CHANGE_MIN < vardiff->difficulty;
}

// A miner that never sent a share is probably far too slow for its difficulty: large steps. One
// that did has perhaps just died: halve, and wait longer each time.
static enum vardiff_change check_idle(struct vardiff *vardiff, struct mono_time now, double *wanted)
{
    double silent = seconds_between(vardiff->silent_since, now);
    if (silent < idle_seconds(vardiff) || !can_go_down(vardiff)) {
        return VARDIFF_KEEP;
    }
    vardiff->silent_since = now;
    vardiff->is_fast = true;
    if (vardiff->has_shares) {
        vardiff->idle_steps++;
        return propose(vardiff, (struct evidence){vardiff->rate_wanted / 2, VARDIFF_GUESS}, wanted);
    }
    return propose(vardiff, (struct evidence){vardiff->rate_wanted / STEP_DOWN_MAX, VARDIFF_GUESS},
                   wanted);
}

// What a window that began with a guess has shown. With a few shares we know better than the guess;
// one less is counted, because the look comes just after a share.
static struct evidence fast_evidence(const struct vardiff *vardiff, double counted,
                                     struct mono_time now)
{
    if (counted < SHARES_TO_TRUST) {
        double seconds = fmax(vardiff->seconds, SECONDS_MIN);
        return (struct evidence){vardiff->shares / seconds, VARDIFF_GUESS};
    }
    double seconds = fmax(seconds_between(vardiff->begun, now), SECONDS_MIN);
    return (struct evidence){(counted - 1) / seconds, counted / 2};
}

// The few looks of the fast phase: after 4, 8 and 16 shares, and after 2, 4, 8 and 16 s.
static enum vardiff_change check_fast(struct vardiff *vardiff, struct mono_time now, double *wanted)
{
    double counted = vardiff->shares - vardiff->shares_first;
    bool is_share_look = counted >= vardiff->share_check;
    bool is_time_look =
        vardiff->time_check > 0 && seconds_between(vardiff->begun, now) >= vardiff->time_check;
    if (!is_share_look && !is_time_look) {
        return VARDIFF_KEEP;
    }
    if (is_share_look) {
        vardiff->share_check = (uint8_t)(vardiff->share_check * 2);
    }
    if (is_time_look) {
        vardiff->time_check = (uint8_t)(vardiff->time_check < 16 ? vardiff->time_check * 2 : 0);
    }
    enum vardiff_change change = VARDIFF_KEEP;
    if (!is_rate_plausible(vardiff, WIDTH_FAST)) {
        change = propose(vardiff, fast_evidence(vardiff, counted, now), wanted);
    }
    if (change == VARDIFF_KEEP && counted >= CALM_FROM_SHARES) {
        vardiff->is_fast = false;
    }
    return change;
}

static enum vardiff_change check_calm(struct vardiff *vardiff, struct mono_time now, double *wanted)
{
    double rate = vardiff->shares / fmax(vardiff->seconds, SECONDS_MIN);
    struct evidence evidence = {rate, fmin(vardiff->shares, CONFIDENCE_KEPT)};
    bool is_change = !is_rate_plausible(vardiff, WIDTH_CALM);
    // A sudden jump would take minutes to show in the window; the last few shares show it at once.
    if (vardiff->burst_shares >= BURST_SHARES) {
        double seconds = fmax(seconds_between(vardiff->burst_begun, now), SECONDS_MIN);
        double burst = vardiff->burst_shares / seconds;
        vardiff->burst_shares = 0;
        vardiff->burst_begun = now;
        if (burst > BURST_FACTOR * vardiff->rate_wanted) {
            evidence.rate = burst;
            is_change = true;
        }
    }
    if (!is_change) {
        return VARDIFF_KEEP;
    }
    // Where a miner becomes faster there is perhaps more to come: look again after a few shares.
    vardiff->is_fast = evidence.rate > vardiff->rate_wanted;
    return propose(vardiff, evidence, wanted);
}

enum vardiff_change vardiff_check(struct vardiff *vardiff, struct mono_time now, double *wanted)
{
    pass_time(vardiff, now);
    if (vardiff->is_fixed) {
        return VARDIFF_KEEP;
    }
    enum vardiff_change change =
        vardiff->is_fast ? check_fast(vardiff, now, wanted) : check_calm(vardiff, now, wanted);
    return change != VARDIFF_KEEP ? change : check_idle(vardiff, now, wanted);
}

void vardiff_sent(struct vardiff *vardiff, double difficulty, double ceiling, struct mono_time now)
{
    bool is_change = difficulty != vardiff->difficulty;
    vardiff->ceiling = ceiling;
    if (is_change && vardiff->proposed > 0) {
        vardiff->difficulty = difficulty;
        begin_window(vardiff, vardiff->proposed / difficulty, vardiff->proposed_confidence, now);
    } else if (is_change) {
        // Not our wish but the job's: the miner is as fast as it was.
        double estimate = vardiff_estimate(vardiff, now);
        double confidence = fmax(fmin(vardiff->shares, CONFIDENCE_KEPT), VARDIFF_GUESS);
        vardiff->difficulty = difficulty;
        begin_window(vardiff, estimate / difficulty, confidence, now);
    }
    vardiff->proposed = 0;
}

struct mono_time vardiff_deadline(const struct vardiff *vardiff)
{
    struct mono_time deadline = MONO_NEVER;
    if (vardiff->is_fixed) {
        return deadline;
    }
    if (vardiff->is_fast && vardiff->time_check > 0) {
        deadline.ms = vardiff->begun.ms + vardiff->time_check * INT64_C(1000);
    }
    if (can_go_down(vardiff)) {
        int64_t wait_ms = (int64_t)fmin(ceil(idle_seconds(vardiff) * 1000), 86400000.0);
        deadline = mono_min(deadline, (struct mono_time){vardiff->silent_since.ms + wait_ms});
    }
    return deadline;
}

double vardiff_estimate(const struct vardiff *vardiff, struct mono_time now)
{
    double seconds = vardiff->seconds + seconds_between(vardiff->updated, now);
    return vardiff->shares / fmax(seconds, SECONDS_MIN) * vardiff->difficulty;
}

// Three significant digits, rounded by `round_with`.
static double round_digits(double value, double (*round_with)(double))
{
    double scale = pow(10, 2 - floor(log10(value)));
    return round_with(value * scale) / scale;
}

double vardiff_round(double difficulty, double ceiling, bool wants_powers_of_two)
{
    double rounded = wants_powers_of_two ? exp2(round(log2(difficulty)))
                     : difficulty >= 1   ? round(difficulty)
                                         : round_digits(difficulty, round);
    if (rounded <= ceiling) {
        return rounded;
    }
    if (wants_powers_of_two) {
        return exp2(floor(log2(ceiling)));
    }
    return ceiling >= 1 ? floor(ceiling) : round_digits(ceiling, floor);
}
