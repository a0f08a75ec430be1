// payout.json: the split (protocol section 8).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/pow/sha256.h"
#include "sharechain/payout.h"
#include "tests/vectors/vectors.h"

#define PAYEES_MAX 5000000u
#define TEXT_MAX   256

struct window {
    struct payout_weight *weights;
    size_t count;
};

static bool room_for_weights(const struct vector_case *c, struct window *window, uint64_t count)
{
    if (count <= PAYEES_MAX)
        window->weights = calloc((size_t)count + 1, sizeof(window->weights[0]));
    if (window->weights == NULL)
        vector_malformed(c, "weights", "too many");
    return window->weights != NULL;
}

static bool read_weights(const struct vector_case *c, struct window *window)
{
    struct json_value list = json_get(c->inputs, "weights");
    if (!json_is_array(list)) {
        vector_malformed(c, "weights", "no list");
        return false;
    }
    if (!room_for_weights(c, window, json_size(list)))
        return false;
    for (struct json_value v = json_first(list); json_exists(v); v = json_next(v)) {
        struct payout_weight *weight = &window->weights[window->count++];
        if (vector_value_pair(v, &weight->script, &weight->weight))
            continue;
        vector_malformed(c, "weights", "not script:weight");
        return false;
    }
    return true;
}

// The rules by which a recipe makes the weight of script i from its base.
enum recipe_kind { EQUAL, ZIPF, GIANT, GIANTS, LINEAR, HALVING, STEPS, HASH, RECIPE_KINDS_COUNT };

static const char *const recipe_names[RECIPE_KINDS_COUNT] = {
    "equal", "zipf", "giant", "giants", "linear", "halving", "steps", "hash",
};

// 1 + u * base / 2^64, u = first 8 bytes, little-endian, of SHA256("w", salt, i in decimal)
static struct u256 hash_weight(const struct u256 *base, const char *salt, uint64_t i)
{
    char text[TEXT_MAX + 32];
    struct hash256 hash;
    snprintf(text, sizeof(text), "w%s%" PRIu64, salt, i);
    sha256_once(text, strlen(text), &hash);
    struct reader reader = reader_init(hash.bytes, 8);
    struct u256 product = u256_multiply_u64(base, read_u64(&reader), NULL);
    struct u256 one = u256_from_u64(1);
    product = u256_shift_right(&product, 64);
    return u256_add(&product, &one);
}

static struct u256 recipe_weight(enum recipe_kind kind, const struct u256 *base, const char *salt,
                                 uint64_t i)
{
    switch (kind) {
    case EQUAL:
        return *base;
    case ZIPF:
        return u256_divide_u64(base, i + 1);
    case GIANT:
        return i == 0 ? *base : u256_from_u64(1 + i % 7);
    case GIANTS:
        return i < 5 ? u256_divide_u64(base, i + 1) : u256_from_u64(1 + i % 7);
    case LINEAR:
        return u256_multiply_u64(base, i + 1, NULL);
    case HALVING:
        return u256_shift_right(base, (unsigned)(i % 64));
    case STEPS:
        return u256_multiply_u64(base, 1 + i / 10, NULL);
    case HASH:
        return hash_weight(base, salt, i);
    case RECIPE_KINDS_COUNT:
        break;
    }
    abort();
}

static bool read_recipe(const struct vector_case *c, struct json_value recipe,
                        struct window *window)
{
    uint64_t count;
    struct u256 base;
    char salt[TEXT_MAX];
    enum recipe_kind kind = EQUAL;
    while (kind < RECIPE_KINDS_COUNT &&
           !json_text_equals(json_get(recipe, "kind"), recipe_names[kind]))
        kind++;
    if (kind == RECIPE_KINDS_COUNT || !json_to_text(json_get(recipe, "salt"), salt, sizeof(salt))) {
        vector_malformed(c, "recipe", "unknown kind, or no salt");
        return false;
    }
    if (!vector_read_u64(c, recipe, "n", &count) || !vector_read_u256(c, recipe, "base", &base) ||
        !room_for_weights(c, window, count))
        return false;
    window->count = (size_t)count;
    for (size_t i = 0; i < window->count; i++) {
        vector_recipe_script(salt, i, &window->weights[i].script);
        window->weights[i].weight = recipe_weight(kind, &base, salt, i);
    }
    return true;
}

