#include "node/net/http_client.h"
#include "node/limits.h"
#include "node/net/internal.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_SIZE_MAX    65536u
#define CONNECTIONS_KEPT    32L
#define RECEIVE_BUFFER_SIZE 131072L

struct http_client {
    struct net_loop *loop;
    CURLM *multi;
    struct net_timer *timer;
    struct http_exchange *exchanges;
};

struct http_exchange {
    struct http_client *client;
    struct http_exchange *previous;
    struct http_exchange *next;
    CURL *easy;
    struct curl_slist *headers;
    struct buffer body;
    size_t headers_size;
    bool is_too_large;
    int64_t started_ms;
    http_answered *answered;
    void *context;
    char detail[CURL_ERROR_SIZE];
};

// A socket of libcurl that the loop watches.
struct watched_socket {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t descriptor;
};

const char *http_result_text(enum http_result result)
{
    switch (result) {
    case HTTP_OK:
        return "answered";
    case HTTP_NAME_UNKNOWN:
        return "the host name is unknown";
    case HTTP_REFUSED:
        return "nobody listens there";
    case HTTP_TIMED_OUT:
        return "no answer in time";
    case HTTP_BROKEN:
        return "the answer is broken off or no HTTP";
    case HTTP_TOO_LARGE:
        return "the answer is too large";
    case HTTP_TLS_FAILED:
        return "no secure connection";
    case HTTP_FAILED:
        return "the request failed";
    }
    return "";
}

// An easy handle's errors, as far as a person would act on them differently.
static enum http_result result_from_curl(const struct http_exchange *exchange, CURLcode code)
{
    if (exchange->is_too_large) {
        return HTTP_TOO_LARGE;
    }
    static const struct {
        CURLcode code;
        enum http_result result;
    } table[] = {
        {CURLE_OK, HTTP_OK},
        {CURLE_COULDNT_RESOLVE_HOST, HTTP_NAME_UNKNOWN},
        {CURLE_COULDNT_CONNECT, HTTP_REFUSED},
        {CURLE_OPERATION_TIMEDOUT, HTTP_TIMED_OUT},
        {CURLE_FILESIZE_EXCEEDED, HTTP_TOO_LARGE},
        {CURLE_GOT_NOTHING, HTTP_BROKEN},
        {CURLE_PARTIAL_FILE, HTTP_BROKEN},
        {CURLE_RECV_ERROR, HTTP_BROKEN},
        {CURLE_SEND_ERROR, HTTP_BROKEN},
        {CURLE_WEIRD_SERVER_REPLY, HTTP_BROKEN},
        {CURLE_UNSUPPORTED_PROTOCOL, HTTP_BROKEN},
        {CURLE_BAD_CONTENT_ENCODING, HTTP_BROKEN},
        {CURLE_SSL_CONNECT_ERROR, HTTP_TLS_FAILED},
        {CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS_FAILED},
        {CURLE_SSL_CERTPROBLEM, HTTP_TLS_FAILED},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].code == code) {
            return table[i].result;
        }
    }
    return HTTP_FAILED;
}

static void unlink_exchange(struct http_exchange *exchange)
{
    if (exchange->next != NULL) {
        exchange->next->previous = exchange->previous;
    }
    if (exchange->previous != NULL) {
        exchange->previous->next = exchange->next;
    } else {
        exchange->client->exchanges = exchange->next;
    }
}

static void free_exchange(struct http_exchange *exchange)
{
    curl_slist_free_all(exchange->headers);
    curl_easy_cleanup(exchange->easy);
    buffer_clear(&exchange->body);
    free(exchange);
}

static void finish(struct http_exchange *exchange, CURLcode code)
{
    long status = 0;
    struct http_answer answer = {.result = result_from_curl(exchange, code)};
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(exchange->client->multi, exchange->easy);
    unlink_exchange(exchange);
    if (answer.result == HTTP_OK) {
        answer.status = (int)status;
    } else {
        buffer_reset(&exchange->body);
    }
    answer.body = &exchange->body;
    answer.duration_ms = net_loop_now(exchange->client->loop).mono.ms - exchange->started_ms;
    answer.detail = exchange->detail[0] != '\0' ? exchange->detail : curl_easy_strerror(code);
    exchange->answered(exchange->context, &answer);
    free_exchange(exchange);
}

