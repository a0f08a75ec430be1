// Those that never become members: they connect, and what they send is no handshake, or comes too
// slowly to be one.
#include <stdlib.h>
#include <unistd.h>
#include "dht/noise.h"
#include "testnet/common/clock.h"
#include "testnet/common/memory.h"
#include "tests/support/bad_peer.h"

#define PIECE   65536
#define TURN_MS 20
#define DRIP_NS INT64_C(1000000000)

// ---- Garbage

static void write_garbage(struct bad_peer *peer, int fd, const uint8_t *garbage)
{
    uint64_t received = peer->tally.bytes_received;
    uint8_t answer[256];
    while (bad_peer_goes_on(peer)) {
        long sent = bad_peer_send(peer, fd, garbage, PIECE);
        if (sent < 0 || bad_peer_receive(peer, fd, answer, sizeof answer) < 0)
            break;
        if (sent == 0)
            bad_peer_wait(fd, true, TURN_MS);
    }
    peer->tally.refused += received == peer->tally.bytes_received;
}

void bad_peer_garbage(struct bad_peer *peer)
{
    uint8_t *garbage = memory_new(PIECE, 1);
    env_random_bytes(peer->env, garbage, PIECE);
    while (bad_peer_goes_on(peer)) {
        int fd = bad_peer_dial(peer);
        if (fd < 0) {
            bad_peer_wait(-1, false, 1);
            continue;
        }
        write_garbage(peer, fd, garbage);
        close(fd);
    }
    free(garbage);
}

// ---- A byte a second

struct drip {
    int fd; // -1: not connected
    int64_t next_ns;
    size_t sent;
    uint8_t message[NOISE_OVERHEAD_1];
};

// A first message that is right: only its pace is not.
static void write_message(const struct bad_peer *peer, struct drip *drip)
{
    struct noise_handshake handshake;
    struct identity identity;
    struct hash256 ephemeral;
    struct buffer prologue, out;
    buffer_init(&prologue, 64);
    write_text(&prologue, "shoal/1");
    write_bytes(&prologue, peer->membership.pool_id.bytes, sizeof peer->membership.pool_id.bytes);
    identity_begin(&identity, peer->env);
    env_random_bytes(peer->env, ephemeral.bytes, sizeof ephemeral.bytes);
    const struct noise_config config = {
        .role = NOISE_INITIATOR,
        .prologue = prologue.data,
        .prologue_size = prologue.size,
        .psk = peer->membership.is_private ? peer->membership.secret : NULL,
        .static_secret = identity.transport_secret,
        .static_key = identity.transport_key.bytes,
        .ephemeral_secret = ephemeral.bytes,
        .remote_static = peer->key.bytes,
    };
    noise_init(&handshake, &config);
    buffer_init_fixed(&out, drip->message, sizeof drip->message);
    noise_write(&handshake, NULL, 0, &out);
    noise_clear(&handshake);
    identity_clear(&identity);
    buffer_clear(&prologue);
}

static void open_drip(struct bad_peer *peer, struct drip *drip, int64_t now_ns)
{
    drip->next_ns = now_ns + DRIP_NS;
    drip->sent = 0;
    drip->fd = bad_peer_dial(peer);
    if (drip->fd >= 0)
        write_message(peer, drip);
}

static void drip_once(struct bad_peer *peer, struct drip *drip, int64_t now_ns)
{
    uint8_t answer[256];
    drip->next_ns = now_ns + DRIP_NS;
    uint8_t byte = drip->message[drip->sent % sizeof drip->message];
    long sent = bad_peer_send(peer, drip->fd, &byte, 1);
    drip->sent += sent > 0;
    if (sent >= 0 && bad_peer_receive(peer, drip->fd, answer, sizeof answer) >= 0)
        return;
    close(drip->fd);
    drip->fd = -1;
    peer->tally.refused++;
}

void bad_peer_drip(struct bad_peer *peer)
{
    struct drip *drips = memory_new(peer->connections_max, sizeof *drips);
    int64_t now_ns = clock_mono_ns();
    // Not all in the same moment.
    for (size_t i = 0; i < peer->connections_max; i++)
        drips[i] = (struct drip){
            .fd = -1, .next_ns = now_ns + DRIP_NS * (int64_t)i / (int64_t)peer->connections_max};
    while (bad_peer_goes_on(peer)) {
        now_ns = clock_mono_ns();
        for (size_t i = 0; i < peer->connections_max; i++) {
            if (drips[i].next_ns > now_ns)
                continue;
            if (drips[i].fd < 0)
                open_drip(peer, &drips[i], now_ns);
            else
                drip_once(peer, &drips[i], now_ns);
        }
        bad_peer_wait(-1, false, 2);
    }
    for (size_t i = 0; i < peer->connections_max; i++) {
        if (drips[i].fd >= 0)
            close(drips[i].fd);
    }
    free(drips);
}
