#include "dht/peer_message.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>
#include "dht/envelope.h"
#include "dht/link.h"
#include "dht/record.h"
#include "node/pow/sha256.h"

#define HASH_SIZE    sizeof(struct hash256)
#define ELEMENTS_MAX 6
// Before the header in a share: its version, protocol section 2.
#define SHARE_HEADER_OFFSET 1
// Heads of the elements that are there, and room for those of later versions.
#define ENVELOPE_SIZE_MAX 256

enum element {
    ELEMENT_END,
    ELEMENT_VERSION,
    ELEMENT_HEIGHT,
    ELEMENT_TIP,
    ELEMENT_WORK,
    ELEMENT_CAPABILITIES,
    ELEMENT_PORT,
    ELEMENT_REQUEST,
    ELEMENT_MAX,
    ELEMENT_FROM,
    ELEMENT_IDS,
    ELEMENT_WANTED, // may be missing
    ELEMENT_SHARE,
    ELEMENT_BODY,
    ELEMENT_ITEMS,
    ELEMENT_BYE,
};

// What a message is made of; encoding and decoding walk the same elements.
struct shape {
    const char *label;
    enum peer_message_type answer;           // of a GET_, else 0
    enum element elements[ELEMENTS_MAX + 1]; // up to ELEMENT_END
    uint32_t max_max;                        // of ELEMENT_MAX, which is at least 1
    uint32_t ids_min;
    uint32_t ids_max;
    size_t body_size_max;
    unsigned item_prefix; // bytes of an item's size; 0: all have item_size_max
    size_t item_size_max;
    size_t items_max;
    size_t size_max; // of what the elements hold together
};

