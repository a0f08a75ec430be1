// Each talk with the router is a thread that owns the talk until it is done. Loop and thread share
// nothing else, and whichever is last frees it.
#include "node/net/port_map.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/router.h"

#define RETRY_MIN_S 60
#define RETRY_MAX_S 1800

struct talk {
    pthread_mutex_t lock;
    struct net_wake
        *wake; // NULL once nobody waits for the end; guarded by the lock, as is the next
    bool is_done;
    // The thread's until is_done, then the loop's.
    bool is_removal;
    char *router_url; // NULL: to be looked for
    struct router router;
    struct router_mapping mapping; // wanted, or to be removed
    bool is_mapped;
    char reason[ROUTER_REASON_SIZE];
};

struct net_port_map {
    struct net_loop *loop;
    struct net_port_map_events events;
    char *router_url;
    uint16_t port;
    uint32_t lease_s;
    struct net_wake *wake;
    struct net_timer *timer;
    struct talk *talk; // under way, or NULL
    struct router router;
    bool is_mapped;
    bool is_stopping;
    struct net_address outside;
    char reason[ROUTER_REASON_SIZE]; // that was told last
    int64_t retry_s;
};

static void talk_free(struct talk *talk)
{
    pthread_mutex_destroy(&talk->lock);
    free(talk->router_url);
    free(talk);
}

static void talk_run(struct talk *talk)
{
    if (talk->is_removal) {
        router_unmap(&talk->router, talk->mapping.wanted);
        return;
    }
    // The router of last time first: it may be the same one.
    talk->is_mapped = talk->router.control_url[0] != '\0' &&
                      router_map(&talk->router, &talk->mapping, talk->reason);
    if (!talk->is_mapped && router_find(&talk->router, talk->router_url, talk->reason)) {
        talk->is_mapped = router_map(&talk->router, &talk->mapping, talk->reason);
    }
}

static void *run_thread(void *context)
{
    struct talk *talk = context;
    talk_run(talk);
    pthread_mutex_lock(&talk->lock);
    bool is_awaited = talk->wake != NULL;
    talk->is_done = true;
    if (is_awaited) {
        net_wake_send(talk->wake);
    }
    pthread_mutex_unlock(&talk->lock);
    if (!is_awaited) {
        talk_free(talk);
    }
    return NULL;
}

static bool start_thread(struct talk *talk)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool is_started = pthread_create(&thread, &attributes, run_thread, talk) == 0;
    pthread_attr_destroy(&attributes);
    return is_started;
}

static void retry_later(struct net_port_map *map)
{
    map->retry_s = map->retry_s == 0 ? RETRY_MIN_S : 2 * map->retry_s;
    if (map->retry_s > RETRY_MAX_S) {
        map->retry_s = RETRY_MAX_S;
    }
    struct mono_time now = net_loop_now(map->loop).mono;
    net_timer_start(map->timer, (struct mono_time){now.ms + map->retry_s * 1000});
}

static void begin_talk(struct net_port_map *map, bool is_removal)
{
    struct talk *talk = calloc(1, sizeof(*talk));
    if (talk == NULL || pthread_mutex_init(&talk->lock, NULL) != 0) {
        free(talk);
        retry_later(map);
        return;
    }
    talk->wake = map->wake;
    talk->is_removal = is_removal;
    talk->router = map->router;
    talk->mapping.port = map->port;
    talk->mapping.wanted = map->is_mapped ? map->outside.port : map->port;
    talk->mapping.lease_s = map->lease_s;
    talk->router_url = map->router_url == NULL ? NULL : strdup(map->router_url);
    bool is_complete = map->router_url == NULL || talk->router_url != NULL;
    map->talk = talk; // before the thread can ring
    if (is_complete && start_thread(talk)) {
        return;
    }
    map->talk = NULL;
    talk_free(talk);
    retry_later(map);
}

static bool is_same(const struct net_address *a, const struct net_address *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->port == b->port;
}

