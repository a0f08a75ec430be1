// The head of an HTTP request (RFC 9110, 9112): request line and header fields, strictly: lines end
// in CRLF, nothing is folded, nothing that counts is there twice. No I/O. Used by http_server.
#ifndef SHOAL_NODE_NET_HTTP_HEAD_H
#define SHOAL_NODE_NET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_TARGET_SIZE_MAX 2048
#define HTTP_HEAD_SIZE_MAX   8192
#define HTTP_FIELDS_MAX      64

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

// The header fields that are looked at; all others are only checked for their form.
enum http_field {
    HTTP_ACCEPT,
    HTTP_ACCEPT_ENCODING,
    HTTP_AUTHORIZATION,
    HTTP_CONNECTION,
    HTTP_CONTENT_LENGTH,
    HTTP_CONTENT_TYPE,
    HTTP_COOKIE,
    HTTP_EXPECT,
    HTTP_HOST,
    HTTP_IF_NONE_MATCH,
    HTTP_LAST_EVENT_ID,
    HTTP_ORIGIN,
    HTTP_SOCKET_KEY,     // Sec-WebSocket-Key
    HTTP_SOCKET_VERSION, // Sec-WebSocket-Version
    HTTP_TRANSFER_ENCODING,
    HTTP_UPGRADE,
    HTTP_USER_AGENT,
    HTTP_CSRF, // X-Shoal-Csrf
    HTTP_FIELDS_COUNT
};

struct http_head {
    enum http_method method;
    const char *path;                      // begins with "/"; nothing decoded
    const char *query;                     // behind "?", "" for none
    const char *fields[HTTP_FIELDS_COUNT]; // "" for those that are not there
    bool keeps_alive;
    uint64_t body_size;
};

// Where the head ends (behind the empty line), 0 if it is not whole yet. `from`: how many bytes
// were looked at before without finding the end.
size_t http_head_end(const char *text, size_t size, size_t from);
// Reads a whole head, its empty line included, writing zeros between its parts: *head points into
// it. 0, or the status of the refusal with a sentence for the answer.
int http_head_parse(char *text, size_t size, struct http_head *head, const char **wrong);
// Whether a list such as that of Connection or Accept holds the word; case does not matter, and
// what follows a semicolon is not looked at but "q=0", which takes the word away.
bool http_list_has(const char *list, const char *word);

#endif
