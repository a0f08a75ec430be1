#include "tests/bench/node_bench_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "node/base/json.h"
#include "node/pow/target.h"

#define BLOCK_BITS      0x1e0fffffu
#define LINK_BITS       0x1e400000u
#define GRAINS_PER_LINK 1000
#define DIFFICULTY      1e-9 // what the connections ask for
#define TEXT_SIZE       65536
#define PAYEES          64
#define GRAINS_EACH     6
#define OUTPUTS         48 // of the pool file, and more payees than these
#define BRANCHES        12
#define BLOCKS_LATE     7 // credits enter payouts six blocks late
#define LINK_MS         300

#define FILL_MS     4000 // the daemon has as many transactions as it wants
#define FILL_TRIES  4
#define PATIENCE_MS 20000

static void scene_path(const struct scene *scene, const char *name, char out[PROCESS_PATH_SIZE])
{
    snprintf(out, PROCESS_PATH_SIZE, "%s/%s", scene->folder, name);
}

// ---- Targets

static void fill_bands(struct scene *scene)
{
    bool overflowed = false;
    struct u256 block, link;
    if (!target_expand(BLOCK_BITS, &block) || !target_expand(LINK_BITS, &link))
        process_fail("wrong bits");
    struct u256 grain = u256_multiply_u64(&link, GRAINS_PER_LINK, &overflowed);
    struct u256 share = target_from_difficulty(DIFFICULTY, pow_algorithm(POW_SHA256D));
    // Where links follow close on each other, link and grain target become a little harder.
    struct u256 link_easing = u256_shift_right(&link, 4);
    struct u256 grain_easing = u256_shift_right(&grain, 4);
    struct u256 link_most = u256_subtract(&link, &link_easing);
    struct u256 grain_most = u256_subtract(&grain, &grain_easing);
    scene->statistics_band = (struct work_band){.above = grain, .most = share};
    scene->grain_band = (struct work_band){.above = link, .most = grain_most};
    scene->link_band = (struct work_band){.above = block, .most = link_most};
    scene->block_band = (struct work_band){.above = u256_from_u64(0), .most = block};
}

// ---- Processes

static void start_daemon(struct scene *scene, char anchor[TEXT_SIZE])
{
    char program[PROCESS_PATH_SIZE], log[PROCESS_PATH_SIZE], port[16];
    process_path("devchain", program);
    scene_path(scene, "devchain.log", log);
    scene->daemon_port = process_free_port();
    snprintf(port, sizeof port, "%u", scene->daemon_port);
    // Traffic stops when three times this many wait: enough for a template of twelve branches.
    const char *argv[] = {program, "--bits", "1e0fffff", "--transactions", "900", "--spacing",
                          "1",     "--port", port,       "--no-auth",      NULL,  NULL};
    scene->daemon_pid = process_start(argv, log);
    argv[10] = "--print-anchor";
    process_output(argv, anchor, TEXT_SIZE);
    anchor[strcspn(anchor, "\n")] = '\0';
}

static void make_pool(const struct scene *scene, const char *anchor)
{
    char program[PROCESS_PATH_SIZE], file[PROCESS_PATH_SIZE], text[TEXT_SIZE];
    process_path("shoal", program);
    scene_path(scene, "pool", file);
    const char *argv[] = {program,    "pool",
                          "new",      "--name",
                          "bench",    "--chain",
                          "devchain", "--easiest-bits",
                          "1e400000", "--grains-per-link",
                          "1000",     "--half-life",
                          "86400",    "--anchor-header",
                          anchor,     file,
                          NULL};
    process_output(argv, text, sizeof text);
}

void scene_open(struct scene *scene, const char *folder)
{
    char anchor[TEXT_SIZE];
    *scene = (struct scene){.folder = folder, .scanner = scanner_new(POW_SHA256D)};
    fill_bands(scene);
    // Before anything else, so that it inherits no connection.
    uint16_t echo_port = process_free_port();
    scene->echo_pid = process_fork(echo_serve, echo_port);
    load_init(&scene->echo, echo_port, true);
    start_daemon(scene, anchor);
    make_pool(scene, anchor);
    process_wait_ms(FILL_MS);
}

void scene_close(struct scene *scene)
{
    scene_stop_node(scene);
    load_clear(&scene->echo);
    scanner_free(scene->scanner);
    process_stop(scene->echo_pid);
    process_stop(scene->daemon_pid);
}

void scene_start_node(struct scene *scene)
{
    char program[PROCESS_PATH_SIZE], log[PROCESS_PATH_SIZE], pool[PROCESS_PATH_SIZE];
    char daemon[64], listen[64], http[64] = "", name[32];
    uint16_t port = process_free_port();
    process_path("shoal", program);
    scene_path(scene, "node.log", log);
    scene_path(scene, "pool", pool);
    snprintf(name, sizeof name, "node-%zu", ++scene->nodes_started);
    scene_path(scene, name, scene->data);
    snprintf(daemon, sizeof daemon, "http://127.0.0.1:%u", scene->daemon_port);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    if (scene->http_port != 0)
        snprintf(http, sizeof http, "127.0.0.1:%u", scene->http_port);
    const char *argv[] = {program,
                          "node",
                          "--pool",
                          pool,
                          "--data",
                          scene->data,
                          "--daemon",
                          daemon,
                          "--daemon-poll",
                          "1",
                          "--stratum-listen",
                          listen,
                          "--http-listen",
                          http,
                          "--stratum-connections",
                          "5000",
                          "--stratum-difficulty-min",
                          "1e-9",
                          "--found",
                          "--peer-listen",
                          "",
                          NULL};
    load_init(&scene->node, port, false);
    scene->nonce = 0;
    scene->node_pid = process_start(argv, log);
}

