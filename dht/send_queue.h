// What a link has to send, by lane: messages wait here in clear and become frames only when the
// connection can take them, so that what is urgent overtakes what is large. Used by link.c alone.
#ifndef SHOAL_DHT_SEND_QUEUE_H
#define SHOAL_DHT_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/frame.h"
#include "dht/link.h"
#include "dht/shared_bytes.h"

#define SEND_HEAD_MAX 6 // of a FIRST frame: lane, type, size

// Frame types of large messages.
#define SEND_TYPE_FIRST 2
#define SEND_TYPE_NEXT  3

struct queued_message;

struct send_lane {
    struct queued_message *first; // owned, linked
    struct queued_message *last;
    size_t sent; // bytes of the first that went already
};

struct send_queue {
    struct send_lane lanes[LINK_LANES_COUNT];
    size_t bytes_max;
    size_t bytes; // copies, and LINK_QUEUED_OVERHEAD for each message
    size_t messages_count;
};

// One frame to seal; parts point into the queue and into `head`.
struct send_frame {
    enum link_lane lane;
    uint8_t type;
    uint8_t head[SEND_HEAD_MAX];
    struct frame_payload payload;
};

// A message to queue: either data, which is copied, or shared, which is held.
struct send_message {
    uint8_t type;
    size_t size;
    const void *data;
    struct shared_bytes *shared;
};

void send_queue_init(struct send_queue *queue, size_t bytes_max);
void send_queue_clear(struct send_queue *queue);
// False if the lane has no room or memory ran out.
bool send_queue_add(struct send_queue *queue, enum link_lane lane,
                    const struct send_message *message);
// The frame that goes next; false if nothing waits.
bool send_queue_next(const struct send_queue *queue, struct send_frame *frame);
// That frame was sealed.
void send_queue_advance(struct send_queue *queue, const struct send_frame *frame);

#endif
