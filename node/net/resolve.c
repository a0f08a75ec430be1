#include "node/net/resolve.h"
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/internal.h"

struct net_resolve {
    uv_getaddrinfo_t request;
    net_resolved *resolved; // NULL once cancelled
    void *context;
};

static bool is_same(const struct net_address *a, const struct net_address *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->port == b->port;
}

static size_t gather(const struct addrinfo *from, struct net_address out[NET_RESOLVED_MAX])
{
    size_t count = 0;
    for (; from != NULL && count < NET_RESOLVED_MAX; from = from->ai_next) {
        bool is_new = true;
        net_address_from_socket(from->ai_addr, &out[count]);
        for (size_t i = 0; i < count; i++) {
            is_new = is_new && !is_same(&out[i], &out[count]);
        }
        count += is_new && !out[count].is_unix ? 1 : 0;
    }
    return count;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct net_resolve *resolve = request->data;
    struct net_address found[NET_RESOLVED_MAX];
    if (resolve->resolved != NULL) {
        size_t count = status == 0 ? gather(addresses, found) : 0;
        const char *reason = status != 0 ? uv_strerror(status) : "it has no address";
        resolve->resolved(resolve->context, found, count, count > 0 ? "" : reason);
    }
    uv_freeaddrinfo(addresses);
    free(resolve);
}

struct net_resolve *net_resolve_begin(struct net_loop *loop, const char *host, uint16_t port,
                                      net_resolved *resolved, void *context)
{
    struct net_resolve *resolve = calloc(1, sizeof(*resolve));
    if (resolve == NULL) {
        return NULL;
    }
    resolve->request.data = resolve;
    resolve->resolved = resolved;
    resolve->context = context;
    char text[8];
    snprintf(text, sizeof(text), "%u", (unsigned)port);
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_protocol = IPPROTO_UDP};
    if (uv_getaddrinfo(&loop->uv, &resolve->request, on_resolved, host, text, &hints) != 0) {
        free(resolve);
        return NULL;
    }
    return resolve;
}

void net_resolve_cancel(struct net_resolve *resolve)
{
    if (resolve == NULL) {
        return;
    }
    resolve->resolved = NULL;
    uv_cancel((uv_req_t *)&resolve->request); // fails if it runs already: then it ends by itself
}
