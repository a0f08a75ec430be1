#include "dht/message.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>
#include "dht/envelope.h"

#define NODE_IPV4_SIZE 46
#define NODE_IPV6_SIZE 58

static void write_endpoint(const struct endpoint *endpoint, struct buffer *out)
{
    if (endpoint->address.family == ADDRESS_NONE)
        return;
    write_bytes(out, endpoint->address.bytes, endpoint->address.family == ADDRESS_IPV4 ? 4 : 16);
    write_u16(out, endpoint->port);
}

void dht_request_encode(const struct dht_request *request, struct buffer *out)
{
    msgpack_packer packer;
    bool has_key = !hash_is_zero(&request->key);
    msgpack_packer_init(&packer, out, envelope_append);
    msgpack_pack_array(&packer, 5);
    msgpack_pack_unsigned_int(&packer, request->method);
    msgpack_pack_unsigned_int(&packer, request->flags);
    envelope_pack_bytes(&packer, request->key.bytes, has_key ? sizeof request->key.bytes : 0);
    msgpack_pack_uint16(&packer, request->port);
    envelope_pack_bytes(&packer, request->value.data, request->value.size);
}

static void pack_nodes(msgpack_packer *packer, const struct dht_answer *answer,
                       enum address_family family)
{
    uint8_t bytes[MESSAGE_NODES_MAX * NODE_IPV6_SIZE];
    struct buffer nodes;
    buffer_init_fixed(&nodes, bytes, sizeof bytes);
    for (size_t i = 0; i < answer->nodes_count; i++) {
        const struct hint *hint = &answer->nodes[i];
        if (hint->endpoint.address.family != family)
            continue;
        write_u32_be(&nodes, (uint32_t)(hint->id_start.value >> 32));
        write_u32_be(&nodes, (uint32_t)hint->id_start.value);
        write_bytes(&nodes, hint->key.bytes, sizeof hint->key.bytes);
        write_endpoint(&hint->endpoint, &nodes);
    }
    assert(!nodes.failed);
    envelope_pack_bytes(packer, nodes.data, nodes.size);
}

static void encode_answer(const struct dht_answer *answer, struct buffer *out)
{
    msgpack_packer packer;
    uint8_t bytes[18];
    struct buffer asker;
    buffer_init_fixed(&asker, bytes, sizeof bytes);
    write_endpoint(&answer->asker, &asker);
    msgpack_packer_init(&packer, out, envelope_append);
    msgpack_pack_array(&packer, 7);
    msgpack_pack_unsigned_int(&packer, answer->status);
    msgpack_pack_uint64(&packer, answer->token);
    envelope_pack_bytes(&packer, asker.data, asker.size);
    envelope_pack_bytes(&packer, answer->record.data, answer->record.size);
    pack_nodes(&packer, answer, ADDRESS_IPV4);
    pack_nodes(&packer, answer, ADDRESS_IPV6);
    msgpack_pack_array(&packer, answer->values_count);
    for (size_t i = 0; i < answer->values_count; i++)
        envelope_pack_bytes(&packer, answer->values[i].data, answer->values[i].size);
}

// Makes the answer smaller by at most `excess` bytes or a little more; false if it is bare.
static bool shorten(struct dht_answer *answer, size_t excess)
{
    if (answer->nodes_count > 0) {
        size_t dropped = (excess + NODE_IPV6_SIZE - 1) / NODE_IPV6_SIZE;
        answer->nodes_count -= dropped < answer->nodes_count ? dropped : answer->nodes_count;
        return true;
    }
    if (answer->values_count > 0) {
        answer->values_count--;
        return true;
    }
    bool had_record = answer->record.size > 0;
    answer->record.size = 0;
    return had_record;
}

bool dht_answer_encode(const struct dht_answer *answer, size_t size_max, struct buffer *out)
{
    struct dht_answer rest = *answer;
    uint8_t bytes[4 * MESSAGE_SIZE_MAX];
    struct buffer encoded;
    buffer_init_fixed(&encoded, bytes, sizeof bytes);
    for (encode_answer(&rest, &encoded); encoded.size > size_max; encode_answer(&rest, &encoded)) {
        if (!shorten(&rest, encoded.size - size_max))
            return false;
        buffer_reset(&encoded);
    }
    assert(!encoded.failed);
    write_bytes(out, encoded.data, encoded.size);
    return !out->failed;
}

// A message that msgpack-c has taken apart; element i of its array may be missing.
struct parsed {
    msgpack_unpacked unpacked;
    msgpack_object_array array;
};

static bool is_padding(const uint8_t *data, size_t size)
{
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++)
        all |= data[i];
    return all == 0;
}

static bool parse(const void *data, size_t size, size_t count_min, struct parsed *parsed)
{
    size_t used;
    size_t offset = 0;
    if (size > MESSAGE_SIZE_MAX || !envelope_check(data, size, &used))
        return false;
    if (!is_padding((const uint8_t *)data + used, size - used))
        return false;
    msgpack_unpacked_init(&parsed->unpacked);
    if (msgpack_unpack_next(&parsed->unpacked, data, used, &offset) == MSGPACK_UNPACK_SUCCESS) {
        parsed->array = parsed->unpacked.data.via.array;
        if (parsed->array.size >= count_min)
            return true;
    }
    msgpack_unpacked_destroy(&parsed->unpacked);
    return false;
}

