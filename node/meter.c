#include "node/meter.h"
#include <stdlib.h>
#include "node/meter_state.h"

static const struct meter_part *const parts[] = {
    &meter_miners, &meter_work,    &meter_chain,  &meter_network,
    &meter_web,    &meter_process, &meter_stages,
};
#define PARTS_COUNT (sizeof(parts) / sizeof(parts[0]))

const char *const meter_label_verdicts[] = {NULL};
const char *const meter_label_types[] = {NULL};
const char *const meter_label_phases[] = {NULL};
const char *const meter_label_daemons[] = {NULL};
const char *const meter_label_pool[] = {NULL};

static const char *const numbers[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
_Static_assert(sizeof(numbers) / sizeof(numbers[0]) == LIMIT_DAEMONS, "a number for each daemon");
_Static_assert(PARTS_COUNT <= METER_PARTS_MAX, "room for all parts");

static void fill_labels(struct meter *meter)
{
    for (unsigned i = 0; i < STRATUM_VERDICTS_COUNT; i++)
        meter->verdicts[i] = stratum_verdict_text((enum stratum_verdict)i);
    for (unsigned i = 0; i < NETWORK_TYPES_COUNT; i++)
        meter->types[i] = peer_message_label((enum peer_message_type)(PEER_HELLO + i));
    for (unsigned i = 0; i < METER_PHASES_COUNT; i++)
        meter->phases[i] = sync_phase_text((enum sync_phase)i);
    // There is no node without a daemon; in tests the series are those of one.
    size_t daemons_count = meter->node->config->daemon.count;
    for (size_t i = 0; i < daemons_count || i == 0; i++)
        meter->daemons[i] = numbers[i];
    meter->pools[0] = meter->node->pool->name;
}

static const char *const *values_of(const struct meter *meter, const char *const *values)
{
    if (values == meter_label_verdicts)
        return meter->verdicts;
    if (values == meter_label_types)
        return meter->types;
    if (values == meter_label_phases)
        return meter->phases;
    if (values == meter_label_daemons)
        return meter->daemons;
    return values == meter_label_pool ? meter->pools : values;
}

static bool add_part(struct meter *meter, size_t number)
{
    const struct meter_part *part = parts[number];
    meter->of_part[number] = calloc(part->count, sizeof(struct metric *));
    if (meter->of_part[number] == NULL)
        return false;
    for (size_t i = 0; i < part->count; i++) {
        struct metric_spec spec = part->specs[i];
        spec.values = values_of(meter, spec.values);
        meter->of_part[number][i] = metrics_add(meter->metrics, &spec);
        if (meter->of_part[number][i] == NULL)
            return false;
    }
    if (part == &meter_stages)
        meter->stages = meter->of_part[number];
    return true;
}

struct meter *meter_new(struct node *node, meter_clock *clock)
{
    struct meter *meter = calloc(1, sizeof(*meter));
    if (meter == NULL)
        return NULL;
    meter->node = node;
    meter->clock = clock;
    meter->work_made_ms = -1;
    fill_labels(meter);
    meter->metrics = metrics_new();
    bool is_complete = meter->metrics != NULL;
    for (size_t i = 0; i < PARTS_COUNT && is_complete; i++)
        is_complete = add_part(meter, i);
    if (is_complete)
        return meter;
    meter_free(meter);
    return NULL;
}

void meter_free(struct meter *meter)
{
    if (meter == NULL)
        return;
    for (size_t i = 0; i < PARTS_COUNT; i++)
        free(meter->of_part[i]);
    metrics_free(meter->metrics);
    free(meter);
}

void meter_set_one_of(struct metric *metric, unsigned place, unsigned places_count)
{
    for (unsigned i = 0; i < places_count; i++)
        metric_set(metric, i, i == place ? 1 : 0);
}

void meter_write(struct meter *meter, struct buffer *out)
{
    for (size_t i = 0; i < PARTS_COUNT; i++) {
        if (parts[i]->read != NULL)
            parts[i]->read(meter, meter->of_part[i]);
    }
    metrics_write(meter->metrics, out);
}
