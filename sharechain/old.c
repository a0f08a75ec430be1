// Links below the root: their skeletons stand in the store by height, with an index by id, and take
// no memory. A chain that was followed from a proof has a number of its own in the keys, so that
// its skeletons can be written before it is known whether it will be followed.
#include <string.h>
#include "sharechain/state.h"

#define OLD_KEY_SIZE   8
#define SKELETON_ID_AT 1 // the header, after the version

static const char proof_prefix[] = "proof";
#define PROOF_KEY_SIZE (sizeof(proof_prefix) - 1 + 4)

static void make_key(uint32_t serial, uint32_t height, uint8_t key[OLD_KEY_SIZE])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, key, OLD_KEY_SIZE);
    write_u32_be(&buffer, serial);
    write_u32_be(&buffer, height);
}

static bool get_as(const struct sharechain *chain, uint32_t serial, uint32_t height,
                   struct buffer *out)
{
    uint8_t key[OLD_KEY_SIZE];
    make_key(serial, height, key);
    return chain->store != NULL && store_get(chain->store, STORE_OLD_LINKS, key, sizeof(key), out);
}

uint32_t old_serial(const struct sharechain *chain, uint32_t height)
{
    uint32_t serial = 0;
    for (size_t i = 0; i < chain->old_segments_count; i++) {
        if (height > chain->old_segments[i].above)
            serial = chain->old_segments[i].serial;
    }
    return serial;
}

// ---- By height and by id

static void put_as(struct sharechain *chain, uint32_t serial, uint32_t height,
                   const struct old_link *link)
{
    uint8_t key[OLD_KEY_SIZE];
    uint8_t value[4];
    struct buffer buffer;
    make_key(serial, height, key);
    store_put(chain->store, STORE_OLD_LINKS, key, sizeof(key), link->skeleton, link->size);
    buffer_init_fixed(&buffer, value, sizeof(value));
    write_u32_be(&buffer, height);
    chain->sequence = store_put(chain->store, STORE_OLD_LINKS, link->id.bytes,
                                sizeof(link->id.bytes), value, sizeof(value));
}

void old_put(struct sharechain *chain, uint32_t height, const struct old_link *link)
{
    put_as(chain, old_serial(chain, height), height, link);
}

bool old_skeleton(const struct sharechain *chain, uint32_t height, struct buffer *out)
{
    return height > 0 && height <= chain->root->height &&
           get_as(chain, old_serial(chain, height), height, out);
}

bool old_skeleton_of(const struct sharechain *chain, const struct link *link, struct buffer *out)
{
    struct hash256 id;
    size_t before = out->size;
    if (!get_as(chain, old_serial(chain, link->height), link->height, out))
        return false;
    if (out->size - before >= SKELETON_ID_AT + HEADER_SIZE) {
        header_id(out->data + before + SKELETON_ID_AT, &id);
        if (hash_equal(&id, &link->entry->id))
            return true;
    }
    out->size = before;
    return false;
}

bool old_id(const struct sharechain *chain, uint32_t height, struct hash256 *id)
{
    uint8_t bytes[SKELETON_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    if (!old_skeleton(chain, height, &buffer) || buffer.size < SKELETON_ID_AT + HEADER_SIZE)
        return false;
    header_id(bytes + SKELETON_ID_AT, id);
    return true;
}

// The index may name a height of a chain that was not followed.
bool old_height(const struct sharechain *chain, const struct hash256 *id, uint32_t *height)
{
    uint8_t value[4];
    struct buffer buffer;
    struct hash256 there;
    buffer_init_fixed(&buffer, value, sizeof(value));
    if (chain->root == &chain->genesis ||
        !store_get(chain->store, STORE_OLD_LINKS, id->bytes, sizeof(id->bytes), &buffer) ||
        buffer.size != sizeof(value))
        return false;
    struct reader reader = reader_init(value, sizeof(value));
    *height = read_u32_be(&reader);
    return old_id(chain, *height, &there) && hash_equal(&there, id);
}

bool sharechain_is_old_link(const struct sharechain *chain, const struct hash256 *id)
{
    uint32_t height;
    return old_height(chain, id, &height);
}

uint32_t sharechain_root_height(const struct sharechain *chain)
{
    return chain->root->height;
}

// ---- Skeletons of a proof

static void make_proof_key(uint32_t serial, uint8_t key[PROOF_KEY_SIZE])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, key, PROOF_KEY_SIZE);
    write_bytes(&buffer, proof_prefix, sizeof(proof_prefix) - 1);
    write_u32_be(&buffer, serial);
}

uint32_t sharechain_proof_begin(struct sharechain *chain)
{
    if (chain->store == NULL)
        return 0;
    uint8_t key[PROOF_KEY_SIZE];
    uint32_t serial = ++chain->old_serial_last;
    make_proof_key(serial, key);
    chain->sequence = store_put(chain->store, STORE_META, key, sizeof(key), key, 1);
    return serial;
}

