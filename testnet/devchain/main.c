// devchain: options, signals, the loop.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "node/base/hex.h"
#include "node/base/log.h"
#include "testnet/common/clock.h"
#include "testnet/common/random.h"
#include "testnet/devchain/genesis.h"
#include "testnet/devchain/http.h"
#include "testnet/devchain/settings.h"

#define COOKIE_USER   "__cookie__"
#define GOODBYE_TURNS 20 // of http_serve: two seconds

static void write_log(void *context, enum log_level level, const char *line, size_t size)
{
    (void)level;
    fwrite(line, 1, size, context);
    fflush(context);
}

static struct wall_time log_time(void *context)
{
    (void)context;
    return clock_now().wall;
}

static int print_help(void)
{
    struct buffer help;
    buffer_init(&help, 1 << 16);
    settings_write_help(&help);
    fwrite(help.data, 1, help.size, stdout);
    buffer_clear(&help);
    return EXIT_SUCCESS;
}

static int print_anchor(const struct settings *settings)
{
    struct buffer block;
    char hex[2 * HEADER_SIZE + 1];
    buffer_init(&block, 1 << 20);
    genesis_write(settings->daemon.params->name, settings->daemon.bits,
                  settings->daemon.genesis_time, &block);
    hex_encode(block.data, HEADER_SIZE, hex);
    puts(hex);
    buffer_clear(&block);
    return EXIT_SUCCESS;
}

// A new password that only the owner of the file can read; *password is what callers must give.
static bool write_cookie(const char *path, char *password, size_t capacity)
{
    uint8_t secret[32];
    char hex[2 * sizeof secret + 1];
    random_system(NULL, secret, sizeof secret);
    hex_encode(secret, sizeof secret, hex);
    snprintf(password, capacity, COOKIE_USER ":%s", hex);
    unlink(path); // an old one may be open to others
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_written = file >= 0 &&
                      write(file, password, strlen(password)) == (ssize_t)strlen(password) &&
                      close(file) == 0;
    if (!is_written)
        fprintf(stderr, "devchain: --cookie %s: cannot write it: %s\n", path, strerror(errno));
    return is_written;
}

static bool is_signalled(const sigset_t *signals)
{
    const struct timespec at_once = {0};
    return sigtimedwait(signals, NULL, &at_once) > 0;
}

static void serve(struct daemon *daemon, struct http *http, const sigset_t *signals)
{
    while (!daemon->is_stopping && !is_signalled(signals)) {
        http_serve(http);
        daemon_tick(daemon, clock_now().mono);
    }
    for (int i = 0; i < GOODBYE_TURNS && http_is_answering(http); i++)
        http_serve(http); // the answer to `stop`, among others
}

static int run_server(struct daemon *daemon, const struct settings *settings, const char *password,
                      const sigset_t *signals)
{
    struct http_options options = {settings->bind, settings->port, password};
    struct http *http = http_open(daemon, &options);
    if (http == NULL) {
        fprintf(stderr,
                "devchain: cannot listen at %s port %u: in use, or no address of this machine; "
                "choose another --port or --bind\n",
                settings->bind, settings->port);
        return EXIT_FAILURE;
    }
    log_event(daemon->env->log, LOG_INFO, "rpc", "listening", LOG_TEXT("address", settings->bind),
              LOG_U64("port", http_port(http)), LOG_TEXT("chain", daemon->options.params->name),
              LOG_NUMBER("hashes_per_block", daemon_hashes_per_block(daemon)));
    serve(daemon, http, signals);
    http_close(http);
    return EXIT_SUCCESS;
}

static int run(const struct settings *settings, const struct env *env, const sigset_t *signals)
{
    char error[STORE_ERROR_SIZE];
    char cookie[128];
    const char *password = settings->password[0] != '\0' ? settings->password : NULL;
    struct daemon *daemon = daemon_new(env, &settings->daemon, clock_now(), error);
    if (daemon == NULL) {
        fprintf(stderr, "devchain: %s\n", error);
        return EXIT_FAILURE;
    }
    daemon->fault.kind = settings->fault;
    int status = EXIT_FAILURE;
    if (settings->cookie_path[0] != '\0')
        password = write_cookie(settings->cookie_path, cookie, sizeof cookie) ? cookie : NULL;
    if (password != NULL || settings->is_open)
        status = run_server(daemon, settings, password, signals);
    if (settings->cookie_path[0] != '\0')
        unlink(settings->cookie_path);
    daemon_free(daemon);
    return status;
}

int main(int argc, char **argv)
{
    struct settings settings;
    char error[OPTIONS_ERROR_SIZE];
    switch (settings_read(argc, argv, &settings, error)) {
    case SETTINGS_HELP:
        return print_help();
    case SETTINGS_BAD:
        fprintf(stderr, "devchain: %s\n", error);
        return 2;
    case SETTINGS_OK:
        break;
    }
    if (settings.is_print_anchor)
        return print_anchor(&settings);

    // Blocked, and asked for between two turns of the loop: no handler, no variable for it.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct log *log = log_new(settings.log_level, settings.log_form, write_log, log_time, stderr);
    struct env env = {.random = random_system, .log = log};
    int status = run(&settings, &env, &signals);
    log_free(log);
    return status;
}
