#include "node/backend/daemon.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "node/limits.h"

#define COOKIE_SIZE_MAX 384

bool daemon_link_init(struct daemon_link *link, const struct backend_daemon_config *config,
                      const struct chain_params *params, char error[BACKEND_ERROR_SIZE])
{
    memset(link, 0, sizeof(*link));
    link->params = params;
    if (!http_url_parse(config->url, params->rpc_port, &link->url)) {
        // The url may hold a password: it is not repeated.
        snprintf(error, BACKEND_ERROR_SIZE,
                 "a daemon's url is wrong: write http://host:port, for %s usually "
                 "http://127.0.0.1:%u",
                 params->daemon_name, (unsigned)params->rpc_port);
        return false;
    }
    snprintf(link->shown, sizeof(link->shown), "%.127s", link->url.url);
    if (config->user != NULL && config->user[0] != '\0') {
        const char *password = config->password != NULL ? config->password : "";
        if (strlen(config->user) >= HTTP_SECRET_SIZE || strlen(password) >= HTTP_SECRET_SIZE) {
            snprintf(error, BACKEND_ERROR_SIZE,
                     "the daemon's user or password is longer than %d characters",
                     HTTP_SECRET_SIZE - 1);
            return false;
        }
        snprintf(link->url.user, sizeof(link->url.user), "%s", config->user);
        snprintf(link->url.password, sizeof(link->url.password), "%s", password);
        return true;
    }
    if (config->cookie_file != NULL && link->url.user[0] == '\0') {
        if (strlen(config->cookie_file) >= sizeof(link->cookie_file)) {
            snprintf(error, BACKEND_ERROR_SIZE, "the path of the daemon's cookie file is too long");
            return false;
        }
        snprintf(link->cookie_file, sizeof(link->cookie_file), "%s", config->cookie_file);
    }
    return true;
}

void daemon_link_clear(struct daemon_link *link)
{
    explicit_bzero(&link->url, sizeof(link->url));
}

