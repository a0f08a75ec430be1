#include "node/net/router.h"
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>
#include <stdio.h>
#include <string.h>
#include "node/net/internal.h"

#define DISCOVERY_MS 2000
#define TIME_TO_LIVE 2
// Ports outside that are tried one after the other.
#define PORTS_TRIED 4
// Errors of the UPnP specification.
#define CONFLICT        718
#define ONLY_PERMANENT  725
#define CONFLICT_STATIC 729

// What UPNP_GetValidIGD and UPNP_GetIGDFromUrl say of a router that can be used.
#define IGD_CONNECTED    1
#define IGD_DISCONNECTED 2

static bool copy_text(char *out, size_t capacity, const char *text)
{
    int size = snprintf(out, capacity, "%s", text == NULL ? "" : text);
    return size > 0 && (size_t)size < capacity;
}

bool router_find(struct router *router, const char *url, char reason[ROUTER_REASON_SIZE])
{
    struct UPNPUrls urls = {0};
    struct IGDdatas data = {0};
    char own[sizeof(router->own_address)] = "";
    int found = 0;
    if (url != NULL) {
        found = UPNP_GetIGDFromUrl(url, &urls, &data, own, sizeof(own));
        if (found == IGD_CONNECTED && !UPNPIGD_IsConnected(&urls, &data)) {
            found = IGD_DISCONNECTED;
        }
    } else {
        int error = 0;
        struct UPNPDev *devices =
            upnpDiscover(DISCOVERY_MS, NULL, NULL, UPNP_LOCAL_PORT_ANY, 0, TIME_TO_LIVE, &error);
        if (devices != NULL) {
            found = UPNP_GetValidIGD(devices, &urls, &data, own, sizeof(own));
        }
        freeUPNPDevlist(devices);
    }
    bool is_found = found == IGD_CONNECTED &&
                    copy_text(router->control_url, sizeof(router->control_url), urls.controlURL) &&
                    copy_text(router->service, sizeof(router->service), data.first.servicetype) &&
                    copy_text(router->own_address, sizeof(router->own_address), own);
    if (found == IGD_CONNECTED && !is_found) {
        snprintf(reason, ROUTER_REASON_SIZE, "the router's description cannot be used");
    } else if (!is_found) {
        snprintf(reason, ROUTER_REASON_SIZE,
                 found == 0 ? "no router answered to UPnP"
                            : "a router answered to UPnP, but it is not connected");
    }
    if (found != 0) {
        FreeUPNPUrls(&urls);
    }
    return is_found;
}

static bool ask_outside(const struct router *router, struct net_address *outside,
                        char reason[ROUTER_REASON_SIZE])
{
    char text[64] = ""; // miniupnpc writes at most 16 characters
    struct net_target target;
    char address[80];
    int result = UPNP_GetExternalIPAddress(router->control_url, router->service, text);
    snprintf(address, sizeof(address), "%.63s:0", text);
    if (result == UPNPCOMMAND_SUCCESS && net_target_parse(address, &target) &&
        target.address.ss_family == AF_INET) {
        net_address_from_socket((const struct sockaddr *)&target.address, outside);
        return true;
    }
    snprintf(reason, ROUTER_REASON_SIZE, "the router does not say its outside address");
    return false;
}

static int add_mapping(const struct router *router, const char *protocol, const char *outside,
                       const char *inside, uint32_t lease_s)
{
    char lease[16];
    snprintf(lease, sizeof(lease), "%u", (unsigned)lease_s);
    return UPNP_AddPortMapping(router->control_url, router->service, outside, inside,
                               router->own_address, "shoal", protocol, NULL, lease);
}

// Both or none.
static int add_both(const struct router *router, uint16_t port, uint16_t outside_port,
                    uint32_t lease_s)
{
    char outside[8], inside[8];
    snprintf(outside, sizeof(outside), "%u", (unsigned)outside_port);
    snprintf(inside, sizeof(inside), "%u", (unsigned)port);
    int result = add_mapping(router, "TCP", outside, inside, lease_s);
    if (result != UPNPCOMMAND_SUCCESS) {
        return result;
    }
    result = add_mapping(router, "UDP", outside, inside, lease_s);
    if (result != UPNPCOMMAND_SUCCESS) {
        UPNP_DeletePortMapping(router->control_url, router->service, outside, "TCP", NULL);
    }
    return result;
}

bool router_map(const struct router *router, struct router_mapping *mapping,
                char reason[ROUTER_REASON_SIZE])
{
    if (!ask_outside(router, &mapping->outside, reason)) {
        return false;
    }
    int result = CONFLICT;
    uint16_t tried = mapping->wanted;
    for (int i = 0; i < PORTS_TRIED && (result == CONFLICT || result == CONFLICT_STATIC); i++) {
        tried = (uint16_t)(mapping->wanted + i <= UINT16_MAX ? mapping->wanted + i
                                                             : mapping->wanted - i);
        result = add_both(router, mapping->port, tried, mapping->lease_s);
        if (result == ONLY_PERMANENT && mapping->lease_s != 0) {
            mapping->lease_s = 0;
            result = add_both(router, mapping->port, tried, 0);
        }
    }
    mapping->outside.port = tried;
    if (result == UPNPCOMMAND_SUCCESS) {
        return true;
    }
    const char *text = strupnperror(result);
    snprintf(reason, ROUTER_REASON_SIZE, "the router refuses to lead a port here: %.100s (%d)",
             text == NULL ? "no reason" : text, result);
    return false;
}

void router_unmap(const struct router *router, uint16_t outside_port)
{
    char outside[8];
    snprintf(outside, sizeof(outside), "%u", (unsigned)outside_port);
    UPNP_DeletePortMapping(router->control_url, router->service, outside, "TCP", NULL);
    UPNP_DeletePortMapping(router->control_url, router->service, outside, "UDP", NULL);
}
