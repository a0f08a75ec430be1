#include "node/api/private_file.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_SIZE 4096

static bool fail(char error[PRIVATE_FILE_ERROR_SIZE], const char *what, const char *path)
{
    snprintf(error, PRIVATE_FILE_ERROR_SIZE, "cannot %s \"%.300s\": %s", what, path,
             strerror(errno));
    return false;
}

static void fresh_path(const char *path, char fresh[PRIVATE_FILE_PATH_SIZE])
{
    snprintf(fresh, PRIVATE_FILE_PATH_SIZE, "%s.new", path);
}

// ---- Reading

static bool read_whole(int file, struct buffer *out)
{
    uint8_t bytes[PART_SIZE];
    ssize_t part = 1;
    while (part > 0 && !out->failed) {
        part = read(file, bytes, sizeof(bytes));
        if (part < 0 && errno == EINTR) {
            part = 1;
            continue;
        }
        if (part > 0)
            write_bytes(out, bytes, (size_t)part);
    }
    sodium_memzero(bytes, sizeof(bytes));
    return part >= 0;
}

static bool check_private(int file, const char *path, const char *holds, struct buffer *out,
                          char error[PRIVATE_FILE_ERROR_SIZE])
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return fail(error, "read", path);
    if ((status.st_mode & 077) == 0) {
        // All at once, so that no copies of a secret are left behind where the buffer grows. One
        // that is too large fails the buffer.
        (void)buffer_reserve(out, (size_t)status.st_size);
        return true;
    }
    snprintf(error, PRIVATE_FILE_ERROR_SIZE,
             "other users of this machine may read \"%.300s\", which holds %s: chmod 600 it", path,
             holds);
    return false;
}

enum private_file private_file_read(const char *path, const char *holds, struct buffer *out,
                                    char error[PRIVATE_FILE_ERROR_SIZE])
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return PRIVATE_FILE_MISSING;
    if (file < 0) {
        fail(error, "read", path);
        return PRIVATE_FILE_FAILED;
    }
    bool is_good = check_private(file, path, holds, out, error);
    if (is_good && !read_whole(file, out))
        is_good = fail(error, "read", path);
    close(file);
    return is_good ? PRIVATE_FILE_READ : PRIVATE_FILE_FAILED;
}

// ---- Writing

static bool write_whole(int file, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t part = write(file, bytes, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return false;
        bytes += part;
        size -= (size_t)part;
    }
    return fsync(file) == 0;
}

bool private_file_prepare(const char *path, const void *data, size_t size,
                          char error[PRIVATE_FILE_ERROR_SIZE])
{
    char fresh[PRIVATE_FILE_PATH_SIZE];
    fresh_path(path, fresh);
    unlink(fresh); // of an earlier try
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return fail(error, "make", fresh);
    bool is_written = write_whole(file, data, size) || fail(error, "write", fresh);
    close(file);
    if (!is_written)
        unlink(fresh);
    return is_written;
}

// The new name is on disk when its directory is.
static void sync_directory(const char *path)
{
    char folder[PRIVATE_FILE_PATH_SIZE];
    const char *end = strrchr(path, '/');
    int size = end == NULL ? 1 : end == path ? 1 : (int)(end - path);
    snprintf(folder, sizeof(folder), "%.*s", size, end == NULL ? "." : path);
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return;
    fsync(directory);
    close(directory);
}

bool private_file_commit(const char *path, char error[PRIVATE_FILE_ERROR_SIZE])
{
    char fresh[PRIVATE_FILE_PATH_SIZE];
    fresh_path(path, fresh);
    if (rename(fresh, path) != 0) {
        fail(error, "write", path);
        unlink(fresh);
        return false;
    }
    sync_directory(path);
    return true;
}

void private_file_abandon(const char *path)
{
    char fresh[PRIVATE_FILE_PATH_SIZE];
    fresh_path(path, fresh);
    unlink(fresh);
}