static bool read_spec(const struct vector_case *c, struct payout_spec *spec, uint64_t *value)
{
    if (!vector_read_u32(c, c->inputs, "K", &spec->outputs_max) ||
        !vector_read_u64(c, c->inputs, "R", value) ||
        !vector_read_u64(c, c->inputs, "R0", &spec->subsidy) ||
        !vector_read_u64(c, c->inputs, "min_payout", &spec->min_payout) ||
        !vector_read_hash(c, c->inputs, "pool_id", &spec->pool_id) ||
        !vector_read_hash(c, c->inputs, "prev", &spec->prev))
        return false;
    if (spec->outputs_max < 1 || spec->min_payout < 1)
        vector_malformed(c, "case", "K and min_payout are at least 1");
    return vector_is_clean(c);
}

static const char *branch_text(enum payout_branch branch)
{
    switch (branch) {
    case PAYOUT_EMPTY:
        return "empty";
    case PAYOUT_ALL_EXACT:
        return "all exact";
    case PAYOUT_SAMPLED:
        return "m>=1";
    case PAYOUT_REST_HIT:
        return "m0 hit";
    case PAYOUT_REST_MISS:
        return "m0 miss";
    case PAYOUT_ONE_WINNER:
        return "m0 d0";
    }
    abort();
}

static void check_list(const struct vector_case *c, const struct coinbase_output *outputs,
                       size_t count)
{
    struct json_value list = json_get(c->expect, "outputs");
    if (!json_exists(list))
        return;
    if (json_size(list) != count)
        vector_malformed(c, "outputs", "another number of outputs");
    struct json_value v = json_first(list);
    for (size_t i = 0; i < count && json_exists(v); i++, v = json_next(v)) {
        char got[TEXT_MAX];
        char expected[TEXT_MAX] = "";
        hex_encode(outputs[i].script.bytes, outputs[i].script.size, got);
        size_t size = strlen(got);
        snprintf(got + size, sizeof(got) - size, ":%" PRIu64, outputs[i].amount);
        if (!json_to_text(v, expected, sizeof(expected)) || strcmp(got, expected) != 0)
            vector_mismatch(c, "outputs", got, expected);
    }
}

static void check_outputs(const struct vector_case *c, const struct coinbase_output *outputs,
                          size_t count, uint64_t value)
{
    struct hash256 hash;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += outputs[i].amount;
    if (sum != value)
        vector_malformed(c, "outputs", "their sum is not R");
    vector_outputs_sha256(outputs, count, &hash);
    vector_known_keys(c, c->expect, "count sha256 outputs branch");
    vector_check_u64(c, c->expect, "count", count);
    vector_check_hash(c, c->expect, "sha256", &hash);
    check_list(c, outputs, count);
}

static void run_split(const struct vector_case *c, const struct window *window)
{
    struct payout_spec spec;
    struct script own_script = {.size = 0};
    uint64_t value;
    if (!read_spec(c, &spec, &value))
        return;
    struct payout_plan *plan = payout_plan_new(&spec, window->weights, window->count);
    if (plan == NULL) {
        vector_malformed(c, "weights", "out of memory");
        return;
    }
    enum payout_branch branch = payout_plan_branch(plan);
    size_t count = payout_plan_count(plan);
    struct coinbase_output *outputs = calloc(count, sizeof(*outputs));
    vector_check_text(c, c->expect, "branch", branch_text(branch));
    if (outputs != NULL &&
        (branch != PAYOUT_EMPTY || vector_read_script(c, c->inputs, "own_script", &own_script))) {
        payout_plan_outputs(plan, value, &own_script, outputs);
        check_outputs(c, outputs, count, value);
    }
    if (outputs == NULL)
        vector_malformed(c, "outputs", "out of memory");
    free(outputs);
    payout_plan_release(plan);
}

enum case_outcome vector_payout_case(const struct vector_case *c)
{
    struct window window = {.count = 0};
    struct json_value recipe = json_get(c->inputs, "recipe");
    if (json_exists(recipe) ? read_recipe(c, recipe, &window) : read_weights(c, &window))
        run_split(c, &window);
    free(window.weights);
    return vector_outcome(c);
}
