// The actions but config/reload.
#include <arpa/inet.h>
#include <string.h>
#include "node/operate_parts.h"
#include "node/state.h"
#include "node/swarm.h"

// ---- Other nodes

static bool read_address(struct operation *operation, struct address *address)
{
    const char *text = operation->values[BAN_ADDRESS].text;
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1)
        *address = address_ipv4(bytes);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *address = address_ipv6(bytes);
    else
        return api_problem_set(&operation->problem, 400, "address",
                               "address: \"%.63s\" is none; right is 192.0.2.1 or 2001:db8::1, "
                               "without port and brackets.",
                               text);
    return true;
}

static struct network *network_of(struct operation *operation)
{
    struct swarm_view view = {.network = NULL};
    if (operation->node->swarm != NULL)
        swarm_view(operation->node->swarm, &view);
    if (view.network == NULL)
        api_problem_set(&operation->problem, 503, NULL,
                        "The node has not begun to talk with others; try again in some seconds.");
    return view.network;
}

bool operate_ban_check(struct operation *operation)
{
    struct address address;
    return read_address(operation, &address) && network_of(operation) != NULL;
}

void operate_ban(struct operation *operation, struct json_writer *answer)
{
    struct address address;
    struct now now = net_loop_now(operation->node->loop);
    int64_t ms = (int64_t)operation->values[BAN_SECONDS].number * 1000;
    read_address(operation, &address);
    size_t ended = network_ban(network_of(operation), &address, ms, now);
    json_write_text(answer, "address", operation->values[BAN_ADDRESS].text);
    json_write_i64(answer, "until", (now.wall.ms + ms) / 1000);
    json_write_u64(answer, "links_ended", ended);
}

bool operate_unban_check(struct operation *operation)
{
    struct address address, banned;
    struct mono_time until;
    size_t cursor = 0;
    struct network *network = network_of(operation);
    if (network == NULL || !read_address(operation, &address))
        return false;
    struct address_group group = address_group(&address, 32, 56);
    while (peers_next_ban(network_peers(network), &cursor, &banned, &until)) {
        if (address_group(&banned, 32, 56).value == group.value)
            return true;
    }
    return api_problem_set(&operation->problem, 404, "address",
                           "address: there is no ban of %.63s.",
                           operation->values[BAN_ADDRESS].text);
}

void operate_unban(struct operation *operation, struct json_writer *answer)
{
    struct address address;
    read_address(operation, &address);
    json_write_text(answer, "address", operation->values[BAN_ADDRESS].text);
    json_write_bool(answer, "was_banned",
                    peers_unban(network_peers(network_of(operation)), &address));
}

// ---- Miners

struct search {
    uint64_t session;
    bool is_found;
};

static void look(void *context, const struct stratum_session_view *session)
{
    struct search *search = context;
    search->is_found = search->is_found || session->session == search->session;
}

bool operate_disconnect_check(struct operation *operation)
{
    struct node *node = operation->node;
    struct search search = {.session = operation->values[0].number};
    stratum_each_session(node->stratum, net_loop_now(node->loop), look, &search);
    return search.is_found ||
           api_problem_set(&operation->problem, 404, "session",
                           "session: no miner is connected by that number; \"shoal miners\" shows "
                           "them.");
}

void operate_disconnect(struct operation *operation, struct json_writer *answer)
{
    struct node *node = operation->node;
    uint64_t session = operation->values[0].number;
    json_write_u64(answer, "session", session);
    json_write_bool(answer, "was_connected",
                    stratum_disconnect(node->stratum, session, net_loop_now(node->loop)));
}

// ---- The node

void operate_log_level(struct operation *operation, struct json_writer *answer)
{
    struct node *node = operation->node;
    const char *text = operation->values[0].text;
    enum log_level level;
    if (log_level_from_text(text, &level)) {
        log_set_level(node->log, level);
        if (node->config_to_change != NULL)
            node->config_to_change->log_level = level;
    }
    json_write_text(answer, "level", text);
}

static const char drained[] =
    "drained by the operator: miners go elsewhere until \"shoal undrain\"";

const char *operate_refuses_work(const struct node *node)
{
    return node->is_drained ? drained : NULL;
}

bool operate_drain_check(struct operation *operation)
{
    return !operation->node->is_drained ||
           api_problem_set(&operation->problem, 409, NULL, "The node is drained already.");
}

void operate_drain(struct operation *operation, struct json_writer *answer)
{
    struct node *node = operation->node;
    struct now now = net_loop_now(node->loop);
    struct stratum_totals totals;
    stratum_totals(node->stratum, now, &totals);
    node->is_drained = true;
    memset(&node->work_prev, 0, sizeof(node->work_prev));
    stratum_send_away(node->stratum, drained, now);
    json_write_bool(answer, "is_drained", true);
    json_write_u64(answer, "miners_sent_away", totals.sessions);
}

bool operate_undrain_check(struct operation *operation)
{
    return operation->node->is_drained ||
           api_problem_set(&operation->problem, 409, NULL, "The node is not drained.");
}

void operate_undrain(struct operation *operation, struct json_writer *answer)
{
    operation->node->is_drained = false;
    operation->node->wants_work = true;
    json_write_bool(answer, "is_drained", false);
}
