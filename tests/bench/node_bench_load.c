#include "tests/bench/node_bench_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "node/base/json.h"
#include "node/bitcoin/address.h"
#include "testnet/common/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/node_bench_process.h"

#define CONNECTIONS_MAX 8192
#define EVENTS_MAX      64
#define READ_SIZE       65536
#define TOKENS_MAX      256
#define RETRY_MS        2
#define CHAIN           "devchain"

void load_init(struct load *load, uint16_t port, bool is_echo)
{
    *load = (struct load){.port = port, .is_echo = is_echo, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    load->connections = memory_new(CONNECTIONS_MAX, sizeof *load->connections);
    if (load->epoll < 0)
        process_fail("epoll: %s", strerror(errno));
}

static void drop(struct load_connection *connection)
{
    close(connection->fd);
    free(connection->partial);
    job_clear(&connection->job);
    *connection = (struct load_connection){.fd = -1};
}

void load_close(struct load *load, size_t count)
{
    while (load->count > count)
        drop(&load->connections[--load->count]);
}

void load_clear(struct load *load)
{
    load_close(load, 0);
    close(load->epoll);
    free(load->connections);
}

void load_mark(struct load *load)
{
    load->answers = 0;
    load->bytes_received = 0;
    load->told_count = 0;
    for (size_t i = 0; i < load->count; i++)
        load->connections[i].is_told = false;
}

// ---- What the server says

static bool contains(const char *text, size_t size, const char *word)
{
    return memmem(text, size, word, strlen(word)) != NULL;
}

static void keep_job(struct load_connection *connection, struct json_value params)
{
    const char *what;
    job_clear(&connection->job);
    if (!job_read(&connection->job, params, &what))
        process_fail("a job without %s", what);
}

static void keep_extranonce(struct load_connection *connection, struct json_value result)
{
    struct json_value first = json_next(json_first(result));
    uint64_t second_size;
    const char *text;
    size_t text_size;
    if (!json_is_text(first) || !json_to_u64(json_next(first), &second_size))
        process_fail("an answer to mining.subscribe without an extranonce");
    json_raw(first, &text, &text_size);
    connection->extranonce.first_size = text_size / 2;
    connection->extranonce.second_size = (size_t)second_size;
    if (text_size > 2 * JOB_EXTRANONCE1_MAX || second_size > JOB_EXTRANONCE2_MAX ||
        !json_to_hex(first, connection->extranonce.first, text_size / 2))
        process_fail("an extranonce that cannot be used");
}

static void read_document(struct load_connection *connection, const char *line, size_t size)
{
    struct json *json = json_parse(line, size, TOKENS_MAX);
    if (json == NULL)
        process_fail("not JSON: %.*s", (int)size, line);
    struct json_value root = json_root(json);
    if (json_text_equals(json_get(root, "method"), "mining.notify"))
        keep_job(connection, json_get(root, "params"));
    else if (json_is_array(json_get(root, "result")))
        keep_extranonce(connection, json_get(root, "result"));
    json_free(json);
}

static void take_job(struct load *load, struct load_connection *connection, const char *line,
                     size_t size)
{
    static const char clean[] = ",true]}";
    connection->jobs++;
    load->job_line_size = size + 1;
    if (size < sizeof clean ||
        memcmp(line + size - (sizeof clean - 1), clean, sizeof clean - 1) != 0)
        return;
    connection->clean_jobs++;
    if (connection->is_told)
        return;
    connection->is_told = true;
    load->told_last_ns = bench_now_ns();
    if (load->told_count++ == 0)
        load->told_first_ns = load->told_last_ns;
}

static void send_next(struct load_connection *connection)
{
    struct work_lines *lines = connection->lines;
    size_t begin = lines->next == 0 ? 0 : lines->ends[lines->next - 1];
    size_t size = lines->ends[lines->next] - begin;
    if (send(connection->fd, lines->text + begin, size, MSG_NOSIGNAL) != (ssize_t)size)
        process_fail("a line could not be sent: %s", strerror(errno));
    lines->next++;
}

static void take_answer(struct load *load, struct load_connection *connection)
{
    load->answers++;
    if (connection->lines == NULL)
        return;
    if (connection->lines->next < connection->lines_end)
        send_next(connection);
    else
        connection->lines = NULL;
}

static void take_line(struct load *load, struct load_connection *connection, const char *line,
                      size_t size)
{
    // The answer to a submit, most of what comes, is told by its beginning.
    if (contains(line, size, "\"error\":["))
        process_fail("the server says %.*s", (int)size, line);
    if (contains(line, size < 40 ? size : 40, "\"result\":true")) {
        take_answer(load, connection);
        return;
    }
    bool is_job = contains(line, size, "\"mining.notify\",\"params\"");
    if (is_job)
        take_job(load, connection, line, size);
    if (!load->is_echo && (connection->keeps_jobs || !is_job))
        read_document(connection, line, size);
}

static void keep_partial(struct load_connection *connection, const char *text, size_t size)
{
    connection->partial = realloc(connection->partial, connection->partial_size + size + 1);
    if (connection->partial == NULL)
        process_fail("out of memory");
    memcpy(connection->partial + connection->partial_size, text, size);
    connection->partial_size += size;
}

static void take_bytes(struct load *load, struct load_connection *connection, const char *text,
                       size_t size)
{
    const char *end = text + size;
    load->bytes_received += size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        if (newline == NULL || connection->partial_size > 0)
            keep_partial(connection, text, (size_t)((newline == NULL ? end : newline) - text));
        if (newline == NULL)
            return;
        if (connection->partial_size > 0) {
            take_line(load, connection, connection->partial, connection->partial_size);
            connection->partial_size = 0;
        } else {
            take_line(load, connection, text, (size_t)(newline - text));
        }
        text = newline + 1;
    }
    if (connection->partial_size == 0 && connection->partial != NULL) {
        free(connection->partial);
        connection->partial = NULL;
    }
}

