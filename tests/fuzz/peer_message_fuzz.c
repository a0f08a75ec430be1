// Any bytes as a message of any type: what decodes encodes to what decodes to the same again. The
// first byte is the type.
#include <assert.h>
#include <string.h>
#include "dht/link.h"
#include "dht/peer_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_same(const struct peer_bytes *a, const struct peer_bytes *b)
{
    assert(a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0));
}

static size_t walk(const struct peer_message *message)
{
    struct peer_bytes item;
    size_t count = 0;
    uint8_t sum = 0;
    if (message->items.size == 0)
        return 0;
    for (size_t offset = 0; peer_item_next(message, &offset, &item); count++) {
        assert(item.size > 0 && offset <= message->items.size);
        for (size_t i = 0; i < item.size; i++)
            sum ^= item.data[i];
    }
    return count + (sum & 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer_message message;
    struct peer_message again;
    struct buffer out;
    if (size == 0 || !peer_message_decode(data[0], data + 1, size - 1, &message))
        return 0;
    assert(size - 1 <= peer_message_size_max(data[0]));
    buffer_init(&out, LINK_MESSAGE_MAX);
    peer_message_encode(&message, &out);
    assert(!out.failed && out.size <= peer_message_size_max(data[0]));
    bool is_decoded = peer_message_decode(data[0], out.data, out.size, &again);
    assert(is_decoded && again.type == message.type && again.request == message.request);
    assert(again.max == message.max && again.version == message.version);
    assert(again.capabilities == message.capabilities && again.port == message.port);
    assert(again.tip.height == message.tip.height && again.bye == message.bye);
    assert(hash_equal(&again.tip.id, &message.tip.id) && hash_equal(&again.from, &message.from));
    assert(u256_compare(&again.tip.work, &message.tip.work) == 0);
    assert(hash_equal(&again.wanted, &message.wanted));
    assert_same(&again.ids, &message.ids);
    assert_same(&again.share, &message.share);
    assert_same(&again.body, &message.body);
    assert_same(&again.items, &message.items);
    size_t count = walk(&message);
    assert(walk(&again) == count);
    for (size_t i = 0; i < peer_ids_count(&message.ids); i++) {
        struct hash256 id;
        peer_id_at(&message.ids, i, &id);
    }
    buffer_clear(&out);
    return 0;
}
