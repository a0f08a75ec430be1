#include "node/bitcoin/header.h"

#include <assert.h>
#include "node/base/bytes.h"
#include "node/pow/sha256.h"

void header_decode(const uint8_t bytes[HEADER_SIZE], struct header *header)
{
    struct reader reader = reader_init(bytes, HEADER_SIZE);
    header->version = read_u32(&reader);
    read_bytes(&reader, header->prev.bytes, sizeof header->prev.bytes);
    read_bytes(&reader, header->merkle_root.bytes, sizeof header->merkle_root.bytes);
    header->time = read_u32(&reader);
    header->bits = read_u32(&reader);
    header->nonce = read_u32(&reader);
    assert(reader_is_done(&reader));
}

void header_encode(const struct header *header, uint8_t bytes[HEADER_SIZE])
{
    struct buffer out;
    buffer_init_fixed(&out, bytes, HEADER_SIZE);
    write_u32(&out, header->version);
    write_bytes(&out, header->prev.bytes, sizeof header->prev.bytes);
    write_bytes(&out, header->merkle_root.bytes, sizeof header->merkle_root.bytes);
    write_u32(&out, header->time);
    write_u32(&out, header->bits);
    write_u32(&out, header->nonce);
    assert(!out.failed && out.size == HEADER_SIZE);
}

void header_id(const uint8_t bytes[HEADER_SIZE], struct hash256 *id)
{
    sha256d_80(bytes, id);
}
