// What an encrypted link costs: the handshake of a side, next to the bare X25519 it cannot do
// without, and frames of 16 KiB next to bare ChaCha20-Poly1305.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dht/link.h"
#include "node/base/log.h"
#include "tests/bench/bench.h"

#define ROUNDS     31
#define HANDSHAKES 8
#define FRAMES     64
#define TYPE       16

struct fixture {
    uint64_t counter; // of the random bytes: the same in every run
    struct env env;
    struct membership membership;
    struct identity identities[2]; // initiator, responder
    uint8_t record[RECORD_SIZE_MAX];
    size_t record_size;
    struct now now;
    struct frame_cipher sender;
    struct frame_cipher receiver;
    struct buffer wire;
    uint8_t *payload; // FRAME_PAYLOAD_MAX + FRAME_OVERHEAD bytes
    uint64_t received;
};

static void counted_random(void *context, void *out, size_t size)
{
    uint64_t *counter = context;
    uint8_t seed[randombytes_SEEDBYTES] = {0};
    ++*counter;
    memcpy(seed, counter, sizeof *counter);
    randombytes_buf_deterministic(out, size, seed);
}

static void opened(void *context, const struct node_record *record, struct now now)
{
    (void)context;
    (void)record;
    (void)now;
}

static void received(void *context, uint8_t type, const uint8_t *data, size_t size, struct now now)
{
    struct fixture *fixture = context;
    (void)type;
    (void)data;
    (void)now;
    fixture->received += size;
}

static bool admits(void *context, const struct link_announcement *announcement)
{
    (void)context;
    (void)announcement;
    return true;
}

static void closed(void *context, enum link_close reason, struct now now)
{
    (void)context;
    (void)now;
    fprintf(stderr, "link_bench: closed: %s\n", link_close_text(reason));
    abort();
}

static const struct link_events events = {opened, received, admits, closed};

static void open_fixture(struct fixture *fixture)
{
    struct node_record record;
    struct buffer out;
    memset(fixture, 0, sizeof *fixture);
    fixture->env = (struct env){counted_random, &fixture->counter, log_new_silent()};
    fixture->membership.puzzle_bits = IDENTITY_PUZZLE_BITS_TEST;
    fixture->now.wall.ms = 1700000000000;
    for (unsigned i = 0; i < 2; i++) {
        identity_begin(&fixture->identities[i], &fixture->env);
        while (!identity_search(&fixture->identities[i], IDENTITY_PUZZLE_BITS_TEST, 1000))
            continue;
    }
    record_init(&record, &fixture->identities[0], &fixture->membership, 1, fixture->now.wall);
    record_sign(&record, &fixture->identities[0]);
    buffer_init_fixed(&out, fixture->record, sizeof fixture->record);
    record_encode(&record, &out);
    fixture->record_size = out.size;
    uint8_t key[32] = {1};
    frame_cipher_init(&fixture->sender, key, key);
    frame_cipher_init(&fixture->receiver, key, key);
    buffer_init(&fixture->wire, 2 * FRAMES * FRAME_SIZE_MAX);
    fixture->payload = calloc(1, FRAME_SIZE_MAX);
    if (fixture->payload == NULL || !buffer_reserve(&fixture->wire, fixture->wire.size_max))
        abort();
}

static void close_fixture(struct fixture *fixture)
{
    log_free(fixture->env.log);
    buffer_clear(&fixture->wire);
    free(fixture->payload);
}

static void init_side(struct fixture *fixture, unsigned side, struct noise_handshake *noise)
{
    uint8_t ephemeral[32];
    env_random_bytes(&fixture->env, ephemeral, sizeof ephemeral);
    const struct noise_config config = {
        .role = (enum noise_role)side,
        .prologue = "shoal/1",
        .prologue_size = 7,
        .static_secret = fixture->identities[side].transport_secret,
        .static_key = fixture->identities[side].transport_key.bytes,
        .ephemeral_secret = ephemeral,
        .remote_static = fixture->identities[1].transport_key.bytes,
    };
    noise_init(noise, &config);
}

