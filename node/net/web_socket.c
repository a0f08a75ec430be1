#include "node/net/web_socket.h"
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define CLOSE_NORMAL    1000u
#define CLOSE_PROTOCOL  1002u
#define CLOSE_TOO_LARGE 1009u

bool web_socket_accept(const char *key, char out[WEB_SOCKET_ACCEPT_SIZE])
{
    uint8_t nonce[16], hash[EVP_MAX_MD_SIZE];
    size_t nonce_size;
    char text[64];
    if (strlen(key) != 24 ||
        sodium_base642bin(nonce, sizeof(nonce), key, 24, NULL, &nonce_size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        nonce_size != sizeof(nonce))
        return false;
    // RFC 6455, 4.2.2: the key and this text, hashed with SHA-1.
    int size = snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    unsigned hash_size = 0;
    if (EVP_Digest(text, (size_t)size, hash, &hash_size, EVP_sha1(), NULL) != 1)
        return false;
    sodium_bin2base64(out, WEB_SOCKET_ACCEPT_SIZE, hash, hash_size, sodium_base64_VARIANT_ORIGINAL);
    return true;
}

void web_socket_write(enum web_socket_kind kind, const void *data, size_t size, struct buffer *out)
{
    write_u8(out, (uint8_t)(0x80 | kind));
    if (size < 126) {
        write_u8(out, (uint8_t)size);
    } else if (size <= UINT16_MAX) {
        write_u8(out, 126);
        write_u8(out, (uint8_t)(size >> 8));
        write_u8(out, (uint8_t)size);
    } else {
        write_u8(out, 127);
        write_u32_be(out, (uint32_t)((uint64_t)size >> 32));
        write_u32_be(out, (uint32_t)size);
    }
    write_bytes(out, data, size);
}

static unsigned write_close(unsigned code, struct buffer *out)
{
    uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    web_socket_write(WEB_SOCKET_CLOSE, payload, sizeof(payload), out);
    return code;
}

// ---- Reading

// How many bytes the head has, as far as its first two tell; 2 before.
static size_t head_size_wanted(const struct web_socket_reader *reader)
{
    if (reader->head_size < 2)
        return 2;
    unsigned length = reader->head[1] & 0x7f;
    return 6u + (length == 126 ? 2u : length == 127 ? 8u : 0u);
}

static unsigned judge_control(const struct web_socket_reader *reader)
{
    bool is_final = (reader->head[0] & 0x80) != 0;
    bool is_known = reader->kind == WEB_SOCKET_CLOSE || reader->kind == WEB_SOCKET_PING ||
                    reader->kind == WEB_SOCKET_PONG;
    return is_final && is_known && reader->left <= WEB_SOCKET_CONTROL_MAX ? 0 : CLOSE_PROTOCOL;
}

static unsigned judge_data(struct web_socket_reader *reader)
{
    bool is_begin = reader->kind == WEB_SOCKET_TEXT || reader->kind == WEB_SOCKET_BINARY;
    bool is_more = reader->kind == WEB_SOCKET_CONTINUATION;
    if ((!is_begin && !is_more) || is_more != reader->is_in_message)
        return CLOSE_PROTOCOL;
    reader->is_in_message = (reader->head[0] & 0x80) == 0;
    return reader->left > WEB_SOCKET_FRAME_MAX ? CLOSE_TOO_LARGE : 0;
}

static unsigned begin_frame(struct web_socket_reader *reader)
{
    const uint8_t *head = reader->head;
    unsigned length = head[1] & 0x7f;
    reader->kind = head[0] & 0x0f;
    reader->left = length;
    if (length >= 126) {
        reader->left = 0;
        for (size_t i = 2; i < (length == 126 ? 4u : 10u); i++)
            reader->left = reader->left << 8 | head[i];
    }
    reader->is_in_payload = true;
    reader->control_size = 0;
    return reader->kind >= WEB_SOCKET_CLOSE ? judge_control(reader) : judge_data(reader);
}

// One byte more of a frame's head.
static unsigned take_head(struct web_socket_reader *reader, uint8_t byte)
{
    reader->head[reader->head_size] = byte;
    reader->head_size++;
    // No extension was agreed on, and what a client sends is masked.
    if (reader->head_size == 2 && ((reader->head[0] & 0x70) != 0 || (reader->head[1] & 0x80) == 0))
        return CLOSE_PROTOCOL;
    return reader->head_size < head_size_wanted(reader) ? 0 : begin_frame(reader);
}

// As much of the payload as is there; of data frames nothing is kept.
static size_t take_payload(struct web_socket_reader *reader, const uint8_t *data, size_t size)
{
    size_t taken = size < reader->left ? size : (size_t)reader->left;
    if (reader->kind >= WEB_SOCKET_CLOSE) {
        memcpy(reader->control + reader->control_size, data, taken);
        reader->control_size += taken;
    }
    reader->left -= taken;
    return taken;
}

static unsigned end_frame(struct web_socket_reader *reader, struct buffer *out)
{
    reader->is_in_payload = false;
    const uint8_t *mask = reader->head + reader->head_size - 4;
    for (size_t i = 0; i < reader->control_size; i++)
        reader->control[i] ^= mask[i % 4];
    reader->head_size = 0;
    if (reader->kind == WEB_SOCKET_CLOSE)
        return write_close(CLOSE_NORMAL, out);
    if (reader->kind == WEB_SOCKET_PING)
        web_socket_write(WEB_SOCKET_PONG, reader->control, reader->control_size, out);
    return 0;
}

unsigned web_socket_read(struct web_socket_reader *reader, const uint8_t *data, size_t size,
                         struct buffer *out)
{
    unsigned code = 0;
    while (size > 0 && code == 0) {
        size_t taken = 1;
        if (reader->is_in_payload)
            taken = take_payload(reader, data, size);
        else
            code = take_head(reader, *data);
        if (code != 0)
            return write_close(code, out);
        data += taken;
        size -= taken;
        if (reader->is_in_payload && reader->left == 0)
            code = end_frame(reader, out);
    }
    return code;
}
