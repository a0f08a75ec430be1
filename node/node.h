// The composition root: makes the engines (share-chain, Stratum, daemons, store), joins their
// events and owns the loop's callbacks. Each way through the house is a file: work.c (a new block:
// template -> mint -> job), found.c (a miner's share: job -> share-chain, daemon), miners.c
// (sockets of miners), hasher.c (slow proofs of work), blocks.c (what became of found blocks),
// report.c (questions). Called by command_node.c only.
#ifndef SHOAL_NODE_NODE_H
#define SHOAL_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include "node/base/log.h"
#include "node/config.h"
#include "node/net/loop.h"
#include "sharechain/pool.h"

struct node;

#define NODE_ERROR_SIZE 512

struct node_options {
    struct config *config; // borrowed, outlives the node; a reload changes some keys of it
    int argc;              // of the start, for a reload
    const char *const *argv;
    const struct pool *pool; // borrowed
    struct net_loop *loop;   // borrowed
    struct log *log;         // borrowed
};

// Opens the store, reads the chain back, listens for miners and starts asking the daemons. NULL
// with a sentence.
struct node *node_new(const struct node_options *options, char error[NODE_ERROR_SIZE]);
// Lets miners go gracefully (client.reconnect), then stops the loop once everything is on disk; a
// second call stops at once.
void node_stop(struct node *node);
void node_free(struct node *node);

#endif
