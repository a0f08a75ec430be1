#include "node/identity_file.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 2048

static void file_path(const char *data, const char *ending, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s%s", data, IDENTITY_FILE_NAME, ending);
}

static bool fail(char error[IDENTITY_FILE_ERROR_SIZE], const char *what, const char *path)
{
    snprintf(error, IDENTITY_FILE_ERROR_SIZE, "identity: cannot %s \"%.300s\": %s", what, path,
             strerror(errno));
    return false;
}

// One byte more than a right file has, so that a longer one is seen.
static ssize_t read_whole(int file, uint8_t bytes[IDENTITY_KEY_FILE_SIZE + 1])
{
    size_t size = 0;
    while (size < IDENTITY_KEY_FILE_SIZE + 1) {
        ssize_t part = read(file, bytes + size, IDENTITY_KEY_FILE_SIZE + 1 - size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        if (part == 0)
            break;
        size += (size_t)part;
    }
    return (ssize_t)size;
}

static bool judge(enum identity_result result, const char *path,
                  char error[IDENTITY_FILE_ERROR_SIZE])
{
    if (result == IDENTITY_OK)
        return true;
    snprintf(error, IDENTITY_FILE_ERROR_SIZE,
             "identity: \"%.300s\": %s; bring back a copy, or remove it: the node then makes a new "
             "identity, and nothing that was earned is lost",
             path, identity_result_text(result));
    return false;
}

enum identity_file identity_file_read(const char *data, unsigned puzzle_bits,
                                      struct identity *identity,
                                      char error[IDENTITY_FILE_ERROR_SIZE])
{
    char path[PATH_SIZE];
    uint8_t bytes[IDENTITY_KEY_FILE_SIZE + 1];
    file_path(data, "", path);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return IDENTITY_FILE_MISSING;
    struct stat status;
    ssize_t size = file < 0 ? -1 : read_whole(file, bytes);
    bool is_good = size >= 0 && fstat(file, &status) == 0;
    if (!is_good)
        fail(error, "read", path);
    if (file >= 0)
        close(file);
    if (is_good && (status.st_mode & 077) != 0) {
        snprintf(error, IDENTITY_FILE_ERROR_SIZE,
                 "identity: other users of this machine may read \"%.300s\", which holds this "
                 "node's keys: chmod 600 it",
                 path);
        is_good = false;
    }
    is_good =
        is_good && judge(identity_decode(bytes, (size_t)size, puzzle_bits, identity), path, error);
    sodium_memzero(bytes, sizeof(bytes));
    return is_good ? IDENTITY_FILE_READ : IDENTITY_FILE_FAILED;
}

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

// The new name is on disk when its directory is.
static void sync_directory(const char *data)
{
    int directory = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return;
    fsync(directory);
    close(directory);
}

bool identity_file_write(const char *data, const struct identity *identity,
                         char error[IDENTITY_FILE_ERROR_SIZE])
{
    char path[PATH_SIZE], fresh[PATH_SIZE];
    uint8_t bytes[IDENTITY_KEY_FILE_SIZE];
    file_path(data, "", path);
    file_path(data, ".new", fresh);
    unlink(fresh); // of an earlier try
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return fail(error, "make", fresh);
    identity_encode(identity, bytes);
    bool is_written = write_whole(file, bytes, sizeof(bytes));
    sodium_memzero(bytes, sizeof(bytes));
    if (!is_written)
        fail(error, "write", fresh);
    close(file);
    if (is_written && rename(fresh, path) != 0)
        is_written = fail(error, "write", path);
    if (is_written)
        sync_directory(data);
    else
        unlink(fresh);
    return is_written;
}
