#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/sha256.h"
#include "sharechain/state.h"

static bool scripts_grow(struct sharechain *chain)
{
    size_t capacity = chain->scripts_capacity == 0 ? 256 : chain->scripts_capacity * 2;
    struct script *scripts = realloc(chain->scripts, capacity * sizeof(*scripts));
    if (scripts != NULL)
        chain->scripts = scripts;
    uint32_t *uses = realloc(chain->script_uses, capacity * sizeof(*uses));
    if (uses != NULL)
        chain->script_uses = uses;
    uint32_t *free_places = realloc(chain->free_scripts, capacity * sizeof(*free_places));
    if (free_places != NULL)
        chain->free_scripts = free_places;
    if (scripts == NULL || uses == NULL || free_places == NULL)
        return false;
    chain->scripts_capacity = capacity;
    return true;
}

static uint32_t script_place(struct sharechain *chain)
{
    if (chain->free_scripts_count > 0)
        return chain->free_scripts[--chain->free_scripts_count];
    if (chain->scripts_count == chain->scripts_capacity && !scripts_grow(chain))
        abort(); // a payee cannot be left out: stop rather than account wrongly
    return (uint32_t)chain->scripts_count++;
}

static void script_key(const struct script *script, struct hash256 *key)
{
    sha256_once(script->bytes, script->size, key);
}

void script_hold(struct sharechain *chain, uint32_t index)
{
    chain->script_uses[index]++;
}

void script_release(struct sharechain *chain, uint32_t index)
{
    chain->script_uses[index]--;
    if (chain->script_uses[index] > 0)
        return;
    struct hash256 key;
    script_key(&chain->scripts[index], &key);
    map_remove(chain->script_indices, &key);
    chain->free_scripts[chain->free_scripts_count] = index;
    chain->free_scripts_count++;
}

bool script_find(const struct sharechain *chain, const struct script *script, uint32_t *index)
{
    struct hash256 key;
    script_key(script, &key);
    uintptr_t found = (uintptr_t)map_find(chain->script_indices, &key);
    *index = (uint32_t)(found - 1);
    return found != 0;
}

uint32_t script_index(struct sharechain *chain, const struct script *script)
{
    struct hash256 key;
    uint32_t index;
    if (script_find(chain, script, &index))
        return index;
    script_key(script, &key);
    index = script_place(chain);
    chain->scripts[index] = *script;
    chain->script_uses[index] = 0;
    map_set(chain->script_indices, &key, (void *)(uintptr_t)(index + 1u));
    return index;
}

void window_clear(struct window *window)
{
    free(window->weights);
    *window = (struct window){0};
}

static bool window_fit_scripts(struct window *window, size_t scripts_count)
{
    if (scripts_count <= window->capacity)
        return true;
    size_t capacity = scripts_count * 2;
    struct u256 *grown = realloc(window->weights, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    memset(grown + window->capacity, 0, (capacity - window->capacity) * sizeof(*grown));
    window->weights = grown;
    window->capacity = capacity;
    return true;
}

static void window_apply(struct window *window, const struct link *link, bool is_added)
{
    for (uint32_t i = 0; i < link->credits_count; i++) {
        struct u256 *weight = &window->weights[link->credits[i].script];
        *weight = is_added ? u256_add(weight, &link->credits[i].weight)
                           : u256_subtract(weight, &link->credits[i].weight);
    }
}

// Adds or removes the links with heights low..high on the branch of `head`.
static void window_apply_range(struct window *window, struct link *head, uint32_t low,
                               uint32_t high, bool is_added)
{
    if (low > high)
        return;
    struct link *link = link_ancestor(head, high);
    for (uint32_t height = high;; height--) {
        window_apply(window, link, is_added);
        if (height == low)
            return;
        link = link->parent;
    }
}

static void window_start_at(struct window *window, struct link *epoch, uint32_t low)
{
    if (window->capacity > 0)
        memset(window->weights, 0, window->capacity * sizeof(*window->weights));
    window_apply_range(window, epoch, low, epoch->height, true);
}

// Moves the low end on one branch from where it is to where it should be; both within links up to
// `high`.
static void window_move_low(struct window *window, struct link *at, uint32_t low)
{
    if (low > window->low)
        window_apply_range(window, at, window->low, low - 1, false);
    else if (low < window->low)
        window_apply_range(window, at, low, window->low - 1, true);
    window->low = low;
}

// Steps from one window to the next cost what changes between them: the links of a branch that was
// left are taken out, those of the new one put in, and the low end follows.
bool window_move(struct sharechain *chain, struct link *epoch)
{
    struct window *window = &chain->window;
    if (!window_fit_scripts(window, chain->scripts_count))
        return false;
    if (window->head == epoch)
        return true;
    uint32_t low = link_window_low(chain, epoch);
    struct link *head = window->head;
    struct link *common = head == NULL ? NULL : link_common_ancestor(head, epoch);
    bool overlaps = common != NULL && window->low <= common->height && low <= common->height;
    window->head = epoch;
    if (!overlaps) {
        window_start_at(window, epoch, low);
        window->low = low;
        return true;
    }
    window_apply_range(window, head, common->height + 1, head->height, false);
    window_move_low(window, common, low);
    window_apply_range(window, epoch, common->height + 1, epoch->height, true);
    return true;
}

static struct payout_plan *window_make_plan(struct sharechain *chain, const struct link *epoch,
                                            const struct header_node *prev)
{
    struct payout_weight *weights =
        malloc((chain->scripts_count + 1) * sizeof(struct payout_weight));
    if (weights == NULL)
        return NULL;
    size_t count = 0;
    for (size_t i = 0; i < chain->scripts_count && epoch->parent != NULL; i++) {
        if (u256_is_zero(&chain->window.weights[i]))
            continue;
        weights[count].script = chain->scripts[i];
        weights[count].weight = chain->window.weights[i];
        count++;
    }
    struct payout_spec spec = {
        .outputs_max = chain->pool->outputs,
        .min_payout = chain->pool->min_payout,
        .subsidy = chain_subsidy(chain->pool->chain, prev->height + 1),
        .pool_id = chain->pool->id,
        .prev = prev->id,
    };
    struct payout_plan *plan = payout_plan_new(&spec, weights, count);
    free(weights);
    return plan;
}

struct payout_plan *window_plan(struct sharechain *chain, struct link *epoch,
                                const struct header_node *prev)
{
    for (size_t i = 0; i < PLAN_SLOTS; i++) {
        if (chain->plans[i].epoch == epoch && chain->plans[i].prev == prev)
            return chain->plans[i].plan;
    }
    if (!link_window_is_whole(chain, epoch) || !window_move(chain, epoch))
        return NULL;
    struct payout_plan *plan = window_make_plan(chain, epoch, prev);
    if (plan == NULL)
        return NULL;
    struct plan_slot *slot = &chain->plans[chain->plan_next];
    chain->plan_next = (chain->plan_next + 1) % PLAN_SLOTS;
    payout_plan_release(slot->plan);
    *slot = (struct plan_slot){epoch, prev, plan};
    return plan;
}
