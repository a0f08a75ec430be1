// Joins the share-chain to the network: fills the table of dht/chain.h in, adds the policy that
// stands between them (protocol section 9: how far from the tip, how far ahead of the clock, how
// deep a fork), and says what became valid. The node and the simulator use it; it knows no sockets,
// files or clocks.
#ifndef SHOAL_NODE_CHAIN_PORT_H
#define SHOAL_NODE_CHAIN_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/chain.h"
#include "dht/gossip.h"
#include "node/base/env.h"
#include "node/base/time.h"
#include "sharechain/sharechain.h"

#define CHAIN_PORT_AHEAD_S      60         // a link's time may be so far ahead of the clock
#define CHAIN_PORT_HOLD_S       600        // up to here it is held until the clock is there
#define CHAIN_PORT_HELD_BYTES   (4u << 20) // held links, all sources together
#define CHAIN_PORT_HELD_SOURCE  (1u << 20) // those of one source
#define CHAIN_PORT_FORK_MAX     360  // links of ours; deeper only if the daemon's chain agrees
#define CHAIN_PORT_WORK_LINKS   2880 // credited so lately, a share proves its node's work
#define CHAIN_PORT_PROOF_LINKS  (4u << 20) // most links of one proof
#define CHAIN_PORT_FAILURES_MAX 5          // pruned starts, each with twice as much checked

struct chain_port;

// Facts for the network; borrowed for the call. Called from inside the functions below and those
// of the table.
struct chain_port_events {
    void *context;
    // For network_share_became_valid.
    void (*share_became_valid)(void *context, const struct gossip_share *share);
    // The best link is another one: for network_chain_moved.
    void (*tip_changed)(void *context);
};

// chain and env are borrowed and outlive the port; events is copied. NULL if out of memory.
struct chain_port *chain_port_new(const struct env *env, struct sharechain *chain,
                                  const struct chain_port_events *events);
void chain_port_free(struct chain_port *port);
// Fills the table in; it is good for as long as the port.
void chain_port_table(struct chain_port *port, struct network_chain *table);

// The owner's handlers of struct sharechain_events hand on what they are told, and after adding
// something itself (an own share, the daemon's header) the owner calls chain_port_settled: a share
// with a link's work that is no link yet is told as a share then.
void chain_port_share_became_valid(struct chain_port *port, const struct hash256 *id,
                                   const uint8_t *bytes, size_t size);
void chain_port_link_became_valid(struct chain_port *port, const struct hash256 *id);
void chain_port_tip_changed(struct chain_port *port);
void chain_port_settled(struct chain_port *port);

// The best valid block of the local daemon: what a deep fork is measured by.
void chain_port_set_daemon_tip(struct chain_port *port, const struct hash256 *id);

// Feeds what was held until now.
void chain_port_tick(struct chain_port *port, struct now now);
struct mono_time chain_port_next_deadline(const struct chain_port *port);

struct chain_port_stats {
    size_t held;
    size_t held_bytes;
    uint64_t ignored; // shares too far from the tip, or from the clock
    uint64_t deep_forks_refused;
};
void chain_port_stats(const struct chain_port *port, struct chain_port_stats *stats);

#endif
