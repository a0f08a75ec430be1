// Whom to have links with (p2p.md, Gossip and sync): the book of nodes we have heard of, the choice
// of outbound links (nearest, random, kept from the last run), the places for inbound ones and who
// loses his when they are full, faults and bans. Decides only; opens nothing, sends nothing. All is
// bounded, grows with what is in it, and follows from what is told and from env alone.
#ifndef SHOAL_DHT_PEERS_H
#define SHOAL_DHT_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/endpoint.h"
#include "dht/identity.h"
#include "dht/membership.h"
#include "dht/record.h"
#include "node/base/bytes.h"
#include "node/base/env.h"
#include "node/base/time.h"

#define PEERS_OUTBOUND       8
#define PEERS_NEAREST        3
#define PEERS_RANDOM         3
#define PEERS_KEPT           2
#define PEERS_TRIED          24 // measured before the nearest are chosen
#define PEERS_EXTRA          4  // outbound beyond the 8 while others are tried
#define PEERS_INBOUND        64
#define PEERS_INBOUND_WORK   21 // of them for nodes that prove work
#define PEERS_INBOUND_LIMIT  256
#define PEERS_OUTBOUND_LIMIT 32
#define PEERS_FIXED_MAX      16
#define PEERS_BOOK_MAX       1024
#define PEERS_BOOK_NEAR_MAX  16    // per /24 or /48
#define PEERS_BOOK_WIDE_MAX  64    // per /16 or /32
#define PEERS_RETRY_MIN_MS   30000 // after a failure, then doubling
#define PEERS_RETRY_MAX_MS   3600000
#define PEERS_LOST_MS        10000 // between two calls of lost ones out of turn
#define PEERS_ROTATE_MS      600000
#define PEERS_MEASURE_MS     90000 // a link without a round trip for so long is a slow one
#define PEERS_BAN_MIN_MS     600000
#define PEERS_BAN_MAX_MS     86400000
#define PEERS_BAN_FORGET_MS  172800000 // clean for so long after a ban: the next is short again
#define PEERS_BANS_MAX       4096
#define PEERS_SCORE_BAN      100
#define PEERS_SCORE_HALF_MS  600000
#define PEERS_SAVED_SIZE_MAX (PEERS_BOOK_MAX * 300)

struct peers;

enum peer_way { PEER_INBOUND, PEER_OUTBOUND };
// Why an outbound link is there.
enum peer_place {
    PEER_PLACE_NONE,
    PEER_PLACE_TRIED,
    PEER_PLACE_NEAR,
    PEER_PLACE_RANDOM,
    PEER_PLACE_KEPT,
    PEER_PLACE_SEED
};
const char *peer_place_text(enum peer_place place);

struct peers_config {
    struct node_id own;
    const struct membership *membership; // borrowed
    bool is_crowded;     // peers may share addresses: pools of one machine or one lab
    size_t inbound_max;  // 0: PEERS_INBOUND; at most PEERS_INBOUND_LIMIT
    size_t outbound_max; // 0: PEERS_OUTBOUND; at most PEERS_OUTBOUND_LIMIT
};

// NULL if out of memory. Env and membership outlive it.
struct peers *peers_new(const struct env *env, const struct peers_config *config);
void peers_free(struct peers *peers);

// ---- The book

// A record that the caller verified; endpoints that are not public are left out unless crowded.
// False if it is older than what is there, our own, banned, without an endpoint to dial, or finds
// no place: a neighbourhood has PEERS_BOOK_NEAR_MAX and PEERS_BOOK_WIDE_MAX of them, and a full
// book gives up nodes that fail, then strangers of the network that has most in it.
bool peers_heard(struct peers *peers, const struct node_record *record, const uint8_t *bytes,
                 size_t size, struct now now);
// A node whose endpoint and transport key were given by the operator: always dialled first, and
// again whenever it is lost. False if there are PEERS_FIXED_MAX. (A seed is no peer to dial before
// its record is heard.)
bool peers_add_fixed(struct peers *peers, const struct endpoint *endpoint,
                     const struct transport_key *key);
// Up to count_max encoded records for a peer that asks, never of private addresses unless crowded:
// u16 size || bytes each; how many were appended.
size_t peers_sample(struct peers *peers, size_t count_max, struct now now, struct buffer *out);
size_t peers_book_count(const struct peers *peers);

// To be kept over a restart: records, and which were our best peers. Damaged bytes change nothing
// and are false. Each record is verified again; of the best peers one that expired meanwhile is
// still dialled, as a link proves its key, but not told to others.
void peers_save(const struct peers *peers, struct buffer *out);
bool peers_load(struct peers *peers, const void *data, size_t size, struct now now);

