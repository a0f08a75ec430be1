// One direction of a link after its handshake: frames, sealed and opened (p2p.md, Link). Each frame
// stands on the wire as
//
//   bytes(3) length || AEAD(u8 type || payload), length = size of payload <= FRAME_PAYLOAD_MAX
//
// The AEAD is ChaCha20-Poly1305 with the key of Noise's Split and the frame's number as nonce.
// Lengths are XORed with a ChaCha20 stream of their own, so that nothing on the wire shows where a
// frame begins; they are authentic because a wrong one cuts the AEAD wrongly. After every
// FRAME_REKEY frames both keys change and the old ones are gone: the AEAD's by Noise's REKEY, the
// length key becomes the 32 bytes of its stream after the last length. The stream of epoch i (of
// 256 frames) has nonce i, as noise_nonce writes it.
#ifndef SHOAL_DHT_FRAME_H
#define SHOAL_DHT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

#define FRAME_PAYLOAD_MAX 16384
#define FRAME_LENGTH_SIZE 3
#define FRAME_TAG_SIZE    16
#define FRAME_OVERHEAD    (FRAME_LENGTH_SIZE + 1 + FRAME_TAG_SIZE)
#define FRAME_SIZE_MAX    (FRAME_PAYLOAD_MAX + FRAME_OVERHEAD)
#define FRAME_REKEY       256
#define FRAME_COUNT_MAX   ((uint64_t)1 << 40) // then the link ends

// Holds secrets: frame_cipher_clear.
struct frame_cipher {
    uint8_t key[32];
    uint8_t length_key[32];
    uint64_t count;       // frames sealed or opened
    uint8_t lengths[192]; // the stream for this and the next up to 63 lengths
};

// A payload in two parts, so that a header need not be copied before what it heads.
struct frame_payload {
    const void *head;
    size_t head_size;
    const void *body;
    size_t body_size;
};

void frame_cipher_init(struct frame_cipher *cipher, const uint8_t key[32],
                       const uint8_t length_key[32]);
void frame_cipher_clear(struct frame_cipher *cipher);
bool frame_cipher_is_used_up(const struct frame_cipher *cipher);

// Appends one frame; false if the buffer has no room (then nothing is used up). The parts together
// are at most FRAME_PAYLOAD_MAX bytes; the cipher is not used up.
bool frame_seal(struct frame_cipher *cipher, uint8_t type, const struct frame_payload *payload,
                struct buffer *out);

// What the next frame's length bytes say: size of payload, possibly over FRAME_PAYLOAD_MAX. Changes
// nothing.
size_t frame_peek_length(const struct frame_cipher *cipher, const uint8_t bytes[FRAME_LENGTH_SIZE]);
// Opens what follows the length: payload_size + 1 + FRAME_TAG_SIZE bytes. `plain` gets type and
// payload, payload_size + 1 bytes; it may be `sealed`. False if the tag is wrong; then nothing is
// used up and `plain` is zeros or untouched.
bool frame_open(struct frame_cipher *cipher, const uint8_t *sealed, size_t payload_size,
                uint8_t *plain);

#endif
