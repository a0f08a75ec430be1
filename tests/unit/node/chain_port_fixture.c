#include "tests/unit/node/chain_port_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void port_pool(struct pool *pool)
{
    maker_pool(pool, 30, 4);
    pool->half_life = 60;
    pool->window_multiple = 1500000;
    pool->horizon = 40;
    struct pool_error error;
    assert_true(pool_finish(pool, &error));
}

// ---- The owner's part

static void count_told(void *context, const struct gossip_share *share)
{
    struct port_node *node = context;
    if (share->body != NULL)
        node->told_links++;
    else
        node->told_shares++;
    node->told_own += share->is_own ? 1 : 0;
}

static void count_tip(void *context)
{
    struct port_node *node = context;
    node->tip_changes++;
}

static void on_share(void *context, const struct hash256 *id, const uint8_t *bytes, size_t size)
{
    struct port_node *node = context;
    chain_port_share_became_valid(node->port, id, bytes, size);
}

static void on_link(void *context, const struct hash256 *id)
{
    struct port_node *node = context;
    chain_port_link_became_valid(node->port, id);
}

static void on_tip(void *context, const struct hash256 *id, uint32_t depth)
{
    struct port_node *node = context;
    (void)id;
    (void)depth;
    chain_port_tip_changed(node->port);
}

static void node_start(struct port_node *node)
{
    struct sharechain_events events = {node, on_share, on_link, on_tip};
    struct chain_port_events facts = {node, count_told, count_tip};
    char error[256] = "";
    node->chain = sharechain_new(&node->env, node->pool, node->store, &events);
    assert_non_null(node->chain);
    assert_true(sharechain_load(node->chain, error, sizeof(error)));
    node->port = chain_port_new(&node->env, node->chain, &facts);
    assert_non_null(node->port);
    chain_port_table(node->port, &node->table);
}

void port_node_open(struct port_node *node, const struct pool *pool, uint64_t seed)
{
    memset(node, 0, sizeof(*node));
    maker_env_init(&node->env, &node->random, seed);
    node->pool = pool;
    node->store = store_memory_new();
    node_start(node);
}

static void node_stop(struct port_node *node)
{
    chain_port_free(node->port);
    sharechain_free(node->chain);
}

void port_node_restart(struct port_node *node)
{
    node_stop(node);
    node_start(node);
}

void port_node_close(struct port_node *node)
{
    node_stop(node);
    store_close(node->store);
    maker_env_clear(&node->env);
}

struct now port_now(int64_t seconds)
{
    return (struct now){.mono = {seconds * 1000 - 1600000000000}, .wall = {seconds * 1000}};
}

// ---- Mining

static void mine_block(struct port_node *node, int64_t clock_s)
{
    uint8_t header[HEADER_SIZE];
    maker_header(node->chain, header_chain_best(sharechain_headers(node->chain)), (uint32_t)clock_s,
                 env_random_u64(&node->env), header);
    assert_int_equal(sharechain_add_header(node->chain, header), VERDICT_VALID);
}

static struct team any_team(struct port_node *node, uint32_t teams)
{
    struct team team = {.name = ""};
    uint32_t i = teams == 0 ? 0 : (uint32_t)env_random_below(&node->env, teams + 1);
    for (; i > 0; i /= 2)
        team.name[strlen(team.name)] = i % 2 == 0 ? 'a' : 'b';
    return team;
}

static void mine_share(struct port_node *node, enum maker_want want,
                       const struct port_growth *growth, int64_t clock_s)
{
    struct made_share made;
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(node->chain))->id,
        .now = {clock_s * 1000},
        .script = maker_script((uint32_t)env_random_below(&node->env, growth->scripts)),
        .team = any_team(node, growth->teams),
        .want = want,
        .salt = env_random_u64(&node->env),
    };
    if (!maker_share(node->chain, &spec, &made)) {
        spec.want = MAKER_LINK; // at the easiest target every grain is a link
        assert_true(maker_share(node->chain, &spec, &made));
    }
    assert_int_equal(maker_add(node->chain, &made, SHARECHAIN_OWN), VERDICT_VALID);
    made_share_clear(&made);
    chain_port_settled(node->port);
}

