// Gossip (p2p.md): what happened. Spreads shares, links and blocks over the links there are: pushed
// to peers that have us unchoked, announced to the others, fetched once each with a hedge. An
// engine over messages; the owner decodes them, sends what it is given, and owns peers and links.
// Peers have numbers, never used twice; they are the `source` of what they send. Of a share it
// knows that its bytes are a version byte, the 80-byte header that its id is the hash of, and the
// rest (protocol section 2).
//
// A share that arrives is judged by the chain. While no valid copy of an id is here every copy is
// judged anew: the verdict is of the bytes, and a wrong copy keeps no right one out. What is valid
// is not told by gossip itself: its owner calls gossip_tell.
#ifndef SHOAL_DHT_GOSSIP_H
#define SHOAL_DHT_GOSSIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/chain.h"
#include "dht/link.h"
#include "dht/peer_message.h"
#include "dht/shared_bytes.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define GOSSIP_PEERS_MAX        96
#define GOSSIP_UNCHOKED_FASTEST 3
#define GOSSIP_UNCHOKED_RANDOM  1
#define GOSSIP_RANK_SHARES      16  // shares between two rankings
#define GOSSIP_HEDGE_MS         150 // or 3 round trips, if that is more
#define GOSSIP_BROKEN_MAX       3   // unanswered WANTs in GOSSIP_RANK_SHARES shares, then:
#define GOSSIP_IGNORE_MS        600000
#define GOSSIP_WANTS_PEER_MAX   256 // in flight to one peer
// Announced or wanted ids, unasked copies of shares (more for large ones) and changes of choke that
// a peer may send a second, after a burst of 2000.
#define GOSSIP_HAVE_RATE 200

struct gossip;

// Why a peer is at fault; the owner scores it.
enum gossip_fault {
    GOSSIP_FAULT_INVALID_SHARE, // or link or block
    GOSSIP_FAULT_JUNK_ID,       // announced what cannot be a share
    GOSSIP_FAULT_FLOOD,         // beyond GOSSIP_HAVE_RATE, or a WANT of what was never announced
};

// Called from inside the functions below; handlers only take note or queue bytes. They do not close
// peers: the owner does that afterwards.
struct gossip_events {
    void *context;
    // Queue a message on the peer's link; false if it is full or gone (nothing was sent).
    bool (*send)(void *context, uint32_t peer, enum link_lane lane, enum peer_message_type type,
                 struct shared_bytes *bytes);
    void (*fault)(void *context, uint32_t peer, enum gossip_fault fault, struct now now);
    // A peer was the first to bring a valid share.
    void (*delivered)(void *context, uint32_t peer, const struct hash256 *id, struct now now);
    // A peer was the first to bring a block: its share is valid, and chain->is_block agreed. The
    // owner checks no more and gives it to its daemon (protocol section 9).
    void (*block_arrived)(void *context, const struct hash256 *id, const uint8_t *block,
                          size_t size);
};

struct gossip_config {
    const struct network_chain *chain; // borrowed, outlives the engine
    struct gossip_events events;
    size_t seen_max; // ids remembered as seen lately; 0: 65536
};

// env is borrowed. NULL if out of memory.
struct gossip *gossip_new(const struct env *env, const struct gossip_config *config);
void gossip_free(struct gossip *gossip);

// False if GOSSIP_PEERS_MAX are there or memory ran out.
bool gossip_peer_opened(struct gossip *gossip, uint32_t number, struct now now);
void gossip_peer_closed(struct gossip *gossip, uint32_t number, struct now now);
// The link's smoothed round trip, whenever it changed; 0: not known.
void gossip_peer_round_trip(struct gossip *gossip, uint32_t number, uint32_t ms);
// SHARE, LINK, HAVE, WANT, CHOKE, UNCHOKE and BLOCK.
void gossip_receive(struct gossip *gossip, uint32_t number, const struct peer_message *message,
                    struct now now);

// A share became valid (of a link: as a link, with its body) and is told to others: pushed here,
// but announced by gossip_tick, which is due at once, so that what becomes valid together is
// announced together. is_own: our miners found it, it goes to all. Told once: again does nothing.
// Never called from inside another function of the engine.
struct gossip_share {
    struct hash256 id;
    const uint8_t *bytes;
    size_t size;
    const uint8_t *body; // of a link, else NULL
    size_t body_size;
    bool is_own;
};
void gossip_tell(struct gossip *gossip, const struct gossip_share *share, struct now now);
// A block of our own miners, to all: the bytes of its share, told before it, and the whole block.
void gossip_tell_block(struct gossip *gossip, const struct gossip_share *share,
                       const uint8_t *block, size_t size, struct now now);
// The node syncs: nothing is relayed, wanted or judged meanwhile, and nobody is at fault; own
// shares and blocks are told. What was wanted is forgotten.
void gossip_set_quiet(struct gossip *gossip, bool is_quiet);

void gossip_tick(struct gossip *gossip, struct now now);
struct mono_time gossip_next_deadline(const struct gossip *gossip);

struct gossip_peer_view {
    bool we_choke;
    bool is_choking_us;
    bool is_ignored; // its announcements are
    uint64_t first_deliveries;
    uint64_t duplicates;
    uint64_t wants_broken;
    uint32_t delay_ms; // smoothed: how much later than the first its shares came
};
bool gossip_peer(const struct gossip *gossip, uint32_t number, struct gossip_peer_view *view);

struct gossip_stats {
    uint64_t shares_received; // copies, first ones included
    uint64_t shares_first;
    uint64_t shares_told;
    uint64_t ids_announced;
    uint64_t wants_sent;
    uint64_t wants_hedged;
    uint64_t wants_unanswered;
    uint64_t invalid;
    uint64_t ignored;
    size_t wants_in_flight;
    size_t memory; // bytes, roughly
};
void gossip_stats(const struct gossip *gossip, struct gossip_stats *stats);

#endif
