#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "sharechain/state.h"

// "was credited by" an ancestor of `link`, itself included.
bool entry_is_credited(const struct entry *entry, struct link *link)
{
    for (const struct inclusion *at = entry->inclusions; at != NULL; at = at->next) {
        if (link_is_ancestor(at->link, link))
            return true;
    }
    return false;
}

static bool is_ancestor_link(const struct entry *entry, struct link *link)
{
    return entry->link != NULL && link_is_ancestor(entry->link, link);
}

// Section 7, rules 1 to 5, of one included grain of a link anchored on `anchor`.
static bool grain_follows_rules(const struct sharechain *chain, const struct entry *grain,
                                struct link *anchor, const struct body *body)
{
    int64_t height = (int64_t)anchor->height + 1;
    int64_t grain_height = (int64_t)grain->anchor->height + 1;
    // "1. is a valid share, not detached; 2. h - horizon <= g.link_height <= h"
    if (grain->is_detached || grain_height > height || grain_height < height - chain->pool->horizon)
        return false;
    // "3. is no ancestor link of L and was credited by no ancestor of L"
    if (is_ancestor_link(grain, anchor) || entry_is_credited(grain, anchor))
        return false;
    // "4. its anchor is an ancestor link of L, or a share valid as a link that an ancestor of L
    // credited or that this body includes"
    const struct entry *grain_anchor = grain->anchor->entry;
    if (!link_is_ancestor(grain->anchor, anchor) && !entry_is_credited(grain_anchor, anchor) &&
        !body_contains(body, &grain_anchor->id))
        return false;
    // "5. its epoch is the last ancestor link of L with height(tip) <= height(g.prev) - 6"
    return link_epoch(grain->anchor, grain->prev->height) ==
           link_epoch(anchor, grain->prev->height);
}

// ---- Credits

struct credit_list {
    struct credit *credits;
    uint32_t count;
};

static int compare_credits(const void *a, const void *b)
{
    const struct credit *left = a;
    const struct credit *right = b;
    return left->script < right->script ? -1 : left->script > right->script;
}

static void credit_add(struct credit_list *list, uint32_t script, const struct u256 *weight)
{
    list->credits[list->count].script = script;
    list->credits[list->count].weight = *weight;
    list->count++;
}

// One entry a script, zeros left out.
static void credits_merge(struct credit_list *list)
{
    qsort(list->credits, list->count, sizeof(*list->credits), compare_credits);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct credit credit = list->credits[i];
        if (u256_is_zero(&credit.weight))
            continue;
        if (kept > 0 && list->credits[kept - 1].script == credit.script) {
            struct u256 *sum = &list->credits[kept - 1].weight;
            *sum = u256_add(sum, &credit.weight);
            continue;
        }
        list->credits[kept] = credit;
        kept++;
    }
    list->count = kept;
}

// Scripts that credits name stay in their places.
static void credits_hold(struct sharechain *chain, const struct credit_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        script_hold(chain, list->credits[i].script);
}

// "L's own script gets weight(L), unless L is detached. For each included g: fee = weight(g) *
// inclusion_fee_bp / 10000 to L's script, the rest to g's script."
static bool credits_make(const struct sharechain *chain, const struct entry *entry,
                         const struct body *body, struct credit_list *list)
{
    list->count = 0;
    list->credits = malloc((2 * body->count + 1) * sizeof(*list->credits));
    if (list->credits == NULL)
        return false;
    struct u256 weight;
    entry_weight(chain, entry, &weight);
    if (!entry->is_detached)
        credit_add(list, entry->script, &weight);
    for (size_t i = 0; i < body->count; i++) {
        struct hash256 id;
        body_id_at(body, i, &id);
        const struct entry *grain = map_find(chain->entries, &id);
        entry_weight(chain, grain, &weight);
        struct u256 fee = inclusion_fee(chain->pool, &weight);
        struct u256 rest = u256_subtract(&weight, &fee);
        credit_add(list, entry->script, &fee);
        credit_add(list, grain->script, &rest);
    }
    credits_merge(list);
    struct credit *fitted = realloc(list->credits, (list->count + 1) * sizeof(*fitted));
    if (fitted != NULL)
        list->credits = fitted;
    return true;
}

