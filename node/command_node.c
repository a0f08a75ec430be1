// `shoal node`: reads configuration and pool file, makes log, loop and node, and runs them until a
// signal ends it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "node/commands.h"
#include "node/net/service.h"
#include "node/node.h"
#include "node/operate.h"
#include "node/pool_file.h"

// Descriptors that are not miners: daemons, store, control socket, listeners, log.
#define FILES_RESERVED 64

struct program {
    struct config config;
    struct pool pool;
    struct log *log;
    struct net_loop *loop;
    struct node *node;
    struct net_timer *alive; // tells the service manager that the loop turns
    int argc;                // the arguments again, for a reload
    const char *const *argv;
};

// One write for a line, so that lines of several processes on one terminal are not torn.
static void write_log_line(void *context, enum log_level level, const char *line, size_t size)
{
    (void)context;
    (void)level;
    while (size > 0) {
        ssize_t written = write(STDERR_FILENO, line, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; // nobody reads the log: the node goes on
        line += written;
        size -= (size_t)written;
    }
}

// EXIT_OK, or what went wrong, which has been said.
static int read_all(struct program *program)
{
    struct config_error error;
    if (!config_read(program->argc, program->argv, &program->config, &error)) {
        fprintf(stderr, "shoal: %s\n", error.text);
        return EXIT_MISUSED;
    }
    char text[POOL_FILE_ERROR_SIZE];
    if (!pool_file_read(program->config.pool, &program->pool, text)) {
        fprintf(stderr, "shoal: pool: %s\n", text);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static void say_start(struct program *program)
{
    const struct config *config = &program->config;
    char pool_id[65];
    hash_to_hex(&program->pool.id, pool_id);
    log_event(program->log, LOG_INFO, "node", "starting", LOG_TEXT("version", SHOAL_VERSION),
              LOG_TEXT("pool", program->pool.name), LOG_TEXT("pool_id", pool_id),
              LOG_TEXT("chain", program->pool.chain->name), LOG_TEXT("data", config->data));
    for (size_t i = 0; i < config->warnings.count; i++)
        log_event(program->log, LOG_WARN, "config", "this may not be meant",
                  LOG_TEXT("what", config->warnings.items[i]));
    size_t files_max = net_open_files_max();
    if (files_max < (size_t)config->stratum_connections + FILES_RESERVED)
        log_event(program->log, LOG_WARN, "config",
                  "fewer open files are allowed than stratum-connections needs",
                  LOG_U64("open_files", files_max),
                  LOG_U64("stratum_connections", config->stratum_connections),
                  LOG_TEXT("what_to_do", "raise the limit (ulimit -n, LimitNOFILE of systemd) or "
                                         "set stratum-connections lower"));
}

// ---- Signals

static void on_signal(void *context, enum net_signal which)
{
    struct program *program = context;
    switch (which) {
    case NET_SIGNAL_INTERRUPT:
    case NET_SIGNAL_TERMINATE:
        net_service_tell("STOPPING=1\nSTATUS=miners are told to reconnect");
        node_stop(program->node);
        return;
    case NET_SIGNAL_HANGUP:
        operate_hangup(program->node);
        return;
    }
}

// ---- The service manager

static void tell_alive(struct program *program, struct now now)
{
    net_service_tell("WATCHDOG=1");
    net_timer_start(program->alive,
                    (struct mono_time){now.mono.ms + net_service_watchdog_ms() / 3});
}

static void on_alive(void *context, struct now now)
{
    tell_alive(context, now);
}

// Miners can connect from now on.
static void tell_ready(struct program *program)
{
    if (!net_service_tell("READY=1\nSTATUS=running"))
        log_plain(program->log, LOG_WARN, "node", "the service manager cannot be told anything");
    if (net_service_watchdog_ms() == 0)
        return;
    program->alive = net_timer_new(program->loop, on_alive, program);
    if (program->alive != NULL)
        tell_alive(program, net_loop_now(program->loop));
}

// ---- Running

static int run_node(struct program *program)
{
    struct node_options options = {.config = &program->config,
                                   .argc = program->argc,
                                   .argv = program->argv,
                                   .pool = &program->pool,
                                   .loop = program->loop,
                                   .log = program->log};
    char error[NODE_ERROR_SIZE];
    // Before the node is made: a signal that comes while the chain is read waits for the loop.
    if (!net_loop_catch_signals(program->loop, on_signal, program)) {
        log_plain(program->log, LOG_ERROR, "node", "cannot start: signals cannot be caught");
        return EXIT_FAILED;
    }
    program->node = node_new(&options, error);
    if (program->node == NULL) {
        log_event(program->log, LOG_ERROR, "node", "cannot start", LOG_TEXT("reason", error));
        return EXIT_FAILED;
    }
    log_plain(program->log, LOG_INFO, "node", "running");
    tell_ready(program);
    net_loop_run(program->loop);
    net_timer_free(program->alive);
    node_free(program->node);
    log_plain(program->log, LOG_INFO, "node", "stopped");
    return EXIT_OK;
}

static int run_program(struct program *program)
{
    int status = read_all(program);
    if (status != EXIT_OK)
        return status;
    program->log = log_new(program->config.log_level, program->config.log_form, write_log_line,
                           net_wall_clock, NULL);
    if (program->log == NULL) {
        fprintf(stderr, "shoal: out of memory\n");
        return EXIT_FAILED;
    }
    program->loop = net_loop_new();
    if (program->loop == NULL) {
        log_plain(program->log, LOG_ERROR, "node", "cannot start: no event loop");
        return EXIT_FAILED;
    }
    say_start(program);
    return run_node(program);
}

int command_node(const char *name, int argc, const char *const *argv)
{
    (void)name;
    struct program *program = calloc(1, sizeof(*program));
    if (program == NULL)
        return EXIT_FAILED;
    program->argc = argc;
    program->argv = argv;
    int status = run_program(program);
    net_loop_free(program->loop);
    log_free(program->log);
    free(program);
    return status;
}