void port_node_grow(struct port_node *node, const struct port_growth *growth, int64_t *clock_s)
{
    for (uint32_t i = 0; i < growth->links; i++) {
        *clock_s += growth->seconds;
        if (growth->block_links > 0 && i % growth->block_links == 0)
            mine_block(node, *clock_s);
        for (uint32_t j = 0; j < growth->grains; j++)
            mine_share(node, MAKER_GRAIN, growth, *clock_s);
        mine_share(node, MAKER_LINK, growth, *clock_s);
    }
}

// ---- Sync, as calls

void port_sync_headers(const struct port_sync *sync)
{
    struct network_chain *from = &sync->from->table;
    struct network_chain *to = &sync->to->table;
    struct buffer headers;
    buffer_init(&headers, (size_t)CHAIN_HEADERS_MAX * CHAIN_HEADER_SIZE);
    size_t before = 0;
    // Of two branches with equal work each keeps its own: then nothing new comes.
    while (before != header_chain_count(sharechain_headers(sync->to->chain))) {
        struct hash256 locator[CHAIN_LOCATOR_MAX];
        before = header_chain_count(sharechain_headers(sync->to->chain));
        size_t known = to->header_locator(to->context, locator);
        buffer_reset(&headers);
        size_t count =
            from->headers_after(from->context, locator, known, CHAIN_HEADERS_MAX, &headers);
        assert_int_equal(headers.size, count * CHAIN_HEADER_SIZE);
        if (count == 0)
            break;
        assert_int_equal(to->add_headers(to->context, sync->source, headers.data, count),
                         CHAIN_VALID);
    }
    buffer_clear(&headers);
}

static void fetch_header(const struct port_sync *sync, const struct hash256 *wanted)
{
    struct network_chain *from = &sync->from->table;
    struct network_chain *to = &sync->to->table;
    struct hash256 locator[CHAIN_LOCATOR_MAX];
    struct buffer headers;
    buffer_init(&headers, (size_t)CHAIN_HEADERS_MAX * CHAIN_HEADER_SIZE);
    size_t known = to->header_locator(to->context, locator);
    size_t count = from->headers_to(from->context, wanted, locator, known, &headers);
    assert_true(count > 0);
    assert_int_equal(to->add_headers(to->context, sync->source, headers.data, count), CHAIN_VALID);
    assert_true(to->has_header(to->context, wanted));
    buffer_clear(&headers);
}

static void step_each(const struct port_sync *sync, struct chain_proof *proof,
                      const struct buffer *skeletons, struct chain_proof_state *state)
{
    struct network_chain *to = &sync->to->table;
    struct reader reader = reader_init(skeletons->data, skeletons->size);
    while (reader.left > 0) {
        size_t size = read_u16(&reader);
        const uint8_t *bytes = read_view(&reader, size);
        assert_false(reader.failed);
        enum chain_proof_result result = to->proof_step(proof, bytes, size, state);
        if (result == CHAIN_PROOF_LACKS_HEADER) {
            fetch_header(sync, &state->header);
            result = to->proof_step(proof, bytes, size, state);
        }
        assert_int_equal(result, CHAIN_PROOF_OK);
    }
}