static bool noise_handshakes(void *context)
{
    struct fixture *fixture = context;
    uint8_t room[512];
    uint8_t plain[512];
    for (unsigned i = 0; i < HANDSHAKES; i++) {
        struct noise_handshake sides[2];
        init_side(fixture, 0, &sides[0]);
        init_side(fixture, 1, &sides[1]);
        for (unsigned k = 0; k < NOISE_MESSAGES; k++) {
            struct buffer out;
            size_t size;
            buffer_init_fixed(&out, room, sizeof room);
            if (!noise_write(&sides[k % 2], fixture->payload, k == 2 ? 256 : 0, &out) ||
                !noise_read(&sides[1 - k % 2], out.data, out.size, plain, &size))
                return false;
        }
        struct noise_keys keys;
        noise_split(&sides[0], &keys);
        noise_split(&sides[1], &keys);
    }
    return true;
}

// What one side of XK needs: a new key and three shared secrets.
static bool bare_x25519(void *context)
{
    struct fixture *fixture = context;
    uint8_t key[32];
    uint8_t secret[32];
    for (unsigned i = 0; i < 2 * HANDSHAKES; i++) {
        env_random_bytes(&fixture->env, secret, sizeof secret);
        crypto_scalarmult_base(key, secret);
        for (unsigned k = 0; k < 3; k++) {
            if (crypto_scalarmult(key, secret, fixture->identities[1].transport_key.bytes) != 0)
                return false;
        }
    }
    return true;
}

static bool seal_frames(void *context)
{
    struct fixture *fixture = context;
    const struct frame_payload payload = {.body = fixture->payload, .body_size = FRAME_PAYLOAD_MAX};
    for (unsigned i = 0; i < FRAMES; i++) {
        buffer_reset(&fixture->wire);
        if (!frame_seal(&fixture->sender, TYPE, &payload, &fixture->wire))
            return false;
    }
    return true;
}

static bool bare_seal(void *context)
{
    struct fixture *fixture = context;
    static const uint8_t nonce[12] = {0};
    for (unsigned i = 0; i < FRAMES; i++)
        crypto_aead_chacha20poly1305_ietf_encrypt(fixture->wire.data, NULL, fixture->payload,
                                                  FRAME_PAYLOAD_MAX, NULL, 0, NULL, nonce,
                                                  fixture->sender.key);
    return true;
}

// Sealing and opening, through two open links and their queue.
struct through {
    struct fixture *fixture;
    struct link *links[2];
    struct shared_bytes *bytes; // one frame's worth
};

static bool pass_frames(void *context)
{
    struct through *through = context;
    struct fixture *fixture = through->fixture;
    buffer_reset(&fixture->wire);
    for (unsigned i = 0; i < FRAMES; i++) {
        if (!link_send_shared(through->links[0], LINK_LANE_BULK, TYPE, through->bytes))
            return false;
    }
    while (link_has_output(through->links[0])) {
        buffer_reset(&fixture->wire);
        link_pull(through->links[0], &fixture->wire, 1, fixture->now);
        link_receive(through->links[1], fixture->wire.data, fixture->wire.size, fixture->now);
    }
    return true;
}

static bool bare_seal_and_open(void *context)
{
    struct through *through = context;
    struct fixture *fixture = through->fixture;
    static const uint8_t nonce[12] = {0};
    for (unsigned i = 0; i < FRAMES; i++) {
        crypto_aead_chacha20poly1305_ietf_encrypt(fixture->wire.data, NULL, fixture->payload,
                                                  FRAME_PAYLOAD_MAX, NULL, 0, NULL, nonce,
                                                  fixture->sender.key);
        if (crypto_aead_chacha20poly1305_ietf_decrypt(
                fixture->payload, NULL, NULL, fixture->wire.data,
                FRAME_PAYLOAD_MAX + FRAME_TAG_SIZE, NULL, 0, nonce, fixture->sender.key) != 0)
            return false;
    }
    return true;
}

