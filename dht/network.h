// The node's network as one engine: joins the DHT, links, peers, gossip, sync and the share-chain.
// Datagrams, streams and time come in; what to send, whom to connect to and what happened go out.
// Under libuv node/swarm.c drives it, in the simulator tests/sim: the same object files.
#ifndef SHOAL_DHT_NETWORK_H
#define SHOAL_DHT_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/chain.h"
#include "dht/dht.h"
#include "dht/gossip.h"
#include "dht/identity.h"
#include "dht/link.h"
#include "dht/membership.h"
#include "dht/peers.h"
#include "dht/sync.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define NETWORK_ALONE_MS     120000     // without a peer for so long: `alone` says so
#define NETWORK_SAVE_MS      300000     // between two `save`
#define NETWORK_BLOCK_DEPTH  6          // the topic keys' block, see p2p.md
#define NETWORK_WRITE_QUEUED (32 << 10) // a connection with as much queued is given nothing

struct network;

// Streams have numbers, given by the network, never used twice; the number of an open link is also
// its peer number and its `source` in the share-chain. Handlers must not call the network, but for
// those that say otherwise.
struct network_events {
    void *context;
    // ---- What the host does
    void (*send_datagram)(void *context, const struct endpoint *to, const uint8_t *data,
                          size_t size);
    // Open a stream; network_connected or network_closed answers, later.
    void (*connect)(void *context, uint32_t stream, const struct endpoint *to);
    // Bytes for a stream, all of which it takes; how many are queued in it then. network_drained is
    // called when none are left.
    size_t (*write)(void *context, uint32_t stream, const uint8_t *data, size_t size);
    // Close it, after what is queued was sent (is_graceful) or at once. network_closed is not
    // called for it any more.
    void (*close)(void *context, uint32_t stream, bool is_graceful);
    // What to keep over a restart: give it to network_new next time.
    void (*save)(void *context, const uint8_t *data, size_t size);
    // ---- What happened
    void (*peer_opened)(void *context, uint32_t peer, struct now now);
    void (*peer_closed)(void *context, uint32_t peer, const char *reason, struct now now);
    void (*peer_banned)(void *context, uint32_t peer, const char *reason, struct now now);
    // Somebody who came is no peer: he was not let in, or his handshake failed. May be NULL; may
    // come very often.
    void (*stranger_refused)(void *context, const struct endpoint *from, const char *reason,
                             struct now now);
    void (*sync_changed)(void *context, enum sync_phase phase, struct now now);
    // No peer for NETWORK_ALONE_MS; again every NETWORK_ALONE_MS while it lasts.
    void (*alone)(void *context, struct now now);
    // Others agree that this is our address, and it was reached from outside, or not.
    void (*address_learned)(void *context, const struct endpoint *endpoint, bool is_reachable,
                            struct now now);
    // A peer's block, its share valid and with a block's work: for the daemons.
    void (*block_arrived)(void *context, const struct hash256 *id, const uint8_t *block,
                          size_t size);
};

struct network_seed {
    struct endpoint endpoint;
    struct dht_key key;
};

struct network_config {
    const struct identity *identity; // borrowed, as are the next two; they outlive the engine
    const struct membership *membership;
    const struct network_chain *chain;
    struct network_events events;
    const struct network_seed *seeds;
    size_t seeds_count;
    const uint8_t *saved; // from `save`; NULL: none
    size_t saved_size;
    uint16_t port; // where we take links and datagrams; 0: links are not taken
    // What the operator says is our address, per family; of no family: to be found out.
    struct endpoint public_ipv4;
    struct endpoint public_ipv6;
    bool has_ipv4;
    bool has_ipv6;
    bool is_crowded;     // see dht.h
    bool is_entry_point; // wants to be found by those who join
    bool is_found;       // --found: the first node of its pool, synced without anybody
    size_t inbound_max;  // 0: the defaults of peers.h, as are the next
    size_t outbound_max;
    size_t gossip_seen_max;
    size_t records_max;
};

