#include "dht/datagram.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define NONCE_SIZE        crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE          crypto_aead_xchacha20poly1305_ietf_ABYTES
#define REQUEST_HEAD_SIZE (1 + 8 + NONCE_SIZE + 32 + 8 + 32)
#define ANSWER_HEAD_SIZE  (1 + NONCE_SIZE)

_Static_assert(REQUEST_HEAD_SIZE + TAG_SIZE == DATAGRAM_REQUEST_OVERHEAD, "as the header says");
_Static_assert(ANSWER_HEAD_SIZE + TAG_SIZE == DATAGRAM_ANSWER_OVERHEAD, "as the header says");

bool transaction_equal(const struct transaction *a, const struct transaction *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool datagram_head_decode(const void *data, size_t size, struct datagram_head *head)
{
    struct reader reader = reader_init(data, size);
    uint8_t kind = read_u8(&reader);
    memset(head, 0, sizeof *head);
    if (size > DATAGRAM_SIZE_MAX || kind < DATAGRAM_REQUEST || kind > DATAGRAM_RETRY)
        return false;
    head->kind = (enum datagram_kind)kind;
    if (head->kind == DATAGRAM_REQUEST)
        head->token = read_u64(&reader);
    read_bytes(&reader, head->transaction.bytes, sizeof head->transaction.bytes);
    if (head->kind == DATAGRAM_RETRY) {
        head->token = read_u64(&reader);
        return reader_is_done(&reader);
    }
    read_view(&reader, NONCE_SIZE - sizeof head->transaction.bytes);
    if (head->kind == DATAGRAM_REQUEST) {
        read_bytes(&reader, head->sign_key.bytes, sizeof head->sign_key.bytes);
        head->pow_nonce = read_u64(&reader);
        read_bytes(&reader, head->dht_key.bytes, sizeof head->dht_key.bytes);
    }
    return !reader.failed && reader.left > TAG_SIZE;
}

static void write_head(const struct datagram_head *head, const uint8_t nonce[NONCE_SIZE],
                       struct buffer *out)
{
    write_u8(out, (uint8_t)head->kind);
    if (head->kind == DATAGRAM_REQUEST)
        write_u64(out, head->token);
    write_bytes(out, nonce, NONCE_SIZE);
    if (head->kind == DATAGRAM_REQUEST) {
        write_bytes(out, head->sign_key.bytes, sizeof head->sign_key.bytes);
        write_u64(out, head->pow_nonce);
        write_bytes(out, head->dht_key.bytes, sizeof head->dht_key.bytes);
    }
}

bool datagram_seal(const struct datagram_head *head, const struct datagram_sealing *sealing,
                   const void *message, size_t message_size, struct buffer *out)
{
    uint8_t bytes[DATAGRAM_SIZE_MAX];
    uint8_t plain[DATAGRAM_SIZE_MAX] = {0};
    uint8_t nonce[NONCE_SIZE];
    struct buffer datagram;
    assert(head->kind != DATAGRAM_RETRY && sealing->size_min <= DATAGRAM_SIZE_MAX);
    memcpy(nonce, head->transaction.bytes, sizeof head->transaction.bytes);
    env_random_bytes(sealing->env, nonce + 8, NONCE_SIZE - 8);
    buffer_init_fixed(&datagram, bytes, sizeof bytes);
    write_head(head, nonce, &datagram);
    size_t size = datagram.size + message_size + TAG_SIZE;
    if (message_size > sizeof plain || size > DATAGRAM_SIZE_MAX)
        return false;
    memcpy(plain, message, message_size);
    if (size < sealing->size_min)
        message_size += sealing->size_min - size;
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + datagram.size, NULL, plain, message_size,
                                               bytes, datagram.size, NULL, nonce,
                                               sealing->key->bytes);
    write_bytes(out, bytes, datagram.size + message_size + TAG_SIZE);
    return !out->failed;
}

void datagram_retry(const struct transaction *transaction, uint64_t token, struct buffer *out)
{
    write_u8(out, DATAGRAM_RETRY);
    write_bytes(out, transaction->bytes, sizeof transaction->bytes);
    write_u64(out, token);
}

bool datagram_open(const void *data, size_t size, const struct pair_key *key,
                   uint8_t message[DATAGRAM_SIZE_MAX], size_t *message_size)
{
    const uint8_t *bytes = data;
    bool is_request = size > 0 && bytes[0] == DATAGRAM_REQUEST;
    size_t head_size = is_request ? REQUEST_HEAD_SIZE : ANSWER_HEAD_SIZE;
    if (size > DATAGRAM_SIZE_MAX || size < head_size + TAG_SIZE)
        return false;
    unsigned long long opened;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(message, &opened, NULL, bytes + head_size,
                                                   size - head_size, bytes, head_size,
                                                   bytes + (is_request ? 9 : 1), key->bytes) != 0)
        return false;
    *message_size = (size_t)opened;
    return true;
}
