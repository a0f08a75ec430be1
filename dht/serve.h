// Answers the GET_ requests of peers out of the share-chain, bounded per peer: a bucket of bytes,
// one answer at most PEER_ANSWER_BYTES_MAX, and nothing while the peer's link is full. Used by
// network.c only.
#ifndef SHOAL_DHT_SERVE_H
#define SHOAL_DHT_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include "dht/chain.h"
#include "dht/link.h"
#include "dht/peer_message.h"
#include "node/base/bytes.h"
#include "node/base/time.h"

#define SERVE_BYTES_SECOND (16u << 20) // to one peer
#define SERVE_BURST        (32u << 20) // after a pause
#define SERVE_QUEUE_MAX    16          // requests of one peer that wait; more are a fault

// Of one peer: plain data, owned by the peer.
struct serve_bucket {
    int64_t bytes; // may be taken now; below 0 after a large answer
    struct mono_time filled;
};
void serve_bucket_init(struct serve_bucket *bucket, struct now now);

// Whether an answer may be made now. If not, *when is the earliest time for another try.
bool serve_is_allowed(struct serve_bucket *bucket, struct now now, struct mono_time *when);
// Appends the payload of the answer to *out and charges it; the type of the answer in *type.
// False if the request is no GET_.
bool serve_answer(const struct network_chain *chain, const struct peer_message *request,
                  struct serve_bucket *bucket, enum peer_message_type *type, struct buffer *out);

#endif