// False if the connection is at its end.
static bool read_some(struct load *load, struct load_connection *connection)
{
    char buffer[READ_SIZE];
    ssize_t size = recv(connection->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size > 0)
        take_bytes(load, connection, buffer, (size_t)size);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

bool load_poll(struct load *load, int ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(load->epoll, events, EVENTS_MAX, ms);
    for (int i = 0; i < count; i++) {
        struct load_connection *connection = &load->connections[events[i].data.u32];
        if (!read_some(load, connection))
            process_fail("the server closed connection %u of %zu", events[i].data.u32, load->count);
    }
    return count > 0;
}

// ---- Login

// Of a script that nobody can spend: the number, as a hash of a public key.
static void name_user(struct load *load, struct load_connection *connection)
{
    char address[ADDRESS_SIZE_MAX];
    uint8_t key_hash[20] = {0x62, 0x65, 0x6e, 0x63, 0x68};
    struct script script;
    size_t number = load->users_named++;
    memcpy(key_hash + 8, &number, sizeof number);
    if (!script_witness(0, key_hash, sizeof key_hash, &script) ||
        !address_encode(chain_params_by_name(CHAIN), &script, address))
        process_fail("no address for connection %zu", number);
    snprintf(connection->user, sizeof connection->user, "%s.w%zu", address, number);
}

static bool dial(const struct load *load, struct load_connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(load->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        process_fail("socket: %s (the limit of open files?)", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return connect(connection->fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool is_welcome(const struct load *load, const struct load_connection *connection,
                       uint64_t answers_before)
{
    return load->is_echo ? load->answers == answers_before + 2 : connection->jobs > 0;
}

// False if the server does not take it now.
static bool log_in(struct load *load, size_t i)
{
    struct load_connection *connection = &load->connections[i];
    char hello[2 * LOAD_USER_SIZE + 160];
    uint64_t before = load->answers;
    int size = snprintf(hello, sizeof hello,
                        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"bench/1\"]}\n"
                        "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"%s\","
                        "\"d=1e-9\"]}\n",
                        connection->user);
    if (!dial(load, connection) ||
        send(connection->fd, hello, (size_t)size, MSG_NOSIGNAL) != (ssize_t)size)
        return false;
    struct timeval patience = {.tv_sec = 5};
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (!is_welcome(load, connection, before)) {
        char first;
        if (recv(connection->fd, &first, 1, MSG_PEEK) <= 0 || !read_some(load, connection))
            return false;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        process_fail("epoll: %s", strerror(errno));
    return true;
}

void load_open(struct load *load, size_t count, bool keeps_jobs, int wait_ms)
{
    double deadline = bench_now_ns() + wait_ms * 1e6;
    if (count > CONNECTIONS_MAX)
        process_fail("%zu connections are too many", count);
    while (load->count < count) {
        struct load_connection *connection = &load->connections[load->count];
        *connection = (struct load_connection){.fd = -1, .keeps_jobs = keeps_jobs};
        name_user(load, connection);
        if (log_in(load, load->count)) {
            load->count++;
            continue;
        }
        drop(connection);
        if (bench_now_ns() > deadline)
            process_fail("only %zu of %zu connections within %d ms", load->count, count, wait_ms);
        load_idle(load, RETRY_MS);
    }
}

// ---- Turns

void load_idle(struct load *load, int ms)
{
    double deadline = bench_now_ns() + ms * 1e6;
    int left_ms = ms;
    while (left_ms >= 1) {
        load_poll(load, left_ms);
        left_ms = (int)((deadline - bench_now_ns()) / 1e6);
    }
}

void load_await_told(struct load *load, size_t count, int wait_ms)
{
    double deadline = bench_now_ns() + wait_ms * 1e6;
    while (load->told_count < count) {
        if (bench_now_ns() > deadline)
            process_fail("only %zu of %zu connections were told of a new block within %d ms",
                         load->told_count, count, wait_ms);
        load_poll(load, RETRY_MS);
    }
}

void load_send(struct load *load, size_t i, const char *text, size_t size)
{
    if (send(load->connections[i].fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        process_fail("a line could not be sent: %s", strerror(errno));
}

void load_run(struct load *load, const struct load_turn *turn)
{
    double deadline = bench_now_ns() + turn->wait_ms * 1e6;
    uint64_t wanted = load->answers + turn->count * turn->each;
    for (size_t i = 0; i < turn->count; i++) {
        struct load_connection *connection = &load->connections[turn->first + i];
        if (turn->lines[i].next + turn->each > turn->lines[i].count)
            process_fail("too few lines");
        connection->lines = &turn->lines[i];
        connection->lines_end = turn->lines[i].next + turn->each;
        send_next(connection);
    }
    while (load->answers < wanted) {
        if (bench_now_ns() > deadline)
            process_fail("%llu answers are missing after %d ms",
                         (unsigned long long)(wanted - load->answers), turn->wait_ms);
        load_poll(load, RETRY_MS);
    }
}
