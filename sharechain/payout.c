#include "sharechain/payout.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"

// One output: the range of the total that it is paid for ends here. Amounts are differences of
// rounded sums, so that whatever the value, they add up to it.
struct payee {
    struct script script;
    u128 cumulative;
};

struct payout_plan {
    size_t references;
    enum payout_branch branch;
    // PAYOUT_REST_HIT: the last output is paid min_payout / subsidy of the value, and the others
    // share what remains.
    uint64_t min_payout;
    uint64_t subsidy;
    size_t exact_count;
    size_t count;
    struct payee payees[]; // in list order
};

// A script of the window with its normalised weight, and the key it is ordered by among the rest.
struct candidate {
    uint64_t weight;
    struct hash256 order;
    const struct script *script;
};

// The split while it is worked out. Candidates are a heap by weight until the exact ones are taken
// off it.
struct split {
    const struct payout_spec *spec;
    struct candidate *candidates;
    size_t rest_count; // candidates[0 .. rest_count) are not exact
    uint64_t total;    // C
    uint64_t rest;     // S
    uint64_t slots;    // m
    struct payout_plan *plan;
    uint64_t tick_seed; // x
    uint64_t rest_seed; // y
};

// "bitlen(C) > 56: shift every weight right by bitlen(C) - 56, drop zeros, recompute C"
static void normalise(struct split *split, const struct payout_weight *weights, size_t count)
{
    struct u256 sum = u256_from_u64(0);
    for (size_t i = 0; i < count; i++)
        sum = u256_add(&sum, &weights[i].weight);
    unsigned bits = u256_bit_length(&sum);
    unsigned shift = bits > 56 ? bits - 56 : 0;
    for (size_t i = 0; i < count; i++) {
        struct u256 shifted = u256_shift_right(&weights[i].weight, shift);
        uint64_t weight = u256_low_u64(&shifted);
        if (weight == 0)
            continue;
        struct candidate *candidate = &split->candidates[split->rest_count++];
        candidate->weight = weight;
        candidate->script = &weights[i].script;
        split->total += weight;
    }
    split->rest = split->total;
}

// "Sort by weight descending, then script ascending"
static bool comes_first(const struct candidate *a, const struct candidate *b)
{
    if (a->weight != b->weight)
        return a->weight > b->weight;
    return script_compare(a->script, b->script) < 0;
}

static void swap(struct candidate *a, struct candidate *b)
{
    struct candidate kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(struct candidate *heap, size_t count, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && comes_first(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_first(&heap[child], &heap[at]))
            return;
        swap(&heap[child], &heap[at]);
        at = child;
    }
}

static void make_heap(struct candidate *heap, size_t count)
{
    for (size_t at = count / 2; at > 0; at--)
        sift_down(heap, count, at - 1);
}

// m = min(K - d, floor(S * R0 / (C * min_payout)))
static uint64_t slots_left(const struct split *split)
{
    const struct payout_spec *spec = split->spec;
    u128 planned = (u128)split->rest * spec->subsidy / ((u128)split->total * spec->min_payout);
    uint64_t free_count = spec->outputs_max - split->plan->count;
    return planned < free_count ? (uint64_t)planned : free_count;
}

static void append(struct payout_plan *plan, const struct script *script, u128 weight)
{
    u128 before = plan->count == 0 ? 0 : plan->payees[plan->count - 1].cumulative;
    plan->payees[plan->count++] = (struct payee){.script = *script, .cumulative = before + weight};
}

// Takes the exact scripts off the heap and into the plan, for now with their own weights.
static void take_exact(struct split *split)
{
    make_heap(split->candidates, split->rest_count);
    while (split->rest_count > 0) {
        split->slots = slots_left(split);
        struct candidate next = split->candidates[0];
        if (split->slots < 1 || (u128)next.weight * split->slots < split->rest)
            return;
        append(split->plan, next.script, next.weight);
        split->rest -= next.weight;
        split->candidates[0] = split->candidates[--split->rest_count];
        sift_down(split->candidates, split->rest_count, 0);
    }
}

