#include "node/pool_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "node/limits.h"

static bool fail(char error[POOL_FILE_ERROR_SIZE], const char *what, const char *path)
{
    snprintf(error, POOL_FILE_ERROR_SIZE, "%s \"%.300s\": %s", what, path, strerror(errno));
    return false;
}

static bool load(const char *path, struct buffer *out, char error[POOL_FILE_ERROR_SIZE])
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fail(error, "cannot read", path);
    // One byte more than is allowed: pool_parse says that it is too much.
    uint8_t chunk[4096];
    size_t size;
    while ((size = fread(chunk, 1, sizeof(chunk), file)) > 0 && out->size <= LIMIT_POOL_FILE_SIZE)
        write_bytes(out, chunk, size);
    bool is_read = ferror(file) == 0 || fail(error, "cannot read", path);
    fclose(file);
    return is_read;
}

bool pool_file_read(const char *path, struct pool *pool, char error[POOL_FILE_ERROR_SIZE])
{
    struct buffer text;
    struct pool_error wrong;
    buffer_init(&text, LIMIT_POOL_FILE_SIZE + 8192);
    bool is_good = load(path, &text, error);
    if (is_good && !pool_parse((const char *)text.data, text.size, pool, &wrong)) {
        char line[32] = "";
        if (wrong.line > 0)
            snprintf(line, sizeof(line), ":%u", wrong.line);
        snprintf(error, POOL_FILE_ERROR_SIZE, "%.240s%s: %s%s%s", path, line, wrong.key,
                 wrong.key[0] == '\0' ? "" : ": ", wrong.text);
        is_good = false;
    }
    buffer_clear(&text);
    return is_good;
}

static bool write_whole(int file, const struct buffer *text)
{
    size_t done = 0;
    while (done < text->size) {
        ssize_t written = write(file, text->data + done, text->size - done);
        if (written < 0 && errno != EINTR)
            return false;
        done += written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool write_new(const char *path, const struct buffer *text, char error[POOL_FILE_ERROR_SIZE])
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (file < 0)
        return fail(error, "cannot make", path);
    bool is_written = write_whole(file, text) && fsync(file) == 0;
    if (!is_written)
        fail(error, "cannot write", path);
    close(file);
    if (!is_written)
        unlink(path); // half a pool file is worse than none
    return is_written;
}

bool pool_file_write(const char *path, const struct pool *pool, char error[POOL_FILE_ERROR_SIZE])
{
    struct buffer text;
    buffer_init(&text, LIMIT_POOL_FILE_SIZE);
    pool_write_text(pool, &text);
    bool is_written;
    if (text.failed) {
        snprintf(error, POOL_FILE_ERROR_SIZE, "out of memory");
        is_written = false;
    } else if (strcmp(path, "-") == 0) {
        is_written = write_whole(STDOUT_FILENO, &text) || fail(error, "cannot write", "-");
    } else {
        is_written = write_new(path, &text, error);
    }
    buffer_clear(&text);
    return is_written;
}