static const struct shape shapes[PEER_TYPES_END] = {
    [PEER_HELLO] = {.label = "hello",
                    .elements = {ELEMENT_VERSION, ELEMENT_HEIGHT, ELEMENT_TIP, ELEMENT_WORK,
                                 ELEMENT_CAPABILITIES, ELEMENT_PORT},
                    .size_max = 2 * HASH_SIZE},
    [PEER_SHARE] = {.label = "share", .elements = {ELEMENT_SHARE}, .size_max = CHAIN_SHARE_MAX},
    [PEER_LINK] = {.label = "link",
                   .elements = {ELEMENT_SHARE, ELEMENT_BODY},
                   .body_size_max = CHAIN_BODY_MAX,
                   .size_max = CHAIN_SHARE_MAX + CHAIN_BODY_MAX},
    [PEER_HAVE] = {.label = "have",
                   .elements = {ELEMENT_IDS},
                   .ids_min = 1,
                   .ids_max = PEER_IDS_MAX,
                   .size_max = PEER_IDS_MAX * HASH_SIZE},
    [PEER_WANT] = {.label = "want",
                   .elements = {ELEMENT_IDS},
                   .ids_min = 1,
                   .ids_max = PEER_IDS_MAX,
                   .size_max = PEER_IDS_MAX * HASH_SIZE},
    [PEER_GET_LINKS] = {.label = "get_links",
                        .answer = PEER_LINKS,
                        .elements = {ELEMENT_REQUEST, ELEMENT_MAX, ELEMENT_IDS},
                        .max_max = CHAIN_SKELETONS_MAX,
                        .ids_max = CHAIN_LOCATOR_MAX,
                        .size_max = CHAIN_LOCATOR_MAX * HASH_SIZE},
    [PEER_LINKS] = {.label = "links",
                    .elements = {ELEMENT_REQUEST, ELEMENT_FROM, ELEMENT_ITEMS},
                    .item_prefix = 2,
                    .item_size_max = CHAIN_SKELETON_MAX,
                    .items_max = CHAIN_SKELETONS_MAX,
                    .size_max = HASH_SIZE + CHAIN_SKELETONS_MAX * (2 + CHAIN_SKELETON_MAX)},
    [PEER_GET_HEADERS] = {.label = "get_headers",
                          .answer = PEER_HEADERS,
                          .elements = {ELEMENT_REQUEST, ELEMENT_MAX, ELEMENT_IDS, ELEMENT_WANTED},
                          .max_max = CHAIN_HEADERS_MAX,
                          .ids_max = CHAIN_LOCATOR_MAX,
                          .size_max = (CHAIN_LOCATOR_MAX + 1) * HASH_SIZE},
    [PEER_HEADERS] = {.label = "headers",
                      .elements = {ELEMENT_REQUEST, ELEMENT_ITEMS},
                      .item_size_max = CHAIN_HEADER_SIZE,
                      .items_max = CHAIN_HEADERS_MAX,
                      .size_max = CHAIN_HEADERS_MAX * CHAIN_HEADER_SIZE},
    [PEER_GET_BODIES] = {.label = "get_bodies",
                         .answer = PEER_BODIES,
                         .elements = {ELEMENT_REQUEST, ELEMENT_IDS},
                         .ids_min = 1,
                         .ids_max = PEER_GET_IDS_MAX,
                         .size_max = PEER_GET_IDS_MAX * HASH_SIZE},
    [PEER_BODIES] = {.label = "bodies",
                     .elements = {ELEMENT_REQUEST, ELEMENT_IDS, ELEMENT_ITEMS},
                     .ids_max = PEER_GET_IDS_MAX,
                     .item_prefix = 4,
                     .item_size_max = CHAIN_BODY_MAX,
                     .items_max = PEER_GET_IDS_MAX,
                     .size_max = PEER_ANSWER_BYTES_MAX},
    [PEER_GET_SHARES] = {.label = "get_shares",
                         .answer = PEER_SHARES,
                         .elements = {ELEMENT_REQUEST, ELEMENT_IDS},
                         .ids_min = 1,
                         .ids_max = PEER_GET_IDS_MAX,
                         .size_max = PEER_GET_IDS_MAX * HASH_SIZE},
    [PEER_SHARES] = {.label = "shares",
                     .elements = {ELEMENT_REQUEST, ELEMENT_ITEMS},
                     .item_prefix = 2,
                     .item_size_max = CHAIN_SHARE_MAX,
                     .items_max = PEER_GET_IDS_MAX,
                     .size_max = PEER_ANSWER_BYTES_MAX},
    [PEER_CHOKE] = {.label = "choke"},
    [PEER_UNCHOKE] = {.label = "unchoke"},
    [PEER_PEERS] = {.label = "peers",
                    .elements = {ELEMENT_ITEMS},
                    .item_prefix = 2,
                    .item_size_max = RECORD_SIZE_MAX,
                    .items_max = PEER_RECORDS_MAX,
                    .size_max = PEER_RECORDS_MAX * (2 + RECORD_SIZE_MAX)},
    [PEER_BLOCK] = {.label = "block",
                    .elements = {ELEMENT_SHARE, ELEMENT_BODY},
                    .body_size_max = PEER_BLOCK_SIZE_MAX,
                    .size_max = CHAIN_SHARE_MAX + PEER_BLOCK_SIZE_MAX},
    [PEER_BYE] = {.label = "bye", .elements = {ELEMENT_BYE}},
    [PEER_GET_LOOSE] = {.label = "get_loose", .answer = PEER_LOOSE, .elements = {ELEMENT_REQUEST}},
    [PEER_LOOSE] = {.label = "loose",
                    .elements = {ELEMENT_REQUEST, ELEMENT_IDS},
                    .ids_max = PEER_GET_IDS_MAX,
                    .size_max = PEER_GET_IDS_MAX * HASH_SIZE},
};

_Static_assert(CHAIN_SHARE_MAX + PEER_BLOCK_SIZE_MAX + ENVELOPE_SIZE_MAX == LINK_MESSAGE_MAX,
               "a block fits a link's message");
_Static_assert(PEER_HELLO == LINK_TYPE_MIN, "types below are the link's own");

