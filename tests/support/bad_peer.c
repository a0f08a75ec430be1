#include "tests/support/bad_peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "node/base/hex.h"
#include "node/base/log.h"
#include "testnet/common/clock.h"
#include "testnet/common/options.h"
#include "testnet/common/random.h"

#define STATUS_USAGE    2
#define SECONDS_MAX     120
#define CONNECTIONS_MAX 2000
#define ADDRESSES_MAX   60000
#define CONNECT_MS      1000

struct typed {
    const char *way;
    uint64_t port;
    const char *victim;
    const char *pool_id;
    const char *secret;
    double seconds;
    uint64_t rate;
    uint64_t connections;
    uint64_t addresses;
    uint64_t address_first;
};

#define FIELD(name) offsetof(struct typed, name)

static const struct option options[] = {
    {.name = "way",
     .kind = OPTION_CHOICE,
     .offset = FIELD(way),
     .choices = "garbage|drip|greet|flood|junk|forge|deaf",
     .fallback = "greet",
     .help = "how to misbehave; tests/support/bad_peer.h says what each does"},
    {.name = "port",
     .kind = OPTION_COUNT,
     .offset = FIELD(port),
     .min = 1,
     .max = 65535,
     .fallback = "8400",
     .value_name = "N",
     .help = "of the victim, on 127.0.0.1"},
    {.name = "victim",
     .kind = OPTION_TEXT,
     .offset = FIELD(victim),
     .value_name = "FILE",
     .help = "the victim's identity.key: its public key is taken from there"},
    {.name = "pool-id",
     .kind = OPTION_TEXT,
     .offset = FIELD(pool_id),
     .value_name = "HEX",
     .help = "the pool it says it is a member of"},
    {.name = "secret",
     .kind = OPTION_TEXT,
     .offset = FIELD(secret),
     .value_name = "HEX",
     .help = "of a private pool"},
    {.name = "seconds",
     .kind = OPTION_NUMBER,
     .offset = FIELD(seconds),
     .min = 0,
     .max = SECONDS_MAX,
     .fallback = "5",
     .value_name = "N",
     .help = "then it ends"},
    {.name = "rate",
     .kind = OPTION_COUNT,
     .offset = FIELD(rate),
     .min = 1,
     .max = 10000000,
     .fallback = "100k",
     .value_name = "N",
     .help = "messages a second of flood and junk"},
    {.name = "connections",
     .kind = OPTION_COUNT,
     .offset = FIELD(connections),
     .min = 1,
     .max = CONNECTIONS_MAX,
     .fallback = "300",
     .value_name = "N",
     .help = "of drip, at once"},
    {.name = "addresses",
     .kind = OPTION_COUNT,
     .offset = FIELD(addresses),
     .min = 1,
     .max = ADDRESSES_MAX,
     .fallback = "1",
     .value_name = "N",
     .help = "how many addresses it comes from, each in a /24 of its own"},
    {.name = "address-first",
     .kind = OPTION_COUNT,
     .offset = FIELD(address_first),
     .max = ADDRESSES_MAX,
     .fallback = "0",
     .value_name = "N",
     .help = "the number of the first of them"},
};

static const struct option_set option_set = {
    .program = "bad_peer",
    .purpose = "A hostile peer, for benches and tests on this machine.",
    .options = options,
    .count = sizeof options / sizeof options[0],
};

// ---- Sockets

bool bad_peer_goes_on(const struct bad_peer *peer)
{
    return clock_mono_ns() < peer->end_ns;
}

// 127.16.0.1, 127.16.1.1, ...: a neighbourhood of its own for each.
static struct sockaddr_in own_address(const struct bad_peer *peer)
{
    uint32_t number = (uint32_t)(peer->address_first + peer->dials % peer->addresses);
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(0x7f100001u + (number << 8))};
}

static bool connect_bound(const struct bad_peer *peer, int fd)
{
    const struct sockaddr_in own = own_address(peer);
    int error = 0;
    socklen_t size = sizeof error;
    if (bind(fd, (const struct sockaddr *)&own, sizeof own) != 0)
        return false;
    if (connect(fd, (const struct sockaddr *)&peer->victim, sizeof peer->victim) == 0)
        return true;
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    return errno == EINPROGRESS && poll(&poll_fd, 1, CONNECT_MS) == 1 &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

int bad_peer_dial(struct bad_peer *peer)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    // Ends with a reset: no port of ours waits for minutes.
    const struct linger linger = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    bool is_connected = connect_bound(peer, fd);
    peer->dials++;
    if (!is_connected) {
        close(fd);
        return -1;
    }
    peer->tally.connections++;
    return fd;
}

long bad_peer_send(struct bad_peer *peer, int fd, const void *data, size_t size)
{
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    peer->tally.bytes_sent += (uint64_t)sent;
    return sent;
}

