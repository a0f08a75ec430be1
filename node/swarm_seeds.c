// Whom to ask first: the seeds of the configuration, their names looked up off the loop.
#include <stdio.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/swarm_state.h"

#define LOOK_UP_AGAIN_MS 15000

bool swarm_seeds_init(struct swarm *swarm, char error[NODE_ERROR_SIZE])
{
    const struct config_list *list = &swarm->node->config->seed;
    const char *wrong;
    for (size_t i = 0; i < list->count; i++) {
        swarm->seeds[i].swarm = swarm;
        if (!seed_name_parse(list->items[i], &swarm->seeds[i].name, &wrong)) {
            snprintf(error, NODE_ERROR_SIZE, "seed: \"%.120s\" %s", list->items[i], wrong);
            return false;
        }
    }
    swarm->seeds_count = list->count;
    return true;
}

static void add_address(struct swarm *swarm, const struct net_address *address,
                        const uint8_t key[32])
{
    struct network_seed seed = {.endpoint = swarm_endpoint(address)};
    memcpy(seed.key.bytes, key, sizeof(seed.key.bytes));
    // Everybody may have everybody's line, his own among them.
    bool is_own = memcmp(key, swarm->identity.dht_key.bytes, sizeof(seed.key.bytes)) == 0;
    swarm->is_own_seed = swarm->is_own_seed || is_own;
    if (is_own || swarm->resolved_count == SWARM_SEEDS_MAX)
        return;
    for (size_t i = 0; i < swarm->resolved_count; i++) {
        if (endpoint_equal(&swarm->resolved[i].endpoint, &seed.endpoint))
            return;
    }
    swarm->resolved[swarm->resolved_count] = seed;
    swarm->resolved_count++;
}

static void say_failure(const struct swarm_seed *seed, const char *reason)
{
    log_event(seed->swarm->node->log, LOG_WARN, "network", "a seed's name cannot be looked up",
              LOG_TEXT("host", seed->name.host), LOG_TEXT("reason", reason));
}

static void on_resolved(void *context, const struct net_address *addresses, size_t count,
                        const char *reason)
{
    struct swarm_seed *seed = context;
    struct swarm *swarm = seed->swarm;
    seed->resolve = NULL;
    for (size_t i = 0; i < count; i++)
        add_address(swarm, &addresses[i], seed->name.key);
    if (count == 0)
        say_failure(seed, reason);
    swarm->seeds_pending--;
    swarm_begin_if_ready(swarm);
}

void swarm_seeds_resolve(struct swarm *swarm)
{
    struct now now = net_loop_now(swarm->node->loop);
    net_timer_start(swarm->seeds_timer, (struct mono_time){now.mono.ms + LOOK_UP_AGAIN_MS});
    for (size_t i = 0; i < swarm->seeds_count; i++) {
        struct swarm_seed *seed = &swarm->seeds[i];
        if (seed->resolve != NULL)
            continue;
        seed->resolve = net_resolve_begin(swarm->node->loop, seed->name.host, seed->name.port,
                                          on_resolved, seed);
        if (seed->resolve == NULL)
            say_failure(seed, "it cannot be the name of a host");
        swarm->seeds_pending += seed->resolve != NULL ? 1 : 0;
    }
}

void swarm_seeds_clear(struct swarm *swarm)
{
    for (size_t i = 0; i < swarm->seeds_count; i++) {
        net_resolve_cancel(swarm->seeds[i].resolve);
        swarm->seeds[i].resolve = NULL;
    }
}

// ---- Our own line

static bool has_host(const struct endpoint *endpoint)
{
    return endpoint->address.family != ADDRESS_NONE;
}

// An address that was configured, learned, or listened on, in this order.
static struct endpoint own_endpoint(struct swarm *swarm)
{
    struct endpoint own = swarm->public_ipv4;
    if (!has_host(&own))
        own = swarm->public_ipv6;
    if (!has_host(&own) && swarm->network != NULL) {
        struct network_stats stats;
        network_stats(swarm->network, &stats);
        own = has_host(&stats.own_ipv4) ? stats.own_ipv4 : stats.own_ipv6;
    }
    const struct config_list *listen = &swarm->node->config->peer_listen;
    for (size_t i = 0; i < listen->count && !has_host(&own); i++) {
        static const uint8_t any[16] = {0};
        if (!swarm_parse_endpoint(listen->items[i], 0, &own) ||
            memcmp(own.address.bytes, any, sizeof(any)) == 0)
            own = (struct endpoint){.port = 0};
    }
    return own;
}

void swarm_seed_text(struct swarm *swarm, char out[SWARM_SEED_TEXT_SIZE])
{
    struct endpoint own = own_endpoint(swarm);
    char host[ENDPOINT_TEXT_SIZE], key[65];
    if (has_host(&own))
        endpoint_to_text(&own, host);
    else
        snprintf(host, sizeof(host), "ADDRESS:%u", (unsigned)swarm->listen_port);
    hex_encode(swarm->identity.dht_key.bytes, sizeof(swarm->identity.dht_key.bytes), key);
    snprintf(out, SWARM_SEED_TEXT_SIZE, "%s/%s", host, key);
}
