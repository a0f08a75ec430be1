// Reading: bytes to handshake messages and frames, and those to what they mean.
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/link_state.h"

#define LENGTH_KEYS_LABEL "shoal length"

// Input that has not been used up, of one call of link_receive.
struct input {
    const uint8_t *data;
    size_t size;
};

// The next `size` bytes in one piece, without using them up: from the input where they are whole,
// else gathered in link->in. NULL if there are fewer, which are then kept, or no memory.
static const uint8_t *gather(struct link *link, struct input *input, size_t size)
{
    if (link->in.size == 0 && input->size >= size)
        return input->data;
    if (link->in.size < size) {
        size_t missing = size - link->in.size;
        size_t moved = missing < input->size ? missing : input->size;
        write_bytes(&link->in, input->data, moved);
        if (link->in.failed) {
            link_fail(link, LINK_CLOSE_MEMORY);
            return NULL;
        }
        input->data += moved;
        input->size -= moved;
    }
    return link->in.size >= size ? link->in.data : NULL;
}

static void use_up(struct link *link, struct input *input, size_t size)
{
    if (link->in.size > 0) {
        assert(link->in.size == size);
        buffer_reset(&link->in);
        return;
    }
    input->data += size;
    input->size -= size;
}

static void open_link(struct link *link, const struct node_record *record, struct now now)
{
    struct noise_keys keys;
    uint8_t lengths[2][NOISE_KEY_SIZE]; // of what the initiator sends, and the responder
    struct noise_handshake *noise = &link->handshake->noise;
    bool is_initiator = noise->role == NOISE_INITIATOR;
    noise_split(noise, &keys);
    noise_derive(noise, LENGTH_KEYS_LABEL, lengths[0], lengths[1]);
    frame_cipher_init(&link->sender, keys.send, lengths[is_initiator ? 0 : 1]);
    frame_cipher_init(&link->receiver, keys.receive, lengths[is_initiator ? 1 : 0]);
    sodium_memzero(&keys, sizeof keys);
    sodium_memzero(lengths, sizeof lengths);
    sodium_memzero(link->handshake, sizeof *link->handshake);
    free(link->handshake);
    link->handshake = NULL;
    // The first ping measures the round-trip time and, at the initiator, that we were taken.
    link->owes_ping = true;
    link->ping_due = now.mono;
    link->unanswered_since = now.mono;
    link->frame_seen = now.mono;
    link->events->opened(link->context, record, now);
}

// What message 3 says about its sender; fails the link if that is not so.
static bool check_initiator(struct link *link, const uint8_t payload[RECORD_PAYLOAD_SIZE],
                            struct node_record *record, struct now now)
{
    size_t size = payload[0];
    const struct noise_handshake *noise = &link->handshake->noise;
    if (!sodium_is_zero(payload + 1 + size, RECORD_PAYLOAD_SIZE - 1 - size)) {
        link_fail(link, LINK_CLOSE_HANDSHAKE_FAILED);
        return false;
    }
    link->record_verdict = record_verify(payload + 1, size, link->membership, now.wall, record);
    if (link->record_verdict != RECORD_VALID) {
        link_fail(link, LINK_CLOSE_RECORD_REFUSED);
        return false;
    }
    // Somebody else's record proves nothing about who speaks.
    if (memcmp(record->transport_key.bytes, noise->remote_static, NOISE_KEY_SIZE) != 0) {
        link_fail(link, LINK_CLOSE_HANDSHAKE_FAILED);
        return false;
    }
    if (memcmp(record->sign_key.bytes, link->identity->sign_key.bytes, 32) == 0) {
        link_fail(link, LINK_CLOSE_SELF);
        return false;
    }
    link->peer = record->transport_key;
    link->has_peer = true;
    return true;
}

static void handle_message_1(struct link *link, const uint8_t *message)
{
    uint8_t none[1];
    size_t size;
    if (!noise_read(&link->handshake->noise, message, LINK_HANDSHAKE_1, none, &size)) {
        link_fail(link, LINK_CLOSE_STRANGER);
        return;
    }
    link_write_handshake(link, NULL, 0);
}

