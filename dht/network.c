// Life of the network, what is kept over a restart, and time.
#include "dht/network.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/network_state.h"
#include "node/base/log.h"

#define SAVED_VERSION  1
#define SAVED_CHECKSUM 16
#define SAVED_SIZE_MAX (DHT_SAVED_SIZE_MAX + PEERS_SAVED_SIZE_MAX + 64)
#define SETTLE_ROUNDS  (4 * STREAMS_MAX + 4 * OUTBOX_MAX) // more is a loop of our own making

static bool make_parts(struct network *network, struct now now)
{
    const struct network_config *config = &network->config;
    const struct peers_config peers = {.own = config->identity->id,
                                       .membership = config->membership,
                                       .is_crowded = config->is_crowded,
                                       .inbound_max = config->inbound_max,
                                       .outbound_max = config->outbound_max};
    network->peers = peers_new(&network->env, &peers);
    network->half_open = half_open_new(&network->env);
    return network->peers != NULL && network->half_open != NULL && network_make_gossip(network) &&
           network_make_sync(network) && network_make_dht(network, now);
}

// saved = u8 version, u32 size || the DHT's, u32 size || the peers', checksum over all before it
static bool load(struct network *network, struct now now)
{
    const struct network_config *config = &network->config;
    uint8_t sum[SAVED_CHECKSUM];
    if (config->saved_size < SAVED_CHECKSUM)
        return false;
    size_t size = config->saved_size - SAVED_CHECKSUM;
    crypto_generichash(sum, sizeof sum, config->saved, size, NULL, 0);
    struct reader reader = reader_init(config->saved, size);
    uint8_t version = read_u8(&reader);
    size_t dht_size = read_u32(&reader);
    const uint8_t *dht = read_view(&reader, dht_size);
    size_t peers_size = read_u32(&reader);
    const uint8_t *peers = read_view(&reader, peers_size);
    if (memcmp(sum, config->saved + size, sizeof sum) != 0 || version != SAVED_VERSION ||
        !reader_is_done(&reader))
        return false;
    bool is_whole = dht_load(network->dht, dht, dht_size);
    return peers_load(network->peers, peers, peers_size, now) && is_whole;
}

static void save(struct network *network, struct now now)
{
    struct buffer out;
    struct buffer part;
    uint8_t sum[SAVED_CHECKSUM];
    buffer_init(&out, SAVED_SIZE_MAX);
    buffer_init(&part, SAVED_SIZE_MAX);
    write_u8(&out, SAVED_VERSION);
    dht_save(network->dht, &part);
    write_u32(&out, (uint32_t)part.size);
    write_bytes(&out, part.data, part.size);
    out.failed = out.failed || part.failed;
    buffer_reset(&part);
    peers_save(network->peers, &part);
    write_u32(&out, (uint32_t)part.size);
    write_bytes(&out, part.data, part.size);
    crypto_generichash(sum, sizeof sum, out.data, out.size, NULL, 0);
    write_bytes(&out, sum, sizeof sum);
    if (out.failed || part.failed)
        log_plain(network->env.log, LOG_WARN, "network", "what we know of others cannot be saved");
    else
        network->events.save(network->events.context, out.data, out.size);
    buffer_clear(&part);
    buffer_clear(&out);
    network->save_at.ms = now.mono.ms + NETWORK_SAVE_MS;
}

static void begin(struct network *network, struct now now)
{
    assert(!network->is_busy); // a handler called the network
    network->is_busy = true;
    network->now = now;
}

static bool has_news(struct network *network, struct now now)
{
    if (network->ending_count > 0) {
        network_end_marked(network, now);
        return true;
    }
    if (network_outbox_tell(network, now))
        return true;
    if (network->has_moved) {
        network->has_moved = false;
        network->config.chain->tip(network->config.chain->context, &network->tip);
        network_touch_all(network); // who is to be told of it, and when
        sync_poke(network->sync, now);
        return true;
    }
    bool is_quiet = sync_is_far_behind(network->sync);
    if (is_quiet == network->is_quiet)
        return false;
    network->is_quiet = is_quiet;
    gossip_set_quiet(network->gossip, is_quiet);
    return true;
}

