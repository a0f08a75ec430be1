#include "stratum/reply.h"

#include <stdio.h>
#include <string.h>

bool reply_is_wanted(const struct line_value *id)
{
    return id->kind != LINE_ABSENT && id->kind != LINE_NULL;
}

void reply_begin(struct buffer *out, const struct line_value *id)
{
    const char *text;
    size_t size;
    line_raw(id, &text, &size);
    write_bytes(out, "{\"id\":", 6);
    write_bytes(out, text, size);
    write_bytes(out, ",\"result\":", 10);
}

void reply_end(struct buffer *out)
{
    static const char end[] = ",\"error\":null}\n";
    write_bytes(out, end, sizeof(end) - 1);
}

void reply_result(struct buffer *out, const struct line_value *id, const char *result)
{
    if (!reply_is_wanted(id)) {
        return;
    }
    reply_begin(out, id);
    write_text(out, result);
    reply_end(out);
}

void reply_error(struct buffer *out, const struct line_value *id, const char *result,
                 enum reply_code code, const char *message)
{
    if (!reply_is_wanted(id)) {
        return;
    }
    reply_begin(out, id);
    write_format(out, "%s,\"error\":[%d,\"%s\",null]}\n", result, (int)code, message);
}

void reply_set_difficulty(struct buffer *out, double difficulty)
{
    // From 1 on it is an integer: firmware that reads no further than the point must not be misled.
    write_text(out, "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[");
    write_format(out, difficulty >= 1 ? "%.0f" : "%.12g", difficulty);
    write_text(out, "]}\n");
}

void reply_show_message(struct buffer *out, const char *message)
{
    write_format(out, "{\"id\":null,\"method\":\"client.show_message\",\"params\":[\"%s\"]}\n",
                 message);
}

void reply_reconnect(struct buffer *out)
{
    write_text(out, "{\"id\":null,\"method\":\"client.reconnect\",\"params\":[]}\n");
}
