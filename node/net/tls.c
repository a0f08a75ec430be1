#include "node/net/tls.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_SIZE 16384

struct tls_identity {
    SSL_CTX *context;
};

struct tls {
    SSL *ssl;
    BIO *in;
    BIO *out;
};

// HTTP/1.1 is all that is spoken: a client that offers others and not that gets no answer to its
// offer. The arguments are the library's. NOLINTNEXTLINE(readability-function-size)
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *offered, unsigned offered_size, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)context;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof(ours) - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static const char *last_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason == NULL ? "it cannot be read" : reason;
}

static bool load_files(SSL_CTX *context, const char *certificate, const char *key,
                       char error[TLS_ERROR_SIZE])
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        snprintf(error, TLS_ERROR_SIZE,
                 "http-tls-cert: \"%.100s\" is no certificate in PEM form: %s", certificate,
                 last_reason());
        return false;
    }
    // A key that does not belong to the certificate is refused here, too.
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        snprintf(error, TLS_ERROR_SIZE,
                 "http-tls-key: \"%.100s\" is no key in PEM form, or not that of the "
                 "certificate: %s",
                 key, last_reason());
        return false;
    }
    return true;
}

// Keys of files with a passphrase would be asked for on the terminal.
static int no_passphrase(char *out, int size, int is_write, void *context)
{
    (void)out;
    (void)size;
    (void)is_write;
    (void)context;
    return -1;
}

struct tls_identity *tls_identity_open(const char *certificate, const char *key,
                                       char error[TLS_ERROR_SIZE])
{
    struct tls_identity *identity = calloc(1, sizeof(*identity));
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    snprintf(error, TLS_ERROR_SIZE, "out of memory");
    if (identity == NULL || context == NULL) {
        free(identity);
        SSL_CTX_free(context);
        return NULL;
    }
    identity->context = context;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // With forward secrecy and authenticated encryption only.
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (load_files(context, certificate, key, error))
        return identity;
    tls_identity_free(identity);
    return NULL;
}

void tls_identity_free(struct tls_identity *identity)
{
    if (identity == NULL)
        return;
    SSL_CTX_free(identity->context);
    free(identity);
}

struct tls *tls_new(struct tls_identity *identity)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL)
        return NULL;
    tls->ssl = SSL_new(identity->context);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out); // which frees them with itself
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

bool tls_receive(struct tls *tls, const uint8_t *data, size_t size, struct buffer *plain)
{
    ERR_clear_error();
    if (BIO_write(tls->in, data, (int)size) != (int)size)
        return false;
    for (;;) {
        size_t count = 0;
        if (!buffer_reserve(plain, READ_SIZE))
            return false;
        int result = SSL_read_ex(tls->ssl, plain->data + plain->size, READ_SIZE, &count);
        plain->size += count;
        if (result != 1)
            return SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ;
    }
}

bool tls_send(struct tls *tls, const void *data, size_t size)
{
    size_t count = 0;
    ERR_clear_error();
    return size == 0 || SSL_write_ex(tls->ssl, data, size, &count) == 1;
}

void tls_end(struct tls *tls)
{
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
}

void tls_take(struct tls *tls, struct buffer *out)
{
    size_t size = BIO_ctrl_pending(tls->out);
    if (size == 0 || !buffer_reserve(out, size))
        return;
    size_t count = 0;
    if (BIO_read_ex(tls->out, out->data + out->size, size, &count) == 1)
        out->size += count;
}
