// The insides of the DHT engine, for dht*.c only: queries (dht_query.c), answers to others
// (dht_serve.c), searches (dht_search.c), and what happens by itself (dht_upkeep.c).
#ifndef SHOAL_DHT_DHT_STATE_H
#define SHOAL_DHT_DHT_STATE_H

#include "dht/datagram.h"
#include "dht/dht.h"
#include "dht/lookup.h"
#include "dht/message.h"
#include "dht/record_store.h"
#include "dht/routing_table.h"
#include "dht/sealing.h"
#include "dht/token.h"

#define QUERIES_MAX      256
#define QUERIES_UPKEEP   192 // searches leave the rest to pings
#define DIALS_MAX        8
#define PROBES_MAX       8
#define RATE_SLOTS       256
#define RATE_SLOT_SECOND 64  // datagrams a second from the addresses of one slot
#define STRANGERS_SECOND 200 // unknown pairs without a token: each costs a Diffie-Hellman
#define TABLES_COUNT     2
#define BOOT_AGAIN_MS    2000 // asks once more where nobody answered; doubles

enum query_purpose {
    QUERY_PING,
    QUERY_BOOT,  // a seed or a saved node
    QUERY_PROBE, // of a node that came to us
    QUERY_FILL,  // of a node that would fill a place, and knows others
    QUERY_SEARCH,
    QUERY_PUT,
    QUERY_DIAL_BACK
};

struct search;
struct fill;

struct query {
    enum query_purpose purpose;
    struct transaction transaction;
    struct hint to;
    bool has_id_start; // a seed's id is not known
    bool is_known;     // it is in a table: its id is `id`, proven
    struct node_id id;
    unsigned method;
    struct hash256 key;
    uint16_t port;
    struct search *search; // NULL, or where the answer goes
    unsigned path;
    bool is_late;
    bool is_repeated; // with a token that the node told: no second time
    struct mono_time sent;
    struct mono_time late_at;
    struct mono_time lost_at;
};

enum search_use { SEARCH_OWNER, SEARCH_JOIN, SEARCH_REFRESH, SEARCH_UPKEEP };

struct search {
    struct search *next;
    uint64_t number;
    enum dht_search_kind kind;
    enum search_use use;
    struct lookup *lookup;
    bool is_putting;
    bool is_due;    // something happened: it may want to ask, or be done
    size_t waiting; // queries on their way
    size_t kept;
    struct mono_time started;
    struct mono_time nearest_at; // when the nearest so far answered
    uint64_t nearest;            // its distance
    struct node_record records[DHT_RECORDS_MAX];
    size_t records_count;
    // Of a search for the record of the node whose id the key is: the paths, a bit each, that
    // brought the newest.
    unsigned newest_paths;
    unsigned paths;
};

struct dial {
    uint64_t ticket; // 0: free
    struct endpoint asker;
    struct transaction transaction;
    struct pair_key key;
    struct mono_time expires;
};

struct rates {
    int64_t second;
    uint8_t hash_key[16];
    unsigned strangers;
    uint16_t slots[RATE_SLOTS];
};

enum join_state { JOIN_IDLE, JOIN_ASKING, JOIN_FILLING, JOIN_DONE };

struct join {
    enum join_state state;
    struct mono_time since;    // of asking
    struct mono_time again_at; // asks once more where nobody answered
    int64_t wait_ms;
};

struct upkeep {
    struct mono_time wake_at; // something changed in a turn: one more is due
    struct mono_time ping_at;
    struct mono_time own_search_at;
    struct mono_time publish_at;
    unsigned publish_step; // 0 own id, then topic keys; past the last: nothing to do
};

struct dht {
    struct env env;
    struct dht_config config;
    struct dht_events events;
    struct routing_table *tables[TABLES_COUNT]; // IPv4, IPv6; NULL without the family
    struct pair_keys *pair_keys;
    struct token_keys token_keys;
    struct record_store *store;
    struct query queries[QUERIES_MAX];
    size_t queries_count;
    size_t probes_count;
    struct search *searches;
    size_t searches_count;
    uint64_t next_number;
    struct dial dials[DIALS_MAX];
    struct rates rates;
    struct join join;
    struct fill *fill; // while it joins, else NULL
    struct upkeep upkeep;
    struct mono_time deadline; // of queries and upkeep, as the last call left them
    struct hint seeds[DHT_SEEDS_MAX];
    size_t seeds_count;
    struct contact saved[DHT_SAVED_ASKED];
    size_t saved_count;
    struct node_record own;
    uint8_t own_bytes[RECORD_SIZE_MAX];
    size_t own_size;
    struct mono_time own_signed;
    struct hash256 blocks[2]; // the current, and the one before
    bool has_block[2];
    struct dht_stats stats;
};

// The table of an address's family, or NULL.
struct routing_table *dht_table_of(const struct dht *dht, const struct endpoint *endpoint);
// Signs our record anew where it is old or changed.
void dht_renew_own(struct dht *dht, struct now now);
bool dht_is_reachable(const struct dht *dht);
// At the end of whatever changed queries or upkeep: when the next tick is due.
void dht_plan(struct dht *dht);
// Whether a record may lie under a key: its maker's id, or a topic that it wants to be found by.
bool dht_belongs(const struct dht *dht, const struct node_record *record,
                 const struct hash256 *key);

// Sends a query; what is to be set: purpose, to, has_id_start, method, key, port, search, path.
// False if too many are waiting, or the key makes no pair.
bool dht_query(struct dht *dht, const struct query *query, struct now now);
void dht_take_answer(struct dht *dht, const struct endpoint *from, const struct datagram_head *head,
                     struct message_bytes datagram, struct now now);
void dht_take_retry(struct dht *dht, const struct endpoint *from, const struct datagram_head *head,
                    struct now now);
void dht_queries_tick(struct dht *dht, struct now now);
struct mono_time dht_queries_deadline(const struct dht *dht);

void dht_take_request(struct dht *dht, const struct endpoint *from,
                      const struct datagram_head *head, struct message_bytes datagram,
                      struct now now);

// What a search asks for, by whom.
struct search_start {
    enum dht_search_kind kind;
    enum search_use use;
    struct hash256 key;
    unsigned paths;
};
uint64_t dht_search(struct dht *dht, const struct search_start *start, struct now now);
void dht_search_late(const struct query *query);
void dht_search_lost(struct dht *dht, const struct query *query, struct now now);
void dht_search_answered(struct dht *dht, const struct query *query, const struct contact *contact,
                         const struct dht_answer *answer, struct now now);
// Sends what searches want to send and ends those that are done.
void dht_searches_pump(struct dht *dht, struct now now);
// Whether a node that somebody named can be asked at all.
bool dht_is_usable(const struct dht *dht, const struct hint *hint);
bool dht_has_search(const struct dht *dht, enum search_use use, size_t count);

// Joining: dht_fill.c. False if out of memory.
bool dht_fill_begin(struct dht *dht);
void dht_fill_end(struct dht *dht);
// Nodes that somebody named.
void dht_fill_take(struct dht *dht, const struct hint *hints, size_t count);
// Asks who would fill a place; whether answers are waited for.
bool dht_fill_pump(struct dht *dht, struct now now);

void dht_upkeep_tick(struct dht *dht, struct now now);
struct mono_time dht_upkeep_deadline(const struct dht *dht);
// Publishes our record at the next tick.
void dht_publish_soon(struct dht *dht, struct now now);

#endif