static struct mono_time deadline_of(struct network *network)
{
    struct mono_time deadline = mono_min(network->wake_at, network->save_at);
    deadline = mono_min(deadline, network->alone_at);
    deadline = mono_min(deadline, dht_next_deadline(network->dht));
    deadline = mono_min(deadline, peers_next_deadline(network->peers));
    deadline = mono_min(deadline, gossip_next_deadline(network->gossip));
    deadline = mono_min(deadline, sync_next_deadline(network->sync));
    deadline = mono_min(deadline, network_dht_deadline(network));
    deadline = mono_min(deadline, network_address_deadline(network));
    return mono_min(deadline, network_streams_deadline(network));
}

static void watch_loneliness(struct network *network, struct now now)
{
    if (network_has_peer(network)) {
        network->alone_at = MONO_NEVER;
    } else if (network->alone_at.ms == MONO_NEVER.ms) {
        network->alone_at.ms = now.mono.ms + NETWORK_ALONE_MS;
        network_discover_soon(network, now);
    }
}

// The second step of a call, see network_state.h.
static void settle(struct network *network, struct now now)
{
    unsigned rounds = 0;
    while (has_news(network, now))
        assert(++rounds < SETTLE_ROUNDS);
    if (network->wants_dial && !network->is_stopped)
        network_dial(network, now);
    network_write_all(network, now);
    network_answer_all(network, now);
    watch_loneliness(network, now);
    network->deadline = network->is_stopped ? MONO_NEVER : deadline_of(network);
    network->is_busy = false;
}

struct network *network_new(const struct env *env, const struct network_config *config,
                            struct now now)
{
    struct network *network = calloc(1, sizeof *network);
    if (network == NULL)
        return NULL;
    network->env = *env;
    network->config = *config;
    network->events = config->events;
    network->now = now;
    network->wake_at = MONO_NEVER;
    network->publish_at = MONO_NEVER;
    network->save_at.ms = now.mono.ms + NETWORK_SAVE_MS;
    network->alone_at.ms = now.mono.ms + NETWORK_ALONE_MS;
    if (!make_parts(network, now)) {
        network_free(network);
        return NULL;
    }
    for (size_t i = 0; i < config->seeds_count; i++)
        dht_add_seed(network->dht, &config->seeds[i].endpoint, &config->seeds[i].key);
    if (config->saved != NULL && !load(network, now))
        log_plain(env->log, LOG_WARN, "network",
                  "what was saved of others is damaged and left out; seeds are asked instead");
    // What they point to need not stay.
    network->config.seeds = NULL;
    network->config.saved = NULL;
    dht_start(network->dht, now);
    network->wants_dial = true;
    network->has_moved = true;
    network->deadline = now.mono;
    return network;
}

void network_stop(struct network *network, struct now now)
{
    if (network->is_stopped)
        return;
    begin(network, now);
    save(network, now);
    network->is_stopped = true;
    network->wants_dial = false;
    for (size_t i = 0; i < network->streams_count; i++)
        network_end_bye(network->streams[i], PEER_BYE_STOPPING, "we are being stopped");
    settle(network, now);
}

void network_free(struct network *network)
{
    if (network == NULL)
        return;
    network_streams_free(network);
    network_outbox_free(network);
    gossip_free(network->gossip);
    sync_free(network->sync);
    dht_free(network->dht);
    peers_free(network->peers);
    half_open_free(network->half_open);
    free(network);
}

bool network_has_peer(const struct network *network)
{
    return network->open_count > 0;
}

void network_tick(struct network *network, struct now now)
{
    if (network->is_stopped)
        return;
    begin(network, now);
    network->wake_at = MONO_NEVER;
    if (mono_is_due(dht_next_deadline(network->dht), now))
        dht_tick(network->dht, now);
    network_dht_tick(network, now);
    network_address_tick(network, now);
    if (mono_is_due(gossip_next_deadline(network->gossip), now))
        gossip_tick(network->gossip, now);
    if (mono_is_due(sync_next_deadline(network->sync), now))
        sync_tick(network->sync, now);
    network_streams_tick(network, now);
    if (mono_is_due(peers_next_deadline(network->peers), now))
        network_peers_tick(network, now);
    if (mono_is_due(network->alone_at, now)) {
        network->alone_at.ms = now.mono.ms + NETWORK_ALONE_MS;
        network->events.alone(network->events.context, now);
    }
    if (mono_is_due(network->save_at, now))
        save(network, now);
    settle(network, now);
}

struct mono_time network_next_deadline(const struct network *network)
{
    return network->deadline;
}