// ---- A share becomes a link

bool links_append(struct sharechain *chain, struct link *link)
{
    if (chain->links_count == chain->links_capacity) {
        size_t capacity = chain->links_capacity == 0 ? 1024 : chain->links_capacity * 2;
        struct link **grown = realloc(chain->links, capacity * sizeof(struct link *));
        if (grown == NULL)
            return false;
        chain->links = grown;
        chain->links_capacity = capacity;
    }
    chain->links[chain->links_count] = link;
    chain->links_count++;
    return true;
}

static void link_sum_up(struct link *link, const struct credit_list *list)
{
    struct u256 target;
    bool is_good = target_expand(link->bits, &target);
    assert(is_good);
    struct u256 work = target_work(&target);
    link->work = u256_add(&link->parent->work, &work);
    link->credits_to = link->parent->credits_to;
    for (uint32_t i = 0; i < list->count; i++)
        link->credits_to = u256_add(&link->credits_to, &list->credits[i].weight);
    link->credits = list->credits;
    link->credits_count = list->count;
}

bool inclusion_add(struct entry *grain, struct link *link)
{
    struct inclusion *inclusion = malloc(sizeof(*inclusion));
    if (inclusion == NULL)
        return false;
    *inclusion = (struct inclusion){grain->inclusions, link};
    grain->inclusions = inclusion;
    return true;
}

// What a link up to lenient_to credits, here or not: all that is asked of it is what later links
// may not credit again.
static bool inclusions_note(struct sharechain *chain, const struct body *body, struct link *link)
{
    for (size_t i = 0; i < body->count; i++) {
        struct hash256 id;
        body_id_at(body, i, &id);
        struct entry *grain = map_find(chain->entries, &id);
        if (grain == NULL)
            map_set(chain->early, &id, link);
        else if (!inclusion_add(grain, link))
            return false;
    }
    return true;
}

static bool is_lenient(const struct sharechain *chain, const struct link *anchor)
{
    return anchor->height < chain->lenient_to;
}

static bool inclusions_add(struct sharechain *chain, const struct body *body, struct link *link)
{
    struct inclusion **added = calloc(body->count + 1, sizeof(struct inclusion *));
    bool is_complete = added != NULL;
    for (size_t i = 0; is_complete && i < body->count; i++) {
        added[i] = calloc(1, sizeof(struct inclusion));
        is_complete = added[i] != NULL;
    }
    for (size_t i = 0; added != NULL && i < body->count; i++) {
        if (!is_complete) {
            free(added[i]);
            continue;
        }
        struct hash256 id;
        body_id_at(body, i, &id);
        struct entry *grain = map_find(chain->entries, &id);
        *added[i] = (struct inclusion){grain->inclusions, link};
        grain->inclusions = added[i];
    }
    free(added);
    return is_complete;
}

// "tip(L) of a link L = tip(A) or L.prev, whichever has more chain work; tip(A) on a tie."
static const struct header_node *link_tip(const struct link *anchor, const struct header_node *prev)
{
    return u256_compare(&prev->chainwork, &anchor->tip->chainwork) > 0 ? prev : anchor->tip;
}

static struct link *link_new(struct sharechain *chain, struct entry *entry, uint32_t time,
                             const struct body *body)
{
    struct credit_list list = {0};
    struct link *anchor = entry->anchor;
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL || (!is_lenient(chain, anchor) && !credits_make(chain, entry, body, &list))) {
        free(link);
        return NULL;
    }
    link->entry = entry;
    link->tip = link_tip(anchor, entry->prev);
    link->time = time;
    link->bits = anchor->child_bits;
    link->grains_count = (uint32_t)body->count;
    link_join(chain, link, anchor);
    link_sum_up(link, &list);
    link_set_child_target(chain, link);
    if (!links_append(chain, link)) {
        free(link->credits);
        free(link);
        return NULL;
    }
    if (!(is_lenient(chain, anchor) ? inclusions_note(chain, body, link)
                                    : inclusions_add(chain, body, link))) {
        chain->links_count--;
        free(link->credits);
        free(link);
        return NULL;
    }
    credits_hold(chain, &list);
    return link;
}

