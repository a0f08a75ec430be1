// The insides of peers, for peers*.c only: the book (peers_book.c), what is kept over a restart
// (peers_saved.c), whom to call (peers_choice.c, peers_outbound.c) and to drop (peers_drop.c), the
// places for those who call us (peers_inbound.c), faults and bans (peers_bans.c), and the links
// that all of them judge (peers.c). Arrays grow with what is in them; pointers into them hold until
// the next one is added.
#ifndef SHOAL_DHT_PEERS_STATE_H
#define SHOAL_DHT_PEERS_STATE_H

#include "dht/contact.h"
#include "dht/peers.h"

#define STABLE_MS        60000 // a link that lasts for less was a failure
#define SAVED_BEST_MAX   8
#define HASH_KEY_SIZE    16
#define SCORES_MAX       64 // of links that are gone
#define UNMEASURED_MS    UINT32_MAX
#define NOBODY           SIZE_MAX
#define LOST_KEPT_S      86400 // after its record has expired: see book_end
#define FAILURES_UNKNOWN 3     // of a node never reached: it is terrible
#define FAILURES_REACHED 8     // of one that was: about two hours of trying

struct book_node {
    // What walks of the book look at stands together.
    struct address_group near; // of the first endpoint, as is the next
    struct address_group wide;
    struct mono_time next_dial;
    struct mono_time called; // when it last did not answer
    uint32_t expiry;
    uint32_t round_trip_ms; // 0: not measured in this run
    uint8_t failures;       // since a link with it lasted
    uint8_t kept_rank;      // of the best peers of the last run, from 1; 0: none of them
    bool is_reached;        // a handshake with it was done, in this run or an earlier one
    bool is_lost;           // it was reached, but did not answer the last call
    bool is_public;         // no private address is in the record
    struct node_id id;
    struct transport_key key;
    uint64_t seq;
    struct endpoint ipv4; // of no family: none that we may dial; as the next, but not both
    struct endpoint ipv6;
    uint16_t size;
    uint8_t bytes[RECORD_SIZE_MAX];
};

struct peer_link {
    struct peers_link link;
    // Of those that we called, or that called us while we did: they fill the outbound places.
    enum peer_place place;
    struct address_group wide;
    uint64_t wide_hash; // with a key that nobody knows
    struct mono_time since;
    struct mono_time delivered_at;
    uint64_t delivered;
    uint64_t delivered_before; // at the last rotation
    uint32_t round_trip_ms;    // 0: not measured
    unsigned score;
    struct mono_time scored_at;
    bool is_banned;
};

struct peer_dial {
    struct transport_key key;
    struct node_id id; // zeros: a fixed one
    enum peer_place place;
    struct address_group wide;
};

struct fixed_peer {
    struct endpoint endpoint;
    struct transport_key key;
    struct mono_time next_dial;
    uint8_t failures;
};

struct ban {
    struct address address;
    struct node_id id; // zeros, as is the next, if only the address is banned
    struct transport_key key;
    struct mono_time until;
    int64_t length_ms; // 0: given by the operator, who decides anew each time
    bool has_node;
    bool by_address;
};

// The score of a link that is gone.
struct past_score {
    struct address address;
    struct node_id id;
    struct transport_key key;
    unsigned score;
    struct mono_time scored_at;
};

struct peers {
    const struct env *env;
    struct peers_config config;
    uint8_t hash_key[HASH_KEY_SIZE];
    struct book_node *book;
    struct id_start *book_starts; // of the ids: a search looks at these alone
    size_t book_count, book_capacity, book_starts_capacity;
    uint32_t expiry_min; // nothing in the book expires before
    struct peer_link *links;
    size_t links_count, links_capacity;
    struct peer_dial *dials; // under way
    size_t dials_count, dials_capacity;
    struct fixed_peer *fixed;
    size_t fixed_count, fixed_capacity;
    struct ban *bans;
    size_t bans_count, bans_capacity;
    struct past_score *scores;
    size_t scores_count, scores_capacity;
    unsigned measured;          // nodes, in this trial
    struct mono_time dial_look; // there is nobody to dial before
    struct mono_time lost_at;   // no call of a lost one before
    struct mono_time drop_look;
    struct mono_time rotate_at;
};

// ---- peers.c

