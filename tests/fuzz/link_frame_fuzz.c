// What a connection may bring. The first byte chooses: bytes to a listener that waits for a
// handshake (0), to a caller that waits for message 2 (1), bytes to a link after its handshake (2),
// or, as the frames of somebody who is a member, types and payloads that are sealed rightly (3).
// The second chooses how the bytes are cut. No input may open a link without a handshake, or make
// it hold more than it should.
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/link.h"
#include "node/base/log.h"

#define MEMORY_MAX    (24u << 10)
#define MESSAGE_TAKEN (1u << 20) // `admits` says no above

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
    struct link *link;
    unsigned opened;
    unsigned closed;
    uint64_t announced; // bytes of large messages that were admitted
};

static void opened(void *context, const struct node_record *record, struct now now)
{
    struct owner *owner = context;
    (void)record;
    (void)now;
    owner->opened++;
}

static void received(void *context, uint8_t type, const uint8_t *data, size_t size, struct now now)
{
    struct owner *owner = context;
    uint8_t sum = type;
    (void)now;
    assert(type >= LINK_TYPE_MIN && size <= MESSAGE_TAKEN && owner->closed == 0);
    // Every byte must be there to be read.
    for (size_t i = 0; i < size; i++)
        sum ^= data[i];
    // Sends and closes from within, as owners do.
    if (sum % 16 == 0)
        link_send(owner->link, (enum link_lane)(sum / 16 % LINK_LANES_COUNT), type, data, size);
    if (sum == 255)
        link_close(owner->link);
}

static bool admits(void *context, const struct link_announcement *announcement)
{
    struct owner *owner = context;
    if (announcement->size > MESSAGE_TAKEN)
        return false;
    owner->announced += announcement->size;
    return true;
}

static void closed(void *context, enum link_close reason, struct now now)
{
    struct owner *owner = context;
    (void)now;
    assert(reason != LINK_OPEN && owner->closed == 0);
    owner->closed++;
}

static const struct link_events events = {opened, received, admits, closed};

static void constant_random(void *context, void *out, size_t size)
{
    memset(out, *(const uint8_t *)context, size);
}

// Two nodes, made anew for every input: nothing may be left of the last.
struct world {
    uint8_t random[2];
    struct env envs[2];
    struct membership membership;
    struct identity identities[2];
    struct owner owners[2]; // caller, listener
    struct now now;
};

static void open_world(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->membership.puzzle_bits = 0;
    world->now.wall.ms = 1700000000000;
    struct log *log = log_new_silent();
    for (unsigned i = 0; i < 2; i++) {
        world->random[i] = (uint8_t)(i + 1);
        world->envs[i] = (struct env){constant_random, &world->random[i], log};
        identity_begin(&world->identities[i], &world->envs[i]);
        identity_search(&world->identities[i], 0, 1);
    }
    struct node_record record;
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer out;
    record_init(&record, &world->identities[0], &world->membership, 1, world->now.wall);
    record_sign(&record, &world->identities[0]);
    buffer_init_fixed(&out, bytes, sizeof bytes);
    record_encode(&record, &out);
    for (unsigned i = 0; i < 2; i++) {
        const struct link_config config = {
            .env = &world->envs[i],
            .membership = &world->membership,
            .identity = &world->identities[i],
            .peer = i == 0 ? &world->identities[1].transport_key : NULL,
            .record = bytes,
            .record_size = out.size,
            .events = &events,
            .context = &world->owners[i],
        };
        world->owners[i].link = link_new(&config, world->now);
        assert(world->owners[i].link != NULL);
    }
}

static void close_world(struct world *world)
{
    for (unsigned i = 0; i < 2; i++)
        link_free(world->owners[i].link);
    log_free(world->envs[0].log);
}

static void carry(struct world *world, unsigned from)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    link_pull(world->owners[from].link, &out, SIZE_MAX, world->now);
    link_receive(world->owners[1 - from].link, out.data, out.size, world->now);
    buffer_clear(&out);
}

static void check_memory(const struct owner *owner)
{
    struct link_stats stats;
    link_stats(owner->link, &stats);
    // A buffer that grows by doubling may be twice as large as what was announced for it.
    assert(stats.memory <= MEMORY_MAX + LINK_QUEUE_BYTES + 2 * owner->announced);
}

static void feed(struct world *world, struct owner *owner, const uint8_t *data, size_t size,
                 size_t piece)
{
    for (size_t at = 0; at < size; at += piece) {
        size_t left = size - at;
        link_receive(owner->link, data + at, left < piece ? left : piece, world->now);
        check_memory(owner);
    }
}