// NULL if out of memory. Damaged `saved` bytes are left out, and said in the log.
struct network *network_new(const struct env *env, const struct network_config *config,
                            struct now now);
// Says goodbye to peers; what is written meanwhile goes out with graceful closes.
void network_stop(struct network *network, struct now now);
void network_free(struct network *network);

// A stream was accepted; its number, or 0: refuse it (banned, too many).
uint32_t network_accepted(struct network *network, const struct endpoint *from, struct now now);
void network_connected(struct network *network, uint32_t stream, struct now now);
void network_received(struct network *network, uint32_t stream, const void *data, size_t size,
                      struct now now);
void network_drained(struct network *network, uint32_t stream, struct now now);
// It is gone, or could not be opened.
void network_closed(struct network *network, uint32_t stream, struct now now);
void network_datagram(struct network *network, const struct endpoint *from, const void *data,
                      size_t size, struct now now);
void network_tick(struct network *network, struct now now);
struct mono_time network_next_deadline(const struct network *network);

// A share became valid (a link: as a link; then body is there). May be called at any time, also
// from inside the functions of network_chain: the bytes are copied and told when the network is
// done with what it does.
void network_share_became_valid(struct network *network, const struct gossip_share *share,
                                struct now now);
// Our miners found a block; `block` is all of it.
void network_block_found(struct network *network, const struct gossip_share *share,
                         const uint8_t *block, size_t size, struct now now);
// The best link or what waits changed. As network_share_became_valid, allowed at any time.
void network_chain_moved(struct network *network, struct now now);
// The header that topic keys follow from (p2p.md): the last one at a height divisible by 144 that
// is six deep.
void network_set_topic_block(struct network *network, const struct hash256 *block);
// A share of ours was credited with this salt: our record proves work with it.
void network_set_work(struct network *network, const struct hash256 *share_id,
                      const uint8_t salt[RECORD_SALT_SIZE], struct now now);
// What a mapping or the operator says about our address; of no family: gone.
void network_set_endpoint(struct network *network, const struct endpoint *endpoint, struct now now);

// The operator bans an address for so long; links with it end. How many did. (peers_unban takes a
// ban away.)
size_t network_ban(struct network *network, const struct address *address, int64_t ms,
                   struct now now);

// Whether new work may be made as far as peers are concerned (protocol section 9, Synced).
bool network_is_synced(const struct network *network);

// ---- What it knows, for `shoal peers`, `shoal dht` and the API

struct network_peer_view {
    struct peers_view peer;
    struct gossip_peer_view gossip;
    struct link_stats link;
    struct chain_tip tip; // as it says
    bool is_open;         // the handshake is done
};
// Walks the peers in order of their numbers: start with *cursor 0.
bool network_next_peer(const struct network *network, uint32_t *cursor,
                       struct network_peer_view *view);

// What was said in messages of one type, without the frames around them. Sent is what was given to
// a link, which may close before.
#define NETWORK_TYPES_COUNT (PEER_TYPES_END - PEER_HELLO)
struct network_traffic {
    uint64_t messages_received, messages_sent;
    uint64_t bytes_received, bytes_sent;
};

struct network_stats {
    struct dht_stats dht;
    struct gossip_stats gossip;
    struct sync_stats sync;
    size_t inbound, outbound, half_open, book, bans;
    uint64_t accepted, refused, dialled, dial_failures;
    uint64_t bytes_received, bytes_sent;
    struct network_traffic traffic[NETWORK_TYPES_COUNT]; // by type, from PEER_HELLO on
    bool is_reachable;
    struct endpoint own_ipv4, own_ipv6; // of no family: not known
    size_t memory;                      // of links and queues, in bytes
};
void network_stats(const struct network *network, struct network_stats *stats);
// The parts, for views of their insides; read-only.
const struct dht *network_dht(const struct network *network);
struct peers *network_peers(struct network *network);

#endif
