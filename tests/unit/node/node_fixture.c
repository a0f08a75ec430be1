#include "tests/unit/node/node_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/standings.h"

#define FAST_LINKS 60

static void open_backend(struct node_fixture *fixture)
{
    struct node *node = &fixture->node;
    struct backend_config config = {
        .params = fixture->pool.chain,
        .daemons = {{.url = "http://ana:secret@127.0.0.1:1"}},
        .daemons_count = 1,
    };
    struct backend_events events = {
        .context = node,
        .template_changed = work_template_changed,
        .work_unsafe = work_unsafe,
        .headers_arrived = work_headers_arrived,
        .has_header = work_has_header,
        .headers_finished = work_headers_finished,
        .block_result = blocks_result,
        .block_moved = blocks_moved,
    };
    node->backend = backend_new(node->loop, &node->env, &config, &events, fixture->error);
    assert_non_null(node->backend);
}

void node_fixture_open(struct node_fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    struct node *node = &fixture->node;
    maker_pool(&fixture->pool, 30, 16);
    maker_env_init(&node->env, &fixture->random, 7);
    fixture->clock_s = fixture->pool.genesis_time + 10;
    node->config = &fixture->config;
    node->pool = &fixture->pool;
    node->log = node->env.log;
    node->loop = net_loop_new();
    node->store = store_memory_new();
    node->sharechain = sharechain_new(&node->env, node->pool, node->store, NULL);
    node->sockets = map_new(&node->env);
    node->miner_book = miners_open_book(node);
    node->payout_book = payout_book_new(node->sharechain, node->store);
    assert_non_null(node->miner_book);
    assert_non_null(node->payout_book);
    node->standings = standings_new(&node->env, node->sharechain, node->store);
    assert_non_null(node->standings);
    struct stratum_config stratum = stratum_config_default(node->pool->chain, 2000);
    struct stratum_events events;
    miners_fill_events(node, &events);
    node->stratum = stratum_new(&node->env, &events, &stratum);
    assert_non_null(node->loop);
    assert_non_null(node->sharechain);
    assert_non_null(node->stratum);
    open_backend(fixture);
}

void node_fixture_close(struct node_fixture *fixture)
{
    struct node *node = &fixture->node;
    mint_release(node->mint);
    backend_free(node->backend);
    stratum_free(node->stratum);
    map_free(node->sockets);
    miner_book_free(node->miner_book, net_loop_now(node->loop));
    payout_book_free(node->payout_book);
    standings_free(node->standings);
    sharechain_free(node->sharechain);
    store_close(node->store);
    net_loop_free(node->loop);
    free(node->blocks);
    maker_env_clear(&node->env);
}

int node_fixture_set_up(void **state)
{
    struct node_fixture *fixture = malloc(sizeof(*fixture));
    node_fixture_open(fixture);
    *state = fixture;
    return 0;
}

int node_fixture_tear_down(void **state)
{
    node_fixture_close(*state);
    free(*state);
    return 0;
}

static struct team team_of(uint32_t script)
{
    static const struct team teams[] = {{""}, {"reef"}, {""}, {"atoll"}};
    return teams[script % 4];
}

static struct made_share make(struct node_fixture *fixture, enum maker_want want, uint32_t script)
{
    struct sharechain *chain = fixture->node.sharechain;
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(chain))->id,
        .now = {fixture->clock_s * 1000},
        .script = maker_script(script),
        .team = team_of(script),
        .want = want,
        .salt = ++fixture->salt,
        .branch_count = 3,
    };
    struct made_share made;
    // At the easiest target there are no grains that are not links.
    if (!maker_share(chain, &spec, &made)) {
        spec.want = MAKER_LINK;
        assert_true(maker_share(chain, &spec, &made));
    }
    assert_int_equal(maker_add(chain, &made, SHARECHAIN_OWN), VERDICT_VALID);
    return made;
}

static void add(struct node_fixture *fixture, enum maker_want want, uint32_t script)
{
    struct made_share made = make(fixture, want, script);
    made_share_clear(&made);
}

void node_fixture_grow(struct node_fixture *fixture, uint32_t links, uint32_t links_per_block)
{
    struct sharechain *chain = fixture->node.sharechain;
    for (uint32_t i = 1; i <= links; i++) {
        add(fixture, MAKER_GRAIN, 1 + i % 3);
        add(fixture, MAKER_GRAIN, 1 + (i + 1) % 3);
        add(fixture, MAKER_LINK, 1 + (i + 2) % 3);
        // Fast at first, so that the target leaves the easiest one, then at the wanted pace.
        fixture->clock_s += ++fixture->links_grown <= FAST_LINKS ? 10 : 30;
        if (i % links_per_block != 0)
            continue;
        uint8_t header[HEADER_SIZE];
        const struct header_node *best = header_chain_best(sharechain_headers(chain));
        maker_header(chain, best, (uint32_t)fixture->clock_s, fixture->salt, header);
        assert_int_equal(sharechain_add_header(chain, header), VERDICT_VALID);
    }
    standings_follow(fixture->node.standings);
}

struct hash256 node_fixture_find_block(struct node_fixture *fixture)
{
    struct node *node = &fixture->node;
    int64_t height = header_chain_best(sharechain_headers(node->sharechain))->height + 1;
    enum verdict verdict = VERDICT_INVALID;
    struct made_share made = {0};
    while (verdict != VERDICT_VALID) { // every other hash meets the bits of this devchain
        made_share_clear(&made);
        made = make(fixture, MAKER_LINK, 1);
        uint8_t header[HEADER_SIZE];
        memcpy(header, made.bytes + 1, sizeof(header)); // behind the share's version
        verdict = sharechain_add_header(node->sharechain, header);
    }
    struct found_block block = {
        .id = made.id,
        .height = height,
        .found_at = fixture->clock_s,
        .coinbase_value = chain_subsidy(fixture->pool.chain, height),
        .payout_script = maker_script(1),
        .is_link = true,
    };
    snprintf(block.user, sizeof(block.user), "somebody.rig%lld", (long long)height);
    blocks_add(node, &block);
    made_share_clear(&made);
    return block.id;
}

void node_fixture_mint(struct node_fixture *fixture)
{
    struct node *node = &fixture->node;
    const struct header_node *best = header_chain_best(sharechain_headers(node->sharechain));
    struct mint_spec spec = {
        .prev = best->id,
        .coinbase_value = chain_subsidy(node->pool->chain, best->height + 1) + 12345,
        .now = {fixture->clock_s * 1000},
    };
    mint_release(node->mint);
    node->mint = NULL;
    assert_int_equal(sharechain_mint(node->sharechain, &spec, &node->mint), MINT_OK);
    node->work_prev = best->id;
}
