// Slow proofs of work (scrypt) for the Stratum engine: headers are gathered into batches, as many
// as there are lanes, and hashed on the worker threads.
#include <stdlib.h>
#include <string.h>
#include "node/pow/scrypt.h"
#include "node/state.h"

#define BATCH_HEADERS_MAX 16
#define BATCHES           2
#define QUEUE_MAX         4096

struct batch {
    struct hasher *hasher;
    struct pow_memory *memory;
    bool is_running;
    size_t count;
    uint64_t tokens[BATCH_HEADERS_MAX];
    uint8_t headers[BATCH_HEADERS_MAX][HEADER_SIZE];
    struct hash256 hashes[BATCH_HEADERS_MAX];
};

struct hasher {
    struct node *node;
    struct net_worker *worker;
    struct batch batches[BATCHES];
    struct hash_request *queue; // a ring
    size_t queue_first, queue_count;
    bool is_freed; // its node has gone; the last batch to end frees it
    unsigned running;
};

static void hasher_destroy(struct hasher *hasher)
{
    for (size_t i = 0; i < BATCHES; i++)
        pow_memory_free(hasher->batches[i].memory);
    free(hasher->queue);
    free(hasher);
}

struct hasher *hasher_new(struct node *node)
{
    struct hasher *hasher = calloc(1, sizeof(*hasher));
    if (hasher == NULL)
        return NULL;
    hasher->node = node;
    hasher->queue = calloc(QUEUE_MAX, sizeof(*hasher->queue));
    hasher->worker = net_worker_new(node->loop, BATCHES);
    bool is_complete = hasher->queue != NULL && hasher->worker != NULL;
    for (size_t i = 0; i < BATCHES; i++) {
        hasher->batches[i].hasher = hasher;
        hasher->batches[i].memory = pow_memory_new(node->pool->chain->pow);
        is_complete = is_complete && hasher->batches[i].memory != NULL;
    }
    if (is_complete)
        return hasher;
    hasher_free(hasher);
    return NULL;
}

void hasher_free(struct hasher *hasher)
{
    if (hasher == NULL)
        return;
    hasher->is_freed = true;
    net_worker_free(hasher->worker);
    if (hasher->running == 0)
        hasher_destroy(hasher);
}

static void batch_run(void *request)
{
    struct batch *batch = request;
    pow_hash_many(batch->memory, (const uint8_t(*)[HEADER_SIZE])batch->headers, batch->count,
                  batch->hashes);
}

static void hasher_start(struct hasher *hasher);

static void batch_done(void *request, bool was_run)
{
    struct batch *batch = request;
    struct hasher *hasher = batch->hasher;
    batch->is_running = false;
    hasher->running--;
    if (hasher->is_freed) {
        if (hasher->running == 0)
            hasher_destroy(hasher);
        return;
    }
    struct now now = net_loop_now(hasher->node->loop);
    for (size_t i = 0; was_run && i < batch->count; i++)
        stratum_hashed(hasher->node->stratum, batch->tokens[i], &batch->hashes[i], now);
    hasher_start(hasher);
}

static void batch_fill(struct hasher *hasher, struct batch *batch)
{
    batch->count = 0;
    size_t lanes = scrypt_lanes() < BATCH_HEADERS_MAX ? scrypt_lanes() : BATCH_HEADERS_MAX;
    while (batch->count < lanes && hasher->queue_count > 0) {
        const struct hash_request *request = &hasher->queue[hasher->queue_first];
        batch->tokens[batch->count] = request->token;
        memcpy(batch->headers[batch->count], request->header, HEADER_SIZE);
        batch->count++;
        hasher->queue_first = (hasher->queue_first + 1) % QUEUE_MAX;
        hasher->queue_count--;
    }
}

static void hasher_start(struct hasher *hasher)
{
    for (size_t i = 0; i < BATCHES && hasher->queue_count > 0; i++) {
        struct batch *batch = &hasher->batches[i];
        if (batch->is_running)
            continue;
        batch_fill(hasher, batch);
        // The queue of the worker has a place for every batch.
        batch->is_running = net_worker_submit(hasher->worker, batch_run, batch_done, batch);
        hasher->running += batch->is_running ? 1 : 0;
    }
}

// Beyond the queue a request is dropped: the engine bounds what it asks for below it.
void hasher_add(struct hasher *hasher, uint64_t token, const uint8_t header[HEADER_SIZE])
{
    if (hasher->queue_count == QUEUE_MAX)
        return;
    size_t place = (hasher->queue_first + hasher->queue_count) % QUEUE_MAX;
    hasher->queue[place].token = token;
    memcpy(hasher->queue[place].header, header, HEADER_SIZE);
    hasher->queue_count++;
    hasher_start(hasher);
}