static void take_mapping(struct net_port_map *map, const struct talk *talk)
{
    bool is_news = !map->is_mapped || !is_same(&map->outside, &talk->mapping.outside);
    // A mapping without an end is looked at as often: the router may have been started anew.
    uint32_t lease_s = talk->mapping.lease_s > 0 ? talk->mapping.lease_s : NET_PORT_MAP_LEASE_S;
    map->is_mapped = true;
    map->router = talk->router;
    map->outside = talk->mapping.outside;
    map->reason[0] = '\0';
    map->retry_s = 0;
    struct mono_time now = net_loop_now(map->loop).mono;
    net_timer_start(map->timer, (struct mono_time){now.ms + (int64_t)lease_s * 500});
    if (is_news) {
        map->events.mapped(map->events.context, &map->outside);
    }
}

static void take_failure(struct net_port_map *map, const struct talk *talk)
{
    bool is_news = map->is_mapped || strcmp(map->reason, talk->reason) != 0;
    map->is_mapped = false;
    memset(&map->router, 0, sizeof(map->router));
    snprintf(map->reason, sizeof(map->reason), "%s", talk->reason);
    retry_later(map);
    if (is_news) {
        map->events.failed(map->events.context, map->reason);
    }
}

static void on_wake(void *context)
{
    struct net_port_map *map = context;
    struct talk *talk = map->talk;
    if (talk == NULL) {
        return;
    }
    pthread_mutex_lock(&talk->lock);
    bool is_done = talk->is_done;
    pthread_mutex_unlock(&talk->lock);
    if (!is_done) {
        return;
    }
    map->talk = NULL;
    if (map->is_stopping && talk->is_mapped) { // it came while we went
        map->router = talk->router;
        map->outside = talk->mapping.outside;
        map->is_mapped = true;
        begin_talk(map, true);
    } else if (!map->is_stopping && talk->is_mapped) {
        take_mapping(map, talk);
    } else if (!map->is_stopping) {
        take_failure(map, talk);
    }
    talk_free(talk);
}

static void on_timer(void *context, struct now now)
{
    struct net_port_map *map = context;
    (void)now;
    if (map->talk == NULL && !map->is_stopping) {
        begin_talk(map, false);
    }
}

struct net_port_map *net_port_map_new(struct net_loop *loop,
                                      const struct net_port_map_options *options)
{
    struct net_port_map *map = calloc(1, sizeof(*map));
    if (map == NULL) {
        return NULL;
    }
    map->loop = loop;
    map->events = options->events;
    map->port = options->port;
    map->lease_s = options->lease_s > 0 ? options->lease_s : NET_PORT_MAP_LEASE_S;
    map->router_url = options->router_url == NULL ? NULL : strdup(options->router_url);
    map->wake = net_wake_new(loop, on_wake, map);
    map->timer = net_timer_new(loop, on_timer, map);
    bool is_complete = options->router_url == NULL || map->router_url != NULL;
    if (map->wake == NULL || map->timer == NULL || !is_complete) {
        net_port_map_free(map);
        return NULL;
    }
    net_timer_start(map->timer, net_loop_now(loop).mono);
    return map;
}

void net_port_map_stop(struct net_port_map *map)
{
    if (map == NULL || map->is_stopping) {
        return;
    }
    map->is_stopping = true;
    net_timer_stop(map->timer);
    if (map->talk == NULL && map->is_mapped) {
        begin_talk(map, true);
    }
}

// The thread rings no more after this; it frees its talk if it has not ended yet.
static void abandon_talk(struct talk *talk)
{
    pthread_mutex_lock(&talk->lock);
    bool is_done = talk->is_done;
    talk->wake = NULL;
    pthread_mutex_unlock(&talk->lock);
    if (is_done) {
        talk_free(talk);
    }
}

void net_port_map_free(struct net_port_map *map)
{
    if (map == NULL) {
        return;
    }
    if (map->talk != NULL) {
        abandon_talk(map->talk);
    }
    net_timer_free(map->timer);
    net_wake_free(map->wake);
    free(map->router_url);
    free(map);
}
