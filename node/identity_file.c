#include "node/identity_file.h"
#include <sodium.h>
#include <stdio.h>
#include "node/api/private_file.h"

static void file_path(const char *data, char path[PRIVATE_FILE_PATH_SIZE])
{
    snprintf(path, PRIVATE_FILE_PATH_SIZE, "%s/%s", data, IDENTITY_FILE_NAME);
}

static bool fail(char error[IDENTITY_FILE_ERROR_SIZE], const char *reason)
{
    snprintf(error, IDENTITY_FILE_ERROR_SIZE, "identity: %.480s", reason);
    return false;
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
    char path[PRIVATE_FILE_PATH_SIZE], reason[PRIVATE_FILE_ERROR_SIZE];
    struct buffer bytes;
    enum identity_file result = IDENTITY_FILE_FAILED;
    // Room for more than a right file has, so that a longer one is seen.
    buffer_init(&bytes, 2 * IDENTITY_KEY_FILE_SIZE);
    file_path(data, path);
    switch (private_file_read(path, "this node's keys", &bytes, reason)) {
    case PRIVATE_FILE_MISSING:
        result = IDENTITY_FILE_MISSING;
        break;
    case PRIVATE_FILE_READ:
        if (judge(identity_decode(bytes.data, bytes.size, puzzle_bits, identity), path, error))
            result = IDENTITY_FILE_READ;
        break;
    case PRIVATE_FILE_FAILED:
        fail(error, reason);
        break;
    }
    if (bytes.data != NULL)
        sodium_memzero(bytes.data, bytes.size);
    buffer_clear(&bytes);
    return result;
}

bool identity_file_write(const char *data, const struct identity *identity,
                         char error[IDENTITY_FILE_ERROR_SIZE])
{
    char path[PRIVATE_FILE_PATH_SIZE], reason[PRIVATE_FILE_ERROR_SIZE];
    uint8_t bytes[IDENTITY_KEY_FILE_SIZE];
    file_path(data, path);
    identity_encode(identity, bytes);
    bool is_written = private_file_prepare(path, bytes, sizeof(bytes), reason) &&
                      private_file_commit(path, reason);
    sodium_memzero(bytes, sizeof(bytes));
    return is_written || fail(error, reason);
}