// Every message is read anew: an `answered` may start or cancel other exchanges.
static void finish_all(struct http_client *client)
{
    int left = 0;
    CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            struct http_exchange *exchange = NULL;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
            finish(exchange, message->data.result);
        }
    }
}

static void act(struct http_client *client, curl_socket_t descriptor, int flags)
{
    int running = 0;
    curl_multi_socket_action(client->multi, descriptor, flags, &running);
    finish_all(client);
}

// A reset comes as an error of the poll. It is not passed on as such: libcurl then finds it by
// reading, and sends the request again if it was a kept connection that the daemon had closed
// meanwhile.
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watched_socket *watched = poll->data;
    int flags = (events & UV_READABLE || status < 0 ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE || status < 0 ? CURL_CSELECT_OUT : 0);
    act(watched->client, watched->descriptor, flags); // may free `watched`
}

static void free_watched(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watched_socket *watch(struct http_client *client, curl_socket_t descriptor)
{
    struct watched_socket *watched = calloc(1, sizeof(*watched));
    if (watched == NULL) {
        return NULL;
    }
    watched->client = client;
    watched->descriptor = descriptor;
    if (uv_poll_init_socket(&client->loop->uv, &watched->poll, descriptor) != 0) {
        free(watched);
        return NULL;
    }
    watched->poll.data = watched;
    curl_multi_assign(client->multi, descriptor, watched);
    return watched;
}

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *client, void *assigned)
{
    (void)easy;
    struct watched_socket *watched = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (watched != NULL) {
            uv_poll_stop(&watched->poll);
            uv_close((uv_handle_t *)&watched->poll, free_watched);
            curl_multi_assign(((struct http_client *)client)->multi, descriptor, NULL);
        }
        return 0;
    }
    if (watched == NULL) {
        watched = watch(client, descriptor);
    }
    if (watched == NULL) {
        return -1;
    }
    int events =
        (what != CURL_POLL_OUT ? UV_READABLE : 0) | (what != CURL_POLL_IN ? UV_WRITABLE : 0);
    return uv_poll_start(&watched->poll, events, on_poll);
}

static void on_timer(void *context, struct now now)
{
    (void)now;
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

// libcurl counts from the true time, the loop from that of its turn: a timer that fires early would
// be taken as a mistake and not be asked for again.
static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct http_client *client = context;
    if (timeout_ms < 0) {
        net_timer_stop(client->timer);
    } else {
        int64_t true_ms = (int64_t)(uv_hrtime() / 1000000);
        int64_t wait_ms = timeout_ms > 0 ? timeout_ms + 1 : 0;
        net_timer_start(client->timer, (struct mono_time){true_ms + wait_ms});
    }
    return 0;
}

struct http_client *http_client_new(struct net_loop *loop)
{
    struct http_client *client = calloc(1, sizeof(*client));
    if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(client);
        return NULL;
    }
    client->loop = loop;
    client->multi = curl_multi_init();
    client->timer = net_timer_new(loop, on_timer, client);
    if (client->multi == NULL || client->timer == NULL) {
        http_client_free(client);
        return NULL;
    }
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->exchanges != NULL) {
        http_exchange_cancel(client->exchanges);
    }
    curl_multi_cleanup(client->multi); // closes kept connections: on_socket removes their watchers
    net_timer_free(client->timer);
    curl_global_cleanup();
    free(client);
}

// Returning less than was given ends the transfer.
static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct http_exchange *exchange = context;
    (void)one;
    write_bytes(&exchange->body, data, size);
    exchange->is_too_large = exchange->body.failed;
    return exchange->is_too_large ? 0 : size;
}

static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    struct http_exchange *exchange = context;
    (void)data;
    (void)one;
    exchange->headers_size += size;
    exchange->is_too_large = exchange->headers_size > HEADERS_SIZE_MAX;
    return exchange->is_too_large ? 0 : size;
}

