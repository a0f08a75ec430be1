// TLS of a server (OpenSSL), from 1.2 on, over bytes that somebody else moves: what came in goes to
// tls_receive, what tls_take gives goes out. Made for http_server.
#ifndef SHOAL_NODE_NET_TLS_H
#define SHOAL_NODE_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

#define TLS_ERROR_SIZE 256

struct tls_identity; // a certificate and its key

// From two PEM files, the certificate followed by those between it and a root. NULL with a sentence
// that says which file is wrong and how.
struct tls_identity *tls_identity_open(const char *certificate, const char *key,
                                       char error[TLS_ERROR_SIZE]);
void tls_identity_free(struct tls_identity *identity); // NULL is fine; connections may live on

struct tls;

struct tls *tls_new(struct tls_identity *identity); // NULL if out of memory
void tls_free(struct tls *tls);                     // NULL is fine
// Encrypted bytes from the client; what is in them for us is added to `plain`. False: this is no
// TLS, or was tampered with, or does not fit; end the connection after sending what tls_take gives.
bool tls_receive(struct tls *tls, const uint8_t *data, size_t size, struct buffer *plain);
// Bytes for the client, once it is known (it has sent something).
bool tls_send(struct tls *tls, const void *data, size_t size);
void tls_end(struct tls *tls); // says goodbye
// Adds what must go out now.
void tls_take(struct tls *tls, struct buffer *out);

#endif
