// The inside of gossip, shared by its files: gossip.c (peers, time, views), gossip_share.c (what
// arrives), gossip_want.c (what is announced and fetched), gossip_rank.c (who is unchoked) and
// gossip_tell.c (what is told). Nobody else includes it.
//
// An id is *heard* while somebody announced it, or sent a copy that could not be judged yet, and
// *seen* once a valid copy is here. What is known of it moves from the one table to the other.
// Everything heard is charged to one peer, and forgotten after a while.
#ifndef SHOAL_DHT_GOSSIP_STATE_H
#define SHOAL_DHT_GOSSIP_STATE_H

#include "dht/gossip.h"
#include "dht/gossip_seen.h"
#include "dht/peer_set.h"
#include "node/base/map.h"

#define GOSSIP_SEEN_MAX        65536
#define GOSSIP_HEARD_MS        30000 // an id is forgotten so long after it was first heard
#define GOSSIP_COPIES_MAX      3     // of an id that could not be judged, before asking for no more
#define GOSSIP_LAST_WAIT_MS    50    // who broke its last promise is asked if nobody else announces
#define GOSSIP_ROUND_TRIP_MS   200   // taken for unknown ones
#define GOSSIP_SILENT_MS       250   // the delay of a peer that did not tell at all
#define GOSSIP_BURST           2000
#define GOSSIP_FRESH_MAX       16 // ids told that wait to be announced together
#define GOSSIP_BLOCKS_MAX      4  // blocks remembered
#define GOSSIP_BYTES_PER_TOKEN 4096
// Honest nodes send blocks of megabytes.
#define GOSSIP_BLOCK_TOKEN_BYTES 65536
#define GOSSIP_SLOT_NONE         UINT8_MAX

// An id that was asked for, by the peer that was asked.
struct want {
    struct hash256 id;
    struct mono_time sent;
    struct mono_time deadline;
    bool is_sent;
};

struct gossip_peer {
    uint32_t number;
    uint8_t slot;
    bool we_choke;
    bool is_choking_us;
    bool is_last;             // its last promise was broken
    bool has_link_round_trip; // else it is measured by answers to WANT
    uint32_t round_trip_ms;   // 0: not known
    int64_t tokens_milli;     // thousandths of announced ids that it may still send
    struct mono_time filled;
    // Delay of what it told behind the first copy, in 1/16 ms, averaged over about 7 shares.
    int32_t delay;
    uint32_t samples_count;
    uint32_t opened_sequence;
    // Broken WANTs of late: the sequence numbers of shares at which they broke.
    uint32_t broken_at[GOSSIP_BROKEN_MAX];
    uint32_t broken_count;
    struct mono_time broken_last;
    bool is_ignored; // what it announces, until:
    struct mono_time ignored_until;
    struct want *wants;
    uint32_t wants_count;
    uint32_t wants_capacity;
    uint32_t unsent_count; // the last ones of wants
    uint32_t heard_count;  // charged to it
    uint64_t first_deliveries;
    uint64_t duplicates;
    uint64_t wants_broken;
};

// An id that is not here yet.
struct heard {
    struct hash256 id;
    struct peer_set has;    // announced it or sent a copy
    struct peer_set to_ask; // those of them that may still be asked
    struct peer_set sent;   // those of them whose copy could not be judged
    struct mono_time until;
    struct mono_time ask_at; // MONO_NEVER: when somebody announces
    uint8_t owner;           // the slot it is charged to
    uint8_t asked;           // the slot whose answer is awaited, or GOSSIP_SLOT_NONE
    uint8_t copies;          // how many are in `sent`, up to GOSSIP_COPIES_MAX
};

// One of the last shares that peers brought, while their delays are measured.
struct recent {
    uint32_t sequence; // 0: none, or settled
    struct mono_time first;
    struct peer_set told;
};

struct fresh {
    struct hash256 id;
    struct peer_set to;
};

struct block_entry {
    struct hash256 id;
    struct peer_set has;
    struct shared_bytes *unsent; // NULL: it was sent
    bool is_used;
};