static bool set_headers(struct http_exchange *exchange, const struct http_request *request)
{
    char line[160];
    const char *type = request->content_type != NULL ? request->content_type : "application/json";
    snprintf(line, sizeof(line), "Content-Type: %s", type);
    exchange->headers = curl_slist_append(NULL, "Expect:"); // no round trip before a large body
    struct curl_slist *all = curl_slist_append(exchange->headers, line);
    if (exchange->headers == NULL || all == NULL) {
        return false;
    }
    return curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, all) == CURLE_OK;
}

static bool set_body(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    if (request->body == NULL) {
        return true;
    }
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK &&
           set_headers(exchange, request);
}

static bool set_credentials(CURL *easy, const struct http_request *request)
{
    if (request->user == NULL) {
        return true;
    }
    const char *password = request->password != NULL ? request->password : "";
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERNAME, request->user) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PASSWORD, password) == CURLE_OK;
}

static bool set_bounds(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    size_t size_max = request->reply_size_max > 0 ? request->reply_size_max : LIMIT_RPC_REPLY_SIZE;
    buffer_init(&exchange->body, size_max);
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)size_max) == CURLE_OK;
}

static bool set_all(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    struct http_url url;
    if (!http_url_parse(request->url, 0, &url)) {
        return false;
    }
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->detail);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_SIZE);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    // A name that is still being looked up must not hold up the loop when its request ends.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    return curl_easy_setopt(easy, CURLOPT_URL, url.url) == CURLE_OK &&
           set_bounds(exchange, request) && set_credentials(easy, request) &&
           set_body(exchange, request);
}

struct http_exchange *http_client_start(struct http_client *client,
                                        const struct http_request *request)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL) {
        return NULL;
    }
    exchange->client = client;
    exchange->answered = request->answered;
    exchange->context = request->context;
    exchange->started_ms = net_loop_now(client->loop).mono.ms;
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL || !set_all(exchange, request) ||
        curl_multi_add_handle(client->multi, exchange->easy) != CURLM_OK) {
        free_exchange(exchange);
        return NULL;
    }
    exchange->next = client->exchanges;
    if (client->exchanges != NULL) {
        client->exchanges->previous = exchange;
    }
    client->exchanges = exchange;
    return exchange;
}

void http_exchange_cancel(struct http_exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    curl_multi_remove_handle(exchange->client->multi, exchange->easy);
    unlink_exchange(exchange);
    free_exchange(exchange);
}

// Takes one part of a url as text of at most capacity - 1 characters; an absent part is the empty
// text.
static bool take_part(CURLU *handle, CURLUPart part, unsigned flags, char *out, size_t capacity)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(handle, part, &text, flags);
    out[0] = '\0';
    bool fits = true;
    if (code == CURLUE_OK) {
        size_t size = strlen(text);
        fits = size < capacity;
        memcpy(out, text, fits ? size + 1 : 0);
    }
    bool is_absent = code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD || code == CURLUE_NO_PORT;
    curl_free(text);
    return fits && (code == CURLUE_OK || is_absent);
}

static bool parse_parts(CURLU *handle, const char *text, uint16_t default_port,
                        struct http_url *out)
{
    char scheme[16];
    char port[16];
    if (curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        !take_part(handle, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) ||
        !take_part(handle, CURLUPART_PORT, 0, port, sizeof(port)) ||
        !take_part(handle, CURLUPART_USER, CURLU_URLDECODE, out->user, sizeof(out->user)) ||
        !take_part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE, out->password,
                   sizeof(out->password))) {
        return false;
    }
    if (port[0] == '\0' && default_port != 0) {
        snprintf(port, sizeof(port), "%u", (unsigned)default_port);
        curl_url_set(handle, CURLUPART_PORT, port, 0);
    }
    out->has_port = port[0] != '\0';
    curl_url_set(handle, CURLUPART_USER, NULL, 0);
    curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0);
    return take_part(handle, CURLUPART_URL, 0, out->url, sizeof(out->url));
}

bool http_url_parse(const char *text, uint16_t default_port, struct http_url *out)
{
    memset(out, 0, sizeof(*out));
    CURLU *handle = curl_url();
    bool is_ok = handle != NULL && parse_parts(handle, text, default_port, out);
    curl_url_cleanup(handle);
    return is_ok;
}
