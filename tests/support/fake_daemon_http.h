// The HTTP side of a fake coin daemon for tests, on the test's own loop: reads requests, answers
// them at once or later, and misbehaves in every way that real daemons and broken networks do.
#ifndef SHOAL_TESTS_SUPPORT_FAKE_DAEMON_HTTP_H
#define SHOAL_TESTS_SUPPORT_FAKE_DAEMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/net/loop.h"

enum fake_fault {
    FAULT_NONE,
    FAULT_HANG,           // takes the request and says nothing
    FAULT_GARBAGE,        // HTTP 200 with a body that is no JSON
    FAULT_NOT_HTTP,       // bytes that are no HTTP at all
    FAULT_HTTP_500,       // HTTP 500 with an HTML page
    FAULT_EMPTY,          // HTTP 200 with an empty body
    FAULT_CLOSE_AT_ONCE,  // closes instead of an answer
    FAULT_RESET,          // the same by a reset
    FAULT_CLOSE_MID_BODY, // closes half-way through the promised length
    FAULT_HUGE,           // an 80 MB body of promised length
    FAULT_HUGE_UNSIZED,   // the same without a promised length
    FAULT_ENDLESS_HEADER, // header lines for ever
    FAULT_DRIP,           // a byte of the body every 20 ms
    FAULT_REDIRECT,       // HTTP 302 to itself
};

struct fake_http;
struct fake_http_exchange; // a connection with a request that waits for its answer

struct fake_http_request {
    const char *method;
    const char *authorization; // the header's value, empty if there is none
    const char *body;          // zero-terminated
    size_t body_size;
};

// Must answer by fake_http_answer, now or later.
typedef void fake_http_handler(void *context, struct fake_http_exchange *exchange,
                               const struct fake_http_request *request);
// A client went away before its answer; the exchange is gone. May be NULL.
typedef void fake_http_vanished(void *context, struct fake_http_exchange *exchange);

struct fake_http_options {
    fake_http_handler *handler;
    fake_http_vanished *vanished;
    void *context;
    uint16_t port; // 0 = any
};

struct fake_http *fake_http_new(struct net_loop *loop, const struct fake_http_options *options);
// Stops listening and resets every connection, as a daemon that is killed.
void fake_http_free(struct fake_http *http);
uint16_t fake_http_port(const struct fake_http *http);
size_t fake_http_connections(const struct fake_http *http);
void fake_http_answer(struct fake_http_exchange *exchange, int status, const char *body,
                      size_t size);
// Resets the connection at its next request, though the answers promise to keep it.
void fake_http_reset_next(struct fake_http_exchange *exchange);
void fake_http_misbehave(struct fake_http_exchange *exchange, enum fake_fault fault);

#endif
