// Chains of skeletons under examination, and whether a proven chain is followed (protocol section
// 9), all of it or from two windows behind its tip.
#include <stdlib.h>
#include <string.h>
#include "node/chain_port_state.h"
#include "node/pow/target.h"

#define SKELETONS_IN_MEMORY 2048 // of a longer proof, all go into the store
#define ADOPT_LINKS_MIN     64   // so many links less to fetch are worth a new beginning

struct proven_link {
    struct hash256 id;
    const struct header_node *tip;
    uint32_t bits;
    uint32_t time;
};

struct chain_proof {
    struct chain_port *port;
    struct chain_proof *next; // of the port's
    struct skeleton_walk walk;
    struct hash256 from;
    uint32_t from_height;
    struct proven_link *links; // those after it
    size_t count, capacity;
    uint32_t serial;         // of the skeletons in the store; 0: they are in `skeletons`
    struct buffer skeletons; // u16 size || bytes
    bool is_adopted;         // the share-chain has the skeletons now
};

struct chain_proof *port_proof_new(void *context, const struct hash256 *from)
{
    struct chain_port *port = context;
    struct chain_proof *proof = calloc(1, sizeof(*proof));
    if (proof == NULL)
        return NULL;
    proof->port = port;
    proof->from = *from;
    buffer_init(&proof->skeletons, (size_t)SKELETONS_IN_MEMORY * (2 + SKELETON_SIZE_MAX));
    if (!sharechain_walk_from(port->chain, from, &proof->walk)) {
        log_event(port->env->log, LOG_WARN, "sharechain",
                  "a chain that leaves ours below the oldest link that is kept is not looked at",
                  LOG_U64("oldest_height", sharechain_root_height(port->chain)));
        free(proof);
        return NULL;
    }
    proof->from_height = proof->walk.height;
    proof->next = port->proofs;
    port->proofs = proof;
    return proof;
}

void port_proof_free(struct chain_proof *proof)
{
    if (proof == NULL)
        return;
    struct chain_port *port = proof->port;
    struct chain_proof **at = &port->proofs;
    while (*at != proof)
        at = &(*at)->next;
    *at = proof->next;
    if (proof->serial != 0 && !proof->is_adopted)
        sharechain_proof_end(port->chain, proof->serial, false);
    if (port->followed == proof) {
        port->followed = NULL;
        struct link_view tip;
        sharechain_tip(port->chain, &tip);
        bool has_failed = u256_compare(&tip.work, &proof->walk.work) < 0;
        port->has_failed = port->is_contradicted && has_failed;
        if (!has_failed)
            sharechain_trust_end(port->chain);
        port->is_contradicted = false;
    }
    buffer_clear(&proof->skeletons);
    free(proof->links);
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
    struct proven_link *grown = realloc(proof->links, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    proof->links = grown;
    proof->capacity = capacity;
    return true;
}

// ---- The skeletons themselves, for a pruned start

// False if there is no store, or no memory.
static bool move_to_store(struct chain_proof *proof)
{
    struct sharechain *chain = proof->port->chain;
    if (proof->serial != 0)
        return true;
    if (proof->skeletons.failed)
        return false;
    proof->serial = sharechain_proof_begin(chain);
    if (proof->serial == 0)
        return false;
    struct reader reader = reader_init(proof->skeletons.data, proof->skeletons.size);
    for (uint32_t height = proof->from_height + 1; reader.left > 0; height++) {
        struct bytes_view skeleton = {.size = read_u16(&reader)};
        skeleton.data = read_view(&reader, skeleton.size);
        sharechain_proof_put(chain, proof->serial, height, &skeleton);
    }
    buffer_clear(&proof->skeletons);
    return true;
}

static void keep(struct chain_proof *proof, const uint8_t *bytes, size_t size)
{
    struct bytes_view skeleton = {bytes, size};
    if (proof->count > SKELETONS_IN_MEMORY && move_to_store(proof)) {
        sharechain_proof_put(proof->port->chain, proof->serial, proof->walk.height, &skeleton);
        return;
    }
    write_u16(&proof->skeletons, (uint16_t)size);
    write_bytes(&proof->skeletons, bytes, size);
}

// ---- Stepping

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
    proof->links[proof->count] = (struct proven_link){
        .id = proof->walk.id,
        .tip = proof->walk.tip,
        .bits = proof->walk.link_bits,
        .time = proof->walk.time,
    };
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
    if (result == CHAIN_PROOF_OK)
        keep(proof, skeleton, size);
    describe(proof, state);
    return result;
}

static const struct proven_link *link_at(const struct chain_proof *proof, uint32_t height)
{
    if (height <= proof->from_height || height - proof->from_height > proof->count)
        return NULL;
    return &proof->links[height - proof->from_height - 1];
}

bool port_proof_link(const struct chain_proof *proof, uint32_t height, struct hash256 *id)
{
    const struct proven_link *link = link_at(proof, height);
    if (link != NULL)
        *id = link->id;
    return link != NULL;
}

// ---- Whether it is followed

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

static void say_deep_fork(const struct chain_proof *proof, uint32_t depth, const char *event,
                          const char *what_to_do)
{
    char id[65];
    hash_to_display(&proof->walk.id, id);
    log_event(proof->port->env->log, LOG_ERROR, "sharechain", event, LOG_U64("links_left", depth),
              LOG_TEXT("link", id), LOG_U64("height", proof->walk.height),
              LOG_TEXT("what_to_do", what_to_do));
}