void scene_stop_node(struct scene *scene)
{
    if (scene->node_pid == 0)
        return;
    load_clear(&scene->node);
    process_stop(scene->node_pid);
    scene->node_pid = 0;
}

// ---- Shares

static struct work_search search_of(const struct scene *scene, size_t i)
{
    const struct load_connection *connection = &scene->node.connections[i];
    if (connection->job.id[0] == '\0')
        process_fail("connection %zu has no job", i);
    return (struct work_search){.scanner = scene->scanner,
                                .job = &connection->job,
                                .extranonce = connection->extranonce,
                                .user = connection->user,
                                .nonce = i == 0 ? scene->nonce : 0};
}

void scene_search_many(struct scene *scene, size_t connection, const struct work_band *band,
                       size_t count, struct work_lines *lines)
{
    struct work_search search = search_of(scene, connection);
    work_find(&search, band, count, lines);
    if (connection == 0)
        scene->nonce = search.nonce;
}

void scene_search(struct scene *scene, size_t connection, const struct work_band *band,
                  struct work_lines *lines)
{
    scene_search_many(scene, connection, band, 1, lines);
}

static void find_one(struct scene *scene, const struct work_band *band)
{
    struct work_lines lines = {.count = 0};
    struct load_turn turn = {.count = 1, .lines = &lines, .each = 1, .wait_ms = PATIENCE_MS};
    scene_search(scene, 0, band, &lines);
    load_run(&scene->node, &turn);
    work_lines_clear(&lines);
}

void scene_find_link(struct scene *scene)
{
    find_one(scene, &scene->link_band);
    load_idle(&scene->node, LINK_MS);
}

void scene_find_block(struct scene *scene, size_t told)
{
    load_mark(&scene->node);
    find_one(scene, &scene->block_band);
    load_await_told(&scene->node, told, PATIENCE_MS);
}

static void find_grains(struct scene *scene)
{
    struct work_lines lines[PAYEES] = {{.count = 0}};
    struct load_turn turn = {
        .count = PAYEES, .lines = lines, .each = GRAINS_EACH, .wait_ms = PATIENCE_MS};
    for (size_t i = 0; i < PAYEES; i++)
        scene_search_many(scene, i, &scene->grain_band, GRAINS_EACH, &lines[i]);
    load_run(&scene->node, &turn);
    for (size_t i = 0; i < PAYEES; i++)
        work_lines_clear(&lines[i]);
}

void scene_fill_window(struct scene *scene)
{
    load_close(&scene->node, 0); // those that keep no jobs
    load_open(&scene->node, PAYEES, true, PATIENCE_MS);
    find_grains(scene);
    scene_find_link(scene);
    for (size_t i = 0; i < BLOCKS_LATE; i++)
        scene_find_block(scene, PAYEES);
}

// A template is as old as the block before it. Two blocks at once leave one that is nearly empty;
// then what comes meanwhile is left to the next.
void scene_fill_template(struct scene *scene)
{
    for (size_t i = 0; i < FILL_TRIES; i++) {
        scene_find_block(scene, scene->node.count);
        scene_find_block(scene, scene->node.count);
        load_idle(&scene->node, FILL_MS);
        scene_find_block(scene, scene->node.count);
        if (scene->node.connections[0].job.branches_count >= BRANCHES)
            return;
    }
    process_fail("no template has %d branches", BRANCHES);
}

// ---- What the node says of itself

static struct json *ask_status(const struct scene *scene)
{
    char program[PROCESS_PATH_SIZE], text[TEXT_SIZE];
    process_path("shoal", program);
    const char *argv[] = {program, "status", "--json", "--data", scene->data, NULL};
    process_output(argv, text, sizeof text);
    struct json *json = json_parse(text, strlen(text), 4096);
    if (json == NULL)
        process_fail("the node's status is no JSON");
    return json;
}

static uint64_t number_at(const struct json *json, const char *group, const char *name)
{
    uint64_t number;
    if (!json_to_u64(json_get(json_get(json_root(json), group), name), &number))
        process_fail("the node's status has no %s of %s", name, group);
    return number;
}

uint64_t scene_shares_found(const struct scene *scene)
{
    struct json *json = ask_status(scene);
    uint64_t found = number_at(json, "found", "shares");
    json_free(json);
    return found;
}

void scene_say_job(const struct scene *scene)
{
    struct json *json = ask_status(scene);
    uint64_t outputs = number_at(json, "job", "outputs");
    json_free(json);
    const struct job *job = &scene->node.connections[0].job;
    if (outputs != OUTPUTS || job->branches_count < BRANCHES)
        process_fail("the job has %llu outputs and %zu branches, not %d and %d",
                     (unsigned long long)outputs, job->branches_count, OUTPUTS, BRANCHES);
    printf("submits are for jobs of %llu outputs, a coinbase of %zu bytes and %zu branches\n",
           (unsigned long long)outputs,
           job->coinbase1_size + scene->node.connections[0].extranonce.first_size +
               scene->node.connections[0].extranonce.second_size + job->coinbase2_size,
           job->branches_count);
}