// The keys of the caller, as the two links have them: made again by hand.
static void derive_sender(const struct world *world, struct frame_cipher *sender)
{
    struct noise_handshake sides[2];
    uint8_t prologue[39] = "shoal/1";
    uint8_t room[NOISE_OVERHEAD_3 + 256];
    uint8_t payload[256] = {0};
    struct noise_keys keys;
    uint8_t lengths[2][32];
    struct node_record record;
    struct buffer out;
    memcpy(prologue + 7, world->membership.pool_id.bytes, 32);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t ephemeral[32];
        memset(ephemeral, world->random[i], sizeof ephemeral);
        const struct noise_config config = {
            .role = (enum noise_role)i,
            .prologue = prologue,
            .prologue_size = sizeof prologue,
            .static_secret = world->identities[i].transport_secret,
            .static_key = world->identities[i].transport_key.bytes,
            .ephemeral_secret = ephemeral,
            .remote_static = world->identities[1].transport_key.bytes,
        };
        noise_init(&sides[i], &config);
    }
    record_init(&record, &world->identities[0], &world->membership, 1, world->now.wall);
    record_sign(&record, &world->identities[0]);
    buffer_init_fixed(&out, payload + 1, 255);
    record_encode(&record, &out);
    payload[0] = (uint8_t)out.size;
    for (unsigned i = 0; i < NOISE_MESSAGES; i++) {
        size_t taken;
        uint8_t plain[256];
        buffer_init_fixed(&out, room, sizeof room);
        noise_write(&sides[i % 2], payload, i == 2 ? sizeof payload : 0, &out);
        bool is_read = noise_read(&sides[1 - i % 2], out.data, out.size, plain, &taken);
        assert(is_read);
    }
    noise_split(&sides[0], &keys);
    noise_derive(&sides[0], "shoal length", lengths[0], lengths[1]);
    frame_cipher_init(sender, keys.send, lengths[0]);
}

// Frames of a member who breaks rules: type, u16 size, as many of the bytes that follow, and zeros
// if they are too few.
static void feed_frames(struct world *world, const uint8_t *data, size_t size, size_t piece)
{
    struct frame_cipher sender;
    struct owner *owner = &world->owners[1];
    struct reader reader = reader_init(data, size);
    struct buffer out;
    uint8_t *payload = malloc(FRAME_PAYLOAD_MAX);
    assert(payload != NULL);
    derive_sender(world, &sender);
    buffer_init(&out, FRAME_SIZE_MAX);
    for (unsigned i = 0; i < 600 && reader.left > 0; i++) {
        uint8_t type = read_u8(&reader);
        size_t wanted = read_u16(&reader) % (FRAME_PAYLOAD_MAX + 1);
        size_t given = wanted < reader.left ? wanted : reader.left;
        memset(payload, 0, FRAME_PAYLOAD_MAX);
        // Long frames of few bytes: a short input must be able to fill chunks.
        given = given > 16 ? 16 : given;
        read_bytes(&reader, payload, given);
        const struct frame_payload parts = {.body = payload, .body_size = wanted};
        buffer_reset(&out);
        bool is_sealed = frame_seal(&sender, type, &parts, &out);
        assert(is_sealed);
        feed(world, owner, out.data, out.size, piece * 64);
        // Rightly sealed: whatever is wrong with it is not the tag.
        enum link_close reason = link_close_reason(owner->link);
        assert(reason != LINK_CLOSE_TAMPERED && reason != LINK_CLOSE_OVERSIZE);
        carry(world, 1);
    }
    buffer_clear(&out);
    free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world;
    if (size < 2 || sodium_init() < 0)
        return 0;
    unsigned mode = data[0] % 4;
    size_t piece = 1 + (size_t)data[1] * 3;
    open_world(&world);
    if (mode >= 2) {
        carry(&world, 0);
        carry(&world, 1);
        struct buffer out;
        buffer_init(&out, LINK_HANDSHAKE_3);
        link_pull(world.owners[0].link, &out, 1, world.now); // without the ping
        link_receive(world.owners[1].link, out.data, out.size, world.now);
        buffer_clear(&out);
        assert(world.owners[1].opened == 1);
    }
    struct owner *owner = &world.owners[mode == 1 ? 0 : 1];
    if (mode == 3)
        feed_frames(&world, data + 2, size - 2, piece);
    else
        feed(&world, owner, data + 2, size - 2, piece);
    assert(owner->opened == (mode >= 2));
    world.now.mono.ms += LINK_PING_MS;
    link_tick(owner->link, world.now);
    close_world(&world);
    return 0;
}