static bool is_allowed(struct chain_port *port, const struct chain_proof *proof, uint32_t fork,
                       uint32_t tip_height)
{
    uint32_t depth = tip_height - fork;
    if (fork < sharechain_root_height(port->chain)) {
        say_deep_fork(proof, depth,
                      "a share-chain with more work leaves ours below the oldest link that is kept "
                      "and is not followed",
                      "if the other chain is the pool's, stop the node, move its data directory's "
                      "share-chain away and start again");
        port->deep_forks_refused++;
        return false;
    }
    if (depth <= CHAIN_PORT_FORK_MAX)
        return true;
    if (daemon_agrees(proof)) {
        say_deep_fork(proof, depth, "the share-chain goes back deep: another one has more work",
                      "credits since the fork are those of the other chain; look for a partition "
                      "of the network if this comes again");
        return true;
    }
    say_deep_fork(proof, depth, "a share-chain with more work that forks off deep is not followed",
                  "its tip is not on the best chain that the local daemon knows: see that the "
                  "daemon is synced and has peers");
    port->deep_forks_refused++;
    return false;
}

// ---- Where it begins here

// "bodies and grains from two windows behind the heaviest proven tip". Skeletons show work, not
// credits, which are the same but for luck and for what was not included: a quarter of a window
// more, and twice as much after each start that failed. 0: all of the proof, and perhaps what lies
// before.
static uint32_t two_windows_behind(const struct chain_proof *proof)
{
    const struct chain_port *port = proof->port;
    const struct header_node *tip = proof->walk.tip;
    size_t i = proof->count;
    while (i > 0 && proof->links[i - 1].tip->height > tip->height - 6)
        i--;
    if (i == 0)
        return 0;
    tip = proof->links[i - 1].tip;
    struct u256 wanted = sharechain_window_wanted(port->chain, tip);
    bool overflowed = false;
    wanted = u256_multiply_u64(&wanted, UINT64_C(9) << port->failures, &overflowed);
    wanted = u256_divide_u64(&wanted, 4);
    int64_t blocks = (int64_t)port->pool->window_blocks * 2 + 6;
    struct u256 sum = u256_from_u64(0);
    for (; i > 0; i--) {
        const struct proven_link *link = &proof->links[i - 1];
        bool has_work = !overflowed && u256_compare(&sum, &wanted) >= 0;
        if (has_work || link->tip->height + blocks < tip->height)
            return proof->from_height + (uint32_t)i;
        struct u256 target;
        if (target_expand(link->bits, &target)) {
            struct u256 work = target_work(&target);
            sum = u256_add(&sum, &work);
        }
    }
    return 0;
}

static struct u256 work_at(const struct chain_proof *proof, uint32_t height)
{
    struct u256 work = proof->walk.work;
    for (uint32_t h = proof->walk.height; h > height; h--) {
        struct u256 target;
        if (!target_expand(link_at(proof, h)->bits, &target))
            continue; // never: the walk took it
        struct u256 one = target_work(&target);
        work = u256_subtract(&work, &one);
    }
    return work;
}

// Begins the share-chain anew two windows behind the proven tip, if that saves much; the height of
// its first link, 0 if it does not.
static uint32_t adopt(struct chain_proof *proof, uint32_t here_height)
{
    struct chain_port *port = proof->port;
    uint32_t lenient = sharechain_lenient_links(port->chain) + 1;
    uint32_t height = two_windows_behind(proof);
    if (height < (uint64_t)here_height + lenient + ADOPT_LINKS_MIN || !move_to_store(proof))
        return 0;
    height -= lenient;
    const struct proven_link *root = link_at(proof, height);
    struct sharechain_start start = {
        .height = height,
        .work = work_at(proof, height),
        .anchor_time = link_at(proof, height - 1)->time,
        .tip = root->tip,
        .trusted_to = proof->walk.height,
        .serial = proof->serial,
        .above = proof->from_height,
        .here = proof->from,
    };
    if (!sharechain_adopt(port->chain, &start))
        return 0;
    proof->is_adopted = true;
    sharechain_proof_end(port->chain, proof->serial, true);
    log_event(port->env->log, LOG_INFO, "sharechain",
              "the share-chain begins anew behind a proven one: older links are kept as skeletons",
              LOG_U64("oldest_height", height), LOG_U64("proven_height", proof->walk.height));
    return height;
}

bool port_proof_accept(void *context, const struct chain_proof *proven, uint32_t *height,
                       struct now now)
{
    struct chain_port *port = context;
    (void)now;
    // The network must not write to it; it is ours.
    struct chain_proof *proof = port->proofs;
    while (proof != proven)
        proof = proof->next;
    struct link_view tip;
    sharechain_tip(port->chain, &tip);
    if (u256_compare(&proof->walk.work, &tip.work) <= 0)
        return false;
    struct hash256 here;
    uint32_t here_height = last_here(proof, &here);
    if (!is_allowed(port, proof, sharechain_fork_height(port->chain, &here), tip.height))
        return false;
    port->followed = proof;
    port->is_contradicted = false;
    uint32_t root_height = adopt(proof, here_height);
    *height = (root_height > 0 ? root_height : here_height) + 1;
    return true;
}

// ---- Whether what was taken on trust was right

bool proof_is_contradicted(const struct chain_port *port, const struct hash256 *id, uint32_t height)
{
    struct hash256 proven;
    return port->followed != NULL && sharechain_trusted_to(port->chain) > 0 &&
           port_proof_link(port->followed, height, &proven) && hash_equal(&proven, id);
}

void proof_check_trust(struct chain_port *port)
{
    if (!port->has_failed && !sharechain_is_doubted(port->chain))
        return;
    port->has_failed = false;
    if (port->failures < CHAIN_PORT_FAILURES_MAX)
        port->failures++;
    log_event(port->env->log, LOG_ERROR, "sharechain",
              "links of the proven chain contradict what peers said of those before: begins again",
              LOG_U64("oldest_height", sharechain_root_height(port->chain)),
              LOG_U64("times", port->failures));
    sharechain_abandon(port->chain);
}
