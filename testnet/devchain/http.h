// The RPC's HTTP server (libwebsockets): POST with a password, answers, and long polls that wait.
// One thread; the only file here that knows sockets.
#ifndef SHOAL_TESTNET_DEVCHAIN_HTTP_H
#define SHOAL_TESTNET_DEVCHAIN_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include "testnet/devchain/daemon.h"

struct http_options {
    const char *bind;     // address of this machine
    uint16_t port;        // 0: any free one
    const char *password; // "user:password", NULL: everybody may call
};

struct http;

// NULL if it cannot listen there.
struct http *http_open(struct daemon *daemon, const struct http_options *options);
void http_close(struct http *http);
// Serves for 100 ms or a little less.
void http_serve(struct http *http);
// True while an answer is not sent whole.
bool http_is_answering(const struct http *http);
uint16_t http_port(const struct http *http);

#endif
