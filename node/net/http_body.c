#include "node/net/http_body.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"

struct http_body *http_body_new(const void *data, size_t size)
{
    struct http_body *body = malloc(sizeof(*body) + size);
    uint8_t hash[16];
    if (body == NULL)
        return NULL;
    body->references = 1;
    body->size = size;
    if (size > 0)
        memcpy(body->data, data, size);
    crypto_generichash(hash, sizeof(hash), body->data, size, NULL, 0);
    body->etag[0] = '"';
    hex_encode(hash, sizeof(hash), body->etag + 1);
    body->etag[HTTP_ETAG_SIZE - 2] = '"';
    body->etag[HTTP_ETAG_SIZE - 1] = '\0';
    return body;
}

struct http_body *http_body_ref(struct http_body *body)
{
    body->references++;
    return body;
}

void http_body_unref(struct http_body *body)
{
    if (body == NULL)
        return;
    body->references--;
    if (body->references == 0)
        free(body);
}
