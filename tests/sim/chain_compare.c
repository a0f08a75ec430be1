#include "tests/sim/chain_compare.h"

#include <stdlib.h>

#define CREDITED_LINKS 2880

struct agreement {
    struct full_net *net;
    struct full_node *with;
    size_t wanted;
};

static bool is_disagreeing(void *context)
{
    const struct agreement *agreement = context;
    return full_net_agreeing(agreement->net, agreement->with) < agreement->wanted;
}

double chain_converge_ms(struct full_net *net, struct full_node *with, size_t wanted,
                         int64_t most_ms)
{
    struct agreement agreement = {net, with, wanted};
    struct world *world = net->swarm.world;
    int64_t start_us = world->now_us;
    bool is_done = world_run_while(world, most_ms, is_disagreeing, &agreement);
    return is_done ? (double)(world->now_us - start_us) / 1000 : (double)most_ms * 10;
}

size_t chain_count_states(const struct full_net *net, const struct full_node *with)
{
    struct hash256 state = full_chain_state(with->chain);
    size_t count = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (net->nodes[i]->chain == NULL || net->nodes[i]->twist != NULL)
            continue;
        struct hash256 other = full_chain_state(net->nodes[i]->chain);
        count += hash_equal(&state, &other);
    }
    return count;
}

struct full_net *chain_net_new(const struct scenario_run *run, uint32_t spacing_s)
{
    struct full_net *net = calloc(1, sizeof *net);
    if (net == NULL)
        abort();
    full_net_init(net, scenario_world(run), spacing_s);
    return net;
}

void chain_net_free(struct full_net *net, const struct scenario_run *run)
{
    scenario_world_done(run, net->swarm.world);
    full_net_clear(net);
    free(net);
}

double chain_credited(const struct full_net *net, size_t first, unsigned side)
{
    size_t all = 0;
    size_t count = 0;
    for (size_t i = first; i < net->made_count; i++) {
        if (net->made[i].side != side)
            continue;
        all++;
        count += sharechain_is_credited(net->nodes[0]->chain, &net->made[i].id, CREDITED_LINKS);
    }
    return all == 0 ? 100 : 100.0 * (double)count / (double)all;
}

size_t chain_count_same(const struct full_node *a, const struct full_node *b, uint32_t links)
{
    struct link_view tip;
    size_t same = 0;
    sharechain_tip(a->chain, &tip);
    for (uint32_t i = 0; i < links && i < tip.height; i++) {
        struct link_view at_a;
        struct link_view at_b;
        same += sharechain_link_at(a->chain, tip.height - i, &at_a) &&
                sharechain_link_at(b->chain, tip.height - i, &at_b) &&
                hash_equal(&at_a.id, &at_b.id) && u256_compare(&at_a.credits, &at_b.credits) == 0;
    }
    return same;
}
