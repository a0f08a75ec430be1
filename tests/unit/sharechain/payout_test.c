#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/sha256.h"
#include "sharechain/payout.h"
#include "tests/unit/sharechain/seeded.h"

#define PAYEES_MAX  200
#define OUTPUTS_MAX 64
#define COIN        100000000u

static struct script script_number(uint64_t i)
{
    uint8_t bytes[22] = {0x00, 0x14};
    struct hash256 hash;
    struct script script;
    sha256_once(&i, sizeof(i), &hash);
    memcpy(bytes + 2, hash.bytes, 20);
    assert_true(script_from_bytes(&script, bytes, sizeof(bytes)));
    return script;
}

static struct payout_weight weight_of(uint64_t script, uint64_t weight)
{
    return (struct payout_weight){.script = script_number(script), .weight = u256_from_u64(weight)};
}

static struct payout_spec spec_of(uint32_t outputs_max, uint64_t min_payout)
{
    return (struct payout_spec){
        .outputs_max = outputs_max, .min_payout = min_payout, .subsidy = 50 * (uint64_t)COIN};
}

// The split once more, as the page says it: everything sorted, every tick looked for in every
// range, all numbers of 256 bits. Slow, and shares nothing with the code under test but hashes and
// numbers.

struct naive_output {
    struct script script;
    struct u256 weight;
};

struct naive {
    struct payout_weight all[PAYEES_MAX];
    size_t count;
    struct naive_output list[OUTPUTS_MAX];
    size_t listed;
    bool is_hit; // the last is paid R * min_payout / R0
};

static struct u256 times(const struct u256 *a, uint64_t b)
{
    bool overflowed = false;
    struct u256 product = u256_multiply_u64(a, b, &overflowed);
    assert_false(overflowed);
    return product;
}

static struct u256 sum_of(const struct payout_weight *weights, size_t count)
{
    struct u256 sum = u256_from_u64(0);
    for (size_t i = 0; i < count; i++)
        sum = u256_add(&sum, &weights[i].weight);
    return sum;
}

static int naive_by_weight(const void *a, const void *b)
{
    const struct payout_weight *left = a;
    const struct payout_weight *right = b;
    int order = u256_compare(&right->weight, &left->weight);
    return order != 0 ? order : script_compare(&left->script, &right->script);
}

static struct hash256 order_hash(const struct hash256 *seed, const struct script *script)
{
    uint8_t message[32 + SCRIPT_SIZE_MAX];
    struct hash256 hash;
    memcpy(message, seed->bytes, 32);
    memcpy(message + 32, script->bytes, script->size);
    sha256_tagged("shoal/order", message, 32u + script->size, &hash);
    return hash;
}

static void naive_normalise(struct naive *naive, const struct payout_weight *weights, size_t count)
{
    struct u256 sum = sum_of(weights, count);
    unsigned bits = u256_bit_length(&sum);
    naive->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct payout_weight one = weights[i];
        if (bits > 56)
            one.weight = u256_shift_right(&one.weight, bits - 56);
        if (!u256_is_zero(&one.weight))
            naive->all[naive->count++] = one;
    }
}

static void naive_order(struct payout_weight *rest, size_t count, const struct hash256 *seed)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0; j--) {
            struct hash256 left = order_hash(seed, &rest[j - 1].script);
            struct hash256 right = order_hash(seed, &rest[j].script);
            if (hash_compare(&left, &right) < 0)
                break;
            struct payout_weight kept = rest[j];
            rest[j] = rest[j - 1];
            rest[j - 1] = kept;
        }
    }
}

static void naive_ticks(struct naive *naive, const struct payout_weight *rest, size_t count,
                        uint64_t m, uint64_t x)
{
    struct u256 s = sum_of(rest, count);
    struct u256 o = times(&s, x);
    o = u256_shift_right(&o, 64);
    for (uint64_t j = 0; j < m; j++) {
        struct u256 tick = times(&s, j);
        tick = u256_add(&tick, &o);
        struct u256 a = u256_from_u64(0);
        for (size_t i = 0; i < count; i++) {
            struct u256 b = u256_add(&a, &rest[i].weight);
            struct u256 am = times(&a, m);
            struct u256 bm = times(&b, m);
            if (u256_compare(&am, &tick) <= 0 && u256_compare(&tick, &bm) < 0)
                naive->list[naive->listed++] = (struct naive_output){rest[i].script, s};
            a = b;
        }
    }
}

