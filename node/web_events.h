// What happens in the node, told to those who follow GET /api/v1/events: every place where
// something happens calls one function here, and status and the daemons are looked at every two
// seconds. Made by web_server.c; all of these take NULL, for a node that serves no HTTP.
#ifndef SHOAL_NODE_WEB_EVENTS_H
#define SHOAL_NODE_WEB_EVENTS_H

#include "node/api/route.h"
#include "node/net/http_server.h"
#include "node/state.h"

struct web_events;

// NULL if out of memory. Nothing is sent before it has a server.
struct web_events *web_events_new(struct node *node);
void web_events_free(struct web_events *events);
void web_events_serve(struct web_events *events, struct http_server *server);

// The route of the streams. Its answer needs more of the request than an api_call has: prepare is
// called before it.
const struct api_route *web_events_routes(struct web_events *events, size_t *count);
void web_events_prepare(struct web_events *events, const struct http_request *request);
// Sends a stream what its reader missed.
void web_events_stream_opened(struct web_events *events, uint64_t ticket);

void web_events_share(struct web_events *events, const struct stratum_judgement *judgement);
void web_events_grain(struct web_events *events, const struct hash256 *id, const uint8_t *bytes,
                      size_t size);
void web_events_link(struct web_events *events, const struct link_view *tip,
                     bool is_reorganisation);
void web_events_block(struct web_events *events, const struct found_block *block); // NULL is fine
void web_events_job(struct web_events *events, const struct mint *mint, bool is_new_block);
// `reason` NULL: it has come; else why it went.
void web_events_miner(struct web_events *events, const struct stratum_session_view *session,
                      const char *reason);
void web_events_peer(struct web_events *events, const struct hash256 *id, bool is_inbound,
                     const char *reason);

#endif
