// Two links and a pipe between them, what their owners were told, and a raw end that speaks the
// protocol without a link and so can break its rules.
#ifndef SHOAL_TESTS_UNIT_DHT_LINK_FIXTURE_H
#define SHOAL_TESTS_UNIT_DHT_LINK_FIXTURE_H

#include "dht/link.h"
#include "tests/unit/dht/node_fixture.h"

#define END_MESSAGES_MAX 5000

// What an owner was told.
struct end {
    struct link *link;
    struct seeded seeded; // of env
    struct seeded cutter; // where bytes are cut
    struct env env;
    struct membership membership;
    struct identity identity;
    unsigned opened;
    bool has_record;
    struct node_record record;
    unsigned closed;
    enum link_close reason;
    size_t messages_count;
    uint8_t types[END_MESSAGES_MAX];
    size_t sizes[END_MESSAGES_MAX];
    struct buffer last;   // content of the last message
    uint64_t bytes_count; // of all messages
    bool refuses_large;   // answer of `admits`
    unsigned large_asked;
    struct link_announcement large; // the last one; start is not kept
    uint8_t large_first_byte;
    bool closes_on_message;
};

static inline struct now end_now(int64_t ms)
{
    struct now now = {.mono = {1000000 + ms}, .wall = node_wall(0)};
    now.wall.ms += ms;
    return now;
}

static inline void end_opened(void *context, const struct node_record *record, struct now now)
{
    struct end *end = context;
    (void)now;
    end->opened++;
    end->has_record = record != NULL;
    if (record != NULL)
        end->record = *record;
}

static inline void end_received(void *context, uint8_t type, const uint8_t *data, size_t size,
                                struct now now)
{
    struct end *end = context;
    (void)now;
    if (end->messages_count == END_MESSAGES_MAX)
        abort();
    end->types[end->messages_count] = type;
    end->sizes[end->messages_count++] = size;
    end->bytes_count += size;
    if (end->closes_on_message)
        link_close(end->link);
    buffer_reset(&end->last);
    write_bytes(&end->last, data, size);
}

static inline bool end_admits(void *context, const struct link_announcement *announcement)
{
    struct end *end = context;
    end->large_asked++;
    end->large = *announcement;
    end->large_first_byte = announcement->start[0];
    return !end->refuses_large;
}

static inline void end_closed(void *context, enum link_close reason, struct now now)
{
    struct end *end = context;
    (void)now;
    end->closed++;
    end->reason = reason;
}

static const struct link_events end_events = {end_opened, end_received, end_admits, end_closed};

// Identity and randomness from the seed; no link yet. Heap: it is large.
static inline struct end *end_new(uint64_t seed)
{
    struct end *end = calloc(1, sizeof *end);
    if (end == NULL)
        abort();
    end->seeded.state = seed + 10;
    end->env = seeded_env(&end->seeded);
    end->membership = node_membership();
    node_identity(&end->identity, seed);
    buffer_init(&end->last, LINK_MESSAGE_MAX);
    return end;
}

static inline void end_free(struct end *end)
{
    link_free(end->link);
    seeded_env_clear(&end->env);
    buffer_clear(&end->last);
    free(end);
}

static inline void end_listen(struct end *end)
{
    const struct link_config config = {
        .env = &end->env,
        .membership = &end->membership,
        .identity = &end->identity,
        .events = &end_events,
        .context = end,
    };
    end->link = link_new(&config, end_now(0));
}

static inline void end_call_with(struct end *end, const struct transport_key *peer,
                                 const uint8_t *record, size_t record_size)
{
    const struct link_config config = {
        .env = &end->env,
        .membership = &end->membership,
        .identity = &end->identity,
        .peer = peer,
        .record = record,
        .record_size = record_size,
        .events = &end_events,
        .context = end,
    };
    end->link = link_new(&config, end_now(0));
}

static inline void end_call(struct end *end, const struct transport_key *peer)
{
    uint8_t record[RECORD_SIZE_MAX];
    size_t size = node_record_bytes(&end->identity, &end->membership, 1, record);
    end_call_with(end, peer, record, size);
}

// What one end has to say, all of it.
static inline struct buffer end_pull(struct end *end, struct now now)
{
    struct buffer out;
    buffer_init(&out, 64u << 20);
    link_pull(end->link, &out, SIZE_MAX, now);
    return out;
}

