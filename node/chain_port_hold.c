// Links whose time is ahead of the clock: kept, bounded by source and in all, and fed when the
// clock has come near.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/chain_port_state.h"
#include "node/pow/sha256.h"

#define PRUNED_AT_ONCE 64 // links; a few milliseconds

static size_t cost_of(const struct held_link *held)
{
    return sizeof(*held) + held->share_size + held->body_size;
}

// Takes the link that *at points to out of the list; it is the caller's then.
static struct held_link *take(struct chain_port *port, struct held_link **at)
{
    struct held_link *held = *at;
    *at = held->next;
    if (held->next == NULL)
        port->held_last = at;
    port->held_count--;
    port->held_bytes -= cost_of(held);
    return held;
}

static size_t bytes_of_source(const struct chain_port *port, uint32_t source)
{
    size_t bytes = 0;
    for (const struct held_link *held = port->held_first; held != NULL; held = held->next)
        bytes += held->source == source ? cost_of(held) : 0;
    return bytes;
}

static void drop_oldest_of(struct chain_port *port, uint32_t source)
{
    for (struct held_link **at = &port->held_first; *at != NULL; at = &(*at)->next) {
        if ((*at)->source != source)
            continue;
        free(take(port, at));
        return;
    }
}

static uint32_t dearest_source(const struct chain_port *port)
{
    uint32_t dearest = 0;
    size_t most = 0;
    for (const struct held_link *held = port->held_first; held != NULL; held = held->next) {
        size_t bytes = bytes_of_source(port, held->source);
        if (bytes > most) {
            most = bytes;
            dearest = held->source;
        }
    }
    return dearest;
}

static void enforce(struct chain_port *port, uint32_t source)
{
    while (bytes_of_source(port, source) > CHAIN_PORT_HELD_SOURCE)
        drop_oldest_of(port, source);
    while (port->held_bytes > CHAIN_PORT_HELD_BYTES)
        drop_oldest_of(port, dearest_source(port));
}

static bool is_held(const struct chain_port *port, const struct hash256 *object)
{
    for (const struct held_link *held = port->held_first; held != NULL; held = held->next) {
        if (hash_equal(&held->object, object))
            return true;
    }
    return false;
}

// When the clock will show so many seconds, if nobody sets it.
static struct mono_time when(int64_t seconds, struct now now)
{
    return (struct mono_time){now.mono.ms + seconds * 1000 - now.wall.ms};
}

void hold_add(struct chain_port *port, const struct chain_arrival *arrival,
              const struct hash256 *pow, uint32_t time, struct now now)
{
    struct hash256 object;
    sha256_once(arrival->share, arrival->share_size, &object);
    if (is_held(port, &object))
        return;
    size_t body_size = arrival->body == NULL ? 0 : arrival->body_size;
    struct held_link *held = malloc(sizeof(*held) + arrival->share_size + body_size);
    if (held == NULL)
        return; // as if it had not come
    *held = (struct held_link){
        .object = object,
        .pow = *pow,
        .source = arrival->source,
        .time = time,
        .due = when((int64_t)time - CHAIN_PORT_AHEAD_S, now),
        .is_sync = arrival->is_sync,
        .share_size = arrival->share_size,
        .body_size = body_size,
    };
    memcpy(held->bytes, arrival->share, arrival->share_size);
    if (body_size > 0)
        memcpy(held->bytes + arrival->share_size, arrival->body, body_size);
    *port->held_last = held;
    port->held_last = &held->next;
    port->held_count++;
    port->held_bytes += cost_of(held);
    enforce(port, arrival->source);
}

void hold_forget_source(struct chain_port *port, uint32_t source)
{
    struct held_link **at = &port->held_first;
    while (*at != NULL) {
        if ((*at)->source == source)
            free(take(port, at));
        else
            at = &(*at)->next;
    }
}

void hold_clear(struct chain_port *port)
{
    while (port->held_first != NULL)
        free(take(port, &port->held_first));
}

static void feed(struct chain_port *port, const struct held_link *held)
{
    struct chain_arrival arrival = {
        .source = held->source,
        .share = held->bytes,
        .share_size = held->share_size,
        .body = held->body_size == 0 ? NULL : held->bytes + held->share_size,
        .body_size = held->body_size,
        .is_sync = held->is_sync,
    };
    port_feed(port, &arrival, &held->pow);
}

void chain_port_tick(struct chain_port *port, struct now now)
{
    chain_port_settled(port);
    proof_check_trust(port);
    if (port->wants_prune)
        port->wants_prune = sharechain_prune(port->chain, PRUNED_AT_ONCE) > 0;
    struct held_link **at = &port->held_first;
    while (*at != NULL) {
        int64_t from = (int64_t)(*at)->time - CHAIN_PORT_AHEAD_S;
        (*at)->due = when(from, now); // the clock may have been set
        if (wall_seconds(now.wall) < from) {
            at = &(*at)->next;
            continue;
        }
        struct held_link *held = take(port, at);
        feed(port, held);
        free(held);
    }
}

struct mono_time chain_port_next_deadline(const struct chain_port *port)
{
    if (port->untold_first != NULL || port->wants_prune || sharechain_is_doubted(port->chain))
        return (struct mono_time){INT64_MIN}; // now
    struct mono_time next = MONO_NEVER;
    for (const struct held_link *held = port->held_first; held != NULL; held = held->next)
        next = mono_min(next, held->due);
    return next;
}
