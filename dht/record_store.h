// Records that other nodes asked us to keep (p2p.md, DHT): node records under the node's own id and
// under topic keys, for 2 hours at most. Of fixed size: what a neighbourhood of addresses may fill
// is bounded, and when all is full the record furthest from us gives way. Judges no record: the
// caller verified it and knows that it belongs under its key.
#ifndef SHOAL_DHT_RECORD_STORE_H
#define SHOAL_DHT_RECORD_STORE_H

#include <stddef.h>
#include <stdint.h>
#include "dht/contact.h"
#include "dht/endpoint.h"
#include "dht/message.h"
#include "dht/record.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define RECORD_STORE_MAX         1024
#define RECORD_STORE_NEAR_MAX    8  // asked for from one /24 or /48
#define RECORD_STORE_KEY_MAX     64 // under one key
#define RECORD_STORE_LIFETIME_MS (1000 * (int64_t)RECORD_LIFETIME_SECONDS)

struct record_store;

struct record_store_config {
    struct node_id own;
    size_t count_max; // 1..RECORD_STORE_MAX
    bool is_crowded;  // no limit by neighbourhood: see routing_table.h
};

struct record_put {
    struct hash256 key;
    struct sign_key maker;
    uint64_t seq;
    uint32_t expiry; // seconds since 1970
    struct message_bytes record;
    struct address asker; // who is charged
};

struct record_store *record_store_new(const struct record_store_config *config);
void record_store_free(struct record_store *store);

// DHT_OK (kept, or renewed), DHT_OLD or DHT_FULL. The record is at most RECORD_SIZE_MAX bytes.
enum dht_status record_store_put(struct record_store *store, const struct record_put *put,
                                 struct now now);
// Records under a key that have not expired, at most `count_max`, a random choice of them where
// there are more. The views hold until the store changes.
size_t record_store_get(struct record_store *store, const struct hash256 *key,
                        const struct env *env, struct message_bytes *out, size_t count_max);
// Drops what has expired; any time, some times an hour.
void record_store_expire(struct record_store *store, struct now now);
size_t record_store_count(const struct record_store *store);

#endif
