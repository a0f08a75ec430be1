// mining.configure, BIP 310. Real firmware sends min-bit-count as a number, as text, or not at all,
// and masks without it; every extension that is asked for gets its answer, and none that is not.
#include <stdio.h>
#include "stratum/engine.h"
#include "stratum/reply.h"

#define EXTENSIONS_MAX     16
#define EXTENSION_SIZE_MAX 32
#define ROLLING            "version-rolling"
#define MINIMUM_DIFFICULTY "minimum-difficulty"

// The member of the parameter object whose name is `extension` + `suffix`; ABSENT if there is none.
static struct line_value parameter(const struct line *line, const char *name)
{
    struct line_value key;
    struct line_value value;
    if (line->params_count >= 2 && line->params[1].kind == LINE_OBJECT) {
        struct line_cursor cursor = line_enter(&line->params[1]);
        while (line_next(&cursor, &key, &value)) {
            if (key.kind == LINE_TEXT && line_text_is(&key, name)) {
                return value;
            }
        }
    }
    return (struct line_value){.kind = LINE_ABSENT};
}

static void write_comma(struct buffer *out, bool *is_first)
{
    if (!*is_first) {
        write_bytes(out, ",", 1);
    }
    *is_first = false;
}

static void configure_rolling(struct session *session, const struct line *line, struct buffer *out)
{
    struct line_value value = parameter(line, ROLLING ".mask");
    uint32_t wanted;
    if (!line_to_hex_u32(&value, &wanted)) {
        wanted = UINT32_MAX;
    }
    session->version_mask = wanted & session->engine->config.version_mask;
    write_format(out, "\"" ROLLING "\":%s,\"" ROLLING ".mask\":\"%08x\"",
                 session->version_mask != 0 ? "true" : "false", session->version_mask);
}

static void configure_minimum(struct session *session, const struct line *line, struct buffer *out)
{
    struct line_value value = parameter(line, MINIMUM_DIFFICULTY ".value");
    double minimum;
    bool is_good = line_to_double(&value, &minimum) && difficulty_is_sane(minimum);
    if (is_good) {
        session->wishes.min = minimum;
        if (session->is_mining && !session->vardiff.is_fixed) {
            session->vardiff.floor = minimum > session->engine->config.difficulty_min
                                         ? minimum
                                         : session->engine->config.difficulty_min;
        }
    }
    write_format(out, "\"" MINIMUM_DIFFICULTY "\":%s", is_good ? "true" : "false");
}

// The name comes back in the answer: only what cannot break it.
static bool is_plain_name(const struct line_value *name)
{
    if (name->kind != LINE_TEXT || name->size == 0 || name->size > EXTENSION_SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < name->size; i++) {
        char c = name->text[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_plain) {
            return false;
        }
    }
    return true;
}

static void configure_extension(struct session *session, const struct line *line,
                                const struct line_value *name, struct buffer *out)
{
    if (line_text_is(name, ROLLING)) {
        configure_rolling(session, line, out);
    } else if (line_text_is(name, MINIMUM_DIFFICULTY)) {
        configure_minimum(session, line, out);
    } else {
        bool is_known = line_text_is(name, "subscribe-extranonce") || line_text_is(name, "info");
        write_format(out, "\"%.*s\":%s", (int)name->size, name->text, is_known ? "true" : "false");
    }
}

void method_configure(struct session *session, const struct line *line)
{
    char text[EXTENSIONS_MAX * (EXTENSION_SIZE_MAX + 64)];
    struct buffer results;
    buffer_init_fixed(&results, text, sizeof(text));
    struct line_value ignored;
    struct line_value name;
    bool is_first = true;
    if (line->params_count == 0 || line->params[0].kind != LINE_ARRAY) {
        reply_error(session_out(session), &line->id, "null", REPLY_OTHER,
                    "mining.configure needs a list of extensions");
        return;
    }
    struct line_cursor cursor = line_enter(&line->params[0]);
    for (size_t i = 0; i < EXTENSIONS_MAX && line_next(&cursor, &ignored, &name); i++) {
        if (is_plain_name(&name)) {
            write_comma(&results, &is_first);
            configure_extension(session, line, &name, &results);
        }
    }
    if (reply_is_wanted(&line->id)) {
        struct buffer *out = session_out(session);
        reply_begin(out, &line->id);
        write_bytes(out, "{", 1);
        write_bytes(out, results.data, results.size);
        write_bytes(out, "}", 1);
        reply_end(out);
    }
}
