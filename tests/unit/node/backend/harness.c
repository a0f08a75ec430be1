#include "tests/unit/node/backend/harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CHECK_MS   2
#define GIVE_UP_MS 8000

static void keep_line(void *context, enum log_level level, const char *line, size_t size)
{
    struct world *world = context;
    (void)level;
    write_bytes(&world->log_text, line, size);
}

static void on_template(void *context, struct block_template *block_template, bool is_new_block)
{
    struct world *world = context;
    bool is_other =
        world->template_height < 0 || !hash_equal(&world->template_prev, &block_template->prev);
    assert_int_equal(is_new_block, is_other);
    world->templates_count++;
    world->new_blocks_count += is_new_block ? 1 : 0;
    world->template_height = block_template->height;
    world->template_prev = block_template->prev;
    world->template_at = net_loop_now(world->loop).mono;
}

static void on_unsafe(void *context, const char *reason)
{
    struct world *world = context;
    assert_true(world->template_height >= 0);
    world->unsafe_count++;
    world->template_height = -1;
    world->unsafe_at = net_loop_now(world->loop).mono;
    snprintf(world->unsafe_reason, sizeof(world->unsafe_reason), "%s", reason);
}

void world_know_header(struct world *world, const struct hash256 *id)
{
    map_set(world->headers, id, world);
}

static bool has_header(void *context, const struct hash256 *id)
{
    struct world *world = context;
    return map_find(world->headers, id) != NULL;
}

void world_hurry(struct world *world)
{
    world->config.unsafe_after_ms = WORLD_UNSAFE_MS;
    world->config.request_timeout_ms = 100;
    world->config.template_timeout_ms = 150;
}

// As the share-chain: a header whose parent is not known is an error.
static void on_headers(void *context, const uint8_t *headers, size_t count)
{
    struct world *world = context;
    world->headers_calls++;
    for (size_t i = 0; i < count; i++) {
        struct header header;
        header_decode(headers + i * HEADER_SIZE, &header);
        world->headers_broke_order =
            world->headers_broke_order || map_find(world->headers, &header.prev) == NULL;
        header_id(headers + i * HEADER_SIZE, &world->headers_last);
        world_know_header(world, &world->headers_last);
        world->headers_count++;
    }
}

static void on_headers_finished(void *context, const struct hash256 *tip,
                                enum headers_result result)
{
    struct world *world = context;
    (void)tip;
    world->headers_finished_count++;
    world->headers_result = result;
}

static void on_result(void *context, const struct block_report *report)
{
    struct world *world = context;
    assert_true(world->reports_count < WORLD_REPORTS_MAX);
    snprintf(world->reasons[world->reports_count], sizeof(world->reasons[0]), "%s", report->reason);
    world->reports[world->reports_count++] = *report;
}

static void on_moved(void *context, const struct hash256 *hash, enum block_place place,
                     int64_t confirmations)
{
    struct world *world = context;
    assert_true(world->moved_count < WORLD_REPORTS_MAX);
    world->moved[world->moved_count++] =
        (struct moved_block){.hash = *hash, .place = place, .confirmations = confirmations};
}

static void on_check(void *context, struct now now)
{
    struct world *world = context;
    world->was_met = world->condition != NULL && world->condition(world);
    if (world->was_met || now.mono.ms >= world->give_up_at.ms) {
        net_loop_stop(world->loop);
        return;
    }
    net_timer_start(world->check, (struct mono_time){now.mono.ms + CHECK_MS});
}