static void naive_seeds(const struct payout_spec *spec, struct hash256 *seed, uint64_t *x,
                        uint64_t *y)
{
    uint8_t message[64];
    struct hash256 numbers;
    memcpy(message, spec->pool_id.bytes, 32);
    memcpy(message + 32, spec->prev.bytes, 32);
    sha256_tagged("shoal/seed", message, sizeof(message), seed);
    sha256_tagged("shoal/seed", seed->bytes, 32, &numbers);
    *x = 0;
    *y = 0;
    for (unsigned i = 8; i-- > 0;) {
        *x = *x << 8 | numbers.bytes[i];
        *y = *y << 8 | numbers.bytes[8 + i];
    }
}

static void naive_rest(struct naive *naive, const struct payout_spec *spec, size_t exact,
                       uint64_t m)
{
    struct payout_weight *rest = naive->all + exact;
    size_t count = naive->count - exact;
    struct u256 c = sum_of(naive->all, naive->count);
    struct u256 s = sum_of(rest, count);
    struct hash256 seed;
    uint64_t x;
    uint64_t y;
    naive_seeds(spec, &seed, &x, &y);
    naive_order(rest, count, &seed);
    if (m >= 1) {
        for (size_t i = 0; i < exact; i++)
            naive->list[i].weight = times(&naive->list[i].weight, m);
        naive_ticks(naive, rest, count, m, x);
        return;
    }
    struct u256 q = times(&c, spec->min_payout);
    q = times(&q, y);
    q = u256_shift_right(&q, 64);
    struct u256 bound = times(&s, spec->subsidy);
    naive->is_hit = exact > 0 && u256_compare(&q, &bound) < 0;
    if (exact == 0 || naive->is_hit)
        naive_ticks(naive, rest, count, 1, x);
}

static void naive_plan(struct naive *naive, const struct payout_spec *spec,
                       const struct payout_weight *weights, size_t count)
{
    naive_normalise(naive, weights, count);
    naive->listed = 0;
    naive->is_hit = false;
    qsort(naive->all, naive->count, sizeof(naive->all[0]), naive_by_weight);
    struct u256 c = sum_of(naive->all, naive->count);
    struct u256 s = c;
    uint64_t m = 0;
    while (naive->listed < naive->count) {
        struct u256 above = times(&s, spec->subsidy);
        struct u256 below = times(&c, spec->min_payout);
        struct u256 planned = u256_divide(&above, &below, NULL);
        m = u256_low_u64(&planned);
        if (u256_bit_length(&planned) > 64 || m > spec->outputs_max - naive->listed)
            m = spec->outputs_max - naive->listed;
        const struct payout_weight *next = &naive->all[naive->listed];
        struct u256 wm = times(&next->weight, m);
        if (m < 1 || u256_compare(&wm, &s) < 0)
            break;
        naive->list[naive->listed++] = (struct naive_output){next->script, next->weight};
        s = u256_subtract(&s, &next->weight);
    }
    if (naive->listed < naive->count)
        naive_rest(naive, spec, naive->listed, m);
}

static void naive_share(const struct naive *naive, size_t count, uint64_t value,
                        struct coinbase_output *outputs)
{
    struct u256 total = u256_from_u64(0);
    for (size_t i = 0; i < count; i++)
        total = u256_add(&total, &naive->list[i].weight);
    struct u256 sum = u256_from_u64(0);
    uint64_t paid = 0;
    for (size_t i = 0; i < count; i++) {
        sum = u256_add(&sum, &naive->list[i].weight);
        struct u256 product = times(&sum, value);
        struct u256 due = u256_divide(&product, &total, NULL);
        outputs[i].script = naive->list[i].script;
        outputs[i].amount = u256_low_u64(&due) - paid;
        paid = u256_low_u64(&due);
    }
}

