// Bytes of an answer that many connections send at the same time: counted references, one copy.
#ifndef SHOAL_NODE_NET_HTTP_BODY_H
#define SHOAL_NODE_NET_HTTP_BODY_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_ETAG_SIZE 35 // a hash in quotes, and the zero

struct http_body {
    size_t references;
    size_t size;
    char etag[HTTP_ETAG_SIZE]; // strong: a hash of the bytes
    uint8_t data[];
};

// A copy with one reference, the caller's. NULL if out of memory.
struct http_body *http_body_new(const void *data, size_t size);
struct http_body *http_body_ref(struct http_body *body);
void http_body_unref(struct http_body *body); // NULL is fine

#endif
