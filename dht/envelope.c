#include "dht/envelope.h"

#include <msgpack.h>
#include <stdint.h>
#include "node/base/bytes.h"

struct walk {
    struct reader reader;
    size_t elements_left;
};

static uint32_t read_size(struct reader *reader, unsigned bytes)
{
    uint32_t size = 0;
    for (unsigned i = 0; i < bytes; i++)
        size = size << 8 | read_u8(reader);
    return size;
}

static bool walk_value(struct walk *walk, unsigned depth);

static bool walk_array(struct walk *walk, uint32_t count, unsigned depth)
{
    if (depth > ENVELOPE_DEPTH_MAX || count > walk->elements_left)
        return false;
    walk->elements_left -= count;
    for (uint32_t i = 0; i < count; i++) {
        if (!walk_value(walk, depth + 1))
            return false;
    }
    return true;
}

// The types of the msgpack specification by their first byte.
static bool walk_value(struct walk *walk, unsigned depth)
{
    struct reader *reader = &walk->reader;
    uint8_t type = read_u8(reader);
    uint32_t size = 0;
    if (type >= 0x90 && type <= 0x9f)
        return walk_array(walk, type & 0x0f, depth) && !reader->failed;
    if (type == 0xdc || type == 0xdd) {
        size = read_size(reader, type == 0xdc ? 2 : 4);
        return !reader->failed && walk_array(walk, size, depth);
    }
    if (type >= 0xa0 && type <= 0xbf)
        size = type & 0x1f;
    else if (type >= 0xc4 && type <= 0xc6)
        size = read_size(reader, 1u << (type - 0xc4));
    else if (type >= 0xd9 && type <= 0xdb)
        size = read_size(reader, 1u << (type - 0xd9));
    else if (type >= 0xcc && type <= 0xcf)
        size = 1u << (type - 0xcc);
    else if (type >= 0xd0 && type <= 0xd3)
        size = 1u << (type - 0xd0);
    else if (!(type <= 0x7f || type >= 0xe0 || type == 0xc0 || type == 0xc2 || type == 0xc3))
        return false; // maps, floats, extensions
    read_view(reader, size);
    return !reader->failed;
}

bool envelope_check(const void *data, size_t size, size_t *used)
{
    const uint8_t *bytes = data;
    struct walk walk = {reader_init(data, size), ENVELOPE_ELEMENTS_MAX};
    bool is_array = size > 0 && ((bytes[0] >= 0x90 && bytes[0] <= 0x9f) || bytes[0] == 0xdc ||
                                 bytes[0] == 0xdd);
    if (!is_array || !walk_value(&walk, 1))
        return false;
    *used = size - walk.reader.left;
    return true;
}

int envelope_append(void *buffer, const char *data, size_t size)
{
    write_bytes(buffer, data, size);
    return 0;
}

void envelope_pack_bytes(struct msgpack_packer *packer, const void *data, size_t size)
{
    msgpack_pack_bin(packer, size);
    if (size > 0)
        msgpack_pack_bin_body(packer, data, size);
}
