// The engine fed with real objects of a small pool: whole, cut, altered, in any order and from
// several sources, some of which go away. However that went, once everything true has arrived, the
// chain is at least as heavy as without the noise, it loses and doubles nothing, and a restart from
// its store gives the same.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "tests/support/share_maker.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS          220 // of the small pool's life
#define OPERATIONS_MAX 300
#define FLOODS_MAX     24
#define FLOOD_COPIES   300
#define SOURCES        4

struct object {
    bool is_header;
    uint8_t header[HEADER_SIZE];
    struct made_share share;
};

// What is made once, before the first input: the same for all of them.
struct world {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct object objects[STEPS];
    size_t count;
    struct u256 work;
};

// One engine under attack.
struct trial {
    struct sharechain *chain;
    struct store *store;
    unsigned floods;
    uint32_t flood_serial;
};

static struct world *the_world(void)
{
    static struct world world;
    return &world;
}

// ---- The small pool

static void make_block(struct world *world, struct sharechain *chain, const struct header_node *on,
                       uint32_t time)
{
    struct object *object = &world->objects[world->count++];
    object->is_header = true;
    maker_header(chain, on, time, env_random_u64(&world->env), object->header);
    sharechain_add_header(chain, object->header);
}

static void make_share(struct world *world, struct sharechain *chain, int64_t clock_s)
{
    struct object *object = &world->objects[world->count];
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(chain))->id,
        .now = {clock_s * 1000},
        .script = maker_script((uint32_t)env_random_below(&world->env, 5)),
        .want = env_random_below(&world->env, 3) == 0 ? MAKER_LINK : MAKER_GRAIN,
        .salt = env_random_u64(&world->env),
    };
    if (!maker_share(chain, &spec, &object->share)) {
        spec.want = MAKER_LINK; // at the easiest target every grain is a link
        if (!maker_share(chain, &spec, &object->share))
            return;
    }
    world->count++;
    maker_add(chain, &object->share, SHARECHAIN_OWN);
}

// Two nodes that hear of each other late, so that there are branches of blocks and of links.
static void make_world(struct world *world)
{
    struct sharechain *chains[2];
    size_t heard[2] = {0};
    int64_t clock_s = world->pool.genesis_time + 100;
    for (size_t i = 0; i < 2; i++)
        chains[i] = sharechain_new(&world->env, &world->pool, NULL, NULL);
    for (size_t step = 0; step < STEPS; step++) {
        struct sharechain *chain = chains[env_random_below(&world->env, 2)];
        clock_s += (int64_t)env_random_below(&world->env, 4);
        if (env_random_below(&world->env, 9) == 0)
            make_block(world, chain, header_chain_best(sharechain_headers(chain)),
                       (uint32_t)clock_s);
        else
            make_share(world, chain, clock_s);
        size_t at = (size_t)env_random_below(&world->env, 12);
        for (size_t i = 0; at < 2 && heard[at] < world->count; i++) {
            struct object *object = &world->objects[heard[at]++];
            if (object->is_header)
                sharechain_add_header(chains[at], object->header);
            else
                maker_add(chains[at], &object->share, 1);
        }
    }
    for (size_t i = 0; i < 2; i++)
        sharechain_free(chains[i]);
}

static void add_object(struct sharechain *chain, const struct object *object, uint32_t source)
{
    if (object->is_header)
        sharechain_add_header(chain, object->header);
    else
        maker_add(chain, &object->share, source);
}

static struct sharechain *chain_new(const struct world *world, struct store *store)
{
    struct sharechain *chain = sharechain_new(&world->env, &world->pool, store, NULL);
    assert(chain != NULL);
    return chain;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    struct world *world = the_world();
    maker_env_init(&world->env, &world->random, 2024);
    maker_pool(&world->pool, 10, 4);
    make_world(world);
    struct sharechain *chain = chain_new(world, NULL);
    for (size_t i = 0; i < world->count; i++)
        add_object(chain, &world->objects[i], SHARECHAIN_OWN);
    struct link_view tip;
    sharechain_tip(chain, &tip);
    assert(tip.height > 20);
    world->work = tip.work;
    sharechain_free(chain);
    return 0;
}

// ---- What is done to an engine

static uint8_t next_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