struct gossip {
    const struct env *env;
    const struct network_chain *chain;
    struct gossip_events events;
    struct gossip_peer *slots[PEER_SET_SLOTS];
    uint32_t numbers[PEER_SET_SLOTS]; // of the peers in the slots; 0: free
    size_t peers_count;
    struct peer_set dirty; // free slots of which `seen` still knows
    struct gossip_seen *seen;
    struct map *heard;
    struct recent recents[GOSSIP_RANK_SHARES];
    uint32_t sequence; // of the last share that a peer was the first to bring
    uint32_t ranked_sequence;
    struct fresh fresh[GOSSIP_FRESH_MAX];
    size_t fresh_count;
    struct block_entry blocks[GOSSIP_BLOCKS_MAX];
    size_t blocks_next;
    bool is_quiet;
    bool has_unsent_wants;
    struct mono_time deadline; // nothing is due before
    struct gossip_stats stats;
};

// ---- gossip.c

void gossip_fault(struct gossip *gossip, struct gossip_peer *peer, enum gossip_fault fault,
                  struct now now);
// Takes tokens off the peer's bucket; false, and a fault, if there are not enough.
bool gossip_charge(struct gossip *gossip, struct gossip_peer *peer, size_t tokens, struct now now);
bool gossip_send(struct gossip *gossip, const struct gossip_peer *peer, enum link_lane lane,
                 const struct peer_message *message);
// NULL if out of memory.
struct shared_bytes *gossip_encode(const struct peer_message *message);
void gossip_due(struct gossip *gossip, struct mono_time when);

// ---- gossip_want.c

void gossip_want_announced(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_bytes *ids, struct now now);
// A copy came from the peer; whether it had been asked for it.
bool gossip_want_answered(struct gossip *gossip, struct gossip_peer *peer, const struct hash256 *id,
                          struct now now);
// A valid copy is here: forgets the id; who has it is added to *has. False if it was not heard.
bool gossip_want_arrived(struct gossip *gossip, const struct hash256 *id, struct peer_set *has);
// The peer's copy is invalid: it does not have it, and others are asked.
void gossip_want_refused(struct gossip *gossip, const struct gossip_peer *peer,
                         const struct hash256 *id, struct now now);
// The peer's copy could not be judged. An id that was not heard is remembered if it is kept.
void gossip_want_unjudged(struct gossip *gossip, struct gossip_peer *peer, const struct hash256 *id,
                          bool is_kept, struct now now);
void gossip_want_peer_closed(struct gossip *gossip, struct gossip_peer *peer, struct now now);
// Sends what was decided on.
void gossip_want_flush(struct gossip *gossip, struct now now);
void gossip_want_tick(struct gossip *gossip, struct now now);
void gossip_want_forget_all(struct gossip *gossip);
size_t gossip_want_memory(const struct gossip *gossip);

// ---- gossip_rank.c

void gossip_rank_opened(struct gossip *gossip, struct gossip_peer *peer);
void gossip_rank_closed(struct gossip *gossip, const struct gossip_peer *peer);
// The first valid copy of a share of peers, sent by `deliverer` (NULL: it waited here until it
// became valid); `told` are those who sent or announced it before.
void gossip_rank_first(struct gossip *gossip, struct gossip_peer *deliverer,
                       struct seen_entry *entry, const struct peer_set *told, struct now now);
// The peer sent a copy (or only announced it) of a share that is here.
void gossip_rank_told(struct gossip *gossip, struct gossip_peer *peer,
                      const struct seen_entry *entry, bool is_copy, struct now now);
uint32_t gossip_rank_delay_ms(const struct gossip_peer *peer);

// ---- gossip_share.c

void gossip_share_received(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_message *message, struct now now);
void gossip_block_received(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_message *message, struct now now);

// ---- gossip_tell.c

void gossip_tell_asked(struct gossip *gossip, struct gossip_peer *peer,
                       const struct peer_bytes *ids, struct now now);
// Whether the block was told; `from` has it, too.
bool gossip_tell_knows_block(struct gossip *gossip, const struct gossip_peer *from,
                             const struct hash256 *id);
// Remembers the block, and sends it to all others at the next tick: after its share, which is told
// before. from may be NULL.
void gossip_tell_keep_block(struct gossip *gossip, const struct gossip_peer *from,
                            const struct hash256 *id, const struct peer_message *message,
                            struct now now);
void gossip_tell_flush(struct gossip *gossip);

#endif
