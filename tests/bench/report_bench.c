// What the documents of a node cost over a long share-chain: 1 000 000 grains in a store on disk,
// all of them in the window, 2 000 miners, and a book of 4 096 addresses. Each round a link comes
// in and then every document is made once, so that nothing of it is remembered from the round
// before.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "node/bitcoin/address.h"
#include "node/report.h"
#include "node/standings.h"
#include "node/state.h"
#include "tests/bench/bench.h"
#include "tests/support/share_maker.h"

#define GRAINS          1000000
#define GRAINS_PER_LINK 120
#define EARLY_LINKS     150 // come faster, until a link is worth enough
#define EARLY_S         4
#define SPACING_S       30
#define LINKS_PER_BLOCK 20
#define MINERS          2000
#define RARE_MINER      999999 // has one share, near the beginning
#define ADDRESSES       4096
#define BRANCH_COUNT    12
#define ROUNDS          5
#define SETTLE_LINKS    256
#define MOST_MS         50.0

struct scene {
    struct config config;
    struct pool pool;
    struct maker_random random;
    struct node node;
    struct buffer out;
    int64_t clock_s;
    uint64_t salt;
    uint32_t links;
    uint64_t grains;
};

static void fail(const char *what)
{
    fprintf(stderr, "report_bench: %s\n", what);
    exit(2);
}

// ---- The chain

static void add_share(struct scene *scene, struct mint *mint, const struct maker_spec *spec,
                      struct made_share *made)
{
    if (!maker_share_of(mint, spec, made))
        fail("a share could not be found");
    const struct share_arrival arrival = {
        .bytes = made->bytes,
        .size = made->size,
        .pow = &made->pow,
        .mint = mint,
        .body = made->body,
        .body_size = made->body_size,
        .source = SHARECHAIN_OWN,
    };
    if (sharechain_add_share(scene->node.sharechain, &arrival) != VERDICT_VALID)
        fail("a share that was made is not valid");
}

// Some links are blocks of the pool, where the devchain takes them; others' blocks come between.
static void add_block(struct scene *scene, const struct made_share *link)
{
    struct sharechain *chain = scene->node.sharechain;
    uint8_t header[HEADER_SIZE];
    memcpy(header, link->bytes + 1, sizeof(header)); // behind the share's version
    if (sharechain_add_header(chain, header) == VERDICT_VALID)
        return;
    maker_header(chain, header_chain_best(sharechain_headers(chain)), (uint32_t)scene->clock_s,
                 scene->salt, header);
    sharechain_add_header(chain, header);
}

static uint32_t choose_miner(const struct scene *scene)
{
    if (scene->links == EARLY_LINKS && scene->grains == 5)
        return RARE_MINER;
    return (uint32_t)(scene->salt * 7919 % MINERS);
}

static void grow_link(struct scene *scene)
{
    struct made_share made;
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(scene->node.sharechain))->id,
        .now = {scene->clock_s * 1000},
        .branch_count = BRANCH_COUNT,
    };
    struct mint *mint = maker_mint(scene->node.sharechain, &spec);
    if (mint == NULL)
        fail("nothing can be mined");
    bool is_early = scene->links < EARLY_LINKS;
    for (uint32_t i = is_early ? GRAINS_PER_LINK : 0; i <= GRAINS_PER_LINK; i++) {
        spec.want = i < GRAINS_PER_LINK ? MAKER_GRAIN : MAKER_LINK;
        spec.salt = ++scene->salt;
        spec.script = maker_script(choose_miner(scene));
        add_share(scene, mint, &spec, &made);
        scene->grains += spec.want == MAKER_GRAIN ? 1 : 0;
        if (spec.want == MAKER_LINK && scene->links % LINKS_PER_BLOCK == 0)
            add_block(scene, &made);
        made_share_clear(&made);
    }
    mint_release(mint);
    scene->links++;
    standings_follow(scene->node.standings);
    scene->clock_s += is_early ? EARLY_S : SPACING_S;
    if (scene->links % SETTLE_LINKS == 0 && !store_settle(scene->node.store, 20000))
        fail("the disk is too slow");
}