void sharechain_proof_put(struct sharechain *chain, uint32_t serial, uint32_t height,
                          const struct bytes_view *skeleton)
{
    struct old_link link = {.skeleton = skeleton->data, .size = skeleton->size};
    header_id(skeleton->data + SKELETON_ID_AT, &link.id);
    put_as(chain, serial, height, &link);
}

bool sharechain_proof_get(const struct sharechain *chain, uint32_t serial, uint32_t height,
                          struct buffer *out)
{
    return get_as(chain, serial, height, out);
}

// Keys are collected first: nothing may be removed during a walk.
struct removal {
    uint32_t serial;
    bool has_serial;    // only what stands under it, else everything
    struct buffer keys; // u8 size || key
};
#define REMOVED_AT_ONCE (1u << 20) // bytes of keys

static bool note_removal(void *context, const void *key, size_t key_size, const void *value,
                         size_t value_size)
{
    struct removal *removal = context;
    struct reader reader = reader_init(key, key_size);
    // Ids that begin with the bytes of a serial number stand among its keys.
    bool is_id = key_size == sizeof(struct hash256);
    if (removal->has_serial && !is_id && read_u32_be(&reader) != removal->serial)
        return false;
    if (removal->has_serial && is_id)
        return true;
    write_u8(&removal->keys, (uint8_t)key_size);
    write_bytes(&removal->keys, key, key_size);
    if (removal->has_serial && value_size >= SKELETON_ID_AT + HEADER_SIZE) {
        struct hash256 id;
        header_id((const uint8_t *)value + SKELETON_ID_AT, &id);
        write_u8(&removal->keys, sizeof(id.bytes));
        write_bytes(&removal->keys, id.bytes, sizeof(id.bytes));
    }
    return removal->keys.size < REMOVED_AT_ONCE;
}

static void remove_noted(struct sharechain *chain, const struct removal *removal)
{
    struct reader reader = reader_init(removal->keys.data, removal->keys.size);
    while (reader.left > 0) {
        size_t size = read_u8(&reader);
        const uint8_t *key = read_view(&reader, size);
        uint32_t height;
        struct hash256 id;
        if (size == sizeof(id)) {
            memcpy(id.bytes, key, sizeof(id));
            if (removal->has_serial && old_height(chain, &id, &height))
                continue; // the chain that is followed has this link, too
        }
        chain->sequence = store_remove(chain->store, STORE_OLD_LINKS, key, size);
    }
}

static void remove_all(struct sharechain *chain, struct removal *removal)
{
    uint8_t from[OLD_KEY_SIZE];
    make_key(removal->serial, 0, from);
    for (bool has_more = true; has_more;) {
        buffer_init(&removal->keys, 2 * REMOVED_AT_ONCE);
        store_each(chain->store, STORE_OLD_LINKS, from, sizeof(from), note_removal, removal);
        has_more = removal->keys.size >= REMOVED_AT_ONCE;
        remove_noted(chain, removal);
        buffer_clear(&removal->keys);
    }
}

void sharechain_proof_end(struct sharechain *chain, uint32_t serial, bool is_followed)
{
    if (chain->store == NULL || serial == 0)
        return;
    uint8_t key[PROOF_KEY_SIZE];
    struct removal removal = {.serial = serial, .has_serial = true};
    if (!is_followed)
        remove_all(chain, &removal);
    make_proof_key(serial, key);
    chain->sequence = store_remove(chain->store, STORE_META, key, sizeof(key));
}

struct sweep {
    uint32_t serials[OLD_SEGMENTS_MAX];
    size_t count;
};

static bool note_proof(void *context, const void *key, size_t key_size, const void *value,
                       size_t value_size)
{
    struct sweep *sweep = context;
    (void)value;
    (void)value_size;
    if (key_size != PROOF_KEY_SIZE || memcmp(key, proof_prefix, sizeof(proof_prefix) - 1) != 0 ||
        sweep->count == OLD_SEGMENTS_MAX)
        return false;
    struct reader reader = reader_init(key, key_size);
    read_view(&reader, sizeof(proof_prefix) - 1);
    sweep->serials[sweep->count] = read_u32_be(&reader);
    sweep->count++;
    return true;
}

static bool is_followed(const struct sharechain *chain, uint32_t serial)
{
    for (size_t i = 0; i < chain->old_segments_count; i++) {
        if (chain->old_segments[i].serial == serial)
            return true;
    }
    return false;
}

void old_sweep(struct sharechain *chain)
{
    struct sweep sweep = {.count = 0};
    store_each(chain->store, STORE_META, proof_prefix, sizeof(proof_prefix) - 1, note_proof,
               &sweep);
    for (size_t i = 0; i < sweep.count; i++) {
        if (sweep.serials[i] > chain->old_serial_last)
            chain->old_serial_last = sweep.serials[i];
        sharechain_proof_end(chain, sweep.serials[i], is_followed(chain, sweep.serials[i]));
    }
}

void old_clear(struct sharechain *chain)
{
    struct removal removal = {.has_serial = false};
    remove_all(chain, &removal);
    chain->old_segments_count = 0;
}