// NULL for unknown types.
static const struct shape *find_shape(unsigned type)
{
    return type >= PEER_HELLO && type < PEER_TYPES_END ? &shapes[type] : NULL;
}

const char *peer_message_label(enum peer_message_type type)
{
    const struct shape *shape = find_shape(type);
    return shape == NULL ? "unknown" : shape->label;
}

enum peer_message_type peer_message_answer(enum peer_message_type request)
{
    const struct shape *shape = find_shape(request);
    return shape == NULL || shape->answer == 0 ? PEER_TYPES_END : shape->answer;
}

bool peer_share_id(const struct peer_bytes *share, struct hash256 *id)
{
    if (share->size < SHARE_HEADER_OFFSET + CHAIN_HEADER_SIZE)
        return false;
    sha256d_80(share->data + SHARE_HEADER_OFFSET, id);
    return true;
}

const char *peer_bye_text(enum peer_bye reason)
{
    switch (reason) {
    case PEER_BYE_STOPPING:
        return "the node is being stopped";
    case PEER_BYE_FULL:
        return "the node has no place for another peer";
    case PEER_BYE_EVICTED:
        return "another peer took the place";
    case PEER_BYE_BANNED:
        return "a rule was broken too often";
    case PEER_BYE_DUPLICATE:
        return "there is another link between the two nodes";
    case PEER_BYE_NOT_NEEDED:
        return "other nodes are nearer";
    case PEER_BYE_UNKNOWN:
        break;
    }
    return "a reason that this version does not know";
}

size_t peer_message_size_max(uint8_t type)
{
    const struct shape *shape = find_shape(type);
    return shape == NULL ? 0 : shape->size_max + ENVELOPE_SIZE_MAX;
}

// ---- Sequences

size_t peer_ids_count(const struct peer_bytes *ids)
{
    return ids->size / HASH_SIZE;
}

void peer_id_at(const struct peer_bytes *ids, size_t i, struct hash256 *id)
{
    assert(i < peer_ids_count(ids));
    memcpy(id->bytes, ids->data + i * HASH_SIZE, HASH_SIZE);
}

static bool next_item(const struct shape *shape, const struct peer_bytes *items, size_t *offset,
                      struct peer_bytes *item)
{
    struct reader reader = reader_init(items->data, items->size);
    read_view(&reader, *offset);
    item->size = shape->item_prefix == 0   ? shape->item_size_max
                 : shape->item_prefix == 2 ? read_u16(&reader)
                                           : read_u32(&reader);
    if (item->size == 0 || item->size > shape->item_size_max)
        return false;
    item->data = read_view(&reader, item->size);
    *offset = items->size - reader.left;
    return !reader.failed;
}

bool peer_item_next(const struct peer_message *message, size_t *offset, struct peer_bytes *item)
{
    const struct shape *shape = find_shape(message->type);
    assert(shape != NULL && shape->items_max > 0);
    return *offset < message->items.size && next_item(shape, &message->items, offset, item);
}

void peer_item_write(enum peer_message_type type, const void *data, size_t size, struct buffer *out)
{
    const struct shape *shape = find_shape(type);
    assert(shape != NULL && size > 0 && size <= shape->item_size_max);
    assert(shape->item_prefix != 0 || size == shape->item_size_max);
    if (shape->item_prefix == 2)
        write_u16(out, (uint16_t)size);
    if (shape->item_prefix == 4)
        write_u32(out, (uint32_t)size);
    write_bytes(out, data, size);
}

// Of bodies there are as many as ids.
static bool items_are_whole(const struct shape *shape, const struct peer_message *message)
{
    struct peer_bytes item;
    size_t count = 0;
    for (size_t offset = 0; offset < message->items.size; count++) {
        if (count == shape->items_max || !next_item(shape, &message->items, &offset, &item))
            return false;
    }
    return shape->ids_max == 0 || count == peer_ids_count(&message->ids);
}

// ---- Encoding

