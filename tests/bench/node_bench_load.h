// Many Stratum connections from one thread: what node_bench loads a server with. It logs in, keeps
// the newest job of those connections that are to mine, sends prepared lines one at a time, each
// after the answer to the one before, and counts what comes back. Every wait is bounded; a server
// that does not do its part ends the program.
#ifndef SHOAL_TESTS_BENCH_NODE_BENCH_LOAD_H
#define SHOAL_TESTS_BENCH_NODE_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tests/bench/node_bench_work.h"

#define LOAD_USER_SIZE 112

struct load_connection {
    int fd;
    char user[LOAD_USER_SIZE];
    bool keeps_jobs;
    bool is_told; // has had a job for a new block since load_mark
    struct job job;
    struct extranonce extranonce;
    struct work_lines *lines; // being sent, NULL if none
    size_t lines_end;         // send no line behind this one
    uint64_t jobs;
    uint64_t clean_jobs;
    char *partial; // of a line
    size_t partial_size;
};

struct load {
    uint16_t port;
    bool is_echo; // the server knows only lines and answers
    int epoll;
    struct load_connection *connections;
    size_t count;
    size_t users_named;
    uint64_t answers; // since load_mark: "true" to a submit
    uint64_t bytes_received;
    size_t told_count; // since load_mark: connections with a job for a new block
    double told_first_ns;
    double told_last_ns;
    size_t job_line_size; // of the newest one
};

void load_init(struct load *load, uint16_t port, bool is_echo);
void load_clear(struct load *load);

// Opens connections until there are `count`, each with an address and a worker's name of its own,
// and waits until each has a job. A server that is full for the moment is asked again, for at most
// `wait_ms` altogether.
void load_open(struct load *load, size_t count, bool keeps_jobs, int wait_ms);
// Closes the newest ones until there are `count`.
void load_close(struct load *load, size_t count);

// Starts to count anew.
void load_mark(struct load *load);
// Takes what comes within `ms`, once. False if nothing came.
bool load_poll(struct load *load, int ms);
// Until so many connections have been told of a new block.
void load_await_told(struct load *load, size_t count, int wait_ms);
// Until `ms` have passed, taking whatever comes.
void load_idle(struct load *load, int ms);

// Connection first + i sends its next `each` lines of lines[i], one after the other.
struct load_turn {
    size_t first;
    size_t count;
    struct work_lines *lines; // `count` of them
    size_t each;
    int wait_ms;
};
void load_run(struct load *load, const struct load_turn *turn);
// Sends text as it is.
void load_send(struct load *load, size_t i, const char *text, size_t size);

#endif
