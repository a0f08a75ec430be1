// The root of the links that are here: how it is written down, and made again of what is left of
// it. Nothing below it is here but in the store, as skeletons (old.c).
#include <stdlib.h>
#include <string.h>
#include "sharechain/retarget.h"
#include "sharechain/state.h"

#define ROOT_SIZE_MAX (4 + 32 + 4 + 32 + 4 + 1 + 4 + 4 + OLD_SEGMENTS_MAX * 8)

static const char root_key[] = "root";

void root_save(struct sharechain *chain)
{
    if (chain->root == &chain->genesis) {
        chain->sequence = store_remove(chain->store, STORE_META, root_key, sizeof(root_key) - 1);
        return;
    }
    uint8_t bytes[ROOT_SIZE_MAX];
    uint8_t work[32];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    u256_to_bytes_le(&chain->root->work, work);
    write_u32(&buffer, chain->root->height);
    write_bytes(&buffer, work, sizeof(work));
    write_u32(&buffer, chain->below.time);
    write_bytes(&buffer, chain->root->tip->id.bytes, 32);
    write_u32(&buffer, chain->trusted_to);
    write_u8(&buffer, chain->takes_on_trust ? 1 : 0);
    write_u32(&buffer, chain->old_serial_last);
    write_u32(&buffer, (uint32_t)chain->old_segments_count);
    for (size_t i = 0; i < chain->old_segments_count; i++) {
        write_u32(&buffer, chain->old_segments[i].above);
        write_u32(&buffer, chain->old_segments[i].serial);
    }
    chain->sequence =
        store_put(chain->store, STORE_META, root_key, sizeof(root_key) - 1, bytes, buffer.size);
}

// What a share's entry and link are made of, from the skeleton that is left of it.
static bool root_fill(struct sharechain *chain, const struct root_spec *spec, struct link *link,
                      struct entry *entry)
{
    struct header header;
    const struct share_info *info = &spec->skeleton.info;
    header_decode(spec->skeleton.header, &header);
    header_id(spec->skeleton.header, &entry->id);
    entry->prev = header_chain_find(chain->headers, &header.prev);
    entry->anchor = &chain->below;
    entry->link = link;
    entry->grain_shift = info->grain_shift;
    entry->loose_index = LOOSE_NONE;
    link->entry = entry;
    link->tip = spec->tip;
    link->height = info->link_height;
    link->time = info->time;
    link->bits = info->link_bits;
    link->work = spec->work;
    link->child_bits =
        retarget_link_bits(chain->pool, info->link_bits, info->time, spec->anchor_time);
    return entry->prev != NULL && link->tip != NULL && link->height == spec->height &&
           target_expand(link->child_bits, &link->child_target) &&
           target_expand(link->bits, &chain->below.child_target);
}

void root_set_below(struct sharechain *chain, uint32_t anchor_time)
{
    const struct link *root = chain->root;
    struct u256 target = {{0}};
    (void)target_expand(root->bits, &target); // the bits of a link expand
    chain->below = (struct link){
        .tip = root->tip,
        .skip_tip_min = root->tip->height,
        .height = root->height - 1,
        .time = anchor_time,
        .child_bits = root->bits,
        .child_target = target,
    };
}

bool root_make(struct sharechain *chain, const struct root_spec *spec)
{
    struct link *link = calloc(1, sizeof(*link));
    struct entry *entry = calloc(1, sizeof(*entry));
    struct map *early = map_new(chain->env);
    if (link == NULL || entry == NULL || !root_fill(chain, spec, link, entry) ||
        !best_chain_fit(chain, link->height) || !links_append(chain, link)) {
        map_free(early);
        free(link);
        free(entry);
        return false;
    }
    entry->script = script_index(chain, &spec->skeleton.info.payout_script);
    script_hold(chain, entry->script);
    link->skip_tip_min = link->tip->height;
    map_set(chain->entries, &entry->id, entry);
    chain->root = link;
    chain->best = link;
    chain->best_chain[link->height] = link;
    root_set_below(chain, spec->anchor_time);
    chain->lenient_to = link->height + lenient_links(chain);
    chain->whole_from = chain->lenient_to;
    map_free(chain->early);
    chain->early = early;
    return true;
}

static bool read_root(struct sharechain *chain, const struct buffer *value, struct root_spec *spec)
{
    struct reader reader = reader_init(value->data, value->size);
    uint8_t work[32];
    struct hash256 tip;
    spec->height = read_u32(&reader);
    read_bytes(&reader, work, sizeof(work));
    spec->work = u256_from_bytes_le(work);
    spec->anchor_time = read_u32(&reader);
    read_bytes(&reader, tip.bytes, sizeof(tip.bytes));
    spec->tip = header_chain_find(chain->headers, &tip);
    chain->trusted_to = read_u32(&reader);
    chain->takes_on_trust = read_u8(&reader) == 1;
    chain->old_serial_last = read_u32(&reader);
    uint32_t count = read_u32(&reader);
    if (reader.failed || count > OLD_SEGMENTS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        chain->old_segments[i].above = read_u32(&reader);
        chain->old_segments[i].serial = read_u32(&reader);
    }
    chain->old_segments_count = count;
    return reader_is_done(&reader);
}

bool root_load(struct sharechain *chain)
{
    uint8_t bytes[ROOT_SIZE_MAX];
    uint8_t skeleton[SKELETON_SIZE_MAX];
    struct buffer value, old;
    struct root_spec spec = {0};
    buffer_init_fixed(&value, bytes, sizeof(bytes));
    if (!store_get(chain->store, STORE_META, root_key, sizeof(root_key) - 1, &value))
        return true; // the chain begins at link 0
    buffer_init_fixed(&old, skeleton, sizeof(skeleton));
    return read_root(chain, &value, &spec) &&
           sharechain_proof_get(chain, old_serial(chain, spec.height), spec.height, &old) &&
           skeleton_decode(skeleton, old.size, &spec.skeleton) && root_make(chain, &spec);
}