static void pack_element(msgpack_packer *packer, enum element element,
                         const struct peer_message *message)
{
    uint8_t work[32];
    switch (element) {
    case ELEMENT_VERSION:
        msgpack_pack_uint32(packer, message->version);
        return;
    case ELEMENT_HEIGHT:
        msgpack_pack_uint32(packer, message->tip.height);
        return;
    case ELEMENT_TIP:
        envelope_pack_bytes(packer, message->tip.id.bytes, HASH_SIZE);
        return;
    case ELEMENT_WORK:
        u256_to_bytes_le(&message->tip.work, work);
        envelope_pack_bytes(packer, work, sizeof work);
        return;
    case ELEMENT_CAPABILITIES:
        msgpack_pack_uint32(packer, message->capabilities);
        return;
    case ELEMENT_PORT:
        msgpack_pack_uint16(packer, message->port);
        return;
    case ELEMENT_REQUEST:
        msgpack_pack_uint32(packer, message->request);
        return;
    case ELEMENT_MAX:
        msgpack_pack_uint32(packer, message->max);
        return;
    case ELEMENT_FROM:
        envelope_pack_bytes(packer, message->from.bytes, HASH_SIZE);
        return;
    case ELEMENT_IDS:
        envelope_pack_bytes(packer, message->ids.data, message->ids.size);
        return;
    case ELEMENT_WANTED:
        envelope_pack_bytes(packer, message->wanted.bytes, HASH_SIZE);
        return;
    case ELEMENT_SHARE:
        envelope_pack_bytes(packer, message->share.data, message->share.size);
        return;
    case ELEMENT_BODY:
        envelope_pack_bytes(packer, message->body.data, message->body.size);
        return;
    case ELEMENT_ITEMS:
        envelope_pack_bytes(packer, message->items.data, message->items.size);
        return;
    case ELEMENT_BYE:
        msgpack_pack_unsigned_int(packer, message->bye);
        return;
    case ELEMENT_END:
        return;
    }
}

void peer_message_encode(const struct peer_message *message, struct buffer *out)
{
    const struct shape *shape = find_shape(message->type);
    msgpack_packer packer;
    assert(shape != NULL);
    size_t count = 0;
    while (shape->elements[count] != ELEMENT_END)
        count++;
    msgpack_packer_init(&packer, out, envelope_append);
    msgpack_pack_array(&packer, count);
    for (size_t i = 0; i < count; i++)
        pack_element(&packer, shape->elements[i], message);
}

// ---- Decoding, after envelope_check has found the whole array well-formed. By hand: msgpack-c
// would take memory for every message.

// The next `size` (1 to 8) bytes as msgpack has its numbers: the most significant byte first.
static uint64_t read_big(struct reader *reader, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | read_u8(reader);
    return value;
}

static bool get_uint(struct reader *reader, uint64_t max, uint64_t *value)
{
    uint8_t type = read_u8(reader);
    if (type <= 0x7f)
        *value = type;
    else if (type >= 0xcc && type <= 0xcf)
        *value = read_big(reader, 1u << (type - 0xcc));
    else
        return false;
    return !reader->failed && *value <= max;
}

static bool get_u32(struct reader *reader, uint32_t *value)
{
    uint64_t wide;
    bool is_right = get_uint(reader, UINT32_MAX, &wide);
    *value = is_right ? (uint32_t)wide : 0;
    return is_right;
}

static bool get_bytes(struct reader *reader, size_t min, size_t max, struct peer_bytes *bytes)
{
    uint8_t type = read_u8(reader);
    if (type < 0xc4 || type > 0xc6)
        return false;
    bytes->size = read_big(reader, 1u << (type - 0xc4));
    bytes->data = read_view(reader, bytes->size);
    return !reader->failed && bytes->size >= min && bytes->size <= max;
}

