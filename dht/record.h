// The node record (p2p.md, Identity): what a node says about itself to those who want to reach it,
// signed, at most 256 bytes. It travels in links (message 3 of the handshake, PEERS) and in the
// DHT, and is stored as bytes. Decoding and verifying are pure functions of bytes, pool and time.
//
//   record = u8 version=1, bytes(8) first bytes of pool_id, u64 seq, bytes(32) sign key,
//            u64 pow_nonce, bytes(32) transport key, bytes(32) dht key, u8 flags,
//            [bytes(4) ipv4, u16 port], [bytes(16) ipv6, u16 port],
//            [bytes(32) work share id, bytes(8) salt], u32 expiry, bytes(64) signature
//
// Bits of flags: 1 ipv4, 2 ipv6, 4 work, 8 entry point; the others are for later and are kept. The
// signature covers "shoal record" || everything before it. Ports are not 0; ipv6 is not
// IPv4-mapped.
#ifndef SHOAL_DHT_RECORD_H
#define SHOAL_DHT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/endpoint.h"
#include "dht/identity.h"
#include "dht/membership.h"
#include "node/base/bytes.h"
#include "node/base/hash.h"
#include "node/base/time.h"

#define RECORD_SIZE_MAX         256
#define RECORD_LIFETIME_SECONDS 7200 // expiry of a new record: this far ahead
#define RECORD_SLACK_SECONDS    3600 // how far apart maker's and reader's clocks may be
#define RECORD_SALT_SIZE        8

// Also "bytes of a flag byte": see the layout above.
enum record_flag {
    RECORD_HAS_IPV4 = 1,
    RECORD_HAS_IPV6 = 2,
    RECORD_HAS_WORK = 4,
    RECORD_ENTRY_POINT = 8, // wants to be found by anyone who joins
};

struct node_record {
    uint8_t pool_prefix[8];
    uint64_t seq; // of two records of one node the higher one holds
    struct sign_key sign_key;
    uint64_t pow_nonce;
    struct transport_key transport_key;
    struct dht_key dht_key;
    uint8_t flags;
    struct endpoint ipv4; // valid if flagged, else zeros, as are the next three
    struct endpoint ipv6;
    struct hash256 work_share; // a recent credited share of this node: see record_node_tag
    uint8_t work_salt[RECORD_SALT_SIZE];
    uint32_t expiry; // seconds since 1970
    uint8_t signature[SIGNATURE_SIZE];
};

// Judged in this order, cheapest first.
enum record_verdict {
    RECORD_VALID,
    RECORD_MALFORMED,
    RECORD_OTHER_POOL,
    RECORD_EXPIRED,
    RECORD_EXPIRY_TOO_FAR, // beyond lifetime + slack: nobody signs ahead
    RECORD_PUZZLE_WRONG,
    RECORD_SIGNATURE_WRONG,
};
const char *record_verdict_text(enum record_verdict verdict);

// A record of this identity that says nothing yet but keys, seq and expiry (wall + lifetime). Add
// endpoints, work and flags, then sign.
void record_init(struct node_record *record, const struct identity *identity,
                 const struct membership *membership, uint64_t seq, struct wall_time wall);
// Sets endpoint and flag by the family of the address; an address of no family changes nothing.
// The port is not 0.
void record_set_endpoint(struct node_record *record, const struct endpoint *endpoint);
void record_set_work(struct node_record *record, const struct hash256 *share_id,
                     const uint8_t salt[RECORD_SALT_SIZE]);
void record_sign(struct node_record *record, const struct identity *identity);

// At most RECORD_SIZE_MAX bytes.
void record_encode(const struct node_record *record, struct buffer *out);
// The layout only; refuses trailing bytes. What it accepts encodes to the same bytes.
bool record_decode(const void *data, size_t size, struct node_record *record);
// Decodes, then judges. The record is filled unless the verdict is RECORD_MALFORMED.
enum record_verdict record_verify(const void *data, size_t size,
                                  const struct membership *membership, struct wall_time wall,
                                  struct node_record *record);
bool record_has_expired(const struct node_record *record, struct wall_time wall);
void record_node_id(const struct node_record *record, struct node_id *id);

// The node_tag that a share carries to prove the work of this identity: the first 16 bytes of
// H("shoal/worker", sign_key || salt), H as in protocol section 0.
void record_node_tag(const struct sign_key *key, const uint8_t salt[RECORD_SALT_SIZE],
                     uint8_t node_tag[16]);

#endif