static size_t naive_outputs(const struct naive *naive, const struct payout_spec *spec,
                            uint64_t value, struct coinbase_output *outputs)
{
    if (!naive->is_hit) {
        naive_share(naive, naive->listed, value, outputs);
        return naive->listed;
    }
    struct u256 product = u256_from_u64(value);
    product = times(&product, spec->min_payout);
    product = u256_divide_u64(&product, spec->subsidy);
    uint64_t amount = u256_low_u64(&product);
    naive_share(naive, naive->listed - 1, value - amount, outputs);
    outputs[naive->listed - 1].script = naive->list[naive->listed - 1].script;
    outputs[naive->listed - 1].amount = amount;
    return naive->listed;
}

// Windows of very different shapes, from a few equal payees to one giant among dust. One draw a
// statement: the order of calls within an expression is the compiler's.
static size_t any_window(struct seeded *seeded, struct payout_weight *weights)
{
    bool is_small = seeded_below(seeded, 2) == 1;
    size_t count = 1 + (size_t)seeded_below(seeded, is_small ? 8 : PAYEES_MAX);
    uint64_t spread = 1 + seeded_below(seeded, 64);
    unsigned lift = (unsigned)seeded_below(seeded, 120);
    for (size_t i = 0; i < count; i++) {
        uint64_t drop = seeded_below(seeded, spread);
        uint64_t weight = 1 + (seeded_u64(seeded) >> drop);
        if (seeded_below(seeded, 10) == 0)
            weight = 0;
        weights[i] = weight_of(i, weight);
        weights[i].weight = u256_shift_left(&weights[i].weight, lift);
    }
    return count;
}

// As wide: from one output to more than there are payees, from a minimum of nothing to more than
// the subsidy.
static struct payout_spec any_spec(struct seeded *seeded)
{
    uint64_t outputs_max = 1 + seeded_below(seeded, OUTPUTS_MAX - 1);
    uint64_t drop_max = seeded_below(seeded, 33);
    uint64_t drop = seeded_below(seeded, drop_max + 1);
    uint64_t min_payout = 1 + (seeded_below(seeded, 300 * (uint64_t)COIN) >> drop);
    struct payout_spec spec = spec_of((uint32_t)outputs_max, min_payout);
    spec.pool_id = seeded_hash(seeded);
    spec.prev = seeded_hash(seeded);
    return spec;
}

static void assert_same_outputs(const struct coinbase_output *a, const struct coinbase_output *b,
                                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(script_equal(&a[i].script, &b[i].script));
        assert_int_equal(a[i].amount, b[i].amount);
    }
}

static void split_equals_a_naive_reading_of_the_page(void **state)
{
    (void)state;
    static struct naive naive;
    static struct payout_weight weights[PAYEES_MAX];
    struct seeded seeded = {1};
    size_t branches[6] = {0};
    for (int round = 0; round < 1000; round++) {
        struct coinbase_output got[OUTPUTS_MAX];
        struct coinbase_output expected[OUTPUTS_MAX];
        size_t count = any_window(&seeded, weights);
        struct payout_spec spec = any_spec(&seeded);
        uint64_t value = seeded_below(&seeded, (uint64_t)1 << 53);
        naive_plan(&naive, &spec, weights, count);
        struct payout_plan *plan = payout_plan_new(&spec, weights, count);
        assert_non_null(plan);
        branches[payout_plan_branch(plan)]++;
        if (payout_plan_branch(plan) != PAYOUT_EMPTY) {
            size_t listed = naive_outputs(&naive, &spec, value, expected);
            assert_int_equal(payout_plan_count(plan), listed);
            payout_plan_outputs(plan, value, NULL, got);
            assert_same_outputs(got, expected, listed);
        }
        payout_plan_release(plan);
    }
    // The windows above are worth something only if they reach every way through the split.
    for (int branch = PAYOUT_ALL_EXACT; branch <= PAYOUT_ONE_WINNER; branch++)
        assert_true(branches[branch] >= 20);
}