static bool get_hash(struct reader *reader, uint8_t out[HASH_SIZE])
{
    struct peer_bytes bytes;
    if (!get_bytes(reader, HASH_SIZE, HASH_SIZE, &bytes))
        return false;
    memcpy(out, bytes.data, HASH_SIZE);
    return true;
}

static bool get_ids(struct reader *reader, const struct shape *shape, struct peer_bytes *ids)
{
    return get_bytes(reader, shape->ids_min * HASH_SIZE, shape->ids_max * HASH_SIZE, ids) &&
           ids->size % HASH_SIZE == 0;
}

static bool get_work(struct reader *reader, struct u256 *work)
{
    uint8_t bytes[32];
    if (!get_hash(reader, bytes))
        return false;
    *work = u256_from_bytes_le(bytes);
    return true;
}

static bool get_port(struct reader *reader, uint16_t *port)
{
    uint64_t value;
    bool is_right = get_uint(reader, UINT16_MAX, &value);
    *port = is_right ? (uint16_t)value : 0;
    return is_right;
}

static bool get_bye(struct reader *reader, enum peer_bye *bye)
{
    uint64_t reason;
    if (!get_uint(reader, UINT64_MAX, &reason))
        return false;
    *bye = reason < PEER_BYE_UNKNOWN ? (enum peer_bye)reason : PEER_BYE_UNKNOWN;
    return true;
}

static bool get_element(struct reader *reader, enum element element, const struct shape *shape,
                        struct peer_message *message)
{
    switch (element) {
    case ELEMENT_VERSION:
        return get_u32(reader, &message->version);
    case ELEMENT_HEIGHT:
        return get_u32(reader, &message->tip.height);
    case ELEMENT_TIP:
        return get_hash(reader, message->tip.id.bytes);
    case ELEMENT_WORK:
        return get_work(reader, &message->tip.work);
    case ELEMENT_CAPABILITIES:
        return get_u32(reader, &message->capabilities);
    case ELEMENT_PORT:
        return get_port(reader, &message->port);
    case ELEMENT_REQUEST:
        return get_u32(reader, &message->request);
    case ELEMENT_MAX:
        return get_u32(reader, &message->max) && message->max >= 1 &&
               message->max <= shape->max_max;
    case ELEMENT_FROM:
        return get_hash(reader, message->from.bytes);
    case ELEMENT_IDS:
        return get_ids(reader, shape, &message->ids);
    case ELEMENT_WANTED:
        return get_hash(reader, message->wanted.bytes);
    case ELEMENT_SHARE:
        return get_bytes(reader, 1, CHAIN_SHARE_MAX, &message->share);
    case ELEMENT_BODY:
        return get_bytes(reader, 1, shape->body_size_max, &message->body);
    case ELEMENT_ITEMS:
        return get_bytes(reader, 0, shape->size_max, &message->items) &&
               items_are_whole(shape, message);
    case ELEMENT_BYE:
        return get_bye(reader, &message->bye);
    case ELEMENT_END:
        break;
    }
    return false;
}

static uint32_t read_array_head(struct reader *reader)
{
    uint8_t type = read_u8(reader);
    if (type >= 0x90 && type <= 0x9f)
        return type & 0x0f;
    return (uint32_t)read_big(reader, type == 0xdc ? 2 : 4);
}

bool peer_message_decode(uint8_t type, const void *data, size_t size, struct peer_message *message)
{
    const struct shape *shape = find_shape(type);
    struct reader reader = reader_init(data, size);
    size_t used;
    memset(message, 0, sizeof *message);
    if (shape == NULL || size > peer_message_size_max(type) || !envelope_check(data, size, &used) ||
        used != size)
        return false;
    message->type = (enum peer_message_type)type;
    size_t count = read_array_head(&reader);
    for (size_t i = 0; shape->elements[i] != ELEMENT_END; i++) {
        if (i >= count && shape->elements[i] == ELEMENT_WANTED)
            continue;
        if (i >= count || !get_element(&reader, shape->elements[i], shape, message))
            return false;
    }
    return true;
}
