#include "node/api/audit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_TOKENS_MAX 64

struct audit {
    char path[AUDIT_PATH_SIZE];
    char old_path[AUDIT_PATH_SIZE + 2]; // audit.log.1
    uint64_t size_max;
    int file; // -1 if it could not be opened again
    uint64_t next_number;
};

static bool fail(struct api_problem *problem, const struct audit *audit, int error)
{
    return api_problem_set(problem, 503, NULL,
                           "Nothing was changed: the audit log \"%.300s\" cannot be written (%s). "
                           "Free some space, or mend its rights.",
                           audit->path, strerror(error));
}

// ---- Lines that are there

// The text of a file between its newest `size_max` bytes and its end.
static void read_tail(const char *path, uint64_t size_max, struct buffer *out)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    uint64_t size = fstat(file, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
    uint64_t begin = size > size_max ? size - size_max : 0;
    size_t wanted = (size_t)(size - begin);
    if (wanted > 0 && buffer_reserve(out, wanted)) {
        ssize_t got = pread(file, out->data + out->size, wanted, (off_t)begin);
        out->size += got > 0 ? (size_t)got : 0;
    }
    close(file);
}

struct lines {
    const char *text;
    size_t size; // of what has not been looked at
};

// `text` is where they are, and is to be cleared.
static struct lines lines_open(const char *path, uint64_t size_max, struct buffer *text)
{
    buffer_init(text, size_max);
    read_tail(path, size_max, text);
    return (struct lines){(const char *)text->data, text->size};
}

// The last line before those that were taken; false if there is none.
static bool lines_previous(struct lines *lines, const char **line, size_t *size)
{
    while (lines->size > 0 && lines->text[lines->size - 1] == '\n')
        lines->size--;
    if (lines->size == 0)
        return false;
    const char *before = memrchr(lines->text, '\n', lines->size);
    *line = before == NULL ? lines->text : before + 1;
    *size = (size_t)(lines->text + lines->size - *line);
    lines->size -= *size;
    return true;
}

// NULL if the line is damaged.
static struct json *parse_line(const char *line, size_t size, uint64_t *number)
{
    struct json *json = json_parse(line, size, LINE_TOKENS_MAX);
    if (json != NULL && json_to_u64(json_get(json_root(json), "number"), number) && *number > 0)
        return json;
    json_free(json);
    return NULL;
}

// The number of the last line of a file, 0 if there is none.
static uint64_t last_number(const char *path, uint64_t size_max)
{
    struct buffer text;
    struct lines lines = lines_open(path, size_max, &text);
    const char *line;
    size_t size;
    uint64_t number = 0;
    struct json *json = NULL;
    while (json == NULL && lines_previous(&lines, &line, &size))
        json = parse_line(line, size, &number);
    number = json == NULL ? 0 : number;
    json_free(json);
    buffer_clear(&text);
    return number;
}

// ---- Opening

// A line that was cut off by the end of the machine stays a line of its own.
static bool end_last_line(int file)
{
    struct stat status;
    char last;
    if (fstat(file, &status) != 0)
        return false;
    if (status.st_size == 0 || (pread(file, &last, 1, status.st_size - 1) == 1 && last == '\n'))
        return true;
    return write(file, "\n", 1) == 1;
}

