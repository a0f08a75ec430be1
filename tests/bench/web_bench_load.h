// What web_bench loads the dashboard's server with, from a process of its own: readers of events
// over WebSocket, and requests for the documents of the overview at a steady rate. And one client
// that loads the overview as a browser does. A server that does not do its part ends the program.
#ifndef SHOAL_TESTS_BENCH_WEB_BENCH_LOAD_H
#define SHOAL_TESTS_BENCH_WEB_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define WEB_READERS             200
#define WEB_REQUESTS_PER_SECOND 2000

// Loads the server at this port of loopback until it is killed.
_Noreturn void web_load_run(uint16_t port);

// Asks for a path on a connection of its own; the body, closed by a zero, is to be freed.
char *web_load_get(uint16_t port, const char *path);
// A number of /metrics.
double web_load_metric(uint16_t port, const char *name);

// What the overview takes: the page with all that it could import, then its documents.
struct web_overview {
    double ms;
    size_t bytes; // as sent, heads and all
    size_t answers;
};
void web_load_overview(uint16_t port, struct web_overview *overview);

#endif
