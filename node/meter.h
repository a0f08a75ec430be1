// What is counted in a running node, as text for Prometheus. Most of it is counted by the engines
// anyway and read when somebody asks (meter_*.c, one table for each part of the node); what nobody
// else measures, the time from one stage to the next, is told by the hooks below. Labels are words
// of our own, never an address, a user or a peer: the number of series is bounded. docs/monitoring
// lists all; a test compares. Made by the composition root; on the loop's thread, as everything
// here. A hook costs an addition or a look at the clock, and none takes memory.
#ifndef SHOAL_NODE_METER_H
#define SHOAL_NODE_METER_H

#include <stdbool.h>
#include <stdint.h>
#include "node/backend/backend.h"
#include "node/base/bytes.h"

struct meter;
struct node;
struct found_block;
struct swarm;
struct swarm_stream;

#define METER_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METER_SIZE_MAX     (256u << 10)

// Everything that can be counted is registered here. The clock is net_clock_ns but in tests. The
// node's loop, pool and config are there; its other parts need not be. NULL if out of memory.
typedef uint64_t meter_clock(void);
struct meter *meter_new(struct node *node, meter_clock *clock);
void meter_free(struct meter *meter);
// Appends the text: METER_CONTENT_TYPE, less than METER_SIZE_MAX. All parts of the node are there.
void meter_write(struct meter *meter, struct buffer *out);

// ---- Hooks. NULL is fine for a node without a meter, as in tests.

// Bytes of a miner are about to be read: submits in them came now.
void meter_received(struct meter *meter);
// The events of Stratum's engine of these names.
uint64_t meter_submit_arrived(const struct meter *meter);
void meter_submit_answered(struct meter *meter, uint64_t mark);
// Bytes were given to a miner's socket: the answers and jobs that were made since.
void meter_sent(struct meter *meter);

// A template came. Of a new block it is the first of four stages, the next two around
// stratum_set_work.
void meter_template_seen(struct meter *meter, bool is_new_block);
void meter_work_made(struct meter *meter, bool is_new_block);
void meter_work_told(struct meter *meter);

// A share of ours is to be told to all open peers, right after; and something was written to a
// stream, or it is gone.
void meter_share_told(struct meter *meter, const struct swarm *swarm);
void meter_stream_written(struct meter *meter, struct swarm_stream *stream);
void meter_stream_gone(struct meter *meter, struct swarm_stream *stream);

// A daemon's answer about a block, before it is noted in it.
void meter_block_judged(struct meter *meter, const struct found_block *block, enum block_fate fate);
// The best link changed; `depth` links were left for it.
void meter_tip_changed(struct meter *meter, uint32_t depth);
// The store's writer rang.
void meter_store_woken(struct meter *meter);
// The last thing of a turn of the loop.
void meter_turn_ended(struct meter *meter);

#endif
