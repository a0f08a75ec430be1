// What a network_world looks like to a test.
#include <string.h>
#include "tests/support/network_world.h"

struct hash256 net_mine(struct net_node *node, bool is_link)
{
    return plain_chain_mine(&node->chain, is_link, (uint32_t)seeded_u64(&node->world->seeded));
}

size_t net_count_having(const struct net_world *world, const struct hash256 *id)
{
    size_t count = 0;
    for (size_t i = 0; i < world->nodes_count; i++)
        count += plain_chain_has(&world->nodes[i].chain, id);
    return count;
}

size_t net_links_between(const struct net_node *a, const struct net_node *b)
{
    struct network_peer_view view;
    size_t count = 0;
    for (uint32_t cursor = 0; network_next_peer(a->network, &cursor, &view);)
        count += view.is_open && memcmp(view.peer.link.key.bytes, b->identity.transport_key.bytes,
                                        sizeof view.peer.link.key.bytes) == 0;
    return count;
}
