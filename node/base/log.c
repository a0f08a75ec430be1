#include "node/base/log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "node/base/bytes.h"
#include "node/base/json.h"

// A line longer than this loses fields, and says so: logging must not allocate, nor be flooded from
// outside.
#define LINE_SIZE_MAX 4096
// Kept free for the mark of lost fields and the end of the line.
#define LINE_END_SIZE 32
// A text value is cut to this many bytes, and the line says so.
#define TEXT_SIZE_MAX 512
// Part and event are our own words; cut so that the head of a line fits even with every byte
// escaped.
#define PART_SIZE_MAX  64
#define EVENT_SIZE_MAX 256

struct log {
    atomic_int level_max; // changed by one thread while others log
    enum log_form form;
    log_sink *sink; // NULL in the silent log
    log_clock *clock;
    void *context;
};

struct log *log_new(enum log_level level_max, enum log_form form, log_sink *sink, log_clock *clock,
                    void *context)
{
    struct log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    atomic_init(&log->level_max, (int)level_max);
    log->form = form;
    log->sink = sink;
    log->clock = clock;
    log->context = context;
    return log;
}

struct log *log_new_silent(void)
{
    return log_new(LOG_ERROR, LOG_FORM_TEXT, NULL, NULL, NULL);
}

void log_free(struct log *log)
{
    free(log);
}

void log_set_level(struct log *log, enum log_level level_max)
{
    atomic_store_explicit(&log->level_max, (int)level_max, memory_order_relaxed);
}

bool log_wants(const struct log *log, enum log_level level)
{
    return log->sink != NULL &&
           (int)level <= atomic_load_explicit(&log->level_max, memory_order_relaxed);
}

static const char *level_text(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARN:
        return "warn";
    case LOG_INFO:
        return "info";
    case LOG_DEBUG:
        return "debug";
    }
    abort();
}

bool log_level_from_text(const char *text, enum log_level *level)
{
    static const enum log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(text, level_text(levels[i])) == 0) {
            *level = levels[i];
            return true;
        }
    }
    return false;
}

// UTC with milliseconds, as RFC 3339 has it.
static void format_time(struct wall_time time, char *out, size_t capacity)
{
    int64_t ms = time.ms > 0 ? time.ms : 0;
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts = {.tm_mday = 1, .tm_year = 70};
    gmtime_r(&seconds, &parts); // leaves the start of 1970 for a time beyond any calendar
    struct buffer text;
    buffer_init_fixed(&text, out, capacity);
    write_format(&text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                 (int)(ms % 1000));
}

// Size of the text without what is beyond size_max.
static size_t bounded_size(const char *text, size_t size_max)
{
    size_t size = strnlen(text, size_max + 1);
    if (size <= size_max)
        return size;
    size = size_max;
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--; // not in the middle of a character
    return size;
}

// Text that needs no quotes in the text form.
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"\\=", text[i]) != NULL)
            return false;
    }
    return size > 0;
}

// Both forms write values as JSON does; name is NULL in the text form.
static void write_value(struct json_writer *writer, const char *name, const struct log_field *field,
                        bool *cut)
{
    switch (field->kind) {
    case LOG_FIELD_TEXT: {
        const char *text = field->value.text != NULL ? field->value.text : "";
        size_t size = bounded_size(text, TEXT_SIZE_MAX);
        *cut |= text[size] != '\0';
        if (name == NULL && is_plain(text, size))
            write_bytes(writer->out, text, size);
        else
            json_write_text_sized(writer, name, text, size);
        return;
    }
    case LOG_FIELD_I64:
        json_write_i64(writer, name, field->value.i64);
        return;
    case LOG_FIELD_U64:
        json_write_u64(writer, name, field->value.u64);
        return;
    case LOG_FIELD_DOUBLE:
        json_write_double(writer, name, field->value.number);
        return;
    case LOG_FIELD_BOOL:
        json_write_bool(writer, name, field->value.truth);
        return;
    }
}

static void write_text_field(struct buffer *line, const struct log_field *field, bool *cut)
{
    struct json_writer value;
    json_writer_init(&value, line);
    write_format(line, " %s=", field->name);
    write_value(&value, NULL, field, cut);
}

// Writes all fields that fit; *lost is set if one did not, or not as a whole.
static void write_fields(const struct log *log, struct json_writer *writer,
                         struct log_fields fields, bool *lost)
{
    struct buffer *line = writer->out;
    for (size_t i = 0; i < fields.count; i++) {
        const struct log_field *field = &fields.first[i];
        size_t size_before = line->size;
        if (log->form == LOG_FORM_JSON)
            write_value(writer, field->name, field, lost);
        else
            write_text_field(line, field, lost);
        if (line->failed || line->capacity - line->size < LINE_END_SIZE) {
            line->size = size_before;
            line->failed = false;
            *lost = true;
        }
    }
}

static void write_head(const struct log *log, struct json_writer *writer, enum log_level level,
                       const char *part, const char *event)
{
    char time[40];
    size_t part_size = bounded_size(part, PART_SIZE_MAX);
    size_t event_size = bounded_size(event, EVENT_SIZE_MAX);
    format_time(log->clock(log->context), time, sizeof time);
    if (log->form == LOG_FORM_JSON) {
        json_begin_object(writer, NULL);
        json_write_text(writer, "time", time);
        json_write_text(writer, "level", level_text(level));
        json_write_text_sized(writer, "part", part, part_size);
        json_write_text_sized(writer, "event", event, event_size);
        return;
    }
    write_format(writer->out, "%s %-5s %.*s: %.*s", time, level_text(level), (int)part_size, part,
                 (int)event_size, event);
}

void log_write(struct log *log, enum log_level level, const char *part, const char *event,
               struct log_fields fields)
{
    if (!log_wants(log, level))
        return;
    char text[LINE_SIZE_MAX];
    struct buffer line;
    struct json_writer writer;
    bool lost = false;
    buffer_init_fixed(&line, text, sizeof text);
    json_writer_init(&writer, &line);
    write_head(log, &writer, level, part, event);
    write_fields(log, &writer, fields, &lost);
    if (log->form == LOG_FORM_JSON) {
        if (lost)
            json_write_bool(&writer, "truncated", true);
        json_end_object(&writer);
    } else if (lost) {
        write_text(&line, " truncated=true");
    }
    write_u8(&line, '\n');
    log->sink(log->context, level, text, line.size);
}