struct step {
    uint32_t source;
    const struct object *object;
    const struct object *other;
    size_t position; // of a change
    uint8_t bits;    // that are changed, not 0
};

static void add_altered(struct trial *trial, const struct step *step)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    const struct object *object = step->object;
    if (object->is_header) {
        memcpy(bytes, object->header, HEADER_SIZE);
        bytes[step->position % HEADER_SIZE] ^= step->bits;
        sharechain_add_header(trial->chain, bytes);
        return;
    }
    memcpy(bytes, object->share.bytes, object->share.size);
    bytes[step->position % object->share.size] ^= step->bits;
    struct share_arrival arrival = {
        .bytes = bytes,
        .size = object->share.size - (step->bits == 0xff ? step->position % 9 : 0),
        .body = object->share.body,
        .body_size = object->share.body_size,
        .source = step->source,
    };
    sharechain_add_share(trial->chain, &arrival);
}

static void add_altered_body(struct trial *trial, const struct step *step)
{
    const struct made_share *share = &step->object->share;
    if (step->object->is_header)
        return;
    uint8_t *bytes = malloc(share->body_size);
    assert(bytes != NULL);
    memcpy(bytes, share->body, share->body_size);
    bytes[step->position % share->body_size] ^= step->bits;
    sharechain_add_body(trial->chain, bytes, share->body_size, step->source);
    free(bytes);
}

// A share alone, or with the body of another one.
static void add_mixed(struct trial *trial, const struct step *step, bool has_body)
{
    const struct made_share *share = &step->object->share;
    if (step->object->is_header || step->other->is_header)
        return;
    struct share_arrival arrival = {
        .bytes = share->bytes,
        .size = share->size,
        .pow = &share->pow,
        .body = has_body ? step->other->share.body : NULL,
        .body_size = has_body ? step->other->share.body_size : 0,
        .source = step->source,
    };
    sharechain_add_share(trial->chain, &arrival);
}

// Copies whose anchors nobody has: they wait until the source's room is used up.
static void flood(struct trial *trial, const struct step *step)
{
    struct share share;
    if (step->object->is_header || trial->floods++ >= FLOODS_MAX ||
        !share_decode(step->object->share.bytes, step->object->share.size, &share))
        return;
    for (size_t i = 0; i < FLOOD_COPIES; i++) {
        uint8_t bytes[SHARE_SIZE_MAX];
        struct buffer out;
        buffer_init_fixed(&out, bytes, sizeof(bytes));
        trial->flood_serial++;
        memcpy(share.info.anchor.bytes, &trial->flood_serial, sizeof(trial->flood_serial));
        share_encode(&share, &out);
        struct share_arrival arrival = {.bytes = bytes,
                                        .size = out.size,
                                        .pow = &step->object->share.pow,
                                        .source = step->source + 1};
        sharechain_add_share(trial->chain, &arrival);
    }
}

// Looking must change nothing: minting and windows of any branch move what is kept incrementally.
static void count_weight(void *context, const struct script *script, const struct u256 *weight)
{
    (void)script;
    struct u256 *sum = context;
    *sum = u256_add(sum, weight);
}

static void check_window(struct sharechain *chain, const struct hash256 *id)
{
    struct window_view window;
    struct u256 sum = u256_from_u64(0);
    if (!sharechain_window(chain, id, &window))
        return;
    bool is_here = sharechain_window_weights(chain, id, count_weight, &sum);
    assert(is_here && u256_compare(&sum, &window.sum) == 0);
}

static void mint(struct trial *trial, const struct world *world)
{
    const struct header_node *prev = header_chain_best(sharechain_headers(trial->chain));
    struct mint_spec spec = {
        .prev = prev->id,
        .now = {(int64_t)(world->pool.genesis_time + 1000) * 1000},
        .coinbase_value = chain_subsidy(world->pool.chain, prev->height + 1),
    };
    struct mint *made;
    enum mint_result result = sharechain_mint(trial->chain, &spec, &made);
    assert(result == MINT_OK);
    mint_release(made);
}

