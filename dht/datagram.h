// Datagrams of the DHT (p2p.md, DHT): the part in clear, which tells whether a datagram is worth a
// Diffie-Hellman, and the sealed message. At most 1200 bytes. Pure functions; sends nothing.
//
//   request = u8 1, u64 token or 0, bytes(24) nonce, bytes(32) sign key, u64 pow_nonce,
//             bytes(32) dht key, sealed message
//   answer  = u8 2, bytes(24) nonce, sealed message
//   retry   = u8 3, bytes(8) transaction, u64 token
//
// Sealed by XChaCha20-Poly1305 under the pair's key, with all bytes before it as associated data.
// The first 8 bytes of a nonce are the transaction, random, chosen by who asks; the other 16 are
// random. A retry says: ask again with this token; it answers strangers when they are many.
#ifndef SHOAL_DHT_DATAGRAM_H
#define SHOAL_DHT_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/identity.h"
#include "dht/message.h"
#include "dht/sealing.h"
#include "node/base/env.h"

#define DATAGRAM_SIZE_MAX         1200
#define DATAGRAM_REQUEST_OVERHEAD 121
#define DATAGRAM_ANSWER_OVERHEAD  41
#define DATAGRAM_RETRY_SIZE       17

enum datagram_kind { DATAGRAM_REQUEST = 1, DATAGRAM_ANSWER = 2, DATAGRAM_RETRY = 3 };

struct transaction {
    uint8_t bytes[8];
};

struct datagram_head {
    enum datagram_kind kind;
    struct transaction transaction;
    uint64_t token; // not of answers
    // Of requests only:
    struct sign_key sign_key;
    uint64_t pow_nonce;
    struct dht_key dht_key;
};

bool transaction_equal(const struct transaction *a, const struct transaction *b);

// False if no datagram of ours can look so; nothing is proven if it can.
bool datagram_head_decode(const void *data, size_t size, struct datagram_head *head);

struct datagram_sealing {
    const struct pair_key *key;
    const struct env *env; // for the nonce
    size_t size_min;       // zeros after the message fill up to this size of datagram
};

// Writes a request or an answer: head and sealed message. False if larger than DATAGRAM_SIZE_MAX.
bool datagram_seal(const struct datagram_head *head, const struct datagram_sealing *sealing,
                   const void *message, size_t message_size, struct buffer *out);
void datagram_retry(const struct transaction *transaction, uint64_t token, struct buffer *out);
// The message of a request or an answer, up to DATAGRAM_SIZE_MAX bytes; false if it is not sealed
// by the pair.
bool datagram_open(const void *data, size_t size, const struct pair_key *key,
                   uint8_t message[DATAGRAM_SIZE_MAX], size_t *message_size);

#endif