static bool get_uint(const msgpack_object *object, uint64_t max, uint64_t *value)
{
    *value = object->via.u64;
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && *value <= max;
}

static bool get_bytes(const msgpack_object *object, struct message_bytes *bytes)
{
    if (object->type != MSGPACK_OBJECT_BIN)
        return false;
    // msgpack-c points into what it was given.
    *bytes = (struct message_bytes){(const uint8_t *)object->via.bin.ptr, object->via.bin.size};
    return true;
}

static bool fill_request(const msgpack_object *elements, struct dht_request *request)
{
    uint64_t method;
    uint64_t flags;
    uint64_t port;
    struct message_bytes key;
    if (!get_uint(&elements[0], UINT8_MAX, &method) || !get_uint(&elements[1], UINT8_MAX, &flags) ||
        !get_bytes(&elements[2], &key) || !get_uint(&elements[3], UINT16_MAX, &port) ||
        !get_bytes(&elements[4], &request->value))
        return false;
    if (key.size != 0 && key.size != sizeof request->key.bytes)
        return false;
    if (key.size != 0)
        memcpy(request->key.bytes, key.data, sizeof request->key.bytes);
    request->method = (unsigned)method;
    request->flags = (unsigned)flags;
    request->port = (uint16_t)port;
    return true;
}

bool dht_request_decode(const void *data, size_t size, struct dht_request *request)
{
    struct parsed parsed;
    memset(request, 0, sizeof *request);
    if (!parse(data, size, 5, &parsed))
        return false;
    bool is_right = fill_request(parsed.array.ptr, request);
    msgpack_unpacked_destroy(&parsed.unpacked);
    return is_right;
}

static struct endpoint read_endpoint(struct reader *reader, enum address_family family)
{
    uint8_t bytes[16];
    read_bytes(reader, bytes, family == ADDRESS_IPV4 ? 4 : 16);
    struct address address = family == ADDRESS_IPV4 ? address_ipv4(bytes) : address_ipv6(bytes);
    return (struct endpoint){address, read_u16(reader)};
}

static bool get_nodes(const msgpack_object *object, enum address_family family,
                      struct dht_answer *answer)
{
    size_t node_size = family == ADDRESS_IPV4 ? NODE_IPV4_SIZE : NODE_IPV6_SIZE;
    struct message_bytes bytes;
    if (!get_bytes(object, &bytes) || bytes.size % node_size != 0 ||
        bytes.size / node_size > MESSAGE_NODES_MAX)
        return false;
    struct reader reader = reader_init(bytes.data, bytes.size);
    while (reader.left > 0) {
        struct hint *hint = &answer->nodes[answer->nodes_count];
        uint64_t high = read_u32_be(&reader);
        hint->id_start.value = high << 32 | read_u32_be(&reader);
        read_bytes(&reader, hint->key.bytes, sizeof hint->key.bytes);
        hint->endpoint = read_endpoint(&reader, family);
        // An IPv4-mapped address is none of this family.
        answer->nodes_count += hint->endpoint.port != 0 && hint->endpoint.address.family == family;
    }
    return true;
}

static bool get_asker(const msgpack_object *object, struct endpoint *asker)
{
    struct message_bytes bytes;
    if (!get_bytes(object, &bytes) || (bytes.size != 0 && bytes.size != 6 && bytes.size != 18))
        return false;
    struct reader reader = reader_init(bytes.data, bytes.size);
    if (bytes.size != 0)
        *asker = read_endpoint(&reader, bytes.size == 6 ? ADDRESS_IPV4 : ADDRESS_IPV6);
    return true;
}

static bool get_values(const msgpack_object *object, struct dht_answer *answer)
{
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size > MESSAGE_VALUES_MAX)
        return false;
    for (uint32_t i = 0; i < object->via.array.size; i++) {
        if (!get_bytes(&object->via.array.ptr[i], &answer->values[i]))
            return false;
    }
    answer->values_count = object->via.array.size;
    return true;
}

static bool fill_answer(const msgpack_object *elements, struct dht_answer *answer)
{
    uint64_t status;
    if (!get_uint(&elements[0], UINT8_MAX, &status) ||
        !get_uint(&elements[1], UINT64_MAX, &answer->token) ||
        !get_asker(&elements[2], &answer->asker) || !get_bytes(&elements[3], &answer->record))
        return false;
    answer->status = (unsigned)status;
    return get_nodes(&elements[4], ADDRESS_IPV4, answer) &&
           get_nodes(&elements[5], ADDRESS_IPV6, answer) && get_values(&elements[6], answer);
}

bool dht_answer_decode(const void *data, size_t size, struct dht_answer *answer)
{
    struct parsed parsed;
    memset(answer, 0, sizeof *answer);
    if (!parse(data, size, 7, &parsed))
        return false;
    bool is_right = fill_answer(parsed.array.ptr, answer);
    msgpack_unpacked_destroy(&parsed.unpacked);
    return is_right;
}