struct chain_proof *port_sync_prove(const struct port_sync *sync, struct chain_proof_state *state)
{
    struct network_chain *from = &sync->from->table;
    struct network_chain *to = &sync->to->table;
    struct chain_proof *proof = NULL;
    struct hash256 locator[CHAIN_LOCATOR_MAX], common;
    size_t known = to->link_locator(to->context, locator);
    struct buffer skeletons;
    buffer_init(&skeletons, 1 << 20);
    while (from->links_after(from->context, locator, known, CHAIN_SKELETONS_MAX, &common,
                             &skeletons) > 0) {
        if (proof == NULL)
            proof = to->proof_new(to->context, &common);
        assert_non_null(proof);
        step_each(sync, proof, &skeletons, state);
        buffer_reset(&skeletons);
        locator[0] = state->tip.id;
        known = 1;
    }
    buffer_clear(&skeletons);
    return proof;
}

static void give_share(const struct port_sync *sync, const struct hash256 *id,
                       const struct buffer *body)
{
    struct network_chain *from = &sync->from->table;
    struct network_chain *to = &sync->to->table;
    struct buffer share;
    buffer_init(&share, CHAIN_SHARE_MAX);
    assert_true(from->share_bytes(from->context, id, &share));
    if (sync->meddle != NULL)
        sync->meddle(sync->context, share.data, share.size);
    struct chain_arrival arrival = {
        .source = sync->source,
        .share = share.data,
        .share_size = share.size,
        .body = body == NULL ? NULL : body->data,
        .body_size = body == NULL ? 0 : body->size,
        .is_sync = true,
    };
    to->add_share(to->context, &arrival, port_now(sync->clock_s));
    buffer_clear(&share);
}

static void give_link(const struct port_sync *sync, const struct hash256 *id)
{
    struct network_chain *from = &sync->from->table;
    struct network_chain *to = &sync->to->table;
    struct buffer bytes;
    struct body body;
    buffer_init(&bytes, CHAIN_BODY_MAX);
    assert_true(from->body_bytes(from->context, id, &bytes));
    assert_true(body_decode(bytes.data, bytes.size, 4000, &body));
    for (size_t i = 0; i < body.count; i++) {
        struct hash256 grain;
        body_id_at(&body, i, &grain);
        if (!to->has_share(to->context, &grain))
            give_share(sync, &grain, NULL);
    }
    give_share(sync, id, &bytes);
    buffer_clear(&bytes);
}

// Grains on links and blocks that lost: what those are is on no chain.
static void give_lacking(const struct port_sync *sync)
{
    struct network_chain *from = &sync->from->table;
    struct network_chain *to = &sync->to->table;
    struct hash256 id;
    uint32_t source;
    for (size_t i = 0; i < 100; i++) {
        struct buffer body;
        buffer_init(&body, CHAIN_BODY_MAX);
        bool has_body = to->lacking(to->context, CHAIN_LACKS_BODY, &id, &source, 1) == 1 &&
                        from->body_bytes(from->context, &id, &body);
        if (has_body)
            to->add_body(to->context, sync->source, body.data, body.size);
        buffer_clear(&body);
        bool has_share = to->lacking(to->context, CHAIN_LACKS_SHARE, &id, &source, 1) == 1 &&
                         from->has_share(from->context, &id);
        if (has_share)
            give_share(sync, &id, NULL);
        bool has_header = to->lacking(to->context, CHAIN_LACKS_HEADER, &id, &source, 1) == 1 &&
                          from->has_header(from->context, &id);
        if (has_header)
            fetch_header(sync, &id);
        if (!has_body && !has_share && !has_header)
            return;
    }
}

bool port_sync_run(const struct port_sync *sync)
{
    struct network_chain *to = &sync->to->table;
    struct chain_proof_state state;
    port_sync_headers(sync);
    struct chain_proof *proof = port_sync_prove(sync, &state);
    if (proof == NULL)
        return false;
    uint32_t height = 0;
    bool is_followed = to->proof_accept(to->context, proof, &height, port_now(sync->clock_s));
    struct hash256 id;
    uint32_t end = sync->links_max == 0 ? UINT32_MAX : height + sync->links_max;
    for (; is_followed && height < end && to->proof_link(proof, height, &id); height++)
        give_link(sync, &id);
    if (is_followed)
        give_lacking(sync);
    to->proof_free(proof);
    return is_followed;
}

