// Devices whose firmware cuts off a coinbase as large as this pool's: they are told so in words, by
// every way they can show words, and get no work that they would spoil.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "stratum/engine.h"
#include "stratum/reply.h"

#define RING_SIZE 32

struct refused_ring {
    struct stratum_refused_device devices[RING_SIZE];
    size_t count;
    size_t next;
};

struct refused_ring *refused_ring_new(void)
{
    return calloc(1, sizeof(struct refused_ring));
}

void refused_ring_each(const struct refused_ring *ring, stratum_refused_visitor *visitor,
                       void *context)
{
    for (size_t i = 1; i <= ring->count; i++) {
        visitor(context, &ring->devices[(ring->next + RING_SIZE - i) % RING_SIZE]);
    }
}

// The same device, as far as can be told.
static bool is_same(const struct stratum_refused_device *a, const struct stratum_refused_device *b)
{
    size_t a_host = strcspn(a->address, "]") != strlen(a->address) ? strcspn(a->address, "]")
                                                                   : strcspn(a->address, ":");
    return strncmp(a->address, b->address, a_host) == 0 && strcmp(a->user, b->user) == 0 &&
           strcmp(a->user_agent, b->user_agent) == 0;
}

// A device that comes back every minute must not push the others out.
static void ring_add(struct refused_ring *ring, const struct stratum_refused_device *device)
{
    size_t index = ring->next;
    for (size_t i = 1; i <= ring->count; i++) {
        size_t at = (ring->next + RING_SIZE - i) % RING_SIZE;
        if (is_same(&ring->devices[at], device)) {
            ring->devices[at] = *device;
            return;
        }
    }
    ring->devices[index] = *device;
    ring->next = (index + 1) % RING_SIZE;
    ring->count += ring->count < RING_SIZE ? 1 : 0;
}

static void record(struct session *session, uint32_t coinbase_max, const char *reason)
{
    struct stratum *stratum = session->engine;
    struct stratum_refused_device device = {
        .time = stratum->now.wall, .kind = session->kind->name, .coinbase_max = coinbase_max};
    snprintf(device.address, sizeof(device.address), "%s", session->peer.text);
    snprintf(device.user, sizeof(device.user), "%s",
             session->users_count > 0 ? session->users[0]->text : "");
    snprintf(device.user_agent, sizeof(device.user_agent), "%s", session->user_agent);
    snprintf(device.reason, sizeof(device.reason), "%s", reason);
    ring_add(stratum->refused, &device);
    stratum->events.device_refused(stratum->events.context, &device);
}

static bool is_trusted(const struct session *session)
{
    const struct stratum_config *config = &session->engine->config;
    for (size_t i = 0; i < config->devices_trusted_count; i++) {
        const char *pattern = config->devices_trusted[i];
        if (strcmp(pattern, "*") == 0 ||
            (pattern[0] != '\0' &&
             miner_kind_matches(MINER_PREFIX, pattern, session->user_agent))) {
            return true;
        }
    }
    return false;
}

// The socket stays open for a while, doubling from time to time: the device shows the message, and
// does not come back at once.
static void hold_then_close(struct session *session)
{
    struct stratum *stratum = session->engine;
    const char *user = session->users_count > 0 ? session->users[0]->text : session->peer.text;
    int64_t wait_ms = ban_user_backoff_ms(stratum->bans, user, stratum->now.mono);
    session->is_authorized = false;
    session->is_mining = false;
    session->close_reason = STRATUM_CLOSE_DEVICE_REFUSED;
    session->authorize_by.ms = stratum->now.mono.ms + wait_ms;
    session_reschedule(session);
}

static void refuse(struct session *session, const struct line *line, const char *reason)
{
    struct buffer *out = session_out(session);
    if (line != NULL) {
        reply_error(out, &line->id, "false", REPLY_UNAUTHORIZED, reason);
    }
    reply_show_message(out, reason);
    hold_then_close(session);
}

bool device_check(struct session *session, const struct line *line)
{
    const struct stratum_config *config = &session->engine->config;
    uint32_t ceiling = session->kind->coinbase_max;
    char reason[sizeof(((struct stratum_refused_device *)0)->reason)];
    if (ceiling == 0 || config->coinbase_size_max <= ceiling) {
        return true;
    }
    snprintf(reason, sizeof(reason),
             "%s: the coinbase of this pool can have %zu bytes, but %s takes at most %u and would "
             "spoil its shares. Use other firmware, or a pool with fewer outputs",
             config->pool_name, config->coinbase_size_max, session->kind->name, ceiling);
    if (is_trusted(session)) {
        if (!session->is_device_overridden) {
            log_event(session->engine->env->log, LOG_WARN, "stratum",
                      "device let in against better knowledge",
                      LOG_TEXT("address", session->peer.text),
                      LOG_TEXT("user_agent", session->user_agent), LOG_TEXT("why", reason));
        }
        session->is_device_overridden = true;
        return true;
    }
    record(session, ceiling, reason);
    refuse(session, line, reason);
    return false;
}

void device_refuse_spoiler(struct session *session)
{
    char reason[sizeof(((struct stratum_refused_device *)0)->reason)];
    size_t size = session->jobs_count > 0 ? coinbase_size(session->jobs[0]->own_prefix != NULL
                                                              ? session->jobs[0]->own_prefix->size
                                                              : session->jobs[0]->work->prefix_size)
                                          : session->engine->config.coinbase_size_max;
    snprintf(reason, sizeof(reason),
             "%s: none of the first shares of this device fits the work it was given. Probably its "
             "firmware cuts off a coinbase of %zu bytes: use other firmware, or a pool with fewer "
             "outputs",
             session->engine->config.pool_name, size);
    record(session, 0, reason);
    refuse(session, NULL, reason);
}
