// miner: options, signals, and what the threads share.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "testnet/common/clock.h"
#include "testnet/common/memory.h"
#include "testnet/common/random.h"
#include "testnet/miner/miner.h"
#include "testnet/miner/network.h"
#include "testnet/miner/workers.h"

#define FILES_BESIDE 32 // descriptors that are no connections
#define STATUS_USAGE 2
#define SAID_MAX     10 // messages of clients in a second

// What each connection logs in with.
struct login {
    char user[SETTINGS_USER_MAX + 24];
    struct client_config config;
};

// A thousand connections say the same a thousand times. The lock is held.
static void say(void *context, const char *text)
{
    struct miner *miner = context;
    int64_t second = clock_now().mono.ms / 1000;
    if (second != miner->said_second)
        miner->said = 0;
    miner->said_second = second;
    if (miner->said++ < SAID_MAX)
        fprintf(stderr, "miner: %s\n", text);
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

// Each connection is a descriptor; the usual soft limit of 1024 is no reason to fail.
static bool allow_files(size_t connections)
{
    struct rlimit limit;
    rlim_t wanted = connections + FILES_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return true;
    if (limit.rlim_max >= wanted) {
        limit.rlim_cur = wanted;
        return setrlimit(RLIMIT_NOFILE, &limit) == 0;
    }
    fprintf(stderr,
            "miner: --connections %zu: wanted at most %llu, as this system lets a program open no "
            "more than %llu files (ulimit -n)\n",
            connections, (unsigned long long)limit.rlim_max - FILES_BESIDE,
            (unsigned long long)limit.rlim_max);
    return false;
}

static struct login *make_clients(struct miner *miner)
{
    const struct settings *settings = miner->settings;
    struct login *logins = memory_new(settings->connections, sizeof *logins);
    for (size_t i = 0; i < settings->connections; i++) {
        uint64_t seed;
        random_system(NULL, &seed, sizeof seed);
        settings_user(settings, i, logins[i].user);
        logins[i].config = (struct client_config){
            .pow = settings->pow,
            .user = logins[i].user,
            .password = settings->password,
            .agent = settings->agent,
            .version_mask = settings->version_mask,
            .wants_extranonce = settings->wants_extranonce,
            .suggest_difficulty = settings->suggest_difficulty,
            .stats = &miner->stats,
            .say = say,
            .context = miner,
        };
        miner->clients[i] = client_new(&logins[i].config, seed);
    }
    return logins;
}

static void open_miner(struct miner *miner, const struct settings *settings)
{
    pthread_condattr_t attributes;
    *miner = (struct miner){.settings = settings};
    pthread_mutex_init(&miner->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&miner->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    limiter_init(&miner->limiter, settings->hashrate, clock_mono_ns());
    miner->clients = memory_new(settings->connections, sizeof(struct client *));
    miner->dirty = memory_new(settings->connections, sizeof *miner->dirty);
    miner->is_dirty = memory_new(settings->connections, sizeof *miner->is_dirty);
    miner->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void close_miner(struct miner *miner)
{
    for (size_t i = 0; i < miner->settings->connections; i++)
        client_free(miner->clients[i]);
    free(miner->clients);
    free(miner->dirty);
    free(miner->is_dirty);
    close(miner->wake_fd);
    pthread_cond_destroy(&miner->changed);
    pthread_mutex_destroy(&miner->lock);
}

static void run(struct miner *miner, const sigset_t *signals)
{
    struct network *network = network_open(miner, signals);
    struct workers *workers = network != NULL ? workers_start(miner) : NULL;
    if (workers != NULL)
        network_run(network);
    else
        fprintf(stderr, "miner: --threads %zu: cannot start them, wanted fewer\n",
                miner->settings->threads);
    workers_stop(workers);
    network_close(network);
}

int main(int argc, char **argv)
{
    struct settings settings;
    char error[OPTIONS_ERROR_SIZE];
    switch (settings_read(argc, argv, &settings, error)) {
    case SETTINGS_HELP:
        return print_help();
    case SETTINGS_BAD:
        fprintf(stderr, "miner: %s\n", error);
        return STATUS_USAGE;
    case SETTINGS_OK:
        break;
    }
    if (!allow_files(settings.connections))
        return STATUS_USAGE;
    // Blocked before there are threads, and read from a descriptor.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    struct miner miner;
    open_miner(&miner, &settings);
    struct login *logins = make_clients(&miner);
    run(&miner, &signals);
    bool is_useful = miner.stats.accepted > 0;
    close_miner(&miner);
    free(logins);
    return is_useful ? EXIT_SUCCESS : EXIT_FAILURE;
}