static struct link *open_side(struct fixture *fixture, unsigned side)
{
    const struct link_config config = {
        .env = &fixture->env,
        .membership = &fixture->membership,
        .identity = &fixture->identities[side],
        .peer = side == 0 ? &fixture->identities[1].transport_key : NULL,
        .record = fixture->record,
        .record_size = fixture->record_size,
        .events = &events,
        .context = fixture,
    };
    return link_new(&config, fixture->now);
}

// Opens two links; the nanoseconds that each side took are added to ns.
static void handshake(struct fixture *fixture, struct link *links[2], double ns[2])
{
    double began = bench_now_ns();
    links[0] = open_side(fixture, 0);
    ns[0] += bench_now_ns() - began;
    began = bench_now_ns();
    links[1] = open_side(fixture, 1);
    ns[1] += bench_now_ns() - began;
    for (unsigned i = 0; i < NOISE_MESSAGES; i++) {
        unsigned from = i % 2;
        buffer_reset(&fixture->wire);
        began = bench_now_ns();
        link_pull(links[from], &fixture->wire, 1, fixture->now);
        ns[from] += bench_now_ns() - began;
        began = bench_now_ns();
        link_receive(links[1 - from], fixture->wire.data, fixture->wire.size, fixture->now);
        ns[1 - from] += bench_now_ns() - began;
    }
}

static void print_link_handshakes(struct bench *bench, struct fixture *fixture)
{
    static const char *const what[2] = {"link handshake, who calls",
                                        "link handshake, who is called (checks the record)"};
    double values[2][BENCH_ROUNDS_MAX];
    for (size_t i = 0; i < bench->rounds; i++) {
        double ns[2] = {0, 0};
        for (unsigned k = 0; k < HANDSHAKES; k++) {
            struct link *links[2];
            handshake(fixture, links, ns);
            link_free(links[0]);
            link_free(links[1]);
        }
        for (unsigned side = 0; side < 2; side++)
            values[side][i] = ns[side] / HANDSHAKES / 1000;
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct bench_row row = {
            .what = what[side],
            .unit = "us",
            .ours = bench_median(values[side], bench->rounds),
            .most = 180,
        };
        bench_row_print(bench, &row);
    }
}

static void run_frames(struct bench *bench, struct fixture *fixture)
{
    double ns[2] = {0, 0}; // not asked for here
    struct through through = {.fixture = fixture};
    handshake(fixture, through.links, ns);
    through.bytes = shared_bytes_new(fixture->payload, FRAME_PAYLOAD_MAX);
    const struct bench_contest seal = {
        .what = "frame of 16 KiB, sealed (1.2 GB/s: 13650 ns)",
        .ours = {"ours", FRAMES, seal_frames},
        .baseline = {"libsodium", FRAMES, bare_seal},
        .most_ns = FRAME_PAYLOAD_MAX / 1.2,
    };
    const struct bench_contest pass = {
        .what = "frame of 16 KiB, from link to link",
        .ours = {"ours", FRAMES, pass_frames},
        .baseline = {"libsodium", FRAMES, bare_seal_and_open},
        .most_ns = 2 * FRAME_PAYLOAD_MAX / 1.2,
    };
    bench_contest_run(bench, &seal, fixture);
    bench_contest_run(bench, &pass, &through);
    shared_bytes_release(through.bytes);
    link_free(through.links[0]);
    link_free(through.links[1]);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct fixture fixture;
    if (!bench_init(&bench, ROUNDS, argc, argv) || sodium_init() < 0)
        return 2;
    open_fixture(&fixture);
    const struct bench_contest noise = {
        .what = "Noise XK, a side",
        .ours = {"ours", 2 * HANDSHAKES, noise_handshakes},
        .baseline = {"X25519 alone", 2 * HANDSHAKES, bare_x25519},
        .most_ns = 180000,
    };
    bench_contest_run(&bench, &noise, &fixture);
    print_link_handshakes(&bench, &fixture);
    run_frames(&bench, &fixture);
    close_fixture(&fixture);
    return bench_finish(&bench);
}
