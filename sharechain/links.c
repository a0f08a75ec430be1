#include <assert.h>
#include "sharechain/retarget.h"
#include "sharechain/state.h"

// Skip pointers as a skip list without randomness: every link points back a power-of-two-like
// distance, so that a walk to any height takes a logarithmic number of steps.
static uint32_t clear_lowest_bit(uint32_t n)
{
    return n & (n - 1);
}

static uint32_t skip_height(uint32_t height)
{
    if (height < 2)
        return 0;
    // Odd heights jump far less, so that both near and far ancestors are reached quickly.
    return (height & 1) != 0 ? clear_lowest_bit(clear_lowest_bit(height - 1)) + 1
                             : clear_lowest_bit(height);
}

struct link *link_ancestor(struct link *link, uint32_t height)
{
    assert(height <= link->height);
    while (link->height > height) {
        if (link->skip != NULL && link->skip->height >= height)
            link = link->skip;
        else
            link = link->parent;
    }
    return link;
}

bool link_is_ancestor(const struct link *ancestor, struct link *link)
{
    return ancestor->height <= link->height && link_ancestor(link, ancestor->height) == ancestor;
}

struct link *link_common_ancestor(struct link *a, struct link *b)
{
    if (a->height > b->height)
        a = link_ancestor(a, b->height);
    else
        b = link_ancestor(b, a->height);
    while (a != b) {
        if (a->skip != NULL && a->skip != b->skip) { // equal heights: equal skip heights
            a = a->skip;
            b = b->skip;
        } else {
            a = a->parent;
            b = b->parent;
        }
    }
    return a;
}

static int64_t tip_height_of(const struct link *link)
{
    return link->tip->height;
}

struct link *link_last_with_tip_at_most(struct link *link, int64_t height)
{
    while (tip_height_of(link) > height && link->parent != NULL) {
        if (link->skip != NULL && link->skip_tip_min > height)
            link = link->skip;
        else
            link = link->parent;
    }
    return link;
}

// "E = the last link among A and its ancestors with height(tip) <= n - 6; link 0 if there is none."
struct link *link_epoch(struct link *anchor, int64_t prev_height)
{
    return link_last_with_tip_at_most(anchor, prev_height - 6);
}

void link_join(const struct sharechain *chain, struct link *link, struct link *parent)
{
    link->parent = parent;
    link->height = parent->height + 1;
    link_set_skip(chain, link);
}

void link_set_skip(const struct sharechain *chain, struct link *link)
{
    uint32_t height = skip_height(link->height);
    if (height < chain->root->height)
        height = chain->root->height;
    link->skip = link_ancestor(link->parent, height);
    // The minimum over link..skip (without skip) is put together from the parent's own stretches.
    int64_t lowest = tip_height_of(link);
    struct link *at = link->parent;
    while (at != link->skip) {
        if (at->skip != NULL && at->skip->height >= link->skip->height) {
            lowest = at->skip_tip_min < lowest ? at->skip_tip_min : lowest;
            at = at->skip;
        } else {
            lowest = tip_height_of(at) < lowest ? tip_height_of(at) : lowest;
            at = at->parent;
        }
    }
    link->skip_tip_min = lowest;
}

// "until the sum is at least max(1, work(expand(b)) * window_multiple / 1000)"
struct u256 window_wanted(const struct sharechain *chain, const struct header_node *tip)
{
    struct u256 target;
    bool is_good = target_expand(header_chain_plain_bits(chain->headers, tip), &target);
    assert(is_good); // bits of a good header
    struct u256 work = target_work(&target);
    bool overflowed = false;
    struct u256 wanted = u256_multiply_u64(&work, chain->pool->window_multiple, &overflowed);
    if (overflowed)
        wanted = u256_max(); // more than all work there can be: the window goes back to link 1
    else
        wanted = u256_divide_u64(&wanted, 1000);
    return u256_is_zero(&wanted) ? u256_from_u64(1) : wanted;
}