static void outputs_always_add_up_to_the_coinbase_value(void **state)
{
    (void)state;
    static struct payout_weight weights[PAYEES_MAX];
    struct seeded seeded = {2};
    for (int round = 0; round < 1000; round++) {
        struct coinbase_output outputs[OUTPUTS_MAX];
        struct script own = script_number(999);
        size_t count = any_window(&seeded, weights);
        struct payout_spec spec = any_spec(&seeded);
        struct payout_plan *plan = payout_plan_new(&spec, weights, count);
        assert_true(payout_plan_count(plan) >= 1 && payout_plan_count(plan) <= spec.outputs_max);
        for (unsigned shift = 0; shift < 64; shift += 7) {
            uint64_t value = seeded_below(&seeded, ((uint64_t)1 << 53) + 1) >> shift;
            uint64_t sum = 0;
            payout_plan_outputs(plan, value, &own, outputs);
            for (size_t i = 0; i < payout_plan_count(plan); i++)
                sum += outputs[i].amount;
            assert_int_equal(sum, value);
        }
        payout_plan_release(plan);
    }
}

static void nobody_is_listed_twice(void **state)
{
    (void)state;
    static struct payout_weight weights[PAYEES_MAX];
    struct seeded seeded = {3};
    for (int round = 0; round < 300; round++) {
        struct coinbase_output outputs[OUTPUTS_MAX];
        struct script own = script_number(999);
        size_t count = any_window(&seeded, weights);
        struct payout_spec spec = any_spec(&seeded);
        struct payout_plan *plan = payout_plan_new(&spec, weights, count);
        payout_plan_outputs(plan, COIN, &own, outputs);
        for (size_t i = 0; i < payout_plan_count(plan); i++) {
            for (size_t j = 0; j < i; j++)
                assert_false(script_equal(&outputs[i].script, &outputs[j].script));
        }
        payout_plan_release(plan);
    }
}

static void no_planned_output_is_under_the_minimum(void **state)
{
    (void)state;
    static struct payout_weight weights[PAYEES_MAX];
    struct seeded seeded = {4};
    for (int round = 0; round < 500; round++) {
        struct coinbase_output outputs[OUTPUTS_MAX];
        struct script own = script_number(999);
        size_t count = any_window(&seeded, weights);
        struct payout_spec spec = any_spec(&seeded);
        struct payout_plan *plan = payout_plan_new(&spec, weights, count);
        // With the value that decisions are made for; cumulative rounding may take one satoshi.
        // Exact scripts beside a drawn rest pay for what the draw rounds, in expectation and not
        // here.
        if (payout_plan_branch(plan) == PAYOUT_ALL_EXACT ||
            payout_plan_branch(plan) == PAYOUT_SAMPLED) {
            payout_plan_outputs(plan, spec.subsidy, &own, outputs);
            for (size_t i = 0; i < payout_plan_count(plan); i++)
                assert_true(outputs[i].amount + 1 >= spec.min_payout);
        }
        payout_plan_release(plan);
    }
}

static void order_of_the_window_does_not_matter(void **state)
{
    (void)state;
    static struct payout_weight weights[PAYEES_MAX];
    struct seeded seeded = {5};
    for (int round = 0; round < 100; round++) {
        struct coinbase_output first[OUTPUTS_MAX];
        struct coinbase_output second[OUTPUTS_MAX];
        struct script own = script_number(999);
        size_t count = any_window(&seeded, weights);
        struct payout_spec spec = any_spec(&seeded);
        struct payout_plan *plan = payout_plan_new(&spec, weights, count);
        payout_plan_outputs(plan, COIN, &own, first);
        for (size_t i = count; i > 1; i--) {
            size_t j = (size_t)seeded_below(&seeded, i);
            struct payout_weight kept = weights[i - 1];
            weights[i - 1] = weights[j];
            weights[j] = kept;
        }
        struct payout_plan *again = payout_plan_new(&spec, weights, count);
        assert_int_equal(payout_plan_count(plan), payout_plan_count(again));
        payout_plan_outputs(again, COIN, &own, second);
        assert_same_outputs(first, second, payout_plan_count(plan));
        payout_plan_release(plan);
        payout_plan_release(again);
    }
}

