// Attacks on how shares spread: invalid shares in masses, and one operator with many nodes who
// wants to be all that a victim sees.
#include <sodium.h>
#include <stdlib.h>
#include "node/pow/sha256.h"
#include "tests/sim/mesh.h"

#define FLOODERS_PERMILLE 50
#define FLOOD_SPACING_US  10000 // a hundred a second, each
#define OPERATOR_NODES    200
#define OPERATOR_WIDE     2 // /16s
#define OPERATOR_NEAR     4 // /24s in each
#define SIEGE_MS          600000

static const struct unit ms = {"ms", 0};
static const struct unit number = {"", 0};
static const struct unit times = {"", 2};
static const struct unit percent = {"%", 3};

// ---- flood

static void flood(void *context)
{
    struct mesh_node *node = context;
    struct host *host = node->swarm_node->host;
    uint8_t bytes[TOY_SHARE_SIZE];
    struct gossip_share share = {.bytes = bytes, .size = sizeof bytes, .is_own = true};
    random_bytes(&host->random, bytes, sizeof bytes);
    bytes[0] = 1;
    sha256d_80(bytes + 1, &share.id);
    network_share_became_valid(node->swarm_node->network, &share, world_now(host));
    host_at(host, host->world->now_us + FLOOD_SPACING_US, flood, node);
}

static size_t count_banned(const struct mesh *mesh)
{
    size_t banned = 0;
    for (size_t i = 0; i < mesh->count; i++)
        banned += mesh->nodes[i]->swarm_node->is_hostile ? 0 : mesh->nodes[i]->swarm_node->banned;
    return banned;
}

void scenario_flood(const struct scenario_run *run)
{
    struct copies copies;
    struct report *report = run->report;
    struct mesh *mesh = mesh_new(run);
    size_t flooders = run->nodes * FLOODERS_PERMILLE / 1000;
    mesh_fill(mesh, run->nodes);
    mesh_warm_up_and_measure(mesh, &copies);
    double quiet_ms = mesh_time_ms(mesh, 99);
    // The last ones turn hostile, all at once.
    for (size_t i = mesh->count - flooders; i < mesh->count; i++) {
        mesh->nodes[i]->swarm_node->is_hostile = true;
        host_at(mesh->nodes[i]->swarm_node->host, mesh->swarm.world->now_us, flood, mesh->nodes[i]);
    }
    mesh_measure(mesh, &copies);
    report_at_least(report, "coverage of honest nodes", mesh_coverage(mesh), percent, 99.99);
    report_value(report, "share until valid at a node, before, p99", quiet_ms, ms);
    report_value(report, "the same in the flood, p50", mesh_time_ms(mesh, 50), ms);
    report_value(report, "the same in the flood, p99", mesh_time_ms(mesh, 99), ms);
    report_at_most(report, "times as slow, p99", mesh_time_ms(mesh, 99) / quiet_ms, times, 2);
    report_at_least(report, "links that were ended by a ban", (double)count_banned(mesh), number,
                    (double)flooders);
    size_t honest_banned = 0;
    for (size_t i = 0; i + flooders < mesh->count; i++) {
        const struct address *address = &mesh->nodes[i]->swarm_node->host->endpoint.address;
        for (size_t k = 0; k + flooders < mesh->count; k++) {
            struct network *network = mesh->nodes[k]->swarm_node->network;
            honest_banned += peers_is_banned(network_peers(network), address,
                                             world_now(mesh->nodes[k]->swarm_node->host));
        }
    }
    report_at_most(report, "honest nodes banned by honest ones", (double)honest_banned, number, 0);
    mesh_free(mesh, run);
}

// ---- eclipse

static bool is_operator(const struct mesh *mesh, const struct endpoint *endpoint)
{
    const struct host *host = world_find(mesh->swarm.world, endpoint);
    // Who calls is seen with another port.
    struct endpoint usual = {endpoint->address, WORLD_PORT};
    host = host == NULL ? world_find(mesh->swarm.world, &usual) : host;
    return host != NULL && mesh->nodes[host->index]->swarm_node->is_hostile;
}

struct siege {
    size_t outbound;
    size_t outbound_honest;
    size_t inbound;
    size_t inbound_honest;
    size_t table;
    size_t table_honest;
};

