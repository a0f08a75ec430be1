// Chains of skeletons under examination, and whether a proven chain is followed (protocol section
// 9).
#include <stdlib.h>
#include <string.h>
#include "node/chain_port_state.h"

struct chain_proof {
    struct chain_port *port;
    struct skeleton_walk walk;
    struct hash256 from;
    uint32_t from_height;
    struct hash256 *ids; // of the links after it
    size_t count, capacity;
};

struct chain_proof *port_proof_new(void *context, const struct hash256 *from)
{
    struct chain_port *port = context;
    struct chain_proof *proof = calloc(1, sizeof(*proof));
    if (proof == NULL)
        return NULL;
    proof->port = port;
    if (!sharechain_walk_from(port->chain, from, &proof->walk)) {
        free(proof);
        return NULL;
    }
    proof->from = *from;
    proof->from_height = proof->walk.height;
    return proof;
}

void port_proof_free(struct chain_proof *proof)
{
    if (proof == NULL)
        return;
    free(proof->ids);
    free(proof);
}

static void describe(const struct chain_proof *proof, struct chain_proof_state *state)
{
    state->tip.id = proof->walk.id;
    state->tip.height = proof->walk.height;
    state->tip.work = proof->walk.work;
}

static bool fit(struct chain_proof *proof)
{
    if (proof->count < proof->capacity)
        return true;
    if (proof->count == CHAIN_PORT_PROOF_LINKS)
        return false;
    size_t capacity = proof->capacity == 0 ? 512 : proof->capacity * 2;
    struct hash256 *grown = realloc(proof->ids, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    proof->ids = grown;
    proof->capacity = capacity;
    return true;
}

// What the walk would say, before anybody is asked for a header: what does not stand on the last
// link needs none.
static bool stands_on_last(const struct chain_proof *proof, const struct skeleton *skeleton)
{
    return hash_equal(&skeleton->info.anchor, &proof->walk.id) &&
           (uint64_t)skeleton->info.link_height == (uint64_t)proof->walk.height + 1;
}

static enum chain_proof_result step(struct chain_proof *proof, const struct skeleton *skeleton,
                                    struct chain_proof_state *state)
{
    struct chain_port *port = proof->port;
    struct header header;
    header_decode(skeleton->header, &header);
    switch (header_chain_verdict(sharechain_headers(port->chain), &header.prev)) {
    case VERDICT_INVALID:
        return CHAIN_PROOF_BAD;
    case VERDICT_UNKNOWN:
        state->header = header.prev;
        return CHAIN_PROOF_LACKS_HEADER;
    case VERDICT_VALID:
        break;
    }
    if (!fit(proof))
        return CHAIN_PROOF_NO_MEMORY;
    struct hash256 pow;
    pow_hash(port->pow_memory, skeleton->header, &pow);
    if (!skeleton_walk_step(&proof->walk, skeleton, &pow))
        return CHAIN_PROOF_BAD;
    proof->ids[proof->count] = proof->walk.id;
    proof->count++;
    return CHAIN_PROOF_OK;
}

enum chain_proof_result port_proof_step(struct chain_proof *proof, const uint8_t *skeleton,
                                        size_t size, struct chain_proof_state *state)
{
    struct skeleton decoded;
    *state = (struct chain_proof_state){0};
    enum chain_proof_result result = CHAIN_PROOF_BAD;
    if (skeleton_decode(skeleton, size, &decoded) && stands_on_last(proof, &decoded))
        result = step(proof, &decoded, state);
    describe(proof, state);
    return result;
}

bool port_proof_link(const struct chain_proof *proof, uint32_t height, struct hash256 *id)
{
    if (height <= proof->from_height || height - proof->from_height > proof->count)
        return false;
    *id = proof->ids[height - proof->from_height - 1];
    return true;
}

// ---- Following it

// The last link of the proven chain that is here: it began at a link of ours, perhaps on a branch
// that lost, and may go on with others.
static uint32_t last_here(const struct chain_proof *proof, struct hash256 *id)
{
    uint32_t height = proof->from_height;
    struct hash256 next;
    *id = proof->from;
    while (port_proof_link(proof, height + 1, &next) &&
           sharechain_link_verdict(proof->port->chain, &next, NULL) == VERDICT_VALID) {
        *id = next;
        height++;
    }
    return height;
}

// "only if its tip is on the best chain the local daemon knows"
static bool daemon_agrees(const struct chain_proof *proof)
{
    const struct chain_port *port = proof->port;
    if (!port->has_daemon_tip)
        return false;
    const struct header_node *tip = proof->walk.tip;
    const struct header_node *daemon =
        header_chain_find(sharechain_headers(port->chain), &port->daemon_tip);
    return daemon != NULL && tip->height <= daemon->height &&
           header_node_ancestor(daemon, tip->height) == tip;
}

static void say_deep_fork(const struct chain_proof *proof, uint32_t depth, bool is_followed)
{
    char id[65];
    hash_to_display(&proof->walk.id, id);
    const char *event = is_followed
                            ? "the share-chain goes back deep: another one has more work"
                            : "a share-chain with more work that forks off deep is not followed";
    const char *what_to_do =
        is_followed ? "credits since the fork are those of the other chain; look for a partition "
                      "of the network if this comes again"
                    : "its tip is not on the best chain that the local daemon knows: see that the "
                      "daemon is synced and has peers";
    log_event(proof->port->env->log, is_followed ? LOG_WARN : LOG_ERROR, "sharechain", event,
              LOG_U64("links_left", depth), LOG_TEXT("link", id),
              LOG_U64("height", proof->walk.height), LOG_TEXT("what_to_do", what_to_do));
}

bool port_proof_accept(void *context, const struct chain_proof *proof, uint32_t *height,
                       struct now now)
{
    struct chain_port *port = context;
    (void)now;
    struct link_view tip;
    sharechain_tip(port->chain, &tip);
    if (u256_compare(&proof->walk.work, &tip.work) <= 0)
        return false;
    struct hash256 here;
    uint32_t here_height = last_here(proof, &here);
    uint32_t depth = tip.height - sharechain_fork_height(port->chain, &here);
    if (depth > CHAIN_PORT_FORK_MAX) {
        bool is_followed = daemon_agrees(proof);
        say_deep_fork(proof, depth, is_followed);
        if (!is_followed) {
            port->deep_forks_refused++;
            return false;
        }
    }
    *height = here_height + 1;
    return true;
}