long bad_peer_receive(struct bad_peer *peer, int fd, void *data, size_t size)
{
    ssize_t got = recv(fd, data, size, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    peer->tally.bytes_received += (uint64_t)got;
    return got == 0 ? -1 : got;
}

void bad_peer_wait(int fd, bool wants_to_write, int ms)
{
    short events = wants_to_write ? POLLIN | POLLOUT : POLLIN;
    struct pollfd poll_fd = {.fd = fd, .events = events};
    poll(&poll_fd, fd < 0 ? 0 : 1, ms);
}

// ---- Its settings

_Noreturn static void fail(const char *what, const char *value)
{
    fprintf(stderr, "bad_peer: %s: %s\n", what, value == NULL ? "missing" : value);
    exit(STATUS_USAGE);
}

// Of the file with the victim's keys only the public one is kept.
static struct transport_key read_key(const char *path)
{
    uint8_t bytes[IDENTITY_KEY_FILE_SIZE + 1];
    struct identity identity;
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    if (file == NULL)
        fail("--victim: a readable identity.key is wanted", path);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (identity_decode(bytes, size, 0, &identity) != IDENTITY_OK)
        fail("--victim: no identity.key", path);
    struct transport_key key = identity.transport_key;
    identity_clear(&identity);
    sodium_memzero(bytes, sizeof bytes);
    return key;
}

static struct membership read_membership(const struct typed *typed)
{
    struct membership membership = {.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST,
                                    .is_private = typed->secret != NULL};
    if (typed->pool_id == NULL || !hash_from_hex(&membership.pool_id, typed->pool_id))
        fail("--pool-id: 64 hex digits are wanted", typed->pool_id);
    if (typed->secret != NULL && !hex_decode(typed->secret, strlen(typed->secret),
                                             membership.secret, sizeof membership.secret))
        fail("--secret: 64 hex digits are wanted", typed->secret);
    return membership;
}

static enum bad_way read_way(const char *text)
{
    static const char *const names[] = {
        [BAD_GARBAGE] = "garbage", [BAD_DRIP] = "drip", [BAD_GREET] = "greet",
        [BAD_FLOOD] = "flood",     [BAD_JUNK] = "junk", [BAD_FORGE] = "forge",
        [BAD_DEAF] = "deaf",
    };
    for (unsigned i = 0; i < BAD_WAYS_COUNT; i++) {
        if (strcmp(names[i], text) == 0)
            return (enum bad_way)i;
    }
    fail("--way", text);
}

static struct typed read_options(int argc, char **argv)
{
    struct typed typed = {0};
    char error[OPTIONS_ERROR_SIZE];
    struct buffer help;
    switch (options_parse(&option_set, argc, argv, &typed, error)) {
    case OPTIONS_OK:
        return typed;
    case OPTIONS_HELP:
        buffer_init(&help, 1 << 16);
        options_write_help(&option_set, &help);
        fwrite(help.data, 1, help.size, stdout);
        buffer_clear(&help);
        exit(EXIT_SUCCESS);
    case OPTIONS_BAD:
        break;
    }
    fprintf(stderr, "bad_peer: %s\n", error);
    exit(STATUS_USAGE);
}

// ---- A life

static void run(struct bad_peer *peer)
{
    switch (peer->way) {
    case BAD_GARBAGE:
        bad_peer_garbage(peer);
        return;
    case BAD_DRIP:
        bad_peer_drip(peer);
        return;
    case BAD_GREET:
    case BAD_FLOOD:
    case BAD_JUNK:
    case BAD_FORGE:
    case BAD_DEAF:
        bad_peer_member(peer);
        return;
    case BAD_WAYS_COUNT:
        return;
    }
}

static void say(const struct bad_tally *tally)
{
    printf("{\"connections\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"handshakes\":%" PRIu64
           ",\"bans\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"bytes_sent\":%" PRIu64
           ",\"bytes_received\":%" PRIu64 "}\n",
           tally->connections, tally->refused, tally->handshakes, tally->bans, tally->messages,
           tally->bytes_sent, tally->bytes_received);
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0)
        fail("libsodium", "cannot be used");
    const struct typed typed = read_options(argc, argv);
    struct env env = {.random = random_system, .log = log_new_silent()};
    struct bad_peer peer = {
        .way = read_way(typed.way),
        .victim = {.sin_family = AF_INET,
                   .sin_port = htons((uint16_t)typed.port),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
        .key = read_key(typed.victim),
        .membership = read_membership(&typed),
        .env = &env,
        .rate = typed.rate,
        .connections_max = typed.connections,
        .addresses = typed.addresses,
        .address_first = typed.address_first,
        .end_ns = clock_mono_ns() + (int64_t)(typed.seconds * 1e9),
    };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    // Hostile machines are elsewhere: here they may only have what the others leave.
    setpriority(PRIO_PROCESS, 0, 19);
    run(&peer);
    say(&peer.tally);
    membership_clear(&peer.membership);
    log_free(env.log);
    return EXIT_SUCCESS;
}