static struct siege look_at(const struct mesh *mesh, const struct mesh_node *victim)
{
    struct siege siege = {0};
    struct network_peer_view view;
    uint32_t cursor = 0;
    const struct network *network = victim->swarm_node->network;
    while (network_next_peer(network, &cursor, &view)) {
        bool is_honest = !is_operator(mesh, &view.peer.link.endpoint);
        bool is_out = view.peer.link.way == PEER_OUTBOUND;
        siege.outbound += view.is_open && is_out;
        siege.outbound_honest += view.is_open && is_out && is_honest;
        siege.inbound += view.is_open && !is_out;
        siege.inbound_honest += view.is_open && !is_out && is_honest;
    }
    size_t place = 0;
    struct contact contact;
    while (dht_next_contact(network_dht(network), &place, &contact)) {
        siege.table++;
        siege.table_honest += !is_operator(mesh, &contact.endpoint);
    }
    return siege;
}

// The operator's nodes know the victim as their only seed, and relay nothing.
static void besiege(struct mesh *mesh, const struct mesh_node *victim)
{
    struct world *world = mesh->swarm.world;
    for (unsigned i = 0; i < OPERATOR_NODES; i++) {
        uint8_t bytes[4] = {150, (uint8_t)(i % OPERATOR_WIDE),
                            (uint8_t)(i / OPERATOR_WIDE % OPERATOR_NEAR),
                            (uint8_t)(1 + i / (OPERATOR_WIDE * OPERATOR_NEAR))};
        struct host_options options = {.address = address_ipv4(bytes)};
        struct mesh_node *node = mesh_add(mesh, &options);
        node->chain.is_hole = true;
        node->swarm_node->is_hostile = true;
        node->swarm_node->seed = victim->swarm_node;
        swarm_node_start(node->swarm_node);
        world_run_ms(world, 100);
    }
}

// The bar of the table is what the limits by neighbourhood leave to an operator of two /16s, four
// places each in a bucket of 16, however many nodes he has.
static void report_siege(const struct siege *siege, const char *when, struct report *report)
{
    char what[REPORT_WHAT_SIZE];
    snprintf(what, sizeof what, "%s: outbound links to honest nodes", when);
    report_at_least(report, what, (double)siege->outbound_honest, number, 6);
    snprintf(what, sizeof what, "%s: honest nodes among inbound links", when);
    report_value(report, what, (double)siege->inbound_honest, number);
    snprintf(what, sizeof what, "%s: the operator's among inbound links", when);
    report_value(report, what, (double)(siege->inbound - siege->inbound_honest), number);
    snprintf(what, sizeof what, "%s: honest nodes in the table", when);
    report_at_least(report, what, 100.0 * (double)siege->table_honest / (double)siege->table,
                    percent, 50);
}

void scenario_eclipse(const struct scenario_run *run)
{
    struct copies copies;
    struct report *report = run->report;
    struct mesh *mesh = mesh_new(run);
    mesh_fill(mesh, run->nodes);
    struct mesh_node *victim = mesh->nodes[run->nodes / 2];
    besiege(mesh, victim);
    world_run_ms(mesh->swarm.world, SIEGE_MS);
    struct siege siege = look_at(mesh, victim);
    report_siege(&siege, "ten minutes", report);
    // The operator waits for the victim to come back, as all of the 2018 attack did.
    swarm_node_stop(victim->swarm_node, HOST_CRASHES);
    world_run_ms(mesh->swarm.world, 60000);
    swarm_node_start(victim->swarm_node);
    world_run_ms(mesh->swarm.world, SIEGE_MS / 2);
    siege = look_at(mesh, victim);
    report_siege(&siege, "after a restart", report);
    mesh_measure(mesh, &copies);
    size_t here = 0;
    for (size_t i = mesh->pool.count - MESH_SHARES; i < mesh->pool.count; i++)
        here += toy_chain_has(&victim->chain, i);
    report_at_least(report, "shares that reach the victim", 100.0 * (double)here / MESH_SHARES,
                    percent, 100);
    report_at_least(report, "coverage of all honest nodes", mesh_coverage(mesh), percent, 99.99);
    mesh_free(mesh, run);
}