// The array with room for one item more, or NULL: the old one is still there.
void *peers_grow(void *items, size_t count, size_t *capacity, size_t item_size);
// Something changed: who is to be dialled or dropped must be looked at again.
void peers_look_again(struct peers *peers);
bool key_equal(const struct transport_key *a, const struct transport_key *b);
// Zeros are nobody's id, and equal to none.
bool id_equal(const struct node_id *a, const struct node_id *b);
struct peer_link *peers_find_link(const struct peers *peers, uint32_t peer);
// A link with the node of this id or this key, or NULL.
struct peer_link *peers_find_node(const struct peers *peers, const struct node_id *id,
                                  const struct transport_key *key);
void peers_remove_link(struct peers *peers, struct peer_link *link, struct now now);

// ---- peers_book.c

bool book_make_node(const struct peers *peers, const struct node_record *record,
                    const uint8_t *bytes, size_t size, struct book_node *node);
// See peers_heard.
bool book_put(struct peers *peers, const struct book_node *node, struct now now);
struct book_node *book_find(const struct peers *peers, const struct node_id *id);
// The last node takes its place.
void book_remove(struct peers *peers, struct book_node *node);
// Without those that expired, unless they are of the last run's best, or linked with us.
// In seconds since 1970: when it leaves the book, unless a link or kept_rank holds it.
int64_t book_end(const struct book_node *node);
void book_expire(struct peers *peers, struct now now);
// Where to dial: the other family after a failure, if there are two.
const struct endpoint *book_endpoint(const struct book_node *node);
bool book_is_terrible(const struct book_node *node);
// Whom a ban that was just made hits leaves.
void book_remove_banned(struct peers *peers, const struct ban *ban);

// ---- peers_choice.c

// Outbound links and dials under way, by why they are there.
struct census {
    size_t fixed; // links and those under way, as are the next four
    size_t kept;
    size_t random;
    size_t near;       // those tried, too
    size_t chosen;     // all but the fixed ones
    size_t unmeasured; // of those tried
    size_t links;      // all outbound ones that are there
    size_t places;     // that the fixed ones leave
};

struct census choice_census(const struct peers *peers);
// How many of each there should be.
size_t choice_near_places(const struct census *census);
size_t choice_kept_places(const struct census *census);
size_t choice_random_places(const struct census *census);

enum wish { WISH_KEPT, WISH_RANDOM, WISH_TRIED, WISH_NEAR, WISH_LOST };

// Whom a wish can mean, as indices into the book.
struct choice {
    uint16_t strangers[PEERS_BOOK_MAX];
    uint16_t reached[PEERS_BOOK_MAX];
    size_t strangers_count;
    size_t reached_count;
    size_t best;            // of kept and near ones; NOBODY
    struct mono_time later; // when somebody else can be dialled
};

// Whom in the book a wish can mean now, if `leaving` (or NULL) is thought away.
void choice_find(const struct peers *peers, enum wish wish, const struct peer_link *leaving,
                 struct now now, struct choice *found);
// One of them, or NOBODY.
size_t choice_draw(const struct peers *peers, const struct choice *found);
bool choice_is_dialled(const struct peers *peers, const struct transport_key *key);
bool choice_is_fixed(const struct peers *peers, const struct transport_key *key);

// ---- peers_outbound.c

// A link that fills an outbound place is there.
void outbound_opened(struct peers *peers, const struct peers_link *link);
// It is gone, or was refused; lasted_ms 0: there never was one.
void outbound_lost(struct peers *peers, const struct peer_link *link, int64_t lasted_ms,
                   struct now now);
// Its first round trip, or UNMEASURED_MS if it never answered.
void outbound_measured(struct peers *peers, struct peer_link *link, uint32_t ms);
// Ends the dial of this key: its place, PEER_PLACE_NONE if there is none under way.
struct peer_dial outbound_take_dial(struct peers *peers, const struct transport_key *key);

// ---- peers_inbound.c

// Whether the place of a link that called us is free, or becomes so by *evicted.
enum peers_admission inbound_admit(const struct peers *peers, const struct peers_link *link,
                                   struct peer_link **evicted);

// ---- peers_bans.c

bool bans_hit_link(const struct peers *peers, const struct peers_link *link, struct now now);
bool bans_same_address(const struct address *a, const struct address *b);
// A score outlives its link, so that nobody washes himself by a new one.
void scores_keep(struct peers *peers, const struct peer_link *link, struct now now);
void scores_restore(struct peers *peers, struct peer_link *link, struct now now);

#endif
