// What happens in the node, told to those who follow it over HTTP as it happens: a short history
// and a fan-out. An event is made once, as one JSON text, whatever the number of readers; a reader
// that comes back says the last number it saw and gets what it missed, or is told that it missed
// some. No I/O: the owner sends what it is given, and drops readers that are too slow.
#ifndef SHOAL_NODE_API_EVENTS_H
#define SHOAL_NODE_API_EVENTS_H

#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/json.h"
#include "node/base/time.h"
#include "node/net/http_message.h"

// In the order of docs/api.md, which says what each holds.
enum api_event_kind {
    API_EVENT_SHARE,      // a miner's share was judged
    API_EVENT_GRAIN,      // a valid share entered the share-chain
    API_EVENT_LINK,       // the best chain has a new tip
    API_EVENT_BLOCK,      // a block was found here, or its fate or place changed
    API_EVENT_JOB,        // new work went to the miners
    API_EVENT_MINER_UP,   // a miner was authorized
    API_EVENT_MINER_DOWN, // its connection ended, and why
    API_EVENT_PEER_UP,
    API_EVENT_PEER_DOWN,
    API_EVENT_DAEMON, // a coin daemon's state changed
    API_EVENT_STATUS, // every two seconds: the numbers that the head of the page shows
    API_EVENTS_COUNT
};
const char *api_event_text(enum api_event_kind kind); // "share", "miner_up"

struct api_events;

// `sent` is called for every new event; borrowed for the call.
typedef void api_event_sink(void *context, enum api_event_kind kind, struct http_message *message);

// Keeps the newest `history_max` events, at most `bytes_max` in all. Numbers begin at the time of
// this call, so that those of an earlier life of the node are smaller.
struct api_events *api_events_new(size_t history_max, size_t bytes_max, api_event_sink *sent,
                                  void *context, struct now now);
void api_events_free(struct api_events *events);

// Whether one more of this kind may be made now: of shares at most 10 a second, of what else comes
// in floods at most 20. The others are counted; the next event of the kind says how many, as
// "skipped".
bool api_events_wanted(struct api_events *events, enum api_event_kind kind, struct now now);

// An event: begin gives the writer inside {"event":…,"number":…,"at":…, and end closes and sends
// it. Between the two nothing else of this object may be called.
struct json_writer *api_event_begin(struct api_events *events, enum api_event_kind kind,
                                    struct now now);
void api_event_end(struct api_events *events);

// Calls `sent` for all kept events after `number`, oldest first; false if some between are gone.
bool api_events_replay(const struct api_events *events, uint64_t number, api_event_sink *sent,
                       void *context);

#endif
