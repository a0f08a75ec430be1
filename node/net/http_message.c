#include "node/net/http_message.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/web_socket.h"

struct http_message {
    size_t references;
    uint64_t number;
    size_t size;
    size_t json_at, json_size;
    uint8_t data[]; // as a server-sent event, whose middle is the JSON text
};

struct http_message *http_message_new(const char *event, uint64_t number, const void *json,
                                      size_t size)
{
    struct buffer text;
    buffer_init(&text, HTTP_MESSAGE_SIZE_MAX);
    if (number > 0)
        write_format(&text, "id: %llu\n", (unsigned long long)number);
    write_format(&text, "event: %s\ndata: ", event);
    size_t json_at = text.size;
    write_bytes(&text, json, size);
    write_text(&text, "\n\n");
    struct http_message *message =
        text.failed ? NULL : malloc(sizeof(struct http_message) + text.size);
    if (message != NULL) {
        *message = (struct http_message){.references = 1, .number = number, .size = text.size};
        message->json_at = json_at;
        message->json_size = size;
        memcpy(message->data, text.data, text.size);
    }
    buffer_clear(&text);
    return message;
}

struct http_message *http_message_ref(struct http_message *message)
{
    message->references++;
    return message;
}

void http_message_unref(struct http_message *message)
{
    if (message == NULL)
        return;
    message->references--;
    if (message->references == 0)
        free(message);
}

uint64_t http_message_number(const struct http_message *message)
{
    return message->number;
}

size_t http_message_size(const struct http_message *message)
{
    return message->size;
}

void http_message_write_event(const struct http_message *message, struct buffer *out)
{
    write_bytes(out, message->data, message->size);
}

void http_message_write_socket(const struct http_message *message, struct buffer *out)
{
    web_socket_write(WEB_SOCKET_TEXT, message->data + message->json_at, message->json_size, out);
}
