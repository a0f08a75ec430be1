// Who we are: keys from the data directory, or new ones whose puzzle is solved on a worker thread,
// slice by slice, so that a node that is told to stop meanwhile stops.
#include <stdlib.h>
#include <string.h>
#include "node/identity_file.h"
#include "node/swarm_state.h"

#define TRIES_PER_SLICE (1u << 18) // some 60 ms

struct identity_maker {
    struct swarm *swarm; // NULL once it has gone
    struct net_worker *worker;
    struct identity identity;
    unsigned puzzle_bits;
    bool is_found;
};

static void maker_free(struct identity_maker *maker)
{
    identity_clear(&maker->identity);
    net_worker_free(maker->worker);
    free(maker);
}

static void maker_run(void *request)
{
    struct identity_maker *maker = request;
    maker->is_found = identity_search(&maker->identity, maker->puzzle_bits, TRIES_PER_SLICE);
}

static void take_identity(struct swarm *swarm)
{
    struct identity_maker *maker = swarm->maker;
    char error[IDENTITY_FILE_ERROR_SIZE];
    swarm->identity = maker->identity;
    swarm->has_identity = true;
    if (identity_file_write(swarm->node->config->data, &swarm->identity, error))
        log_plain(swarm->node->log, LOG_INFO, "network", "made the identity of this node");
    else
        log_event(swarm->node->log, LOG_ERROR, "network",
                  "the identity of this node cannot be kept: the next start makes another one",
                  LOG_TEXT("reason", error));
    swarm_begin_if_ready(swarm);
}

static void maker_done(void *request, bool was_run)
{
    struct identity_maker *maker = request;
    struct swarm *swarm = maker->swarm;
    if (swarm != NULL && was_run && !maker->is_found &&
        net_worker_submit(maker->worker, maker_run, maker_done, maker))
        return;
    if (swarm != NULL) {
        if (maker->is_found)
            take_identity(swarm);
        swarm->maker = NULL;
    }
    maker_free(maker);
}

static bool make_identity(struct swarm *swarm)
{
    struct identity_maker *maker = calloc(1, sizeof(*maker));
    if (maker == NULL)
        return false;
    maker->swarm = swarm;
    maker->puzzle_bits = swarm->membership.puzzle_bits;
    maker->worker = net_worker_new(swarm->node->loop, 1);
    identity_begin(&maker->identity, &swarm->node->env);
    // The keys stay what they are; only the nonce is searched for.
    swarm->identity = maker->identity;
    if (maker->worker == NULL || !net_worker_submit(maker->worker, maker_run, maker_done, maker)) {
        maker_free(maker);
        return false;
    }
    swarm->maker = maker;
    log_event(swarm->node->log, LOG_INFO, "network", "making the identity of this node, once",
              LOG_U64("puzzle_bits", maker->puzzle_bits));
    return true;
}

// A share's mark is tied to the identity by a salt that is kept: whoever is shown the salt can see
// whose work it is, and nobody else can.
static void set_node_tag(struct swarm *swarm)
{
    static const char key[] = "work_salt";
    struct node *node = swarm->node;
    struct buffer value;
    buffer_init_fixed(&value, swarm->work_salt, sizeof(swarm->work_salt));
    if (!store_get(node->store, STORE_META, key, sizeof(key) - 1, &value) ||
        value.size != sizeof(swarm->work_salt)) {
        env_random_bytes(&node->env, swarm->work_salt, sizeof(swarm->work_salt));
        store_put(node->store, STORE_META, key, sizeof(key) - 1, swarm->work_salt,
                  sizeof(swarm->work_salt));
    }
    record_node_tag(&swarm->identity.sign_key, swarm->work_salt, node->node_tag);
}

bool swarm_identity_open(struct swarm *swarm, char error[NODE_ERROR_SIZE])
{
    bool is_good = true;
    switch (identity_file_read(swarm->node->config->data, swarm->membership.puzzle_bits,
                               &swarm->identity, error)) {
    case IDENTITY_FILE_READ:
        swarm->has_identity = true;
        break;
    case IDENTITY_FILE_MISSING:
        is_good = make_identity(swarm);
        break;
    case IDENTITY_FILE_FAILED:
        return false;
    }
    set_node_tag(swarm);
    return is_good;
}

void swarm_identity_close(struct swarm *swarm)
{
    if (swarm->maker != NULL) { // its `done` frees it
        swarm->maker->swarm = NULL;
        swarm->maker = NULL;
    }
    identity_clear(&swarm->identity);
}
