// The insides of the meter, shared by its files (meter.h names them) and by nobody else.
#ifndef SHOAL_NODE_METER_STATE_H
#define SHOAL_NODE_METER_STATE_H

#include "node/base/metrics.h"
#include "dht/network.h"
#include "node/meter.h"
#include "node/state.h"

#define METER_PARTS_MAX    8
#define METER_ANSWERS_MAX  64 // of one session, between two writes to its socket
#define METER_PHASES_COUNT (SYNC_DONE + 1)
#define METER_RELAYS_MAX   32 // shares of ours on their way; bits of swarm_stream.shares_owed

// A part of the node: its metrics as a table, and how they are read. `read` gets them in the order
// of the table; NULL: they are told by hooks.
struct meter_part {
    const struct metric_spec *specs;
    size_t count;
    void (*read)(struct meter *meter, struct metric *const *metrics);
};
// One for each file meter_*.c.
extern const struct meter_part meter_miners, meter_work, meter_chain, meter_network, meter_web,
    meter_process, meter_stages;

// Labels whose values others name, or are only known when the node starts: a spec says so by these.
extern const char *const meter_label_verdicts[]; // of shares
extern const char *const meter_label_types[];    // of peers' messages
extern const char *const meter_label_phases[];   // of sync
extern const char *const meter_label_daemons[];  // "1", "2", ...
extern const char *const meter_label_pool[];     // its name

enum meter_stage {
    STAGE_SUBMIT,
    STAGE_NEW_BLOCK,
    STAGE_RELAY,
    STAGE_BLOCK,
    STAGE_COMMIT,
    STAGE_TURN,
    STAGES_COUNT
};
enum { NEW_BLOCK_WORK_MADE, NEW_BLOCK_FIRST_NOTIFIED, NEW_BLOCK_LAST_NOTIFIED };
enum { RELAY_FIRST_PEER, RELAY_LAST_PEER };

// A share of ours on its way to the peers.
struct meter_relay {
    uint64_t found_ns;
    unsigned waiting; // peers to which nothing was written since
    bool has_first;
};

struct meter {
    struct node *node;
    meter_clock *clock;
    struct metrics *metrics;
    struct metric **of_part[METER_PARTS_MAX];
    struct metric *const *stages;                     // by enum meter_stage
    const char *verdicts[STRATUM_VERDICTS_COUNT + 1]; // values of labels, ended by NULL
    const char *types[NETWORK_TYPES_COUNT + 1];
    const char *phases[METER_PHASES_COUNT + 1];
    const char *daemons[LIMIT_DAEMONS + 1];
    const char *pools[2];

    uint64_t received_ns;              // when the first bytes of this turn were read; 0: none were
    uint64_t marks[METER_ANSWERS_MAX]; // of answers that wait for the next write
    size_t marks_count;
    uint64_t template_ns; // of the new block that has no work yet; 0: none
    uint64_t told_ns;     // of the work that is being told; 0: none is
    bool has_told;        // somebody
    int64_t work_made_ms; // on the loop's clock; -1 never
    uint64_t templates_new, templates_refreshed;
    struct meter_relay relays[METER_RELAYS_MAX];
    uint64_t reorganisations, links_left;
    uint64_t committed_bytes;
    uint64_t turn_ended_ns, turn_idle_ns;
};

// What is there is 1, what is not is 0: one place of a label is 1.
void meter_set_one_of(struct metric *metric, unsigned place, unsigned places_count);

#endif
