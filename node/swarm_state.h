// The insides of the swarm, shared by its files (swarm.h names them) and by nobody else.
#ifndef SHOAL_NODE_SWARM_STATE_H
#define SHOAL_NODE_SWARM_STATE_H

#include "dht/contact.h"
#include "node/config_check.h"
#include "node/net/port_map.h"
#include "node/net/resolve.h"
#include "node/state.h"
#include "node/swarm.h"

#define SWARM_SOCKETS_MAX CONFIG_LIST_MAX
#define SWARM_SEEDS_MAX   DHT_SEEDS_MAX
// Dials that failed before they had a connection, to be told in the next turn.
#define SWARM_FAILED_MAX 64
#define SWARM_PEERS_MAX  128
// Own shares that may be named as our work.
#define SWARM_OWN_MAX 64

struct swarm_stream {
    struct swarm *swarm;
    struct net_connection *connection;
    uint32_t number; // 0 once the engine is done with it
    struct endpoint endpoint;
    bool is_inbound;
    uint32_t shares_owed; // bits of the meter: shares of ours since the last write
};

// A peer while it is there, for the log: its stream may be closed before we are told why.
struct swarm_peer {
    uint32_t number; // 0: an empty place
    struct endpoint endpoint;
    bool is_inbound;
    struct hash256 id;
};

struct swarm_seed {
    struct swarm *swarm;
    struct seed_name name;
    struct net_resolve *resolve; // under way, or NULL
};

struct identity_maker;

struct swarm {
    struct node *node;
    struct membership membership;
    struct identity identity;
    bool has_identity;
    struct identity_maker *maker; // NULL unless the puzzle is being solved
    struct network *network;      // NULL before
    struct network_chain chain;
    struct chain_port *port;
    struct net_timer *timer;       // the engine's next deadline
    struct net_timer *seeds_timer; // names are looked up again
    bool is_stopping;
    bool is_alone;
    bool has_met_peers;
    // Sockets
    struct net_listener *listeners[SWARM_SOCKETS_MAX];
    size_t listeners_count;
    struct net_udp *udp_ipv4[SWARM_SOCKETS_MAX], *udp_ipv6[SWARM_SOCKETS_MAX];
    size_t udp_ipv4_count, udp_ipv6_count;
    uint16_t listen_port;
    struct map *streams; // number -> struct swarm_stream
    struct swarm_peer peers[SWARM_PEERS_MAX];
    uint32_t failed[SWARM_FAILED_MAX];
    size_t failed_count;
    uint64_t strangers; // that were refused since it was said last
    struct mono_time strangers_said;
    // Where others find us
    struct endpoint public_ipv4, public_ipv6; // as configured
    struct net_port_map *port_map;
    struct endpoint mapped; // by the router; of no family: not
    char mapping[200];
    // Seeds
    struct swarm_seed seeds[CONFIG_LIST_MAX];
    size_t seeds_count;
    size_t seeds_pending;
    bool is_own_seed; // our own line is among them
    struct network_seed resolved[SWARM_SEEDS_MAX];
    size_t resolved_count;
    bool has_saved;
    // The share-chain
    uint8_t work_salt[RECORD_SALT_SIZE];
    struct hash256 own[SWARM_OWN_MAX]; // those that prove our work
    size_t own_count;                  // ever; the newest overwrite the oldest
    bool has_tip_moved;
    size_t waiting, waiting_bytes; // as the engine was told last
    struct mono_time work_due;     // when another share of ours should be named
    struct mono_time proof_due;    // when a new one is wanted
    const struct header_node *best;
    struct hash256 topic_block;
    uint64_t blocks_arrived;
};

// swarm_streams.c
bool swarm_listen(struct swarm *swarm, char error[NODE_ERROR_SIZE]);
void swarm_close_listeners(struct swarm *swarm);
void swarm_close_sockets(struct swarm *swarm);
void swarm_fill_io(struct swarm *swarm, struct network_events *events);
void swarm_tell_failed(struct swarm *swarm, struct now now);
struct swarm_stream *swarm_stream_find(const struct swarm *swarm, uint32_t number);
struct endpoint swarm_endpoint(const struct net_address *address);
// False for "IP" or "IP:PORT" that is none; default_port is for those without.
bool swarm_parse_endpoint(const char *text, uint16_t default_port, struct endpoint *endpoint);

// swarm_seeds.c
bool swarm_seeds_init(struct swarm *swarm, char error[NODE_ERROR_SIZE]);
void swarm_seeds_resolve(struct swarm *swarm);
void swarm_seeds_clear(struct swarm *swarm);

// swarm_identity.c
bool swarm_identity_open(struct swarm *swarm, char error[NODE_ERROR_SIZE]);
void swarm_identity_close(struct swarm *swarm);

// swarm_chain.c
bool swarm_chain_open(struct swarm *swarm, char error[NODE_ERROR_SIZE]);
void swarm_chain_turn(struct swarm *swarm, struct now now);

// swarm.c: begins the engine if all it needs is there.
void swarm_begin_if_ready(struct swarm *swarm);

#endif
