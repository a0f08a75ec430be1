// The nodes we know, by distance (p2p.md, DHT): buckets of 16 by the number of leading bits that an
// id shares with ours, the first two, where most nodes are and every look-up begins, 64 and 32. One
// table per address family. A node enters by an answer to us, and leaves when our own pings fail;
// nothing that others send makes it enter or leave. Sends nothing: the owner asks whom to ping.
#ifndef SHOAL_DHT_ROUTING_TABLE_H
#define SHOAL_DHT_ROUTING_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/contact.h"
#include "dht/rtt.h"
#include "node/base/bytes.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define ROUTING_BUCKET_MAX       16
#define ROUTING_BUCKET_0_MAX     64
#define ROUTING_BUCKET_1_MAX     32
#define ROUTING_REPLACEMENTS_MAX 10 // per bucket: answered us, found no place
#define ROUTING_BUCKET_NEAR_MAX  2  // per bucket and /24 or /48
#define ROUTING_BUCKET_WIDE_MAX  4  // per bucket and /16 or /32
#define ROUTING_TABLE_NEAR_MAX   10 // per table and /24 or /48
#define ROUTING_PINGS            3  // a lost query, then these: ROUTING_PING_MS after it
#define ROUTING_SAVED_MAX        512
#define ROUTING_SAVED_SIZE_MAX   (8 + ROUTING_SAVED_MAX * 83)

struct routing_table;

struct routing_config {
    struct node_id own;
    // Nodes may share addresses: for pools of one machine or one lab, where the limits by
    // neighbourhood would leave everybody alone.
    bool is_crowded;
};

struct routing_node {
    // What walks of a table look at stands together.
    struct mono_time next_check; // MONO_NEVER: not suspect
    struct address_group near;   // of its address, as is the next
    struct address_group wide;
    struct contact contact;
    struct rtt rtt;
    struct mono_time answered; // last time
    uint64_t token;            // the last it gave us: see token.h
    bool is_inbound;           // it came to us; we had not heard of it
    unsigned pings_sent;       // since a query was lost; meaningful while it is suspect
    struct mono_time suspect_since;
};

// A node's answer to a query of ours, from where we sent the query.
struct routing_answer {
    struct contact contact;
    int64_t round_trip_ms;
    uint64_t token;
    bool is_inbound;
};

enum routing_result {
    ROUTING_ADDED,
    ROUTING_KNOWN,          // and now known to be alive
    ROUTING_REPLACEMENT,    // kept for when a place gets free
    ROUTING_SELF,           // our own id
    ROUTING_NEIGHBOURS,     // too many of its neighbourhood are there
    ROUTING_INBOUND_ENOUGH, // half of the bucket came by themselves
    ROUTING_NO_PLACE,       // out of memory, or worse than all replacements
};

// NULL if out of memory.
struct routing_table *routing_table_new(const struct routing_config *config);
void routing_table_free(struct routing_table *table);

enum routing_result routing_table_answered(struct routing_table *table,
                                           const struct routing_answer *answer,
                                           struct mono_time now);
// Whether it is worth asking this node so that it may enter: it is unknown, and a place is free.
bool routing_table_wants(const struct routing_table *table, const struct contact *contact,
                         bool is_inbound);
// A query to this node is lost. From now on it is suspect: neither given to others nor returned by
// routing_table_closest until it answers.
void routing_table_lost(struct routing_table *table, const struct node_id *id,
                        struct mono_time now);

// The next suspect to ping now; false if there is none. Call until it says so, then tick.
bool routing_table_next_ping(struct routing_table *table, struct mono_time now,
                             struct contact *contact);
// Drops those whose last ping failed and puts replacements in their places. Nobody is dropped while
// nobody at all answers: then it is our own connection that is down.
void routing_table_tick(struct routing_table *table, struct mono_time now);
struct mono_time routing_table_next_deadline(const struct routing_table *table);

// NULL if it is not there. Valid until the table changes.
const struct routing_node *routing_table_find(const struct routing_table *table,
                                              const struct node_id *id);
// The node that a hint means, by the beginning of its id and its key; NULL if it is not there.
const struct routing_node *routing_table_find_hint(const struct routing_table *table,
                                                   const struct hint *hint);
// The nodes nearest to a key that are not suspect, nearest first, at most `count_max`; the count.
size_t routing_table_closest(const struct routing_table *table, const struct hash256 *key,
                             struct contact *out, size_t count_max);
// Who has been silent for longest among those not suspect; NULL if there is none.
const struct routing_node *routing_table_oldest(const struct routing_table *table);

// A random id of the bucket whose look-up lies furthest back, if that is at least age_ms ago, and
// counts it as looked up. Only buckets down to the deepest that holds a node are considered.
bool routing_table_refresh(struct routing_table *table, const struct env *env, int64_t age_ms,
                           struct mono_time now, struct hash256 *target);

// A random id of a bucket, 0..255.
void routing_table_random_id(const struct routing_table *table, const struct env *env,
                             unsigned bucket, struct hash256 *out);
// The bucket's nodes are as good as those of a look-up now: routing_table_refresh leaves it out for
// a while.
void routing_table_looked_up(struct routing_table *table, unsigned bucket, struct mono_time now);

size_t routing_table_count(const struct routing_table *table);
// For how many nodes a bucket has places.
size_t routing_bucket_places(unsigned bucket);
// Nodes in a bucket, 0..255.
size_t routing_table_bucket_count(const struct routing_table *table, unsigned bucket);
// Walks all nodes, nearest buckets last: start with cursor 0.
const struct routing_node *routing_table_next(const struct routing_table *table, size_t *cursor);

// What is kept over a restart: u8 version=1, u16 count, then per node bytes(32) id, bytes(32) key,
// u8 family (4 or 6), bytes(4 or 16) address, u16 port. From every bucket in turns, so that the
// first few reach everywhere. Suspects are left out. At most ROUTING_SAVED_SIZE_MAX bytes.
void routing_table_encode(const struct routing_table *table, struct buffer *out);
// The contacts in such bytes, at most `count_max` of them; they enter no table before they answer.
// False if the bytes are not as above.
bool routing_contacts_decode(const void *data, size_t size, struct contact *out, size_t count_max,
                             size_t *count);

#endif
