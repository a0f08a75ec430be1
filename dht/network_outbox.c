// Shares and blocks that wait until the network is done with what it does, copied.
#include <stdlib.h>
#include <string.h>
#include "dht/network_state.h"
#include "node/base/log.h"

static void remove_first(struct outbox *outbox)
{
    struct telling *first = outbox->first;
    outbox->first = first->next;
    if (outbox->first == NULL)
        outbox->last = NULL;
    outbox->count--;
    outbox->bytes -= first->size;
    free(first);
}

static const uint8_t *copy(struct telling *telling, const uint8_t *bytes, size_t size)
{
    uint8_t *start = telling->data + telling->size;
    if (bytes == NULL)
        return NULL;
    memcpy(start, bytes, size);
    telling->size += size;
    return start;
}

void network_outbox_add(struct network *network, const struct telling *given)
{
    struct outbox *outbox = &network->outbox;
    const struct gossip_share *share = &given->share;
    size_t size = share->size + share->body_size + given->block_size;
    struct telling *telling = malloc(sizeof *telling + size);
    if (telling == NULL) {
        log_plain(network->env.log, LOG_WARN, "network", "a share is not told for want of memory");
        return;
    }
    *telling = (struct telling){.share = *share, .block_size = given->block_size};
    telling->share.bytes = copy(telling, share->bytes, share->size);
    telling->share.body = copy(telling, share->body, share->body_size);
    telling->block = copy(telling, given->block, given->block_size);
    // Peers ask for what they miss: the oldest may go.
    while (outbox->count > 0 &&
           (outbox->count >= OUTBOX_MAX || outbox->bytes + size > OUTBOX_BYTES))
        remove_first(outbox);
    if (outbox->last == NULL)
        outbox->first = telling;
    else
        outbox->last->next = telling;
    outbox->last = telling;
    outbox->count++;
    outbox->bytes += telling->size;
}

bool network_outbox_tell(struct network *network, struct now now)
{
    struct outbox *outbox = &network->outbox;
    const struct telling *first = outbox->first;
    if (first == NULL)
        return false;
    if (first->block == NULL)
        gossip_tell(network->gossip, &first->share, now);
    else
        gossip_tell_block(network->gossip, &first->share, first->block, first->block_size, now);
    remove_first(outbox);
    return true;
}

void network_outbox_free(struct network *network)
{
    while (network->outbox.first != NULL)
        remove_first(&network->outbox);
}