static void perform(struct trial *trial, const struct world *world, uint8_t operation,
                    const struct step *step)
{
    switch (operation % 10) {
    case 0:
    case 1:
        add_object(trial->chain, step->object, step->source);
        return;
    case 2:
        add_mixed(trial, step, false);
        return;
    case 3:
        add_mixed(trial, step, true);
        return;
    case 4:
        add_altered(trial, step);
        return;
    case 5:
        add_altered_body(trial, step);
        return;
    case 6:
        sharechain_forget_source(trial->chain, step->source);
        return;
    case 7:
        mint(trial, world);
        return;
    case 8:
        flood(trial, step);
        return;
    case 9:
        check_window(trial->chain, &step->object->share.id);
        return;
    }
}

// ---- What must hold afterwards

struct tally {
    const struct sharechain *chain;
    size_t loose;
};

static void check_loose(void *context, const struct share_view *view)
{
    struct tally *tally = context;
    assert(!view->is_detached && sharechain_has_share(tally->chain, &view->id));
    tally->loose++;
}

// The credits of the links of the best chain are the weights of their own shares and their grains.
static size_t check_credits(struct sharechain *chain, const struct link_view *tip)
{
    size_t credited = 0;
    for (uint32_t height = 1; height <= tip->height; height++) {
        struct link_view link;
        struct u256 sum = u256_from_u64(0);
        bool is_here = sharechain_link_at(chain, height, &link);
        assert(is_here);
        sharechain_link_credits(chain, &link.id, count_weight, &sum);
        assert(u256_compare(&sum, &link.credits) == 0);
        credited += link.grains_count + 1u;
    }
    return credited;
}

static void check_state(struct sharechain *chain)
{
    struct link_view tip;
    struct sharechain_counts counts;
    sharechain_tip(chain, &tip);
    sharechain_counts(chain, &counts);
    struct tally tally = {.chain = chain};
    sharechain_each_loose(chain, check_loose, &tally);
    assert(tally.loose == counts.loose);
    assert(check_credits(chain, &tip) + counts.loose <= counts.shares);
    check_window(chain, &tip.id);
}

// A restart says the same of everything.
static void check_restart(const struct trial *trial, const struct world *world)
{
    struct sharechain *again = chain_new(world, trial->store);
    char error[256];
    bool is_read = sharechain_load(again, error, sizeof(error));
    assert(is_read);
    struct link_view tip, tip_again;
    struct sharechain_counts counts, counts_again;
    sharechain_tip(trial->chain, &tip);
    sharechain_tip(again, &tip_again);
    sharechain_counts(trial->chain, &counts);
    sharechain_counts(again, &counts_again);
    assert(hash_equal(&tip.id, &tip_again.id));
    assert(counts.shares == counts_again.shares && counts.links == counts_again.links);
    assert(counts.headers == counts_again.headers && counts.loose == counts_again.loose);
    assert(counts_again.waiting == 0);
    sharechain_free(again);
}

static void check_world(const struct trial *trial, const struct world *world)
{
    struct link_view tip;
    for (size_t i = 0; i < world->count; i++)
        add_object(trial->chain, &world->objects[i], SHARECHAIN_OWN);
    for (size_t i = 0; i < world->count; i++) {
        const struct made_share *share = &world->objects[i].share;
        assert(world->objects[i].is_header ||
               sharechain_share_verdict(trial->chain, share->bytes, share->size) == VERDICT_VALID);
    }
    sharechain_tip(trial->chain, &tip);
    assert(u256_compare(&tip.work, &world->work) >= 0);
    check_state(trial->chain);
    check_restart(trial, world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct world *world = the_world();
    struct trial trial = {.store = store_memory_new()};
    trial.chain = chain_new(world, trial.store);
    for (size_t i = 0; size > 0 && i < OPERATIONS_MAX; i++) {
        uint8_t operation = next_byte(&data, &size);
        struct step step = {.source = 1 + operation / 10u % SOURCES};
        step.object = &world->objects[next_byte(&data, &size) % world->count];
        if (operation % 10 == 3)
            step.other = &world->objects[next_byte(&data, &size) % world->count];
        else
            step.other = step.object;
        step.position = next_byte(&data, &size) * 3u;
        step.bits = (uint8_t)(1u << (step.position % 8));
        if (operation > 200)
            step.bits = 0xff;
        perform(&trial, world, operation, &step);
    }
    check_state(trial.chain);
    check_world(&trial, world);
    sharechain_free(trial.chain);
    store_close(trial.store);
    return 0;
}
