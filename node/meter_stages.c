// From one stage to the next: what the hooks tell, as histograms.
#include "node/meter_state.h"
#include "node/swarm_state.h"

static const double seconds[] = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                 0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                 0.5,     1,      2.5,     5,      10};
#define SECONDS seconds, sizeof(seconds) / sizeof(seconds[0])

static const char *const new_block_stages[] = {[NEW_BLOCK_WORK_MADE] = "work_made",
                                               [NEW_BLOCK_FIRST_NOTIFIED] = "first_notified",
                                               [NEW_BLOCK_LAST_NOTIFIED] = "last_notified",
                                               NULL};
static const char *const relay_stages[] = {
    [RELAY_FIRST_PEER] = "first_peer", [RELAY_LAST_PEER] = "last_peer", NULL};

static const struct metric_spec specs[STAGES_COUNT] = {
    [STAGE_SUBMIT] = {METRIC_HISTOGRAM, "shoal_submit_answer_seconds",
                      "From reading a miner's submit to writing its answer, waiting for the disk "
                      "included.",
                      NULL, NULL, SECONDS},
    [STAGE_NEW_BLOCK] = {METRIC_HISTOGRAM, "shoal_new_block_seconds",
                         "From the template of a new block to the stage: work made, first and last "
                         "miner notified (those with a clogged connection excepted).",
                         "stage", new_block_stages, SECONDS},
    [STAGE_RELAY] = {METRIC_HISTOGRAM, "shoal_share_relay_seconds",
                     "From a share of our miners to the stage: written to the first and to the "
                     "last of the peers that were there.",
                     "stage", relay_stages, SECONDS},
    [STAGE_BLOCK] = {METRIC_HISTOGRAM, "shoal_block_answer_seconds",
                     "From finding a block to the first daemon's answer.", NULL, NULL, SECONDS},
    [STAGE_COMMIT] = {METRIC_HISTOGRAM, "shoal_store_commit_seconds",
                      "How long one write to the disk takes, synced.", NULL, NULL, SECONDS},
    [STAGE_TURN] = {METRIC_HISTOGRAM, "shoal_loop_turn_seconds",
                    "How long the event loop worked before it looked for events again: what comes "
                    "meanwhile waits.",
                    NULL, NULL, SECONDS},
};

const struct meter_part meter_stages = {specs, STAGES_COUNT, NULL};

static void observe(struct meter *meter, enum meter_stage stage, unsigned value, uint64_t since_ns)
{
    metric_observe(meter->stages[stage], value, (double)(meter->clock() - since_ns) / 1e9);
}

// ---- Submits

// All that one turn reads came together: what waits for its turn is counted as waiting.
void meter_received(struct meter *meter)
{
    if (meter != NULL && meter->received_ns == 0)
        meter->received_ns = meter->clock();
}

uint64_t meter_submit_arrived(const struct meter *meter)
{
    return meter == NULL ? 0 : meter->received_ns;
}

static void observe_answers(struct meter *meter)
{
    uint64_t now_ns = meter->clock();
    for (size_t i = 0; i < meter->marks_count; i++)
        metric_observe(meter->stages[STAGE_SUBMIT], 0, (double)(now_ns - meter->marks[i]) / 1e9);
    meter->marks_count = 0;
}

void meter_submit_answered(struct meter *meter, uint64_t mark)
{
    if (meter == NULL || mark == 0)
        return;
    if (meter->marks_count == METER_ANSWERS_MAX)
        observe_answers(meter);
    meter->marks[meter->marks_count] = mark;
    meter->marks_count++;
}

void meter_sent(struct meter *meter)
{
    if (meter == NULL)
        return;
    if (meter->marks_count > 0)
        observe_answers(meter);
    if (meter->told_ns == 0 || meter->has_told)
        return;
    meter->has_told = true;
    observe(meter, STAGE_NEW_BLOCK, NEW_BLOCK_FIRST_NOTIFIED, meter->told_ns);
}

// ---- New blocks

void meter_template_seen(struct meter *meter, bool is_new_block)
{
    if (meter == NULL)
        return;
    if (is_new_block) {
        meter->templates_new++;
        meter->template_ns = meter->clock();
    } else {
        meter->templates_refreshed++;
    }
}

void meter_work_made(struct meter *meter, bool is_new_block)
{
    if (meter == NULL)
        return;
    meter->work_made_ms = net_loop_now(meter->node->loop).mono.ms;
    if (is_new_block && meter->template_ns != 0) {
        observe(meter, STAGE_NEW_BLOCK, NEW_BLOCK_WORK_MADE, meter->template_ns);
        meter->told_ns = meter->template_ns;
        meter->has_told = false;
        meter->template_ns = 0;
    }
}

