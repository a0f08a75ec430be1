#include "node/net/http_head.h"
#include <string.h>
#include <strings.h>

static const char *const method_names[] = {
    [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE",
};

struct field_kind {
    const char *name;
    bool may_repeat; // a list that clients send in pieces: the first piece will do
};

static const struct field_kind kinds[HTTP_FIELDS_COUNT] = {
    [HTTP_ACCEPT] = {"accept", true},
    [HTTP_ACCEPT_ENCODING] = {"accept-encoding", true},
    [HTTP_AUTHORIZATION] = {"authorization", false},
    [HTTP_CONNECTION] = {"connection", false},
    [HTTP_CONTENT_LENGTH] = {"content-length", false},
    [HTTP_CONTENT_TYPE] = {"content-type", false},
    [HTTP_COOKIE] = {"cookie", false},
    [HTTP_EXPECT] = {"expect", false},
    [HTTP_HOST] = {"host", false},
    [HTTP_IF_NONE_MATCH] = {"if-none-match", true},
    [HTTP_LAST_EVENT_ID] = {"last-event-id", false},
    [HTTP_ORIGIN] = {"origin", false},
    [HTTP_SOCKET_KEY] = {"sec-websocket-key", false},
    [HTTP_SOCKET_VERSION] = {"sec-websocket-version", false},
    [HTTP_TRANSFER_ENCODING] = {"transfer-encoding", false},
    [HTTP_UPGRADE] = {"upgrade", false},
    [HTTP_USER_AGENT] = {"user-agent", false},
    [HTTP_CSRF] = {"x-shoal-csrf", false},
};

// Told apart from an empty value by its address.
static const char nothing[] = "";

size_t http_head_end(const char *text, size_t size, size_t from)
{
    size_t begin = from < 3 ? 0 : from - 3; // the end may have come in two pieces
    const char *end = memmem(text + begin, size - begin, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - text) + 4;
}

// RFC 9110, 5.6.2: what names and methods are made of.
static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return size > 0;
}

// ---- The request line

static enum http_method method_of(const char *name)
{
    for (size_t i = 0; i < HTTP_OTHER; i++) {
        if (strcmp(method_names[i], name) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

static bool is_target(const char *target)
{
    for (const char *c = target; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~' || *c == '#')
            return false;
    }
    return target[0] == '/';
}

static int parse_request_line(char *line, struct http_head *head, const char **wrong)
{
    char *target = strchr(line, ' ');
    char *version = target == NULL ? NULL : strchr(target + 1, ' ');
    *wrong = "The request line is not \"METHOD /path HTTP/1.1\".";
    if (version == NULL || !is_token(line, (size_t)(target - line)))
        return 400;
    *target++ = '\0';
    *version++ = '\0';
    head->method = method_of(line);
    if (strncmp(version, "HTTP/", 5) != 0)
        return 400;
    *wrong = "HTTP/1.1 is spoken here.";
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return 505;
    head->keeps_alive = version[7] == '1';
    *wrong = "The path and query are longer than 2048 characters.";
    if (strlen(target) > HTTP_TARGET_SIZE_MAX)
        return 414;
    *wrong = "The path does not begin with \"/\", or holds characters that must be "
             "percent-encoded.";
    if (!is_target(target))
        return 400;
    char *query = strchr(target, '?');
    head->path = target;
    if (query != NULL) {
        *query = '\0';
        head->query = query + 1;
    }
    return 0;
}

// ---- Header fields

static bool is_value(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
            return false;
    }
    return true;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    text[size] = '\0';
    return text;
}

static int parse_field(char *line, struct http_head *head, const char **wrong)
{
    char *colon = strchr(line, ':');
    *wrong = "A header field is malformed.";
    if (colon == NULL || !is_token(line, (size_t)(colon - line)))
        return 400;
    *colon = '\0';
    char *value = trim(colon + 1);
    if (!is_value(value))
        return 400;
    for (size_t i = 0; i < HTTP_FIELDS_COUNT; i++) {
        if (strcasecmp(kinds[i].name, line) != 0)
            continue;
        *wrong = "A header field that may stand once is there twice.";
        if (head->fields[i] != nothing)
            return kinds[i].may_repeat ? 0 : 400;
        head->fields[i] = value;
    }
    return 0;
}

// Digits only: signs, lists and spaces are how two readers come to disagree about where a request
// ends.
static bool parse_length(const char *text, uint64_t *length)
{
    *length = 0;
    if (text[0] == '\0')
        return text == nothing;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || *length > UINT32_MAX)
            return false;
        *length = *length * 10 + (uint64_t)(*c - '0');
    }
    return true;
}

static int judge_fields(struct http_head *head, const char **wrong)
{
    *wrong = "The header field Host is missing.";
    if (head->fields[HTTP_HOST][0] == '\0')
        return 400;
    *wrong = "Bodies are taken with Content-Length only, not with Transfer-Encoding.";
    if (head->fields[HTTP_TRANSFER_ENCODING] != nothing)
        return 411;
    *wrong = "Content-Length is no number of bytes.";
    if (!parse_length(head->fields[HTTP_CONTENT_LENGTH], &head->body_size))
        return 400;
    *wrong = "The only expectation that is met here is 100-continue.";
    if (head->fields[HTTP_EXPECT][0] != '\0' &&
        strcasecmp(head->fields[HTTP_EXPECT], "100-continue") != 0)
        return 417;
    if (http_list_has(head->fields[HTTP_CONNECTION], "close"))
        head->keeps_alive = false;
    else if (http_list_has(head->fields[HTTP_CONNECTION], "keep-alive"))
        head->keeps_alive = true;
    return 0;
}

// Ends the line that begins at text; NULL if it holds what no line may.
static char *cut_line(char *text, char *end)
{
    char *line_end = memmem(text, (size_t)(end - text), "\r\n", 2);
    size_t size = (size_t)(line_end - text);
    if (memchr(text, '\0', size) != NULL || memchr(text, '\r', size) != NULL ||
        memchr(text, '\n', size) != NULL)
        return NULL;
    *line_end = '\0';
    return line_end + 2;
}

int http_head_parse(char *text, size_t size, struct http_head *head, const char **wrong)
{
    char *end = text + size;
    *head = (struct http_head){.path = "/", .query = ""};
    for (size_t i = 0; i < HTTP_FIELDS_COUNT; i++)
        head->fields[i] = nothing;
    size_t lines = 0;
    for (;;) {
        char *next = cut_line(text, end);
        *wrong = "A line of the head holds a zero, or a carriage return or line feed alone.";
        if (next == NULL)
            return 400;
        if (text[0] == '\0' && lines > 0)
            return judge_fields(head, wrong);
        *wrong = "There are more than 64 header fields.";
        if (lines > HTTP_FIELDS_MAX)
            return 431;
        int status =
            lines == 0 ? parse_request_line(text, head, wrong) : parse_field(text, head, wrong);
        if (status != 0)
            return status;
        lines++;
        text = next;
    }
}

bool http_list_has(const char *list, const char *word)
{
    size_t word_size = strlen(word);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t size = strcspn(list, ",");
        size_t name_size = strcspn(list, " \t,;");
        if (name_size == word_size && strncasecmp(list, word, word_size) == 0) {
            const char *weight = memmem(list, size, "q=0", 3);
            return weight == NULL || strspn(weight + 3, ".0") + 3 != (size_t)(list + size - weight);
        }
        list += size;
    }
    return false;
}
