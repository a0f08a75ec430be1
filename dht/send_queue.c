#include "dht/send_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct queued_message {
    struct queued_message *next;
    struct shared_bytes *shared; // NULL: data is here
    size_t size;
    uint8_t type;
    uint8_t data[];
};

_Static_assert(sizeof(struct queued_message) <= LINK_QUEUED_OVERHEAD, "what a message costs");

// Eighths of the queue that may be full, all lanes together, when a message of this lane is added.
static const size_t lane_eighths[LINK_LANES_COUNT] = {8, 7, 6, 4};

static size_t cost_of(const struct queued_message *message)
{
    return LINK_QUEUED_OVERHEAD + (message->shared == NULL ? message->size : 0);
}

static const uint8_t *data_of(const struct queued_message *message)
{
    return message->shared == NULL ? message->data : shared_bytes_data(message->shared);
}

void send_queue_init(struct send_queue *queue, size_t bytes_max)
{
    memset(queue, 0, sizeof *queue);
    queue->bytes_max = bytes_max;
}

static void drop_first(struct send_queue *queue, struct send_lane *lane)
{
    struct queued_message *message = lane->first;
    lane->first = message->next;
    lane->sent = 0;
    if (lane->first == NULL)
        lane->last = NULL;
    queue->bytes -= cost_of(message);
    queue->messages_count--;
    shared_bytes_release(message->shared);
    free(message);
}

void send_queue_clear(struct send_queue *queue)
{
    for (size_t i = 0; i < LINK_LANES_COUNT; i++) {
        while (queue->lanes[i].first != NULL)
            drop_first(queue, &queue->lanes[i]);
    }
    assert(queue->bytes == 0 && queue->messages_count == 0);
}

static bool has_room(const struct send_queue *queue, enum link_lane lane, size_t cost)
{
    size_t most = queue->bytes_max / 8 * lane_eighths[lane];
    return cost <= most && queue->bytes <= most - cost;
}

bool send_queue_add(struct send_queue *queue, enum link_lane lane,
                    const struct send_message *message)
{
    size_t copied = message->shared == NULL ? message->size : 0;
    if (!has_room(queue, lane, copied + LINK_QUEUED_OVERHEAD))
        return false;
    struct queued_message *queued = malloc(sizeof *queued + copied);
    if (queued == NULL)
        return false;
    queued->next = NULL;
    queued->shared = message->shared == NULL ? NULL : shared_bytes_hold(message->shared);
    queued->size = message->size;
    queued->type = message->type;
    if (copied > 0)
        memcpy(queued->data, message->data, copied);
    struct send_lane *to = &queue->lanes[lane];
    if (to->last == NULL)
        to->first = queued;
    else
        to->last->next = queued;
    to->last = queued;
    queue->bytes += cost_of(queued);
    queue->messages_count++;
    return true;
}

// Of a message that needs more than one frame: the frame that begins where `sent` is.
static void make_chunk(const struct queued_message *message, size_t sent, struct send_frame *frame)
{
    struct buffer head;
    buffer_init_fixed(&head, frame->head, sizeof frame->head);
    write_u8(&head, (uint8_t)frame->lane);
    frame->type = SEND_TYPE_NEXT;
    if (sent == 0) {
        frame->type = SEND_TYPE_FIRST;
        write_u8(&head, message->type);
        write_u32(&head, (uint32_t)message->size);
    }
    assert(!head.failed);
    size_t room = FRAME_PAYLOAD_MAX - head.size;
    size_t left = message->size - sent;
    frame->payload.head_size = head.size;
    frame->payload.body_size = left < room ? left : room;
}

bool send_queue_next(const struct send_queue *queue, struct send_frame *frame)
{
    for (unsigned i = 0; i < LINK_LANES_COUNT; i++) {
        const struct send_lane *lane = &queue->lanes[i];
        if (lane->first == NULL)
            continue;
        frame->lane = (enum link_lane)i;
        frame->type = lane->first->type;
        frame->payload = (struct frame_payload){
            .head = frame->head,
            .body = data_of(lane->first) + lane->sent,
            .body_size = lane->first->size,
        };
        if (lane->first->size > FRAME_PAYLOAD_MAX)
            make_chunk(lane->first, lane->sent, frame);
        return true;
    }
    return false;
}

void send_queue_advance(struct send_queue *queue, const struct send_frame *frame)
{
    struct send_lane *lane = &queue->lanes[frame->lane];
    lane->sent += frame->payload.body_size;
    if (lane->sent == lane->first->size)
        drop_first(queue, lane);
}
