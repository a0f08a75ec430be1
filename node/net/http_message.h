// What a stream sends: one JSON text, framed for server-sent events and for WebSocket. Counted
// references: one copy, however many readers take it. No I/O.
#ifndef SHOAL_NODE_NET_HTTP_MESSAGE_H
#define SHOAL_NODE_NET_HTTP_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

#define HTTP_MESSAGE_SIZE_MAX 32768

struct http_message;

// `json` holds no line feed. `number` is the id that a reader names when it comes back, 0 for none.
// NULL if out of memory, or too large.
struct http_message *http_message_new(const char *event, uint64_t number, const void *json,
                                      size_t size);
struct http_message *http_message_ref(struct http_message *message);
void http_message_unref(struct http_message *message); // NULL is fine
uint64_t http_message_number(const struct http_message *message);
size_t http_message_size(const struct http_message *message); // of its frame, about
void http_message_write_event(const struct http_message *message, struct buffer *out);  // SSE
void http_message_write_socket(const struct http_message *message, struct buffer *out); // WebSocket

#endif