static void mint_work(struct scene *scene)
{
    struct node *node = &scene->node;
    const struct header_node *best = header_chain_best(sharechain_headers(node->sharechain));
    struct mint_spec spec = {
        .prev = best->id,
        .coinbase_value = chain_subsidy(node->pool->chain, best->height + 1),
        .now = {scene->clock_s * 1000},
    };
    mint_release(node->mint);
    node->mint = NULL;
    if (sharechain_mint(node->sharechain, &spec, &node->mint) != MINT_OK)
        fail("no work could be made");
    node->work_prev = best->id;
}

// ---- The node around it

static void make_pool(struct pool *pool)
{
    struct pool_error error;
    maker_pool(pool, SPACING_S, GRAINS_PER_LINK);
    pool->window_multiple = 1000000000; // all of the chain is in the window
    pool->window_blocks = 100000;
    if (!pool_finish(pool, &error))
        fail(error.text);
}

static void open_backend(struct node *node)
{
    char error[512];
    struct backend_config config = {
        .params = node->pool->chain,
        .daemons = {{.url = "http://127.0.0.1:1"}},
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
    node->backend = backend_new(node->loop, &node->env, &config, &events, error);
    if (node->backend == NULL)
        fail(error);
}

static void fill_miner_book(struct node *node)
{
    struct now now = net_loop_now(node->loop);
    for (uint64_t i = 1; i <= ADDRESSES; i++) {
        struct script payout = maker_script((uint32_t)(i - 1));
        struct stratum_session_view session = {
            .session = i, .worker = "rig", .kind = "bitaxe", .team = "", .payout = &payout};
        struct stratum_judgement judgement = {
            .session = i, .difficulty = (double)i, .hash_difficulty = (double)i};
        miner_book_connected(node->miner_book, &session, now);
        miner_book_judged(node->miner_book, &judgement, now);
    }
}

static void scene_open(struct scene *scene, const char *folder)
{
    char error[256];
    struct node *node = &scene->node;
    const struct store_lmdb_options options = {.path = folder};
    memset(scene, 0, sizeof(*scene));
    make_pool(&scene->pool);
    maker_env_init(&node->env, &scene->random, 5);
    scene->clock_s = scene->pool.genesis_time + 10;
    buffer_init(&scene->out, REPORT_SIZE_MAX);
    node->config = &scene->config;
    node->pool = &scene->pool;
    node->log = node->env.log;
    node->loop = net_loop_new();
    node->store = store_lmdb_open(&options, error, sizeof(error));
    if (node->store == NULL)
        fail(error);
    node->sharechain = sharechain_new(&node->env, node->pool, node->store, NULL);
    if (!sharechain_load(node->sharechain, error, sizeof(error)))
        fail(error);
    node->sockets = map_new(&node->env);
    node->miner_book = miners_open_book(node);
    node->payout_book = payout_book_new(node->sharechain, node->store);
    node->standings = standings_new(&node->env, node->sharechain, node->store);
    struct stratum_config stratum = stratum_config_default(node->pool->chain, 2000);
    struct stratum_events events;
    miners_fill_events(node, &events);
    node->stratum = stratum_new(&node->env, &events, &stratum);
    open_backend(node);
    fill_miner_book(node);
}

static void scene_close(struct scene *scene)
{
    struct node *node = &scene->node;
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
    maker_env_clear(&node->env);
    buffer_clear(&scene->out);
}

// ---- The documents

struct question {
    const char *document;
    const char *parameter; // NULL: none is given
    char value[ADDRESS_SIZE_MAX];
    const char *what; // for the table
    double times_ms[BENCH_ROUNDS_MAX];
};

#define QUESTIONS_MAX 40

struct questions {
    struct question items[QUESTIONS_MAX];
    size_t count;
};

static struct question *add_question(struct questions *questions, const char *document)
{
    if (questions->count == QUESTIONS_MAX)
        fail("too many documents");
    struct question *question = &questions->items[questions->count++];
    *question = (struct question){.document = document, .what = document};
    return question;
}

static void add_about(struct questions *questions, const char *document, const char *parameter,
                      const char *value, const char *what)
{
    struct question *question = add_question(questions, document);
    question->parameter = parameter;
    question->what = what;
    snprintf(question->value, sizeof(question->value), "%s", value);
}

// Every document without a parameter, and those that have one with what costs most.
static void choose_questions(const struct scene *scene, struct questions *questions)
{
    const struct report_document *document;
    char usual[ADDRESS_SIZE_MAX], rare[ADDRESS_SIZE_MAX], link_id[65], block_id[65];
    struct script script = maker_script(1);
    struct link_view link;
    for (size_t i = 0; (document = report_get(i)) != NULL; i++) {
        if (document->path == NULL || strchr(document->path, '{') == NULL)
            add_question(questions, document->name);
    }
    address_encode(scene->pool.chain, &script, usual);
    script = maker_script(RARE_MINER);
    address_encode(scene->pool.chain, &script, rare);
    sharechain_link_at(scene->node.sharechain, scene->links / 2, &link);
    hash_to_hex(&link.id, link_id);
    if (payout_book_count(scene->node.payout_book) == 0)
        fail("no link is a block");
    hash_to_display(&payout_book_get(scene->node.payout_book, 0)->id, block_id);
    add_about(questions, "shares", "limit", "500", "shares, 500 of them");
    add_about(questions, "shares", "address", usual, "shares of one of 2 000 miners");
    add_about(questions, "shares", "address", rare, "shares of a miner with one, years ago");
    add_about(questions, "address", "address", usual, "page of one of 2 000 miners");
    add_about(questions, "address", "address", rare, "page of a miner with one share");
    add_about(questions, "share", "id", link_id, "one share");
    add_about(questions, "link", "id", link_id, "one link");
    add_about(questions, "block", "id", block_id, "one block");
    add_about(questions, "links", "limit", "500", "links, 500 of them");
    add_about(questions, "payouts_history", "limit", "100", "payouts_history, 100 of them");
}

static double make_document(struct scene *scene, const struct question *question)
{
    struct report_call call;
    buffer_reset(&scene->out);
    report_call_init(&call, report_find(question->document), API_ADMIN);
    if (question->parameter != NULL)
        report_set(&call, question->parameter, question->value, strlen(question->value));
    double begin = bench_now_ns();
    bool is_made = report_write(&scene->node, &call, &scene->out);
    double took = bench_now_ns() - begin;
    if (!is_made)
        fail(call.detail);
    return took / 1e6;
}

static double follow_blocks(struct scene *scene)
{
    double worst = 0;
    for (int i = 0; i < 1000; i++) {
        double begin = bench_now_ns();
        payout_book_follow(scene->node.payout_book);
        double took = (bench_now_ns() - begin) / 1e6;
        worst = took > worst ? took : worst;
    }
    return worst;
}

static void print_times(struct bench *bench, struct questions *questions)
{
    for (size_t i = 0; i < questions->count; i++) {
        struct question *question = &questions->items[i];
        char what[80];
        snprintf(what, sizeof(what), "document: %s", question->what);
        struct bench_row row = {
            .what = what,
            .unit = "ms",
            .ours = bench_median(question->times_ms, bench->rounds),
            .most = MOST_MS,
        };
        bench_row_print(bench, &row);
    }
}

static void measure(struct bench *bench, struct scene *scene)
{
    static struct questions questions;
    double worst = follow_blocks(scene);
    choose_questions(scene, &questions);
    for (size_t round = 0; round < bench->rounds; round++) {
        grow_link(scene);
        mint_work(scene);
        payout_book_follow(scene->node.payout_book);
        for (size_t i = 0; i < questions.count; i++)
            questions.items[i].times_ms[round] = make_document(scene, &questions.items[i]);
    }
    print_times(bench, &questions);
    struct bench_row row = {
        .what = "blocks of the pool read in: longest turn",
        .unit = "ms",
        .ours = worst,
        .most = MOST_MS,
    };
    bench_row_print(bench, &row);
}

int main(int argc, char **argv)
{
    static struct scene scene;
    struct bench bench;
    char path[] = "/tmp/shoal-bench-XXXXXX";
    if (!bench_init(&bench, ROUNDS, argc, argv))
        return 2;
    if (mkdtemp(path) == NULL)
        fail("no folder in /tmp");
    double begin = bench_now_ns();
    scene_open(&scene, path);
    while (scene.grains < GRAINS)
        grow_link(&scene);
    mint_work(&scene);
    printf("report_bench: %u links with %llu grains, made in %.0f s\n", scene.links,
           (unsigned long long)scene.grains, (bench_now_ns() - begin) / 1e9);
    measure(&bench, &scene);
    scene_close(&scene);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", path);
    if (system(command) != 0)
        printf("could not remove %s\n", path);
    return bench_finish(&bench);
}
