// What the node serves over HTTP: the files of node/web, and under /api/v1 the documents of
// report.h, the events, and the actions and accounts whose routes others add; beside them /livez,
// /readyz and /healthz for whoever supervises the node. Joins node/net/http_server with node/api.
// Who asks is said by node->access. Made by node.c where http-listen says so; without it
// node->web_server is NULL.
#ifndef SHOAL_NODE_WEB_SERVER_H
#define SHOAL_NODE_WEB_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include "node/api/access.h"
#include "node/api/route.h"
#include "node/net/http_server.h"

struct node;
struct web_server;

// NULL with a sentence (NODE_ERROR_SIZE characters at most).
struct web_server *web_server_new(struct node *node, char *error);
void web_server_free(struct web_server *web); // NULL is fine

// Adds routes; they and their contexts are borrowed for the server's life. To be called before the
// loop runs. False if out of memory.
bool web_server_add(struct web_server *web, const struct api_route *routes, size_t count);

// The answer to a request whose route said is_held, by call->ticket: `fill` is called at once with
// an empty reply, unless the client is gone (false).
bool web_server_answer(struct web_server *web, uint64_t ticket,
                       void (*fill)(void *context, struct api_reply *reply), void *context);

// Route i of the API; NULL past the end.
const struct api_route *web_server_route(const struct web_server *web, size_t i);

void web_server_counts(const struct web_server *web, struct http_server_counts *counts);

#endif