static int compare_order(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;
    return hash_compare(&left->order, &right->order);
}

// "order the rest by H("shoal/order", seed || script) ascending; seed = H("shoal/seed", pool_id ||
// prev); x, y = first and second 8 bytes of H("shoal/seed", seed)"
static void draw(struct split *split)
{
    struct sha256 sha;
    struct hash256 seed;
    struct hash256 numbers;
    sha256_init_tagged(&sha, "shoal/seed");
    sha256_update(&sha, split->spec->pool_id.bytes, sizeof(split->spec->pool_id.bytes));
    sha256_update(&sha, split->spec->prev.bytes, sizeof(split->spec->prev.bytes));
    sha256_final(&sha, &seed);
    sha256_tagged("shoal/seed", seed.bytes, sizeof(seed.bytes), &numbers);
    struct reader reader = reader_init(numbers.bytes, sizeof(numbers.bytes));
    split->tick_seed = read_u64(&reader);
    split->rest_seed = read_u64(&reader);
    struct sha256 order;
    sha256_init_tagged(&order, "shoal/order");
    sha256_update(&order, seed.bytes, sizeof(seed.bytes));
    for (size_t i = 0; i < split->rest_count; i++) {
        struct candidate *candidate = &split->candidates[i];
        sha = order;
        sha256_update(&sha, candidate->script->bytes, candidate->script->size);
        sha256_final(&sha, &candidate->order);
    }
    qsort(split->candidates, split->rest_count, sizeof(split->candidates[0]), compare_order);
}

// "ticks at (o + j*S) / m, j = 0..m-1; the script whose half-open cumulative range [a, b) has
// a*m <= o + j*S < b*m wins tick j." Each of them gets this weight in the list.
static void append_winners(struct split *split, uint64_t slots, u128 weight)
{
    u128 tick = (u128)split->tick_seed * split->rest >> 64;
    u128 range_end = 0;
    uint64_t won = 0;
    for (size_t i = 0; i < split->rest_count && won < slots; i++) {
        range_end += (u128)split->candidates[i].weight * slots;
        if (tick >= range_end)
            continue;
        append(split->plan, split->candidates[i].script, weight);
        tick += split->rest;
        won++;
    }
    assert(won == slots); // no weight of the rest is as large as the step between two ticks
}

// "the list is the exact scripts with weight w*m each, then the winners in tick order with weight S
// each"
static void append_sample(struct split *split)
{
    for (size_t i = 0; i < split->plan->count; i++)
        split->plan->payees[i].cumulative *= split->slots;
    append_winners(split, split->slots, split->rest);
}

// "q = floor(y * C * min_payout / 2^64)", a product of up to 192 bits. q < S * R0?
static bool rest_is_drawn(const struct split *split)
{
    const struct payout_spec *spec = split->spec;
    struct u256 product = u256_from_u128((u128)split->total * spec->min_payout);
    product = u256_multiply_u64(&product, split->rest_seed, NULL);
    struct u256 q = u256_shift_right(&product, 64);
    struct u256 bound = u256_from_u128((u128)split->rest * spec->subsidy);
    return u256_compare(&q, &bound) < 0;
}

static enum payout_branch fill_plan(struct split *split)
{
    if (split->total == 0)
        return PAYOUT_EMPTY;
    take_exact(split);
    split->plan->exact_count = split->plan->count;
    if (split->rest_count == 0)
        return PAYOUT_ALL_EXACT;
    draw(split);
    if (split->slots >= 1) {
        append_sample(split);
        return PAYOUT_SAMPLED;
    }
    if (split->plan->count == 0) {
        append_winners(split, 1, 1);
        return PAYOUT_ONE_WINNER;
    }
    if (!rest_is_drawn(split))
        return PAYOUT_REST_MISS;
    append_winners(split, 1, 0);
    return PAYOUT_REST_HIT;
}