static void weights_of_any_size_split_as_their_leading_bits(void **state)
{
    (void)state;
    struct seeded seeded = {6};
    struct payout_weight weights[50];
    struct payout_weight lifted[50];
    struct coinbase_output first[OUTPUTS_MAX];
    struct coinbase_output second[OUTPUTS_MAX];
    struct payout_spec spec = spec_of(13, 50000);
    for (uint64_t i = 0; i < 50; i++) {
        // Their sum has more than 56 bits, so that both windows are cut to the same ones.
        weights[i] = weight_of(i, seeded_u64(&seeded) >> 6);
        lifted[i] = weights[i];
        lifted[i].weight = u256_shift_left(&weights[i].weight, 180);
    }
    struct payout_plan *plan = payout_plan_new(&spec, weights, 50);
    struct payout_plan *other = payout_plan_new(&spec, lifted, 50);
    assert_int_equal(payout_plan_count(plan), payout_plan_count(other));
    payout_plan_outputs(plan, 7 * (uint64_t)COIN, NULL, first);
    payout_plan_outputs(other, 7 * (uint64_t)COIN, NULL, second);
    assert_same_outputs(first, second, payout_plan_count(plan));
    payout_plan_release(plan);
    payout_plan_release(other);
}

static void fees_change_amounts_but_no_decision(void **state)
{
    (void)state;
    static struct payout_weight weights[PAYEES_MAX];
    struct seeded seeded = {7};
    for (int round = 0; round < 100; round++) {
        struct coinbase_output poor[OUTPUTS_MAX];
        struct coinbase_output rich[OUTPUTS_MAX];
        struct script own = script_number(999);
        size_t count = any_window(&seeded, weights);
        struct payout_spec spec = any_spec(&seeded);
        struct payout_plan *plan = payout_plan_new(&spec, weights, count);
        payout_plan_outputs(plan, spec.subsidy, &own, poor);
        payout_plan_outputs(plan, spec.subsidy * 7 / 2, &own, rich);
        for (size_t i = 0; i < payout_plan_count(plan); i++) {
            assert_true(script_equal(&poor[i].script, &rich[i].script));
            assert_true(rich[i].amount + 1 >= poor[i].amount);
        }
        payout_plan_release(plan);
    }
}

// Mean pay per script over many previous blocks against its share of the window. With n draws of at
// most `most` satoshi the mean strays from the expectation by 5 * most / (2 * sqrt(n)) once in
// millions.
static void assert_expected_pay(const struct payout_weight *weights, size_t count,
                                struct payout_spec spec, enum payout_branch branch)
{
    enum { DRAWS = 20000, ROOT = 141 };
    double total[32] = {0};
    double most[32] = {0};
    struct coinbase_output outputs[OUTPUTS_MAX];
    struct seeded seeded = {8};
    size_t hits = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        spec.prev = seeded_hash(&seeded);
        struct payout_plan *plan = payout_plan_new(&spec, weights, count);
        payout_plan_outputs(plan, spec.subsidy, NULL, outputs);
        hits += payout_plan_branch(plan) == branch;
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < payout_plan_count(plan); j++) {
                if (!script_equal(&weights[i].script, &outputs[j].script))
                    continue;
                double amount = (double)outputs[j].amount;
                total[i] += amount;
                most[i] = amount > most[i] ? amount : most[i];
            }
        }
        payout_plan_release(plan);
    }
    assert_true(hits > 0);
    struct u256 sum = sum_of(weights, count);
    for (size_t i = 0; i < count; i++) {
        double entitled =
            (double)spec.subsidy * u256_to_double(&weights[i].weight) / u256_to_double(&sum);
        double strayed = total[i] / DRAWS - entitled;
        assert_true(most[i] > 0);
        assert_true((strayed < 0 ? -strayed : strayed) < 2.5 * most[i] / ROOT + 1);
    }
}

static void expected_pay_is_the_entitlement_when_outputs_are_few(void **state)
{
    (void)state;
    struct payout_weight weights[20];
    for (uint64_t i = 0; i < 20; i++)
        weights[i] = weight_of(i, 1000 / (i + 1));
    assert_expected_pay(weights, 20, spec_of(5, 50000), PAYOUT_SAMPLED);
}