// Whether all grains are here; notes those that are not. VERDICT_INVALID: "with one grain invalid
// it is invalid, whatever is missing".
static enum verdict grains_are_here(struct sharechain *chain, struct candidate *candidate,
                                    const struct body *body)
{
    enum verdict all = VERDICT_VALID;
    for (size_t i = 0; i < body->count; i++) {
        struct hash256 id;
        body_id_at(body, i, &id);
        enum verdict verdict = share_id_verdict(chain, &id);
        if (verdict == VERDICT_INVALID)
            return VERDICT_INVALID;
        if (verdict == VERDICT_UNKNOWN) {
            waiting_add(chain, &candidate->waiter, WAIT_SHARE, &id);
            all = VERDICT_UNKNOWN;
        }
    }
    return all;
}

static enum verdict body_judge(struct sharechain *chain, struct candidate *candidate,
                               const struct body *body)
{
    if (is_lenient(chain, candidate->entry->anchor))
        return VERDICT_VALID;
    enum verdict verdict = grains_are_here(chain, candidate, body);
    if (verdict != VERDICT_VALID)
        return verdict;
    for (size_t i = 0; i < body->count; i++) {
        struct hash256 id;
        body_id_at(body, i, &id);
        const struct entry *grain = map_find(chain->entries, &id);
        if (!grain_follows_rules(chain, grain, candidate->entry->anchor, body))
            return VERDICT_INVALID;
    }
    return VERDICT_VALID;
}

static void candidate_free(struct sharechain *chain, struct candidate *candidate)
{
    waiting_cancel(chain, &candidate->waiter);
    candidate->entry->candidate = NULL;
    free(candidate);
}

static void link_is_valid(struct sharechain *chain, struct candidate *candidate,
                          struct body_entry *bytes, const struct body *body)
{
    struct entry *entry = candidate->entry;
    struct link *link = link_new(chain, entry, candidate->time, body);
    if (link == NULL)
        return; // out of memory: stays a grain until the next start
    entry->link = link;
    chain->doubts_count = 0;
    persist_body(chain, entry, bytes->bytes, bytes->size);
    if (!chain->is_loading)
        skeleton_keep(chain, link);
    uint32_t source = candidate->source;
    candidate_free(chain, candidate);
    waiting_wake(chain, WAIT_LINK, &entry->id, false);
    if (chain->events.link_became_valid != NULL && !chain->is_loading) {
        chain->told_source = source;
        chain->events.link_became_valid(chain->events.context, &entry->id);
        chain->told_source = SHARECHAIN_OWN;
    }
    body_entry_mark_used(chain, bytes);
}

void candidate_judge(struct sharechain *chain, struct candidate *candidate)
{
    waiting_cancel(chain, &candidate->waiter);
    struct body_entry *bytes = map_find(chain->bodies, &candidate->body_root);
    if (bytes == NULL) {
        waiting_add(chain, &candidate->waiter, WAIT_BODY, &candidate->body_root);
        return;
    }
    struct body body;
    enum verdict verdict = VERDICT_INVALID;
    if (!bytes->is_bad &&
        body_decode(bytes->bytes, bytes->size, chain->pool->body_grains_max, &body))
        verdict = body_judge(chain, candidate, &body);
    if (verdict == VERDICT_VALID)
        link_is_valid(chain, candidate, bytes, &body);
    if (verdict != VERDICT_INVALID)
        return;
    struct entry *entry = candidate->entry;
    entry->is_invalid_link = true;
    candidate_free(chain, candidate);
    waiting_wake(chain, WAIT_LINK, &entry->id, true);
}