static void handle_message_2(struct link *link, const uint8_t *message, struct now now)
{
    uint8_t none[1];
    size_t size;
    if (!noise_read(&link->handshake->noise, message, LINK_HANDSHAKE_2, none, &size)) {
        link_fail(link, LINK_CLOSE_HANDSHAKE_FAILED);
        return;
    }
    link_write_handshake(link, link->handshake->payload, RECORD_PAYLOAD_SIZE);
    if (!link_is_closed(link))
        open_link(link, NULL, now);
}

static void handle_message_3(struct link *link, const uint8_t *message, struct now now)
{
    struct node_record record;
    uint8_t payload[RECORD_PAYLOAD_SIZE];
    size_t size;
    if (!noise_read(&link->handshake->noise, message, LINK_HANDSHAKE_3, payload, &size)) {
        link_fail(link, LINK_CLOSE_HANDSHAKE_FAILED);
        return;
    }
    if (check_initiator(link, payload, &record, now))
        open_link(link, &record, now);
}

// False if the input has no whole message.
static bool receive_handshake(struct link *link, struct input *input, struct now now)
{
    static const size_t sizes[NOISE_MESSAGES] = {LINK_HANDSHAKE_1, LINK_HANDSHAKE_2,
                                                 LINK_HANDSHAKE_3};
    const struct noise_handshake *noise = &link->handshake->noise;
    unsigned number = noise->messages_done;
    // An initiator never waits for 1 or 3. One that is spoken to before it was heard: no Noise.
    assert(number < NOISE_MESSAGES && !noise_is_our_turn(noise));
    const uint8_t *message = gather(link, input, sizes[number]);
    if (message == NULL)
        return false;
    if (number == 0)
        handle_message_1(link, message);
    else if (number == 1)
        handle_message_2(link, message, now);
    else
        handle_message_3(link, message, now);
    use_up(link, input, sizes[number]);
    return true;
}

// RFC 6298 with the usual eighth and quarter.
static void measure(struct link *link, double sample_ms)
{
    if (sample_ms < 1)
        sample_ms = 1;
    if (link->round_trip_ms == 0) {
        link->round_trip_ms = sample_ms;
        link->variation_ms = sample_ms / 2;
        return;
    }
    double error = sample_ms - link->round_trip_ms;
    link->variation_ms += ((error < 0 ? -error : error) - link->variation_ms) / 4;
    link->round_trip_ms += error / 8;
}

static void handle_ping(struct link *link, const uint8_t *payload, size_t size)
{
    if (size != PING_SIZE) {
        link_fail(link, LINK_CLOSE_MALFORMED);
        return;
    }
    // However fast pings come, one answer waits at most.
    memcpy(link->pong, payload, PING_SIZE);
    link->owes_pong = true;
}

static void handle_pong(struct link *link, const uint8_t *payload, size_t size, struct now now)
{
    if (size != PING_SIZE) {
        link_fail(link, LINK_CLOSE_MALFORMED);
        return;
    }
    if (!link->awaits_pong || memcmp(payload, link->ping, PING_SIZE) != 0)
        return;
    link->awaits_pong = false;
    measure(link, (double)(now.mono.ms - link->ping_sent.ms));
}

static void handle_first(struct link *link, const uint8_t *payload, size_t payload_size)
{
    struct reader reader = reader_init(payload, payload_size);
    uint8_t lane = read_u8(&reader);
    uint8_t type = read_u8(&reader);
    uint32_t size = read_u32(&reader);
    if (reader.failed || payload_size != FRAME_PAYLOAD_MAX || lane >= LINK_LANES_COUNT ||
        type < LINK_TYPE_MIN || size <= FRAME_PAYLOAD_MAX || link->assemblies[lane].size != 0) {
        link_fail(link, LINK_CLOSE_MALFORMED);
        return;
    }
    const struct link_announcement announcement = {type, (enum link_lane)lane, size, reader.at,
                                                   reader.left};
    bool is_admitted =
        size <= LINK_MESSAGE_MAX && link->events->admits(link->context, &announcement);
    if (link_is_closed(link))
        return;
    if (!is_admitted) {
        link_fail(link, LINK_CLOSE_MESSAGE_REFUSED);
        return;
    }
    struct link_assembly *assembly = &link->assemblies[lane];
    buffer_init(&assembly->bytes, size);
    assembly->size = size;
    assembly->type = type;
    write_bytes(&assembly->bytes, reader.at, reader.left);
    if (assembly->bytes.failed)
        link_fail(link, LINK_CLOSE_MEMORY);
}

