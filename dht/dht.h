// The DHT (p2p.md): who is out there. An engine over datagrams: it joins through seeds and saved
// nodes, keeps its routing tables alive, answers others, publishes its record, and searches nodes
// and records for its owner. One per pool. It opens no socket; datagrams leave by `send`.
#ifndef SHOAL_DHT_DHT_H
#define SHOAL_DHT_DHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/contact.h"
#include "dht/identity.h"
#include "dht/membership.h"
#include "dht/record.h"
#include "node/base/bytes.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define DHT_SEEDS_MAX            16
#define DHT_SAVED_ASKED          64 // saved nodes asked at once after a start
#define DHT_SEARCHES_MAX         32
#define DHT_RECORDS_MAX          16 // found by one search
#define DHT_TOPIC_KEYS           4
#define DHT_PATHS_ROUTINE        1
#define DHT_PATHS_CAREFUL        4 // bootstrap, records
#define DHT_PATHS_SUSPICIOUS     8 // after an anomaly
#define DHT_SAVED_SIZE_MAX       90000
#define DHT_DIAL_BACK_GIVE_UP_MS 10000

struct dht;

enum dht_search_kind { DHT_SEARCH_NODES, DHT_SEARCH_RECORDS, DHT_SEARCH_PUBLISH };

// How a search ended. Pointers are borrowed for the call.
struct dht_found {
    uint64_t search;
    enum dht_search_kind kind;
    const struct contact *contacts; // the nearest that answered, nearest first
    size_t contacts_count;
    const struct node_record *records; // verified, of each maker the newest
    size_t records_count;
    size_t kept;         // DHT_SEARCH_PUBLISH: nodes that keep the record
    unsigned hops;       // to the nearest: 1 if we knew it, 2 if such a node named it, and so on
    uint32_t nearest_ms; // from the start until the nearest had answered
    size_t queries;      // sent, those of DHT_SEARCH_PUBLISH's last step aside
};

// Called from dht_receive and dht_tick only (`send` from others, too). A handler may call any
// function but dht_free. `met` may be NULL.
struct dht_events {
    void (*send)(void *context, const struct endpoint *to, const uint8_t *data, size_t size);
    // The tables are filled as far as the network goes. May come again after everybody was lost.
    void (*joined)(void *context, struct now now);
    void (*searched)(void *context, const struct dht_found *found, struct now now);
    // A node that we had asked says where our datagrams come from.
    void (*address_told)(void *context, const struct endpoint *teller, const struct endpoint *own);
    // A node asks for a dial back: try to open a link to `to`, then call dht_dialled.
    void (*dial_asked)(void *context, uint64_t ticket, const struct endpoint *to, struct now now);
    // The answer to dht_ask_dial_back; not called if none came.
    void (*dialled_back)(void *context, bool is_reachable, struct now now);
    // A node whose id we did not know has proven it by this record, now verified.
    void (*met)(void *context, const struct node_record *record, const uint8_t *bytes, size_t size,
                struct now now);
};

struct dht_config {
    const struct identity *identity; // borrowed, as is the next; they outlive the engine
    const struct membership *membership;
    const struct dht_events *events; // copied
    void *context;                   // of the events
    bool has_ipv4;
    bool has_ipv6;
    // Nodes may share an address or have private ones: pools of one machine or one lab.
    bool is_crowded;
    size_t records_max; // kept for others, 1..RECORD_STORE_MAX; 0: the most
};

// env is borrowed. NULL if out of memory.
struct dht *dht_new(const struct env *env, const struct dht_config *config, struct now now);
void dht_free(struct dht *dht);

// A seed; its node id is learned when it answers. False if DHT_SEEDS_MAX are known.
bool dht_add_seed(struct dht *dht, const struct endpoint *endpoint, const struct dht_key *key);
// Nodes saved by dht_save: the first DHT_SAVED_ASKED are asked at the start. False if the bytes are
// damaged; nothing changed then.
bool dht_load(struct dht *dht, const void *data, size_t size);
// To be kept over a restart, every 5 minutes. At most DHT_SAVED_SIZE_MAX bytes.
void dht_save(const struct dht *dht, struct buffer *out);
// Begins to join, at the next tick. Once, after seeds and saved nodes are there.
void dht_start(struct dht *dht, struct now now);

void dht_receive(struct dht *dht, const struct endpoint *from, const void *data, size_t size,
                 struct now now);
void dht_tick(struct dht *dht, struct now now);
struct mono_time dht_next_deadline(const struct dht *dht);

// Where others reach us, once that is known to be true, per family; makes us ask to be inserted by
// others and publishes our record. An endpoint of no family: not reachable any more.
void dht_set_endpoint(struct dht *dht, const struct endpoint *endpoint, struct now now);
// Whether the record says that we want to be found by those who join.
void dht_set_entry_point(struct dht *dht, bool is_entry_point, struct now now);
// Makes the record prove work by a credited share of ours (record.h).
void dht_set_work(struct dht *dht, const struct hash256 *share_id,
                  const uint8_t salt[RECORD_SALT_SIZE], struct now now);
// The block that topic keys follow from: see p2p.md. Records under the keys of the last two stay.
void dht_set_block(struct dht *dht, const struct hash256 *block);
// Key i < DHT_TOPIC_KEYS under which entry points publish.
void dht_topic_key(const struct dht *dht, unsigned i, struct hash256 *key);
// Our own record as others get it, encoded; at most RECORD_SIZE_MAX bytes.
void dht_own_record(struct dht *dht, struct buffer *out, struct now now);

// Starts a search over `paths` paths; its number, or 0 if DHT_SEARCHES_MAX are running or memory
// ran out. `searched` tells the end.
uint64_t dht_find_nodes(struct dht *dht, const struct hash256 *key, unsigned paths, struct now now);
uint64_t dht_find_records(struct dht *dht, const struct hash256 *key, unsigned paths,
                          struct now now);
// A node that has a link with us, as the record says that it sent over it: asked whether it is
// there, if the tables have a place for it. So links mend a DHT that fell apart.
void dht_hear_of(struct dht *dht, const struct contact *contact, struct now now);
// Asks a node we know of in this family to open a link to our `port` there; false if none is known.
bool dht_ask_dial_back(struct dht *dht, enum address_family family, uint16_t port, struct now now);
// How the dial that `dial_asked` asked for ended. Late tickets are ignored.
void dht_dialled(struct dht *dht, uint64_t ticket, bool is_reachable, struct now now);

struct dht_stats {
    bool is_joined;
    size_t nodes_ipv4;
    size_t nodes_ipv6;
    size_t queries; // waiting for an answer
    size_t searches;
    size_t records; // kept for others
    uint64_t requests_sent;
    uint64_t requests_lost;
    uint64_t requests_answered; // of others, by us
    uint64_t refused_rate;
    uint64_t refused_puzzle;
    uint64_t refused_sealing; // not sealed by the pair, or malformed inside
    uint64_t refused_record;  // a node that could not prove its id
    uint64_t retries_told;
};
void dht_stats(const struct dht *dht, struct dht_stats *stats);
// Walks the nodes of both tables: start with cursor 0.
bool dht_next_contact(const struct dht *dht, size_t *cursor, struct contact *contact);
// Nodes of both families whose ids share exactly this many leading bits with ours, 0..255.
size_t dht_bucket_count(const struct dht *dht, unsigned bucket);

#endif