// All bytes from one to the other, in pieces of 1..piece_max bytes; false if there were none.
static inline bool end_carry(struct end *from, struct end *to, size_t piece_max, struct now now)
{
    struct buffer out = end_pull(from, now);
    bool is_some = out.size > 0;
    for (size_t at = 0; at < out.size;) {
        size_t piece = 1 + (size_t)seeded_below(&to->cutter, piece_max);
        if (piece > out.size - at)
            piece = out.size - at;
        link_receive(to->link, out.data + at, piece, now);
        at += piece;
    }
    buffer_clear(&out);
    return is_some;
}

// Back and forth until nobody has anything to say.
static inline void end_settle(struct end *a, struct end *b, size_t piece_max, struct now now)
{
    bool goes_on = true;
    while (goes_on) {
        bool is_said = end_carry(a, b, piece_max, now);
        goes_on = end_carry(b, a, piece_max, now) || is_said;
    }
}

// A caller with seed 1 and a listener with seed 2, linked.
static inline void end_pair(struct end **caller, struct end **listener)
{
    *caller = end_new(1);
    *listener = end_new(2);
    end_listen(*listener);
    end_call(*caller, &(*listener)->identity.transport_key);
    end_settle(*caller, *listener, SIZE_MAX, end_now(0));
}

// The caller's side of a link by hand. `payload` is that of message 3.
struct raw_end {
    struct noise_handshake noise;
    struct frame_cipher sender;
    struct frame_cipher receiver;
};

static inline void raw_call(struct raw_end *raw, struct end *listener,
                            const struct identity *identity, const uint8_t payload[256])
{
    uint8_t prologue[39] = "shoal/1";
    uint8_t room[LINK_HANDSHAKE_3];
    uint8_t ephemeral[32];
    struct buffer out;
    size_t size;
    memcpy(prologue + 7, listener->membership.pool_id.bytes, 32);
    memset(ephemeral, 0x42, sizeof ephemeral);
    const struct noise_config config = {
        .role = NOISE_INITIATOR,
        .prologue = prologue,
        .prologue_size = sizeof prologue,
        .static_secret = identity->transport_secret,
        .static_key = identity->transport_key.bytes,
        .ephemeral_secret = ephemeral,
        .remote_static = listener->identity.transport_key.bytes,
    };
    noise_init(&raw->noise, &config);
    buffer_init_fixed(&out, room, sizeof room);
    noise_write(&raw->noise, NULL, 0, &out);
    link_receive(listener->link, out.data, out.size, end_now(0));
    struct buffer answer = end_pull(listener, end_now(0));
    if (answer.size != LINK_HANDSHAKE_2 ||
        !noise_read(&raw->noise, answer.data, answer.size, room, &size))
        abort();
    buffer_clear(&answer);
    buffer_reset(&out);
    noise_write(&raw->noise, payload, 256, &out);
    link_receive(listener->link, out.data, out.size, end_now(0));
    struct noise_keys keys;
    uint8_t lengths[2][32];
    noise_split(&raw->noise, &keys);
    noise_derive(&raw->noise, "shoal length", lengths[0], lengths[1]);
    frame_cipher_init(&raw->sender, keys.send, lengths[0]);
    frame_cipher_init(&raw->receiver, keys.receive, lengths[1]);
}

// With the record that belongs to this identity.
static inline void raw_call_well(struct raw_end *raw, struct end *listener,
                                 const struct identity *identity)
{
    uint8_t payload[1 + RECORD_SIZE_MAX] = {0};
    payload[0] = (uint8_t)node_record_bytes(identity, &listener->membership, 1, payload + 1);
    raw_call(raw, listener, identity, payload);
}

static inline void raw_send(struct raw_end *raw, struct end *listener, uint8_t type,
                            const void *payload, size_t size)
{
    struct buffer out;
    const struct frame_payload parts = {.body = payload, .body_size = size};
    buffer_init(&out, FRAME_SIZE_MAX);
    frame_seal(&raw->sender, type, &parts, &out);
    link_receive(listener->link, out.data, out.size, end_now(0));
    buffer_clear(&out);
}

#endif
