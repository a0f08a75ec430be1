// A chain that begins behind a proof (protocol section 9): "A new node checks skeletons from link
// 1, bodies and grains from two windows behind the heaviest proven tip, coinbases from one window
// behind." What is here is given up for a root far up the proven chain; links after it come in as
// any others do, only that the first ones are not asked for their grains (link_check.c), and that
// coinbases whose window is not whole are taken on trust (share_check.c): the first one that can be
// rebuilt proves what was taken.
#include <stdlib.h>
#include <string.h>
#include "sharechain/state.h"

struct u256 sharechain_window_wanted(const struct sharechain *chain, const struct header_node *tip)
{
    return window_wanted(chain, tip);
}

uint32_t sharechain_lenient_links(const struct sharechain *chain)
{
    return lenient_links(chain);
}

bool sharechain_is_doubted(const struct sharechain *chain)
{
    return chain->doubts_count == DOUBTS_MAX;
}

uint32_t sharechain_trusted_to(const struct sharechain *chain)
{
    return chain->trusted_to;
}

void sharechain_trust_end(struct sharechain *chain)
{
    if (!chain->takes_on_trust || chain->best->height < chain->trusted_to)
        return;
    chain->takes_on_trust = false;
    root_save(chain);
}

// ---- Giving up what is here

static void memory_forget(struct memory *memory)
{
    for (size_t i = 0; i < memory->count; i++)
        map_remove(memory->map, &memory->ring[i]);
    memory->count = 0;
    memory->next = 0;
}

// The records of all entries, to be removed from the store when the new root stands there.
struct records {
    struct entry *list; // copies, of which record and link count
    size_t count;
};

static bool records_note(const struct sharechain *chain, struct records *records)
{
    size_t cursor = 0;
    struct hash256 id;
    void *entry;
    records->count = 0;
    records->list = calloc(map_count(chain->entries) + 1, sizeof(*records->list));
    if (records->list == NULL)
        return false;
    while (map_next(chain->entries, &cursor, &id, &entry))
        records->list[records->count++] = *(const struct entry *)entry;
    return true;
}

static void records_remove(struct sharechain *chain, struct records *records)
{
    for (size_t i = 0; i < records->count; i++)
        persist_drop(chain, &records->list[i]);
    free(records->list);
}

// Leaves link 0 alone. Copies that wait and bodies stay: they may be of use.
static void links_clear(struct sharechain *chain)
{
    chain->loose_count = 0;
    entries_clear(chain);
    for (size_t i = 0; i < chain->links_count; i++) {
        free(chain->links[i]->credits);
        free(chain->links[i]);
    }
    chain->links_count = 0;
    chain->scripts_count = 0;
    chain->free_scripts_count = 0;
    map_free(chain->script_indices);
    chain->script_indices = map_new(chain->env);
    map_free(chain->early);
    chain->early = NULL;
    chain->genesis.anchored = NULL;
    chain->root = &chain->genesis;
    chain->best = &chain->genesis;
    chain->best_chain[0] = &chain->genesis;
    chain->whole_from = 0;
    chain->lenient_to = 0;
    chain->trusted_to = 0;
    chain->takes_on_trust = false;
    chain->doubts_count = 0;
    caches_forget(chain);
}

// What waits is judged again by what is here now.
static void copies_judge(struct sharechain *chain)
{
    size_t cursor = 0;
    struct hash256 object;
    void *waiting;
    copies_forget(chain);
    while (map_next(chain->copies, &cursor, &object, &waiting))
        waiting_queue(chain, &((struct waiting_copy *)waiting)->waiter);
    sharechain_settle(chain);
}

// The best link is the root now.
static void begin_again(struct sharechain *chain, uint32_t depth)
{
    if (chain->events.tip_changed != NULL)
        chain->events.tip_changed(chain->events.context, link_id(chain, chain->best), depth);
    copies_judge(chain);
}

void sharechain_abandon(struct sharechain *chain)
{
    struct records records;
    uint32_t depth = chain->best->height;
    if (chain->store == NULL || !records_note(chain, &records))
        return;
    links_clear(chain);
    // What did not match what was wrong may well be right.
    memory_forget(&chain->refused);
    memory_forget(&chain->bad_ids);
    root_save(chain);
    records_remove(chain, &records);
    old_clear(chain);
    begin_again(chain, depth);
}

// ---- Beginning anew

// Our own links up to the last one that the proven chain has, too, become old ones.
static bool own_links_put(struct sharechain *chain, const struct hash256 *here)
{
    struct link *link = find_link(chain, here);
    if (link == NULL)
        return false;
    for (; link->parent != NULL; link = link->parent) {
        uint8_t bytes[SKELETON_SIZE_MAX];
        struct buffer buffer;
        buffer_init_fixed(&buffer, bytes, sizeof(bytes));
        if (!sharechain_skeleton(chain, &link->entry->id, &buffer))
            return false;
        struct old_link old = {.id = link->entry->id, .skeleton = bytes, .size = buffer.size};
        old_put(chain, link->height, &old);
    }
    return true;
}

static bool spec_make(const struct sharechain *chain, const struct sharechain_start *start,
                      struct root_spec *spec)
{
    uint8_t bytes[SKELETON_SIZE_MAX];
    struct buffer buffer;
    struct header header;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    spec->height = start->height;
    spec->work = start->work;
    spec->anchor_time = start->anchor_time;
    spec->tip = start->tip;
    if (!sharechain_proof_get(chain, start->serial, start->height, &buffer) ||
        !skeleton_decode(bytes, buffer.size, &spec->skeleton))
        return false;
    header_decode(spec->skeleton.header, &header);
    return spec->skeleton.info.link_height == start->height &&
           header_chain_find(chain->headers, &header.prev) != NULL;
}

bool sharechain_adopt(struct sharechain *chain, const struct sharechain_start *start)
{
    struct root_spec spec;
    struct records records;
    uint32_t depth = chain->best->height - sharechain_fork_height(chain, &start->here);
    if (chain->store == NULL || chain->old_segments_count == OLD_SEGMENTS_MAX ||
        !spec_make(chain, start, &spec) || !own_links_put(chain, &start->here) ||
        !records_note(chain, &records))
        return false;
    links_clear(chain);
    if (!root_make(chain, &spec)) {
        // Out of memory: link 0 alone, as a new node.
        root_save(chain);
        records_remove(chain, &records);
        return false;
    }
    chain->trusted_to = start->trusted_to;
    chain->takes_on_trust = true;
    chain->old_segments[chain->old_segments_count].above = start->above;
    chain->old_segments[chain->old_segments_count].serial = start->serial;
    chain->old_segments_count++;
    root_save(chain);
    records_remove(chain, &records);
    begin_again(chain, depth);
    return true;
}
