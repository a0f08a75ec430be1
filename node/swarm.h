// This node among the others. Drives the network engine (dht/network.h) with sockets, time, the
// addresses of seeds and a port of the home router; keeps the node's identity and what the engine
// wants kept; joins the engine with the share-chain (chain_port.h); says when work may be made
// (protocol section 9). Its files: swarm.c (a life), swarm_streams.c (sockets), swarm_seeds.c
// (whom to ask first), swarm_identity.c (who we are), swarm_chain.c (the share-chain). Called by
// the composition root; what it holds is shown by report_network.c.
#ifndef SHOAL_NODE_SWARM_H
#define SHOAL_NODE_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/network.h"
#include "node/chain_port.h"
#include "node/net/udp.h"
#include "node/node.h"

struct node;
struct swarm;

// Takes the ports, reads or begins to make the identity, and sets the node's mark for shares; store
// and share-chain are there. The engine begins when identity and seeds are ready. NULL with a
// sentence.
struct swarm *swarm_new(struct node *node, char error[NODE_ERROR_SIZE]);
// Says goodbye to peers; what they are still owed goes out while the loop runs.
void swarm_stop(struct swarm *swarm);
void swarm_free(struct swarm *swarm);
// At the end of each turn of the loop: tells the engine what changed, and when to be woken.
void swarm_turn_ended(struct swarm *swarm, struct now now);

// Why no work may be made now as far as peers are concerned, and what to do; NULL if it may. The
// text is static.
const char *swarm_refuses_work(const struct swarm *swarm);

// ---- What happens in the share-chain. NULL is fine for a node without peers, as in tests.

void swarm_share_became_valid(struct swarm *swarm, const struct hash256 *id, const uint8_t *bytes,
                              size_t size);
// Whether it is time for another share that shows whose node it comes from: one with the whole
// node_tag, and no team in it.
bool swarm_wants_proof(const struct swarm *swarm);
void swarm_link_became_valid(struct swarm *swarm, const struct hash256 *id);
void swarm_tip_changed(struct swarm *swarm);
void swarm_daemon_tip(struct swarm *swarm, const struct hash256 *id);
// After something was added that did not come from a peer, headers of the daemon or a share of our
// miners: what became valid may be told.
void swarm_settled(struct swarm *swarm);
// Our miners found a block; its share has been added and is valid.
void swarm_block_found(struct swarm *swarm, const struct hash256 *id, const uint8_t *block,
                       size_t size);

// ---- For those who show it

struct swarm_view {
    struct network *network;         // NULL until it has begun
    const struct identity *identity; // its keys; the id is zero until the puzzle is solved
    const struct chain_port *port;
    bool is_private;
    bool is_found;
    bool has_met_peers;   // since the start
    bool is_alone;        // for NETWORK_ALONE_MS
    uint16_t listen_port; // 0: none
    struct net_udp_stats datagrams;
    char mapping[200];       // what the router says; "" if it is not asked
    uint64_t blocks_arrived; // of peers, given to our daemons
};
void swarm_view(struct swarm *swarm, struct swarm_view *view);

#define SWARM_SEED_TEXT_SIZE 160
// HOST:PORT/KEY by which others make this node their seed; HOST is "ADDRESS" while nobody knows it.
void swarm_seed_text(struct swarm *swarm, char out[SWARM_SEED_TEXT_SIZE]);

#endif
