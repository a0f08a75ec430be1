// WebSocket (RFC 6455) as a server that only tells: frames out, and of what comes in only what
// keeps the connection in order (ping, pong, close). No extensions, no I/O.
#ifndef SHOAL_NODE_NET_WEB_SOCKET_H
#define SHOAL_NODE_NET_WEB_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

#define WEB_SOCKET_ACCEPT_SIZE 29
#define WEB_SOCKET_FRAME_MAX   4096 // of a client
#define WEB_SOCKET_CONTROL_MAX 125

enum web_socket_kind {
    WEB_SOCKET_CONTINUATION = 0,
    WEB_SOCKET_TEXT = 1,
    WEB_SOCKET_BINARY = 2,
    WEB_SOCKET_CLOSE = 8,
    WEB_SOCKET_PING = 9,
    WEB_SOCKET_PONG = 10,
};

// The answer to Sec-WebSocket-Key; false if that is not 16 bytes of base64.
bool web_socket_accept(const char *key, char out[WEB_SOCKET_ACCEPT_SIZE]);
// A whole frame.
void web_socket_write(enum web_socket_kind kind, const void *data, size_t size, struct buffer *out);

// What a client sends, as far as it was read. Zeroed at first.
struct web_socket_reader {
    uint8_t head[14];
    size_t head_size; // bytes of it that are there
    uint64_t left;    // of the payload
    bool is_in_payload;
    bool is_in_message; // between the first and the last frame of a message
    uint8_t kind;
    uint8_t control[WEB_SOCKET_CONTROL_MAX]; // payload of a control frame
    size_t control_size;
};

// Reads all of the data; what must be answered (pong, close) is written to out. 0 while all is
// well; else the code of a close frame, which was written to out: end the connection after it.
// 1000: the client closed.
unsigned web_socket_read(struct web_socket_reader *reader, const uint8_t *data, size_t size,
                         struct buffer *out);

#endif