// ---- Comparing

#define WEIGHTS_MAX 256

struct weights {
    struct payout_weight list[WEIGHTS_MAX];
    size_t count;
};

static void weights_add(void *context, const struct script *script, const struct u256 *weight)
{
    struct weights *weights = context;
    assert_true(weights->count < WEIGHTS_MAX);
    weights->list[weights->count].script = *script;
    weights->list[weights->count].weight = *weight;
    weights->count++;
}

static int compare_weights(const void *a, const void *b)
{
    const struct payout_weight *left = a;
    const struct payout_weight *right = b;
    return memcmp(left->script.bytes, right->script.bytes, left->script.size);
}

static void sort_and_compare(struct weights *a, struct weights *b)
{
    assert_int_equal(a->count, b->count);
    qsort(a->list, a->count, sizeof(a->list[0]), compare_weights);
    qsort(b->list, b->count, sizeof(b->list[0]), compare_weights);
    for (size_t i = 0; i < a->count; i++) {
        assert_memory_equal(a->list[i].script.bytes, b->list[i].script.bytes,
                            a->list[i].script.size);
        assert_memory_equal(&a->list[i].weight, &b->list[i].weight, sizeof(struct u256));
    }
    a->count = 0;
    b->count = 0;
}

static void assert_equal_payout(struct port_node *a, struct port_node *b, const struct hash256 *id)
{
    struct coinbase_output *outputs[2];
    size_t counts[2];
    for (size_t i = 0; i < 2; i++) {
        outputs[i] = calloc(COINBASE_OUTPUTS_MAX, sizeof(struct coinbase_output));
        assert_non_null(outputs[i]);
        assert_true(
            sharechain_share_outputs(i == 0 ? a->chain : b->chain, id, outputs[i], &counts[i]));
    }
    assert_int_equal(counts[0], counts[1]);
    for (size_t i = 0; i < counts[0]; i++) {
        assert_int_equal(outputs[0][i].amount, outputs[1][i].amount);
        assert_memory_equal(outputs[0][i].script.bytes, outputs[1][i].script.bytes,
                            outputs[0][i].script.size);
    }
    free(outputs[0]);
    free(outputs[1]);
}

void port_assert_equal(struct port_node *a, struct port_node *b)
{
    struct weights *weights = calloc(2, sizeof(*weights));
    assert_non_null(weights);
    struct link_view tip_a, tip_b;
    sharechain_tip(a->chain, &tip_a);
    sharechain_tip(b->chain, &tip_b);
    assert_memory_equal(&tip_a.id, &tip_b.id, sizeof(tip_a.id));
    assert_memory_equal(&tip_a.work, &tip_b.work, sizeof(tip_a.work));
    struct window_view window_a = {0}, window_b = {0};
    assert_int_equal(sharechain_window(a->chain, &tip_a.id, &window_a),
                     sharechain_window(b->chain, &tip_a.id, &window_b));
    assert_memory_equal(&window_a, &window_b, sizeof(window_a));
    uint32_t low = tip_a.height - window_a.links_count;
    for (uint32_t height = low + 1; height <= tip_a.height; height++) {
        struct link_view link;
        assert_true(sharechain_link_at(a->chain, height, &link));
        sharechain_link_credits(a->chain, &link.id, weights_add, &weights[0]);
        sharechain_link_credits(b->chain, &link.id, weights_add, &weights[1]);
        sort_and_compare(&weights[0], &weights[1]);
    }
    assert_int_equal(sharechain_window_weights(a->chain, &tip_a.id, weights_add, &weights[0]),
                     sharechain_window_weights(b->chain, &tip_a.id, weights_add, &weights[1]));
    sort_and_compare(&weights[0], &weights[1]);
    if (tip_a.height > 0)
        assert_equal_payout(a, b, &tip_a.id);
    free(weights);
}
