// What the network needs of the share-chain: a table of functions that its owner fills in
// (node/chain_port.h does), because dht/ knows of shares only that they have ids and verdicts
// (architecture.md, Layers). None of the functions calls back into the network; what becomes valid
// is told by network_share_became_valid. Ids are header ids (protocol section 2).
#ifndef SHOAL_DHT_CHAIN_H
#define SHOAL_DHT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"
#include "node/base/time.h"
#include "node/base/u256.h"

#define CHAIN_LOCATOR_MAX   64   // ids in a locator, newest first
#define CHAIN_HEADERS_MAX   2016 // in one answer
#define CHAIN_SKELETONS_MAX 512  // in one answer
#define CHAIN_SHARE_MAX     1024 // bytes of a share
#define CHAIN_BODY_MAX      128003
#define CHAIN_SKELETON_MAX  1024
#define CHAIN_HEADER_SIZE   80

// A link and the work that leads to it, its own included.
struct chain_tip {
    struct hash256 id;
    uint32_t height;
    struct u256 work;
};

enum chain_verdict {
    CHAIN_VALID,   // it is here, and is told to others
    CHAIN_UNKNOWN, // kept at the expense of its source until what it points to is here
    CHAIN_INVALID, // breaks a rule: the fault of whoever sent it
    CHAIN_IGNORED, // neither kept nor relayed, nobody's fault (protocol section 9)
};

// One share as a peer sent it; the body may be NULL.
struct chain_arrival {
    uint32_t source; // the peer's number, charged for what is kept
    const uint8_t *share;
    size_t share_size;
    const uint8_t *body;
    size_t body_size;
    bool is_sync; // asked for by sync: the limits on its height do not apply
};

// What objects that wait here point to and is missing.
enum chain_lack { CHAIN_LACKS_SHARE, CHAIN_LACKS_BODY, CHAIN_LACKS_HEADER, CHAIN_LACKS_COUNT };

// A chain of skeletons under examination; made and freed by the table below.
struct chain_proof;

enum chain_proof_result {
    CHAIN_PROOF_OK,
    CHAIN_PROOF_BAD,          // does not follow: the fault of whoever sent it
    CHAIN_PROOF_LACKS_HEADER, // the same again once `header` is here
    CHAIN_PROOF_NO_MEMORY,
};

// What a proof has come to.
struct chain_proof_state {
    struct chain_tip tip;  // the last link that was proven; where it started, at first
    struct hash256 header; // with CHAIN_PROOF_LACKS_HEADER
};

struct network_chain {
    void *context;

    void (*tip)(void *context, struct chain_tip *tip);
    bool (*has_share)(void *context, const struct hash256 *id); // valid
    bool (*has_link)(void *context, const struct hash256 *id);  // valid as a link; or the pool id
    bool (*has_header)(void *context, const struct hash256 *id);
    // Append the bytes of what is here and valid; false if it is not. The body is a link's.
    bool (*share_bytes)(void *context, const struct hash256 *id, struct buffer *out);
    bool (*body_bytes)(void *context, const struct hash256 *id, struct buffer *out);
    // Whether an id that somebody announces may be a share that can still be included: a cheap
    // test, true where the id says nothing (scrypt).
    bool (*is_plausible)(void *context, const struct hash256 *id);

    enum chain_verdict (*add_share)(void *context, const struct chain_arrival *arrival,
                                    struct now now);
    // Whether a block's header is that of this valid share, has a block's work, and commits to the
    // block's transactions: asked before megabytes are relayed and given to a daemon.
    bool (*is_block)(void *context, const struct hash256 *share_id, const uint8_t *block,
                     size_t size);
    // A body by itself, charged to the source until a share uses it.
    void (*add_body)(void *context, uint32_t source, const uint8_t *bytes, size_t size);
    // count headers of CHAIN_HEADER_SIZE, oldest first. CHAIN_INVALID if one breaks the coin's
    // rules, CHAIN_UNKNOWN if the first does not connect.
    enum chain_verdict (*add_headers)(void *context, uint32_t source, const uint8_t *headers,
                                      size_t count);
    void (*forget_source)(void *context, uint32_t source);

    // Up to CHAIN_LOCATOR_MAX ids of the best chain of links, or of headers: the newest first, then
    // ever further apart, the last one the pool id or the anchor header's id.
    size_t (*link_locator)(void *context, struct hash256 *ids);
    size_t (*header_locator)(void *context, struct hash256 *ids);
    // Headers of the best chain after the newest id of the locator that is on it, oldest first;
    // their count. None in common: from the anchor on.
    size_t (*headers_after)(void *context, const struct hash256 *locator, size_t locator_count,
                            size_t count_max, struct buffer *out);
    // The same for the branch that ends in `wanted`, which may have lost: shares on it are credited
    // all the same. At most CHAIN_HEADERS_MAX, the oldest; none if `wanted` is not here.
    size_t (*headers_to)(void *context, const struct hash256 *wanted, const struct hash256 *locator,
                         size_t locator_count, struct buffer *out);
    // The best chain's skeletons after the newest link of the locator that is on it, each as u16
    // size || bytes, oldest first; their count. *from is that link (the pool id if none is common).
    size_t (*links_after)(void *context, const struct hash256 *locator, size_t locator_count,
                          size_t count_max, struct hash256 *from, struct buffer *out);

    // Ids of valid shares that no link of the best chain credits and one still may; their count.
    // NULL: there are none.
    size_t (*loose)(void *context, struct hash256 *ids, size_t count_max);

    // Begins to follow skeletons after a valid link of ours or the pool id; NULL if `from` is
    // neither, or out of memory.
    struct chain_proof *(*proof_new)(void *context, const struct hash256 *from);
    enum chain_proof_result (*proof_step)(struct chain_proof *proof, const uint8_t *skeleton,
                                          size_t size, struct chain_proof_state *state);
    void (*proof_free)(struct chain_proof *proof);
    // Takes a proven chain as the one to follow, if policy allows it (protocol section 9, deep
    // forks). *height: its links from there on want their share, body and grains; older ones are
    // kept as skeletons. False: it is not to be followed.
    bool (*proof_accept)(void *context, const struct chain_proof *proof, uint32_t *height,
                         struct now now);
    // The proven link at a height: from < height <= tip's. False outside.
    bool (*proof_link)(const struct chain_proof *proof, uint32_t height, struct hash256 *id);

    // Whether the share was credited lately and carries this node_tag: work of the node that
    // node_tag stands for (p2p.md, Identity). NULL: nobody proves work.
    bool (*proves_work)(void *context, const struct hash256 *id, const uint8_t node_tag[16]);

    // Up to count_max ids of missing objects (of headers: their ids; of bodies: the ids of their
    // shares) with the source of one that waits for each, starting anywhere.
    size_t (*lacking)(void *context, enum chain_lack kind, struct hash256 *ids, uint32_t *sources,
                      size_t count_max);
};

#endif