static bool open_file(struct audit *audit)
{
    audit->file = open(audit->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (audit->file < 0)
        return false;
    if (fchmod(audit->file, 0600) == 0)
        return true;
    close(audit->file);
    audit->file = -1;
    return false;
}

struct audit *audit_open(const char *path, uint64_t size_max, char error[API_PROBLEM_SIZE])
{
    struct audit *audit = calloc(1, sizeof(*audit));
    if (audit == NULL) {
        snprintf(error, API_PROBLEM_SIZE, "out of memory");
        return NULL;
    }
    snprintf(audit->path, sizeof(audit->path), "%s", path);
    snprintf(audit->old_path, sizeof(audit->old_path), "%s.1", path);
    audit->size_max = size_max;
    if (!open_file(audit)) {
        snprintf(error, API_PROBLEM_SIZE, "audit: cannot open \"%.300s\": %s; mend its rights",
                 path, strerror(errno));
        free(audit);
        return NULL;
    }
    uint64_t number = last_number(path, size_max + AUDIT_LINE_SIZE_MAX);
    if (number == 0)
        number = last_number(audit->old_path, size_max + AUDIT_LINE_SIZE_MAX);
    audit->next_number = number + 1;
    // Where this fails for want of space the next line fails, too, and says so.
    (void)end_last_line(audit->file);
    return audit;
}

void audit_close(struct audit *audit)
{
    if (audit == NULL)
        return;
    if (audit->file >= 0)
        close(audit->file);
    free(audit);
}

// ---- Writing

static void write_line(const struct audit *audit, const struct audit_entry *entry, struct now now,
                       struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_u64(&writer, "number", audit->next_number);
    json_write_i64(&writer, "at", wall_seconds(now.wall));
    json_write_text(&writer, "who", entry->who->name);
    json_write_text(&writer, "token", entry->who->token[0] == '\0' ? NULL : entry->who->token);
    json_write_text(&writer, "from", entry->who->address);
    json_write_text(&writer, "action", entry->action);
    json_write_text(&writer, "what", entry->what);
    json_write_text(&writer, "result", entry->result);
    json_end_object(&writer);
    write_u8(out, '\n');
}

// Makes sure that the file is the one that has the name, and that there is room in it.
static bool be_ready(struct audit *audit, size_t size)
{
    struct stat status;
    if (audit->file < 0 && !open_file(audit))
        return false;
    if (fstat(audit->file, &status) != 0)
        return false;
    bool is_gone = status.st_nlink == 0;
    bool is_full = status.st_size > 0 && (uint64_t)status.st_size + size > audit->size_max;
    if (!is_gone && !is_full)
        return true;
    // Where it cannot be renamed it grows: better than losing lines.
    if (is_full && !is_gone && rename(audit->path, audit->old_path) != 0)
        return true;
    close(audit->file);
    return open_file(audit);
}

// A line is there whole or not at all.
static bool append(int file, const struct buffer *line)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return false;
    ssize_t written = write(file, line->data, line->size);
    if (written == (ssize_t)line->size)
        return true;
    int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(file, status.st_size) != 0)
        (void)end_last_line(file);
    errno = error;
    return false;
}

bool audit_write(struct audit *audit, const struct audit_entry *entry, bool is_change,
                 struct now now, struct api_problem *problem)
{
    uint8_t bytes[AUDIT_LINE_SIZE_MAX];
    struct buffer line;
    buffer_init_fixed(&line, bytes, sizeof(bytes));
    write_line(audit, entry, now, &line);
    if (line.failed)
        return fail(problem, audit, EMSGSIZE);
    if (!be_ready(audit, line.size) || !append(audit->file, &line) ||
        (is_change && fdatasync(audit->file) != 0))
        return fail(problem, audit, errno);
    audit->next_number++;
    return true;
}

// ---- Reading

struct page {
    uint64_t from, limit;
    uint64_t count;
    uint64_t next; // 0: no older ones
};

static void write_entry(struct json_value entry, uint64_t number, struct json_writer *writer)
{
    static const char *const names[] = {"who", "token", "from", "action", "what", "result"};
    char text[AUDIT_LINE_SIZE_MAX];
    int64_t at;
    json_begin_object(writer, NULL);
    json_write_u64(writer, "number", number);
    if (json_to_i64(json_get(entry, "at"), &at))
        json_write_i64(writer, "at", at);
    else
        json_write_null(writer, "at");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bool has = json_to_text(json_get(entry, names[i]), text, sizeof(text));
        json_write_text(writer, names[i], has ? text : NULL);
    }
    json_end_object(writer);
}

static void list_file(const char *path, uint64_t size_max, struct page *page,
                      struct json_writer *writer)
{
    struct buffer text;
    struct lines lines = lines_open(path, size_max, &text);
    const char *line;
    size_t size;
    while (page->next == 0 && lines_previous(&lines, &line, &size)) {
        uint64_t number;
        struct json *json = parse_line(line, size, &number);
        if (json != NULL && number <= page->from && page->count == page->limit)
            page->next = number;
        else if (json != NULL && number <= page->from) {
            write_entry(json_root(json), number, writer);
            page->count++;
        }
        json_free(json);
    }
    buffer_clear(&text);
}

void audit_list(struct audit *audit, uint64_t from, uint64_t limit, struct json_writer *writer)
{
    struct page page = {.from = from == 0 ? UINT64_MAX : from, .limit = limit};
    uint64_t size_max = audit->size_max + AUDIT_LINE_SIZE_MAX;
    json_begin_array(writer, "entries");
    list_file(audit->path, size_max, &page, writer);
    if (page.next == 0)
        list_file(audit->old_path, size_max, &page, writer);
    json_end_array(writer);
    if (page.next == 0)
        json_write_null(writer, "next");
    else
        json_write_u64(writer, "next", page.next);
}