void meter_work_told(struct meter *meter)
{
    if (meter == NULL)
        return;
    if (meter->told_ns != 0 && meter->has_told)
        observe(meter, STAGE_NEW_BLOCK, NEW_BLOCK_LAST_NOTIFIED, meter->told_ns);
    meter->told_ns = 0;
}

// ---- Shares to peers

// The bit of a relay that is free; 0 if there is none: this share is not measured.
static uint32_t free_relay(const struct meter *meter)
{
    for (unsigned i = 0; i < METER_RELAYS_MAX; i++) {
        if (meter->relays[i].waiting == 0)
            return UINT32_C(1) << i;
    }
    return 0;
}

static struct meter_relay *relay_of(struct meter *meter, uint32_t bit)
{
    return &meter->relays[__builtin_ctz(bit)];
}

// An own share goes to all peers, before all else that waits for them: the next write to a stream
// has it.
void meter_share_told(struct meter *meter, const struct swarm *swarm)
{
    uint32_t bit = meter == NULL ? 0 : free_relay(meter);
    if (bit == 0)
        return;
    struct meter_relay relay = {.found_ns = meter->node->share_found_ns};
    for (size_t i = 0; i < SWARM_PEERS_MAX; i++) {
        struct swarm_stream *stream =
            swarm->peers[i].number == 0 ? NULL : swarm_stream_find(swarm, swarm->peers[i].number);
        if (stream == NULL)
            continue;
        stream->shares_owed |= bit;
        relay.waiting++;
    }
    *relay_of(meter, bit) = relay;
}

// Takes the stream off all relays that wait for it.
static void settle_stream(struct meter *meter, struct swarm_stream *stream, bool is_written)
{
    for (uint32_t owed = stream->shares_owed; owed != 0; owed &= owed - 1) {
        struct meter_relay *relay = relay_of(meter, owed & -owed);
        relay->waiting--;
        if (is_written && !relay->has_first)
            observe(meter, STAGE_RELAY, RELAY_FIRST_PEER, relay->found_ns);
        relay->has_first = relay->has_first || is_written;
        if (is_written && relay->waiting == 0)
            observe(meter, STAGE_RELAY, RELAY_LAST_PEER, relay->found_ns);
    }
    stream->shares_owed = 0;
}

void meter_stream_written(struct meter *meter, struct swarm_stream *stream)
{
    if (meter != NULL && stream->shares_owed != 0)
        settle_stream(meter, stream, true);
}

// If it was the last one, nobody knows when the share would have got there: not measured.
void meter_stream_gone(struct meter *meter, struct swarm_stream *stream)
{
    if (meter != NULL && stream->shares_owed != 0)
        settle_stream(meter, stream, false);
}

// ---- Everything else

void meter_block_judged(struct meter *meter, const struct found_block *block, enum block_fate fate)
{
    if (meter != NULL && !block->has_fate && block->found_ns != 0 && fate != BLOCK_UNREACHABLE)
        observe(meter, STAGE_BLOCK, 0, block->found_ns);
}

void meter_tip_changed(struct meter *meter, uint32_t depth)
{
    if (meter == NULL || depth == 0)
        return;
    meter->reorganisations++;
    meter->links_left += depth;
}

void meter_store_woken(struct meter *meter)
{
    struct store_commit commit;
    while (meter != NULL && store_next_commit(meter->node->store, &commit)) {
        metric_observe(meter->stages[STAGE_COMMIT], 0, (double)commit.duration_us / 1e6);
        meter->committed_bytes += commit.bytes;
    }
}

// Both clocks stand where the last turn ended; what the loop slept since was no work.
void meter_turn_ended(struct meter *meter)
{
    if (meter == NULL)
        return;
    uint64_t now_ns = meter->clock();
    uint64_t idle_ns = net_loop_idle_ns(meter->node->loop);
    uint64_t passed_ns = now_ns - meter->turn_ended_ns;
    uint64_t slept_ns = idle_ns - meter->turn_idle_ns;
    if (meter->turn_ended_ns != 0 && passed_ns >= slept_ns)
        metric_observe(meter->stages[STAGE_TURN], 0, (double)(passed_ns - slept_ns) / 1e9);
    meter->turn_ended_ns = now_ns;
    meter->turn_idle_ns = idle_ns;
    meter->received_ns = 0;
}