// The file is one line user:password that the daemon writes anew at each start. A regular file
// only: nothing that could keep the loop waiting.
static bool read_cookie(struct daemon_link *link, char error[DAEMON_ERROR_SIZE])
{
    char text[COOKIE_SIZE_MAX + 1];
    int file = open(link->cookie_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = file >= 0 ? read(file, text, COOKIE_SIZE_MAX) : -1;
    int reason = errno;
    if (file >= 0) {
        close(file);
    }
    if (size < 0) {
        snprintf(error, DAEMON_ERROR_SIZE,
                 "cannot read the cookie file %.150s (%s): start %s or correct the path",
                 link->cookie_file, strerror(reason), link->params->daemon_name);
        return false;
    }
    text[size] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    char *colon = strchr(text, ':');
    if (colon == NULL || strlen(colon + 1) >= HTTP_SECRET_SIZE ||
        colon - text >= HTTP_SECRET_SIZE) {
        snprintf(
            error, DAEMON_ERROR_SIZE,
            "the cookie file %.150s does not hold user:password: is it the file that %s writes?",
            link->cookie_file, link->params->daemon_name);
        explicit_bzero(text, sizeof(text));
        return false;
    }
    *colon = '\0';
    snprintf(link->url.user, sizeof(link->url.user), "%.255s", text);
    snprintf(link->url.password, sizeof(link->url.password), "%.255s", colon + 1);
    explicit_bzero(text, sizeof(text));
    link->has_cookie = true;
    return true;
}

// After a 401: true if there is another cookie than the one that was refused. Another call may have
// found it before.
static bool has_new_cookie(struct daemon_link *link, const struct daemon_call *call)
{
    char error[DAEMON_ERROR_SIZE];
    if (link->cookie_file[0] == '\0' || call->cookie != link->cookies_count) {
        return link->cookie_file[0] != '\0';
    }
    struct http_url old = link->url;
    bool is_new = read_cookie(link, error) && (strcmp(old.user, link->url.user) != 0 ||
                                               strcmp(old.password, link->url.password) != 0);
    link->cookies_count += is_new ? 1 : 0;
    explicit_bzero(&old, sizeof(old));
    return is_new;
}

static void describe_failure(const struct daemon_link *link, const struct daemon_call *call,
                             const struct http_answer *answer, char error[DAEMON_ERROR_SIZE])
{
    const char *name = link->params->daemon_name;
    const char *url = link->shown;
    switch (answer->result) {
    case HTTP_OK:
        break;
    case HTTP_NAME_UNKNOWN:
        snprintf(error, DAEMON_ERROR_SIZE, "the host in %s is unknown: correct the url", url);
        break;
    case HTTP_REFUSED:
        snprintf(error, DAEMON_ERROR_SIZE,
                 "nobody listens at %s: start %s with server=1, or correct the url", url, name);
        break;
    case HTTP_TIMED_OUT:
        snprintf(error, DAEMON_ERROR_SIZE,
                 "no answer from %s within %lld ms: %s hangs or is overloaded, see its log", url,
                 (long long)call->timeout_ms, name);
        break;
    case HTTP_BROKEN:
        snprintf(error, DAEMON_ERROR_SIZE,
                 "the answer of %s is broken off or no HTTP: is this the RPC port of %s (usually "
                 "%u), and does it still run?",
                 url, name, (unsigned)link->params->rpc_port);
        break;
    case HTTP_TOO_LARGE:
        snprintf(error, DAEMON_ERROR_SIZE,
                 "the answer of %s is larger than %u MiB: is this the RPC port of %s?", url,
                 LIMIT_RPC_REPLY_SIZE >> 20, name);
        break;
    case HTTP_TLS_FAILED:
    case HTTP_FAILED:
        snprintf(error, DAEMON_ERROR_SIZE, "cannot talk to %s: %.120s", url, answer->detail);
        break;
    }
}

// HTTP says no before JSON-RPC is reached, or says nothing. False if there is a body to be read.
static bool describe_refusal(const struct daemon_link *link, const struct http_answer *answer,
                             char error[DAEMON_ERROR_SIZE])
{
    const char *name = link->params->daemon_name;
    const char *url = link->shown;
    if (answer->status == 401) {
        snprintf(error, DAEMON_ERROR_SIZE, "%s refuses the user and password: check %s", url,
                 link->cookie_file[0] != '\0' ? "that the cookie file is this daemon's"
                                              : "rpcuser and rpcpassword, or name its cookie file");
        return true;
    }
    if (answer->status == 403) {
        snprintf(error, DAEMON_ERROR_SIZE,
                 "%s does not serve this machine: set rpcallowip in the configuration of %s", url,
                 name);
        return true;
    }
    if (answer->status >= 300 && answer->status < 400) {
        snprintf(error, DAEMON_ERROR_SIZE,
                 "%s answers with a redirect (HTTP %d): write the RPC address of %s itself", url,
                 answer->status, name);
        return true;
    }
    if (answer->body->size == 0) {
        snprintf(error, DAEMON_ERROR_SIZE, "%s answers with nothing (HTTP %d): see the log of %s",
                 url, answer->status, name);
        return true;
    }
    return false;
}

static void on_answer(void *context, const struct http_answer *answer);

static bool send_call(struct daemon_call *call)
{
    struct daemon_link *link = call->link;
    const struct http_request request = {
        .url = link->url.url,
        .user = link->url.user[0] != '\0' || link->has_cookie ? link->url.user : NULL,
        .password = link->url.password,
        .body = call->body,
        .body_size = call->body_size,
        .timeout_ms = call->timeout_ms,
        .connect_timeout_ms = link->connect_timeout_ms,
        .answered = on_answer,
        .context = call,
    };
    call->cookie = link->cookies_count;
    call->exchange = http_client_start(link->http, &request);
    return call->exchange != NULL;
}

static void on_answer(void *context, const struct http_answer *answer)
{
    struct daemon_call *call = context;
    struct daemon_link *link = call->link;
    char error[DAEMON_ERROR_SIZE] = "";
    struct daemon_answer told = {.status = answer->status, .duration_ms = answer->duration_ms};
    call->exchange = NULL;
    if (answer->status == 401 && !call->has_retried && has_new_cookie(link, call)) {
        call->has_retried = true;
        if (send_call(call)) {
            return;
        }
    }
    if (answer->result != HTTP_OK) {
        describe_failure(link, call, answer, error);
        told.error = error;
        told.is_unreachable = answer->result == HTTP_REFUSED || answer->result == HTTP_NAME_UNKNOWN;
    } else if (describe_refusal(link, answer, error)) {
        told.error = error;
    } else {
        told.body = answer->body;
    }
    call->answered(call->context, &told);
}

bool daemon_call_start(struct daemon_call *call, struct daemon_link *link,
                       const struct daemon_call_spec *spec, char error[DAEMON_ERROR_SIZE])
{
    assert(call->exchange == NULL);
    if (link->cookie_file[0] != '\0' && !link->has_cookie && !read_cookie(link, error)) {
        return false;
    }
    snprintf(error, DAEMON_ERROR_SIZE, "out of memory");
    *call = (struct daemon_call){
        .link = link,
        .body = (const char *)spec->body->data,
        .body_size = spec->body->size,
        .timeout_ms = spec->timeout_ms,
        .answered = spec->answered,
        .context = spec->context,
    };
    return !spec->body->failed && send_call(call);
}

void daemon_call_cancel(struct daemon_call *call)
{
    http_exchange_cancel(call->exchange);
    call->exchange = NULL;
}

void daemon_describe_reply(const struct daemon_link *link, int status, const char *method,
                           const struct rpc_reply *reply, char error[DAEMON_ERROR_SIZE])
{
    const char *name = link->params->daemon_name;
    const char *url = link->shown;
    if (reply == NULL) {
        snprintf(error, DAEMON_ERROR_SIZE,
                 "the answer of %s to %s is no JSON-RPC (HTTP %d): is this the RPC port of %s "
                 "(usually %u)?",
                 url, method, status, name, (unsigned)link->params->rpc_port);
    } else if (reply->code == RPC_WARMING_UP) {
        snprintf(error, DAEMON_ERROR_SIZE, "%s at %s is starting: %s", name, url, reply->message);
    } else if (reply->code == RPC_STILL_SYNCING) {
        snprintf(error, DAEMON_ERROR_SIZE,
                 "%s at %s still downloads the chain (%s): wait until it has caught up", name, url,
                 reply->message);
    } else if (reply->code == RPC_NOT_CONNECTED) {
        snprintf(error, DAEMON_ERROR_SIZE,
                 "%s at %s has no peers (%s): check its network connection", name, url,
                 reply->message);
    } else if (reply->code == RPC_METHOD_NOT_FOUND) {
        snprintf(error, DAEMON_ERROR_SIZE,
                 "%s does not know %s: it must be a full node of this coin with mining RPC", url,
                 method);
    } else {
        snprintf(error, DAEMON_ERROR_SIZE, "%s at %s refuses %s: %s (code %lld)", name, url, method,
                 reply->message, (long long)reply->code);
    }
}

struct json *daemon_parse_reply(const struct daemon_link *link, const struct daemon_answer *answer,
                                const char *method, struct rpc_reply *reply,
                                char error[DAEMON_ERROR_SIZE])
{
    const char *text = (const char *)answer->body->data;
    struct json *json = json_parse(text, answer->body->size, LIMIT_RPC_TOKENS);
    bool is_reply = json != NULL && rpc_read_reply(json_root(json), reply);
    if (is_reply && !reply->is_error) {
        return json;
    }
    if (!is_reply) {
        memset(reply, 0, sizeof(*reply));
    }
    daemon_describe_reply(link, answer->status, method, is_reply ? reply : NULL, error);
    json_free(json);
    return NULL;
}