static void handle_next(struct link *link, const uint8_t *payload, size_t size, struct now now)
{
    if (size == 0 || payload[0] >= LINK_LANES_COUNT || link->assemblies[payload[0]].size == 0) {
        link_fail(link, LINK_CLOSE_MALFORMED);
        return;
    }
    struct link_assembly *assembly = &link->assemblies[payload[0]];
    size_t left = assembly->size - assembly->bytes.size;
    size_t expected = left < FRAME_PAYLOAD_MAX - 1 ? left : FRAME_PAYLOAD_MAX - 1;
    if (size - 1 != expected) {
        link_fail(link, LINK_CLOSE_MALFORMED);
        return;
    }
    write_bytes(&assembly->bytes, payload + 1, expected);
    if (assembly->bytes.failed) {
        link_fail(link, LINK_CLOSE_MEMORY);
        return;
    }
    if (assembly->bytes.size < assembly->size)
        return;
    // The handler may close the link: what it reads must not be the link's.
    struct link_assembly whole = *assembly;
    memset(assembly, 0, sizeof *assembly);
    link->events->received(link->context, whole.type, whole.bytes.data, whole.size, now);
    buffer_clear(&whole.bytes);
}

static void handle_frame(struct link *link, const uint8_t *plain, size_t size, struct now now)
{
    uint8_t type = plain[0];
    const uint8_t *payload = plain + 1;
    link->frame_seen = now.mono;
    if (type >= LINK_TYPE_MIN)
        link->events->received(link->context, type, payload, size, now);
    else if (type == TYPE_PING)
        handle_ping(link, payload, size);
    else if (type == TYPE_PONG)
        handle_pong(link, payload, size, now);
    else if (type == SEND_TYPE_FIRST)
        handle_first(link, payload, size);
    else if (type == SEND_TYPE_NEXT)
        handle_next(link, payload, size, now);
}

// False if the input has no whole frame.
static bool receive_frame(struct link *link, struct input *input, struct now now)
{
    if (frame_cipher_is_used_up(&link->receiver)) {
        link_fail(link, LINK_CLOSE_USED_UP);
        return false;
    }
    const uint8_t *frame = gather(link, input, FRAME_LENGTH_SIZE);
    if (frame == NULL)
        return false;
    size_t size = frame_peek_length(&link->receiver, frame);
    if (size > FRAME_PAYLOAD_MAX) {
        link_fail(link, LINK_CLOSE_OVERSIZE);
        return false;
    }
    frame = gather(link, input, size + FRAME_OVERHEAD);
    if (frame == NULL)
        return false;
    // Opened where it was gathered; if it stands whole in the input, into the same room.
    if (!buffer_reserve(&link->in, link->in.size > 0 ? 0 : size + FRAME_OVERHEAD)) {
        link_fail(link, LINK_CLOSE_MEMORY);
        return false;
    }
    uint8_t *plain = link->in.data + FRAME_LENGTH_SIZE;
    if (!frame_open(&link->receiver, frame + FRAME_LENGTH_SIZE, size, plain)) {
        link_fail(link, LINK_CLOSE_TAMPERED);
        return false;
    }
    use_up(link, input, size + FRAME_OVERHEAD);
    handle_frame(link, plain, size, now);
    return true;
}

void link_receive(struct link *link, const void *data, size_t size, struct now now)
{
    struct input input = {data, size};
    bool goes_on = !link_is_closed(link) && size > 0;
    assert(!link->is_receiving);
    link->is_receiving = true;
    if (goes_on)
        link->bytes_received += size;
    while (goes_on && !link_is_closed(link))
        goes_on = link->handshake != NULL ? receive_handshake(link, &input, now)
                                          : receive_frame(link, &input, now);
    link->is_receiving = false;
    // An idle link keeps no room for frames.
    if (link_is_closed(link) || link->in.size == 0)
        buffer_clear(&link->in);
    link_finish(link, now);
}