// The list never has more outputs than there are scripts, nor more than K, nor less than one.
static struct payout_plan *plan_alloc(const struct payout_spec *spec, size_t weights_count)
{
    size_t room = weights_count < spec->outputs_max ? weights_count : spec->outputs_max;
    struct payout_plan *plan = calloc(1, sizeof(*plan) + (room + 1) * sizeof(plan->payees[0]));
    if (plan == NULL)
        return NULL;
    plan->references = 1;
    plan->min_payout = spec->min_payout;
    plan->subsidy = spec->subsidy;
    return plan;
}

struct payout_plan *payout_plan_new(const struct payout_spec *spec,
                                    const struct payout_weight *weights, size_t weights_count)
{
    assert(spec->outputs_max >= 1 && spec->min_payout >= 1);
    struct split split = {.spec = spec};
    split.plan = plan_alloc(spec, weights_count);
    split.candidates = calloc(weights_count + 1, sizeof(split.candidates[0]));
    if (split.plan == NULL || split.candidates == NULL) {
        free(split.plan);
        free(split.candidates);
        return NULL;
    }
    normalise(&split, weights, weights_count);
    split.plan->branch = fill_plan(&split);
    free(split.candidates);
    return split.plan;
}

struct payout_plan *payout_plan_hold(struct payout_plan *plan)
{
    plan->references++;
    return plan;
}

void payout_plan_release(struct payout_plan *plan)
{
    if (plan != NULL && --plan->references == 0)
        free(plan);
}

enum payout_branch payout_plan_branch(const struct payout_plan *plan)
{
    return plan->branch;
}

size_t payout_plan_count(const struct payout_plan *plan)
{
    return plan->branch == PAYOUT_EMPTY ? 1 : plan->count;
}

size_t payout_plan_exact(const struct payout_plan *plan)
{
    return plan->exact_count;
}

// floor(value * part / total), exact for every value: a share that claims more than there can be is
// refused for that, not for a sum that overflowed.
static uint64_t proportion(uint64_t value, u128 part, u128 total)
{
    if (value <= UINT64_C(1) << 53) // then the product fits: section 8, last paragraph
        return (uint64_t)((u128)value * part / total);
    struct u256 product = u256_from_u128(part);
    struct u256 divisor = u256_from_u128(total);
    product = u256_multiply_u64(&product, value, NULL);
    product = u256_divide(&product, &divisor, NULL);
    return u256_low_u64(&product);
}

// "amount_i = floor(R * cum_i / C) - floor(R * cum_(i-1) / C)" over the first `count` of the list.
static void share_out(const struct payout_plan *plan, size_t count, uint64_t value,
                      struct coinbase_output *outputs)
{
    u128 total = plan->payees[count - 1].cumulative;
    uint64_t paid = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t due = proportion(value, plan->payees[i].cumulative, total);
        outputs[i] =
            (struct coinbase_output){.amount = due - paid, .script = plan->payees[i].script};
        paid = due;
    }
}

void payout_plan_outputs(const struct payout_plan *plan, uint64_t coinbase_value,
                         const struct script *own_script, struct coinbase_output *outputs)
{
    if (plan->branch == PAYOUT_EMPTY) {
        outputs[0] = (struct coinbase_output){.amount = coinbase_value, .script = *own_script};
        return;
    }
    if (plan->branch != PAYOUT_REST_HIT) {
        share_out(plan, plan->count, coinbase_value, outputs);
        return;
    }
    // "one winner is paid floor(R * min_payout / R0), last in the list, and the exact scripts share
    // what remains"
    size_t last = plan->count - 1;
    uint64_t amount = (uint64_t)((u128)coinbase_value * plan->min_payout / plan->subsidy);
    share_out(plan, last, coinbase_value - amount, outputs);
    outputs[last] = (struct coinbase_output){.amount = amount, .script = plan->payees[last].script};
}