// The highest ancestor of epoch (not itself) before which at least `wanted` was credited up to
// epoch; the root if the whole chain holds less.
static struct link *ancestor_with_credits_after(const struct sharechain *chain, struct link *epoch,
                                                const struct u256 *wanted)
{
    struct link *at = epoch->parent;
    if (u256_compare(&epoch->credits_to, wanted) < 0)
        return link_ancestor(epoch, chain->root->height);
    struct u256 bound = u256_subtract(&epoch->credits_to, wanted);
    while (u256_compare(&at->credits_to, &bound) > 0 && at->parent != NULL) {
        if (at->skip != NULL && u256_compare(&at->skip->credits_to, &bound) > 0)
            at = at->skip;
        else
            at = at->parent;
    }
    return at;
}

static int64_t oldest_tip_of(const struct sharechain *chain, const struct link *epoch)
{
    return tip_height_of(epoch) - (int64_t)chain->pool->window_blocks;
}

bool link_window_is_whole(const struct sharechain *chain, struct link *epoch)
{
    if (chain->whole_from == 0)
        return true;
    if (epoch->height <= chain->whole_from || epoch == &chain->below)
        return false;
    struct u256 wanted = window_wanted(chain, epoch->tip);
    const struct link *floor = link_ancestor(epoch, chain->whole_from);
    struct u256 known = u256_subtract(&epoch->credits_to, &floor->credits_to);
    if (u256_compare(&known, &wanted) >= 0)
        return true;
    int64_t oldest_tip = oldest_tip_of(chain, epoch);
    const struct link *beyond = link_last_with_tip_at_most(epoch, oldest_tip - 1);
    return tip_height_of(beyond) < oldest_tip && beyond->height >= chain->whole_from;
}

uint32_t link_window_low(const struct sharechain *chain, struct link *epoch)
{
    if (epoch->parent == NULL)
        return epoch->height + 1;
    struct u256 wanted = window_wanted(chain, epoch->tip);
    uint32_t low = ancestor_with_credits_after(chain, epoch, &wanted)->height + 1;
    // "or the next link X has height(tip(X)) + window_blocks < height(tip(E))"
    int64_t oldest_tip = oldest_tip_of(chain, epoch);
    struct link *beyond = link_last_with_tip_at_most(epoch, oldest_tip - 1);
    if (tip_height_of(beyond) < oldest_tip && beyond->height + 1 > low)
        low = beyond->height + 1;
    return low;
}

void link_window_sum(struct link *epoch, uint32_t low, struct u256 *sum)
{
    if (low > epoch->height) {
        *sum = u256_from_u64(0);
        return;
    }
    *sum = u256_subtract(&epoch->credits_to, &link_ancestor(epoch, low - 1)->credits_to);
}

void link_set_child_target(const struct sharechain *chain, struct link *link)
{
    link->child_bits = link->parent == NULL ? chain->pool->easiest_bits
                                            : retarget_link_bits(chain->pool, link->bits,
                                                                 link->time, link->parent->time);
    bool is_good = target_expand(link->child_bits, &link->child_target);
    assert(is_good);
}

const struct hash256 *link_id(const struct sharechain *chain, const struct link *link)
{
    return link->entry == NULL ? &chain->pool->id : &link->entry->id;
}

// "Fork choice: most cumulative work; tie: the smaller id as a 256-bit little-endian integer."
bool link_is_better(const struct link *a, const struct link *b)
{
    int order = u256_compare(&a->work, &b->work);
    if (order != 0)
        return order > 0;
    if (a->entry == NULL || b->entry == NULL)
        return false; // work 0: link 0 itself
    struct u256 id_a = u256_from_bytes_le(a->entry->id.bytes);
    struct u256 id_b = u256_from_bytes_le(b->entry->id.bytes);
    return u256_compare(&id_a, &id_b) < 0;
}