uint32_t network_accepted(struct network *network, const struct endpoint *from, struct now now)
{
    if (network->is_stopped)
        return 0;
    begin(network, now);
    struct stream *stream = network_accept(network, from, now);
    uint32_t number = stream == NULL ? 0 : stream->number;
    network->accepted += number != 0;
    network->refused += number == 0;
    settle(network, now);
    return number;
}

void network_connected(struct network *network, uint32_t stream, struct now now)
{
    struct stream *at = network_stream(network, stream);
    if (at == NULL || at->phase != STREAM_CONNECTING)
        return;
    begin(network, now);
    network_stream_connected(at, now);
    settle(network, now);
}

void network_received(struct network *network, uint32_t stream, const void *data, size_t size,
                      struct now now)
{
    struct stream *at = network_stream(network, stream);
    if (at == NULL || at->link == NULL)
        return;
    begin(network, now);
    network_stream_received(at, data, size, now);
    settle(network, now);
}

void network_drained(struct network *network, uint32_t stream, struct now now)
{
    struct stream *at = network_stream(network, stream);
    if (at == NULL)
        return;
    begin(network, now);
    network_touch(at);
    at->queued = 0;
    settle(network, now);
}

void network_closed(struct network *network, uint32_t stream, struct now now)
{
    struct stream *at = network_stream(network, stream);
    if (at == NULL)
        return;
    begin(network, now);
    network->dial_failures += at->phase == STREAM_CONNECTING;
    network_end(at, at->phase == STREAM_CONNECTING ? "it could not be reached"
                                                   : "the connection ended");
    at->end.is_gone = true;
    settle(network, now);
}

size_t network_ban(struct network *network, const struct address *address, int64_t ms,
                   struct now now)
{
    size_t count = 0;
    if (network->is_stopped)
        return 0;
    begin(network, now);
    peers_ban(network->peers, address, ms, now);
    for (size_t i = 0; i < network->streams_count; i++) {
        struct stream *stream = network->streams[i];
        if (stream->end.reason != NULL ||
            !peers_is_banned(network->peers, &stream->endpoint.address, now))
            continue;
        network_end_bye(stream, PEER_BYE_BANNED, "banned by the operator");
        stream->end.is_banned = true;
        count++;
    }
    settle(network, now);
    return count;
}

void network_datagram(struct network *network, const struct endpoint *from, const void *data,
                      size_t size, struct now now)
{
    if (network->is_stopped)
        return;
    begin(network, now);
    dht_receive(network->dht, from, data, size, now);
    settle(network, now);
}

// Now, or when the network is done with what it does.
static void tell(struct network *network, const struct telling *telling, struct now now)
{
    if (network->is_busy) {
        network_outbox_add(network, telling);
        return;
    }
    begin(network, now);
    network_outbox_add(network, telling);
    settle(network, now);
}

void network_share_became_valid(struct network *network, const struct gossip_share *share,
                                struct now now)
{
    // Who is far behind, or has only just come, tells nobody what it fetches; who is alone has
    // nobody to tell, and is asked when it is not (sync_loose.c).
    bool is_fetched = network->is_quiet || sync_is_catching_up(network->sync);
    if (network->is_stopped || (is_fetched && !share->is_own) || !network_has_peer(network))
        return;
    tell(network, &(struct telling){.share = *share}, now);
}

void network_block_found(struct network *network, const struct gossip_share *share,
                         const uint8_t *block, size_t size, struct now now)
{
    const struct telling telling = {.share = *share, .block = block, .block_size = size};
    if (!network->is_stopped)
        tell(network, &telling, now);
}

void network_chain_moved(struct network *network, struct now now)
{
    network->has_moved = true;
    if (network->is_busy || network->is_stopped)
        return;
    begin(network, now);
    settle(network, now);
}

void network_set_topic_block(struct network *network, const struct hash256 *block)
{
    assert(!network->is_busy);
    network_take_topic(network, block);
    network->deadline = deadline_of(network);
}

void network_set_work(struct network *network, const struct hash256 *share_id,
                      const uint8_t salt[RECORD_SALT_SIZE], struct now now)
{
    begin(network, now);
    dht_set_work(network->dht, share_id, salt, now);
    settle(network, now);
}

void network_set_endpoint(struct network *network, const struct endpoint *endpoint, struct now now)
{
    begin(network, now);
    network_fix_endpoint(network, endpoint, now);
    settle(network, now);
}