void world_init(struct world *world, size_t daemons_count)
{
    memset(world, 0, sizeof(*world));
    buffer_init(&world->log_text, 1 << 20);
    world->loop = net_loop_new();
    world->log = log_new(LOG_INFO, LOG_FORM_TEXT, keep_line, net_wall_clock, world);
    assert_true(net_env_init(&world->env, world->log));
    world->headers = map_new(&world->env);
    world->check = net_timer_new(world->loop, on_check, world);
    world->template_height = -1;
    world->daemons_count = daemons_count;
    world->config = (struct backend_config){
        .params = chain_params_by_name("regtest"),
        .daemons_count = daemons_count,
        .poll_ms = 40,
        .probe_ms = 40,
        .refresh_ms = 150,
        .unsafe_after_ms = 3000,
        .behind_after_ms = 150,
        .return_after_ms = 400,
        .connect_timeout_ms = 200,
        .request_timeout_ms = 500,
        .template_timeout_ms = 500,
        .longpoll_timeout_ms = 3000,
        .backoff_min_ms = 10,
        .backoff_max_ms = 60,
        .submit_for_ms = 1000,
    };
    for (size_t i = 0; i < daemons_count; i++) {
        world->daemons[i] = fake_daemon_new(world->loop, 0);
        world->ports[i] = fake_daemon_port(world->daemons[i]);
        fake_daemon_mine(world->daemons[i], 10, 1);
        snprintf(world->urls[i], sizeof(world->urls[i]), "http://127.0.0.1:%u", world->ports[i]);
        world->config.daemons[i].url = world->urls[i];
    }
}

void world_start(struct world *world)
{
    char error[BACKEND_ERROR_SIZE] = "";
    const struct backend_events events = {.context = world,
                                          .template_changed = on_template,
                                          .work_unsafe = on_unsafe,
                                          .headers_arrived = on_headers,
                                          .has_header = has_header,
                                          .headers_finished = on_headers_finished,
                                          .block_result = on_result,
                                          .block_moved = on_moved};
    world->backend = backend_new(world->loop, &world->env, &world->config, &events, error);
    if (world->backend == NULL) {
        fail_msg("%s", error);
    }
}

void world_clear(struct world *world)
{
    backend_free(world->backend);
    for (size_t i = 0; i < world->daemons_count; i++) {
        fake_daemon_free(world->daemons[i]);
    }
    net_timer_free(world->check);
    net_loop_free(world->loop);
    map_free(world->headers);
    log_free(world->log);
    buffer_clear(&world->log_text);
}

void world_kill(struct world *world, size_t i)
{
    fake_daemon_free(world->daemons[i]);
    world->daemons[i] = NULL;
}

void world_revive(struct world *world, size_t i, size_t blocks, uint32_t branch)
{
    world->daemons[i] = fake_daemon_new(world->loop, world->ports[i]);
    fake_daemon_mine(world->daemons[i], blocks, branch);
}

static void run(struct world *world, bool (*condition)(struct world *world), int64_t ms)
{
    struct mono_time now = net_loop_now(world->loop).mono;
    world->condition = condition;
    world->give_up_at = (struct mono_time){now.ms + ms};
    net_timer_start(world->check, now);
    net_loop_run(world->loop);
}

void world_run_until(struct world *world, bool (*condition)(struct world *world))
{
    run(world, condition, GIVE_UP_MS);
    if (!world->was_met) {
        write_u8(&world->log_text, 0);
        fail_msg("waited in vain; log:\n%s", (const char *)world->log_text.data);
    }
}

void world_run_for(struct world *world, int64_t ms)
{
    run(world, NULL, ms);
}

struct daemon_view world_daemon_view(struct world *world, size_t i)
{
    struct backend_view view;
    backend_get_view(world->backend, &view);
    assert_true(i < view.daemons_count);
    return view.daemons[i];
}

size_t world_active(struct world *world)
{
    for (size_t i = 0; i < world->daemons_count; i++) {
        if (world_daemon_view(world, i).is_active) {
            return i;
        }
    }
    return SIZE_MAX;
}

size_t world_log_count(const struct world *world, const char *part)
{
    size_t count = 0;
    const char *text = (const char *)world->log_text.data;
    size_t left = world->log_text.size;
    while (left > 0) {
        const char *end = memchr(text, '\n', left);
        size_t size = end != NULL ? (size_t)(end - text) + 1 : left;
        count += memmem(text, size, part, strlen(part)) != NULL ? 1 : 0;
        text += size;
        left -= size;
    }
    return count;
}

bool has_work(struct world *world)
{
    return world->template_height >= 0;
}

bool is_unsafe(struct world *world)
{
    return world->unsafe_count > 0;
}

bool is_first_active(struct world *world)
{
    return world_active(world) == 0;
}

bool is_second_active(struct world *world)
{
    return world_active(world) == 1;
}
