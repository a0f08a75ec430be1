// The documents behind report.c, one function each. They write the members of an object that the
// caller has begun.
#ifndef SHOAL_NODE_REPORT_PARTS_H
#define SHOAL_NODE_REPORT_PARTS_H

#include "node/base/json.h"
#include "node/bitcoin/address.h"
#include "node/report.h"
#include "node/state.h"

void report_status(struct node *node, struct report_call *call, struct json_writer *writer);
void report_miners(struct node *node, struct report_call *call, struct json_writer *writer);
void report_blocks(struct node *node, struct report_call *call, struct json_writer *writer);
void report_block(struct node *node, struct report_call *call, struct json_writer *writer);
void report_payouts(struct node *node, struct report_call *call, struct json_writer *writer);
void report_credits(struct node *node, struct report_call *call, struct json_writer *writer);
void report_loose(struct node *node, struct report_call *call, struct json_writer *writer);
void report_daemons(struct node *node, struct report_call *call, struct json_writer *writer);
void report_links(struct node *node, struct report_call *call, struct json_writer *writer);

void report_shares(struct node *node, struct report_call *call, struct json_writer *writer);
void report_share(struct node *node, struct report_call *call, struct json_writer *writer);
void report_link(struct node *node, struct report_call *call, struct json_writer *writer);
void report_addresses(struct node *node, struct report_call *call, struct json_writer *writer);
void report_address(struct node *node, struct report_call *call, struct json_writer *writer);
void report_payouts_history(struct node *node, struct report_call *call,
                            struct json_writer *writer);
void report_luck(struct node *node, struct report_call *call, struct json_writer *writer);
void report_template(struct node *node, struct report_call *call, struct json_writer *writer);
void report_routes(struct node *node, struct report_call *call, struct json_writer *writer);
void report_config(struct node *node, struct report_call *call, struct json_writer *writer);

void report_standings(struct node *node, struct report_call *call, struct json_writer *writer);
void report_teams(struct node *node, struct report_call *call, struct json_writer *writer);
void report_team(struct node *node, struct report_call *call, struct json_writer *writer);
void report_milestones(struct node *node, struct report_call *call, struct json_writer *writer);

void report_peers(struct node *node, struct report_call *call, struct json_writer *writer);
void report_dht(struct node *node, struct report_call *call, struct json_writer *writer);
void report_chain(struct node *node, struct report_call *call, struct json_writer *writer);

// Member "network" of the document "status"; null for a node without one.
void report_write_network(struct node *node, struct json_writer *writer);
// Hashes a second of the whole pool: what the newest links credit, over the time they took; 0 while
// there are too few.
double report_pool_hashrate(const struct node *node, const struct link_view *tip);
// Whether addresses of connections may be shown.
bool report_is_private(const struct report_call *call);
// A hash that was asked for, given as explorers show it or in wire order; false if none was.
bool report_hash(struct report_call *call, const char *name, bool is_display, struct hash256 *hash);
// Member "next": the "from" of the next page, or null.
void report_write_next(struct json_writer *writer, bool has_more, uint64_t from);
// Member "banner": what a page shows above everything else, or null.
void report_write_banner(struct node *node, struct json_writer *writer);
// "in_chain", "mature", "orphaned"; NULL while nobody knows.
const char *report_block_place(const struct node *node, const struct found_block *block);
// Hex as people see it: ids of blocks reversed, ids of links (pool_id included) in wire order.
void report_write_block_id(struct json_writer *writer, const char *name, const struct hash256 *id);
void report_write_id(struct json_writer *writer, const char *name, const struct hash256 *id);
// Members "address" (null if it has none on this chain) and "script".
void report_write_payee(struct json_writer *writer, const struct node *node,
                        const struct script *script);
// Member `name`: a payout list with amounts and parts of their sum.
void report_write_outputs(struct json_writer *writer, const char *name, const struct node *node,
                          const struct coinbase_output *outputs, size_t count);
// Member "outputs" of a share that is here, null of another.
void report_write_share_outputs(struct node *node, const struct hash256 *id,
                                struct json_writer *writer);
// Member "shares": how many of each verdict, zeros left out.
void report_write_verdicts(struct json_writer *writer, const uint64_t shares[]);
// Member "luck": work expected over work done; null if that is not known. NULL: no known block.
void report_write_luck(struct json_writer *writer, const struct paid_block *block);
// Where a block of the pool stands: "in_chain", "mature", "orphaned".
const char *report_paid_place(struct node *node, const struct paid_block *paid,
                              int64_t *confirmations);
// Member "team": the name in a share's node_tag, or null.
void report_write_team(struct json_writer *writer, const uint8_t tag[SHARE_NODE_TAG_SIZE]);
// The script of an address that was asked for; false if it is none of this chain: the call has
// failed then.
bool report_script(const struct node *node, struct report_call *call, const char *name,
                   struct script *script);
// E of the shares of a mint: the link whose window the next block pays.
struct hash256 report_epoch(const struct node *node, const struct mint *mint);
// Decimal text: these numbers are larger than what JSON readers keep exactly.
void report_write_u256(struct json_writer *writer, const char *name, const struct u256 *value);
void report_write_sats(struct json_writer *writer, const char *name, uint64_t sats);

#endif