// ---- Outbound

struct peers_dial {
    struct endpoint endpoint;
    struct transport_key key;
    enum peer_place place;
    bool has_id; // not for PEER_PLACE_SEED: only its key is known
    struct node_id id;
    struct sign_key sign_key;
};
// Whom to call now; false if nobody: to be asked until it is. It counts as under way until
// peers_opened, whatever that answers, or peers_failed.
bool peers_next_dial(struct peers *peers, struct now now, struct peers_dial *dial);
void peers_failed(struct peers *peers, const struct transport_key *key, struct now now);
// An outbound link that should go, as others are better (the trial is over, a rotation is due);
// false if none: to be asked until it is. It is forgotten at once; the caller closes it with
// PEER_BYE_NOT_NEEDED.
bool peers_next_drop(struct peers *peers, struct now now, uint32_t *peer);
// When to ask peers_next_drop and peers_next_dial again.
struct mono_time peers_next_deadline(const struct peers *peers);

// ---- Links

struct peers_link {
    uint32_t peer; // number of the link, never used twice
    enum peer_way way;
    struct endpoint endpoint;
    struct node_id id; // zeros, as is the next, if not known: see peers_dial
    struct sign_key sign_key;
    struct transport_key key; // proven by the handshake
    bool has_work; // it has proven recent work, as peers_proved_work says later of others
};

enum peers_admission {
    PEERS_ADMITTED,
    PEERS_ADMITTED_EVICTS, // *evicted is to be closed with PEER_BYE_EVICTED; it is forgotten
    PEERS_FULL,
    PEERS_DUPLICATE,        // there is a link with this node that stays
    PEERS_DUPLICATE_EVICTS, // *evicted is the other link with this node, forgotten: this one stays
    PEERS_BANNED,
    PEERS_IS_SELF,
};
// The handshake of a link is done. Of two links between the same two nodes both sides keep the same
// one: the one that the node with the smaller id called. Of two that the same side called the
// newer stays if we were called (the older is dead to who proves to be the same), else the older.
enum peers_admission peers_opened(struct peers *peers, const struct peers_link *link,
                                  struct now now, uint32_t *evicted);
// Numbers that are not known are ignored, here and below.
void peers_closed(struct peers *peers, uint32_t peer, struct now now);
// A verified record that the peer itself sent over its link: says who it is where we only knew from
// hearsay, as of nodes that we called. False if it names another transport key than the link
// proved, or another node than the one that called us.
bool peers_identify(struct peers *peers, uint32_t peer, const struct node_record *record);
void peers_round_trip(struct peers *peers, uint32_t peer, uint32_t ms);
// It was the first to bring a share: protects from eviction.
void peers_delivered(struct peers *peers, uint32_t peer, struct now now);
// It has proven recent work (record work share checked by the owner).
void peers_proved_work(struct peers *peers, uint32_t peer);

// ---- Faults

// Adds to its score, which fades by half each ten minutes, over new links too; true: it is banned
// now, close its link. Bans are by address and by identity; in crowded pools by identity only.
bool peers_fault(struct peers *peers, uint32_t peer, unsigned points, struct now now);
// Addresses by /32 and /64. Also asked at accept, before any memory is taken.
bool peers_is_banned(const struct peers *peers, const struct address *address, struct now now);
// By what a node proves: either may be NULL.
bool peers_is_banned_node(const struct peers *peers, const struct node_id *id,
                          const struct transport_key *key, struct now now);
// By the operator: this address, also in crowded pools. Links are left to the caller.
void peers_ban(struct peers *peers, const struct address *address, int64_t ms, struct now now);
// Forgets all bans of nodes at this address, and how long the last one was. False if there is none.
bool peers_unban(struct peers *peers, const struct address *address);

struct peers_view {
    struct peers_link link;
    enum peer_place place;
    struct mono_time since;
    uint32_t round_trip_ms; // 0: not measured
    unsigned score;         // as of its last fault
    uint64_t delivered;
    bool has_work;
};
bool peers_view(const struct peers *peers, uint32_t peer, struct peers_view *view);
size_t peers_count(const struct peers *peers, enum peer_way way);
// Walks the bans, one for each node: start with cursor 0. Some are over, but not forgotten: their
// `until` is past.
bool peers_next_ban(const struct peers *peers, size_t *cursor, struct address *address,
                    struct mono_time *until);

#endif
