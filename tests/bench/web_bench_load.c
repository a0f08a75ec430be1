#include "tests/bench/web_bench_load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "node/web/web.h"
#include "tests/bench/bench.h"
#include "tests/bench/node_bench_process.h"

#define ASKERS     16
#define ANSWER_MAX (1u << 20)
#define EVENTS_MAX 64
#define BEHIND_MAX 200 // requests: a server that is slower than they are asked is not pushed on

// The documents that the overview asks for.
static const char *const documents[] = {"status", "daemons", "miners",
                                        "blocks", "payouts", "links"};
#define DOCUMENTS_COUNT (sizeof documents / sizeof documents[0])

static int dial(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        process_fail("the dashboard cannot be reached: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void send_text(int fd, const char *text)
{
    size_t size = strlen(text);
    if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        process_fail("a request cannot be sent: %s", strerror(errno));
}

static void send_request(int fd, const char *path)
{
    char text[256];
    snprintf(text, sizeof text,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n", path);
    send_text(fd, text);
}

// ---- Answers

struct answer {
    char *text;
    size_t size;
};

// How large the whole answer is that begins the text; 0 while that is not known.
static size_t answer_size(const struct answer *answer)
{
    const char *body = memmem(answer->text, answer->size, "\r\n\r\n", 4);
    const char *length = memmem(answer->text, answer->size, "content-length: ", 16);
    if (body == NULL)
        return 0;
    if (memcmp(answer->text, "HTTP/1.1 200", 12) != 0 || length == NULL || length > body)
        process_fail("the dashboard answers %.100s", answer->text);
    return (size_t)(body - answer->text) + 4 + strtoul(length + 16, NULL, 10);
}

// Takes what is there; true if the answer is whole, which is forgotten with that.
static bool take(int fd, struct answer *answer, size_t *size)
{
    ssize_t count = recv(fd, answer->text + answer->size, ANSWER_MAX - answer->size, 0);
    if (count <= 0)
        process_fail("the dashboard ends a connection");
    answer->size += (size_t)count;
    answer->text[answer->size] = '\0';
    *size = answer_size(answer);
    return *size > 0 && answer->size >= *size;
}

static void answer_init(struct answer *answer)
{
    *answer = (struct answer){.text = malloc(ANSWER_MAX + 1)};
    if (answer->text == NULL)
        process_fail("out of memory");
}

char *web_load_get(uint16_t port, const char *path)
{
    struct answer answer;
    size_t size;
    char text[256];
    int fd = dial(port);
    answer_init(&answer);
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    send_text(fd, text);
    while (!take(fd, &answer, &size)) {
    }
    close(fd);
    return answer.text;
}

double web_load_metric(uint16_t port, const char *name)
{
    char line[128];
    char *text = web_load_get(port, "/metrics");
    snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(text, line);
    if (found == NULL)
        process_fail("/metrics has no %s", name);
    double value = strtod(found + strlen(line), NULL);
    free(text);
    return value;
}

// ---- The overview

static void load_one(int fd, const char *path, struct web_overview *overview)
{
    struct answer answer;
    size_t size;
    answer_init(&answer);
    send_request(fd, path);
    while (!take(fd, &answer, &size)) {
    }
    overview->bytes += size;
    overview->answers++;
    free(answer.text);
}

// One after the other on one connection: a browser asks for several at a time and is faster.
void web_load_overview(uint16_t port, struct web_overview *overview)
{
    double begin = bench_now_ns();
    const struct web_file *file;
    char path[128];
    int fd = dial(port);
    *overview = (struct web_overview){.bytes = 0};
    for (size_t i = 0; (file = web_file_get(i)) != NULL; i++) {
        if (strncmp(file->path, "/api/", 5) != 0) // a document for programs
            load_one(fd, file->path, overview);
    }
    for (size_t i = 0; i < DOCUMENTS_COUNT; i++) {
        snprintf(path, sizeof path, "/api/v1/%s", documents[i]);
        load_one(fd, path, overview);
    }
    close(fd);
    overview->ms = (bench_now_ns() - begin) / 1e6;
}

// ---- The load

struct asker {
    int fd;
    bool is_waiting;
    struct answer answer;
};

struct web_load {
    int epoll;
    int readers[WEB_READERS];
    struct asker askers[ASKERS];
    size_t asked;
    double began_ns;
};

static void watch(struct web_load *load, int fd, uint32_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        process_fail("epoll: %s", strerror(errno));
}

static void open_reader(struct web_load *load, uint16_t port, uint32_t i)
{
    char head[1024];
    load->readers[i] = dial(port);
    send_text(load->readers[i], "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
                                "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    ssize_t size = recv(load->readers[i], head, sizeof head, 0);
    if (size < 12 || memcmp(head, "HTTP/1.1 101", 12) != 0)
        process_fail("the dashboard takes only %u readers of events", i);
    watch(load, load->readers[i], ASKERS + i);
}

static void ask_next(struct web_load *load)
{
    double due = (bench_now_ns() - load->began_ns) / 1e9 * WEB_REQUESTS_PER_SECOND;
    if (due - (double)load->asked > BEHIND_MAX)
        load->asked = (size_t)due - BEHIND_MAX;
    for (size_t i = 0; i < ASKERS && (double)load->asked < due; i++) {
        char path[64];
        if (load->askers[i].is_waiting)
            continue;
        snprintf(path, sizeof path, "/api/v1/%s", documents[load->asked % DOCUMENTS_COUNT]);
        send_request(load->askers[i].fd, path);
        load->askers[i].is_waiting = true;
        load->askers[i].answer.size = 0;
        load->asked++;
    }
}

static void read_one(struct web_load *load, uint32_t number)
{
    char events[65536];
    size_t size;
    if (number < ASKERS) {
        struct asker *asker = &load->askers[number];
        asker->is_waiting = !take(asker->fd, &asker->answer, &size);
    } else if (recv(load->readers[number - ASKERS], events, sizeof events, 0) <= 0) {
        process_fail("the dashboard drops a reader of events");
    }
}

_Noreturn void web_load_run(uint16_t port)
{
    struct web_load *load = calloc(1, sizeof *load);
    if (load == NULL)
        process_fail("out of memory");
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < WEB_READERS; i++)
        open_reader(load, port, i);
    for (uint32_t i = 0; i < ASKERS; i++) {
        load->askers[i].fd = dial(port);
        answer_init(&load->askers[i].answer);
        watch(load, load->askers[i].fd, i);
    }
    load->began_ns = bench_now_ns();
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, 1);
        for (int i = 0; i < count; i++)
            read_one(load, events[i].data.u32);
        ask_next(load);
    }
}
