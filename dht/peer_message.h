// What peers say to each other over a link (p2p.md, Gossip and sync): each message is a link frame
// type and a msgpack array. Unknown trailing elements are skipped; everything else that is not as
// below is malformed: bytes after the array, numbers not in msgpack's unsigned forms, an empty
// share or item, BODIES with another count of bodies than of ids. Pure functions; decoding makes
// views into the bytes and takes no memory.
//
//   HELLO       [version, height, bin(32) tip id, bin(32) work little-endian, capabilities, port]
//   SHARE       [bin share]                    LINK    [bin share, bin body]
//   HAVE, WANT  [bin(32 n) ids], 1..PEER_IDS_MAX
//   GET_LINKS   [request, max, bin(32 n) locator]   LINKS   [request, bin(32) from, bin skeletons]
//   GET_HEADERS [request, max, bin(32 n) locator, bin(32) wanted]
//                                              HEADERS [request, bin(80 n) headers]
//   GET_BODIES  [request, bin(32 n) ids]            BODIES  [request, bin(32 n) ids, bin bodies]
//   GET_SHARES  [request, bin(32 n) ids]            SHARES  [request, bin shares]
//   GET_LOOSE   [request]                           LOOSE   [request, bin(32 n) ids]
//   CHOKE, UNCHOKE []                          PEERS   [bin records]
//   BLOCK       [bin share, bin block]         BYE     [reason]
//
// wanted: the header that the answer leads to, also on a branch that lost, or 32 zero bytes (read
// where the element is not there, too): the best chain.
// skeletons, bodies, shares and records are sequences of u16 or (bodies) u32 size, little-endian,
// and that many bytes. An answer leaves out what the answering node does not have or what does not
// fit: the asker counts what it got.
#ifndef SHOAL_DHT_PEER_MESSAGE_H
#define SHOAL_DHT_PEER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/chain.h"
#include "node/base/bytes.h"
#include "node/base/hash.h"

#define PEER_VERSION          1
#define PEER_IDS_MAX          64   // of HAVE and WANT
#define PEER_GET_IDS_MAX      4096 // of GET_BODIES, GET_SHARES and LOOSE
#define PEER_RECORDS_MAX      16
#define PEER_ANSWER_BYTES_MAX (2u << 20) // of one answer to a GET_
#define PEER_BLOCK_SIZE_MAX   ((8u << 20) - CHAIN_SHARE_MAX - 256)

enum peer_message_type {
    PEER_HELLO = 16, // LINK_TYPE_MIN
    PEER_SHARE,
    PEER_LINK,
    PEER_HAVE,
    PEER_WANT,
    PEER_GET_LINKS,
    PEER_LINKS,
    PEER_GET_HEADERS,
    PEER_HEADERS,
    PEER_GET_BODIES,
    PEER_BODIES,
    PEER_GET_SHARES,
    PEER_SHARES,
    PEER_CHOKE,
    PEER_UNCHOKE,
    PEER_PEERS,
    PEER_BLOCK,
    PEER_BYE,
    PEER_GET_LOOSE,
    PEER_LOOSE,
    PEER_TYPES_END
};
// "share"; for logs and metrics.
const char *peer_message_label(enum peer_message_type type);

enum peer_bye {
    PEER_BYE_STOPPING,   // we are being stopped
    PEER_BYE_FULL,       // no place: ask somebody else
    PEER_BYE_EVICTED,    // somebody better took the place
    PEER_BYE_BANNED,     // you broke a rule
    PEER_BYE_DUPLICATE,  // there is a link between us already
    PEER_BYE_NOT_NEEDED, // we have tried you, and others are nearer
    PEER_BYE_UNKNOWN,    // a reason of a later version
};
const char *peer_bye_text(enum peer_bye reason);

// A view into the message.
struct peer_bytes {
    const uint8_t *data;
    size_t size;
};

struct peer_message {
    enum peer_message_type type;
    uint32_t request;      // of GET_ and their answers: the asker's number
    uint32_t max;          // GET_LINKS, GET_HEADERS: 1..CHAIN_SKELETONS_MAX, CHAIN_HEADERS_MAX
    uint32_t version;      // HELLO, as are the next three
    uint32_t capabilities; // none are defined yet: 0
    uint16_t port;         // where the sender takes links; 0: nowhere
    struct chain_tip tip;
    enum peer_bye bye;       // BYE
    struct hash256 from;     // LINKS
    struct hash256 wanted;   // GET_HEADERS: the last header asked for; zeros: of the best chain
    struct peer_bytes ids;   // 32 bytes each; of GET_LINKS and GET_HEADERS the locator
    struct peer_bytes share; // SHARE, LINK, BLOCK
    struct peer_bytes body;  // LINK; BLOCK: the whole block
    struct peer_bytes items; // headers, skeletons, bodies, shares or records, well-formed
};

// Appends the payload of the message, which the caller kept within the bounds above.
void peer_message_encode(const struct peer_message *message, struct buffer *out);
// False if it is malformed or of no known type; every sequence in it was walked to its end.
bool peer_message_decode(uint8_t type, const void *data, size_t size, struct peer_message *message);
// The most bytes that the payload of this type may have; 0 for unknown types. Asked before memory
// is taken.
size_t peer_message_size_max(uint8_t type);

size_t peer_ids_count(const struct peer_bytes *ids);
void peer_id_at(const struct peer_bytes *ids, size_t i, struct hash256 *id);
// Walks the items of a decoded message (headers are items of 80 bytes): start with *offset 0; false
// past the end.
bool peer_item_next(const struct peer_message *message, size_t *offset, struct peer_bytes *item);
// Appends one item of a message of this type to what becomes its `items`.
// The id of a share, "id(header) = SHA256d(header) on every chain" (protocol section 0); false if
// it is too short to have a header.
bool peer_share_id(const struct peer_bytes *share, struct hash256 *id);
// The type that answers a request; PEER_TYPES_END if it is no GET_.
enum peer_message_type peer_message_answer(enum peer_message_type request);
void peer_item_write(enum peer_message_type type, const void *data, size_t size,
                     struct buffer *out);

#endif
