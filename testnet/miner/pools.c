#include "testnet/miner/pools.h"

#include <string.h>

#define SCHEME        "stratum+tcp://"
#define FOLLOW_ONE_IN 8

static bool is_port(const char *text)
{
    size_t size = strlen(text);
    unsigned value = 0;
    if (size == 0 || size > 5 || strspn(text, "0123456789") != size)
        return false;
    for (size_t i = 0; i < size; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    return value >= 1 && value <= 65535;
}

bool pools_add(struct pools *pools, const char *url)
{
    if (pools->count == POOLS_MAX)
        return false;
    struct pool *pool = &pools->list[pools->count];
    const char *host = url;
    if (strncmp(url, SCHEME, sizeof SCHEME - 1) == 0)
        host += sizeof SCHEME - 1;
    const char *colon = strrchr(host, ':');
    if (colon == NULL || !is_port(colon + 1))
        return false;
    size_t size = (size_t)(colon - host);
    if (size >= 2 && host[0] == '[' && colon[-1] == ']') {
        host++;
        size -= 2;
    } else if (memchr(host, ':', size) != NULL) {
        return false; // an IPv6 address without brackets
    }
    if (size == 0 || size > POOL_HOST_MAX || strcspn(host, "/@ []") < size)
        return false;
    *pool = (struct pool){0};
    memcpy(pool->host, host, size);
    memcpy(pool->port, colon + 1, strlen(colon + 1));
    pools->count++;
    return true;
}

size_t pools_pick(const struct pools *pools, int64_t now_ms)
{
    for (size_t i = 0; i < pools->count; i++) {
        if (pools->list[i].is_good || pools->list[i].retry_at_ms <= now_ms)
            return i;
    }
    return POOLS_NONE;
}

size_t pools_return(struct pools *pools, size_t current, int64_t now_ms, uint32_t lot)
{
    for (size_t i = 0; i < current; i++) {
        struct pool *pool = &pools->list[i];
        if (pool->is_good && lot % FOLLOW_ONE_IN == 0)
            return i;
        if (pool->is_good || pool->is_probed || pool->retry_at_ms > now_ms)
            continue;
        pool->is_probed = true;
        return i;
    }
    return POOLS_NONE;
}

void pools_succeed(struct pools *pools, size_t i)
{
    struct pool *pool = &pools->list[i];
    pool->failures = 0;
    pool->retry_at_ms = 0;
    pool->is_good = true;
    pool->is_probed = false;
}

void pools_fail(struct pools *pools, size_t i, int64_t now_ms, uint32_t lot)
{
    struct pool *pool = &pools->list[i];
    pool->is_good = false;
    pool->is_probed = false;
    // A pool that goes down takes all connections with it: that is one failure.
    if (pool->retry_at_ms > now_ms)
        return;
    int64_t wait = POOL_BACKOFF_MAX_MS;
    if (pool->failures < 5)
        wait = (int64_t)POOL_BACKOFF_MIN_MS << pool->failures;
    pool->failures++;
    pool->retry_at_ms = now_ms + wait + (int64_t)(lot % (uint32_t)(wait / 4));
}