static void expected_pay_is_the_entitlement_when_the_rest_is_dust(void **state)
{
    (void)state;
    struct payout_weight weights[8] = {weight_of(0, 60000), weight_of(1, 39000)};
    for (uint64_t i = 2; i < 8; i++)
        weights[i] = weight_of(i, 100 + 20 * i);
    // The dust is worth about 1.2 % of the subsidy, the minimum 2 %.
    assert_expected_pay(weights, 8, spec_of(48, COIN), PAYOUT_REST_HIT);
    assert_expected_pay(weights, 8, spec_of(48, COIN), PAYOUT_REST_MISS);
}

static void expected_pay_is_the_entitlement_when_one_takes_all(void **state)
{
    (void)state;
    struct payout_weight weights[4] = {weight_of(0, 10), weight_of(1, 20), weight_of(2, 30),
                                       weight_of(3, 40)};
    assert_expected_pay(weights, 4, spec_of(48, 51 * (uint64_t)COIN), PAYOUT_ONE_WINNER);
}

static void empty_window_pays_the_own_script_everything(void **state)
{
    (void)state;
    struct payout_weight zeros[2] = {weight_of(0, 0), weight_of(1, 0)};
    struct payout_spec spec = spec_of(48, 50000);
    struct script own = script_number(7);
    for (size_t count = 0; count <= 2; count++) {
        struct coinbase_output output;
        struct payout_plan *plan = payout_plan_new(&spec, zeros, count);
        assert_int_equal(payout_plan_branch(plan), PAYOUT_EMPTY);
        assert_int_equal(payout_plan_count(plan), 1);
        payout_plan_outputs(plan, 123, &own, &output);
        assert_int_equal(output.amount, 123);
        assert_true(script_equal(&output.script, &own));
        payout_plan_release(plan);
    }
}

static void held_plan_outlives_its_first_owner(void **state)
{
    (void)state;
    struct payout_weight weights[1] = {weight_of(0, 1)};
    struct payout_spec spec = spec_of(48, 50000);
    struct coinbase_output output;
    struct payout_plan *plan = payout_plan_new(&spec, weights, 1);
    struct payout_plan *held = payout_plan_hold(plan);
    payout_plan_release(plan);
    payout_plan_outputs(held, 5, NULL, &output);
    assert_int_equal(output.amount, 5);
    payout_plan_release(held);
    payout_plan_release(NULL);
}

static void subsidy_of_zero_draws_one_winner(void **state)
{
    (void)state;
    struct payout_weight weights[3] = {weight_of(0, 1), weight_of(1, 1), weight_of(2, 1)};
    struct payout_spec spec = spec_of(48, 50000);
    struct coinbase_output output;
    spec.subsidy = 0;
    struct payout_plan *plan = payout_plan_new(&spec, weights, 3);
    assert_int_equal(payout_plan_branch(plan), PAYOUT_ONE_WINNER);
    payout_plan_outputs(plan, 1000, NULL, &output);
    assert_int_equal(output.amount, 1000);
    payout_plan_release(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_equals_a_naive_reading_of_the_page),
        cmocka_unit_test(outputs_always_add_up_to_the_coinbase_value),
        cmocka_unit_test(nobody_is_listed_twice),
        cmocka_unit_test(no_planned_output_is_under_the_minimum),
        cmocka_unit_test(order_of_the_window_does_not_matter),
        cmocka_unit_test(weights_of_any_size_split_as_their_leading_bits),
        cmocka_unit_test(fees_change_amounts_but_no_decision),
        cmocka_unit_test(expected_pay_is_the_entitlement_when_outputs_are_few),
        cmocka_unit_test(expected_pay_is_the_entitlement_when_the_rest_is_dust),
        cmocka_unit_test(expected_pay_is_the_entitlement_when_one_takes_all),
        cmocka_unit_test(empty_window_pays_the_own_script_everything),
        cmocka_unit_test(held_plan_outlives_its_first_owner),
        cmocka_unit_test(subsidy_of_zero_draws_one_winner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
