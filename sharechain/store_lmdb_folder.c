#include "sharechain/store_lmdb_folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_NAME  "store.mdb"
#define NEW_NAME   "store.new"
#define LOCK_NAME  "store.lock"
#define LMDB_LOCKS DATA_NAME "-lock" // the name that LMDB gives it

// Room for LMDB's header and more than a hundred readers.
#define LMDB_LOCKS_SIZE 8192

static char *join(const char *folder, const char *name)
{
    size_t capacity = strlen(folder) + strlen(name) + 2;
    char *path = malloc(capacity);
    if (path == NULL)
        abort();
    snprintf(path, capacity, "%s/%s", folder, name);
    return path;
}

// A new folder is on disk only when the one above it is synced. Where that is not allowed (it may
// belong to somebody else) the system does it in its own time.
static void sync_parent(int folder_fd)
{
    int fd = openat(folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static bool open_folder(struct lmdb_folder *folder, char *error, size_t error_capacity)
{
    bool is_new = mkdir(folder->path, 0700) == 0;
    if (!is_new && errno != EEXIST) {
        snprintf(error, error_capacity,
                 "cannot make the folder %s (%s): make it by hand or choose another place",
                 folder->path, strerror(errno));
        return false;
    }
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0) {
        snprintf(error, error_capacity,
                 "cannot open %s (%s): it must be a folder that this user may read and write",
                 folder->path, strerror(errno));
        return false;
    }
    if (is_new)
        sync_parent(folder->fd);
    return true;
}

static void describe_holder(const struct lmdb_folder *folder, char *error, size_t error_capacity)
{
    char holder[24] = "";
    ssize_t size = pread(folder->lock_fd, holder, sizeof holder - 1, 0);
    holder[size > 0 ? size : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    snprintf(error, error_capacity,
             "the folder %s is in use by another program%s%s: stop that one, or choose another "
             "folder for this one",
             folder->path, holder[0] != '\0' ? ", process " : "", holder);
}

static bool take_lock(struct lmdb_folder *folder, char *error, size_t error_capacity)
{
    folder->lock_fd = openat(folder->fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (folder->lock_fd < 0) {
        snprintf(error, error_capacity,
                 "cannot open %s/" LOCK_NAME " (%s): the folder must be one that this user may "
                 "write, on a disk that is not full",
                 folder->path, strerror(errno));
        return false;
    }
    if (flock(folder->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            describe_holder(folder, error, error_capacity);
        else
            snprintf(error, error_capacity,
                     "cannot lock %s/" LOCK_NAME " (%s): choose a folder on a local disk",
                     folder->path, strerror(errno));
        return false;
    }
    // The number is for people only: if the disk is too full for it, the lock holds all the same.
    if (ftruncate(folder->lock_fd, 0) == 0)
        dprintf(folder->lock_fd, "%ld\n", (long)getpid());
    return true;
}

bool lmdb_folder_open(struct lmdb_folder *folder, const char *path, char *error,
                      size_t error_capacity)
{
    char *copy = strdup(path);
    if (copy == NULL)
        abort();
    *folder = (struct lmdb_folder){.path = copy,
                                   .data_path = join(path, DATA_NAME),
                                   .new_path = join(path, NEW_NAME),
                                   .fd = -1,
                                   .lock_fd = -1};
    if (open_folder(folder, error, error_capacity) && take_lock(folder, error, error_capacity))
        return true;
    lmdb_folder_close(folder);
    return false;
}

bool lmdb_folder_has_data(const struct lmdb_folder *folder)
{
    return faccessat(folder->fd, DATA_NAME, F_OK, 0) == 0;
}

void lmdb_folder_remove_new(const struct lmdb_folder *folder)
{
    (void)unlinkat(folder->fd, NEW_NAME, 0);
}

int lmdb_folder_adopt_new(const struct lmdb_folder *folder)
{
    if (renameat(folder->fd, NEW_NAME, folder->fd, DATA_NAME) != 0 || fsync(folder->fd) != 0)
        return errno;
    return 0;
}

int lmdb_folder_reserve_locks(const struct lmdb_folder *folder)
{
    static const char zeros[LMDB_LOCKS_SIZE];
    int fd = openat(folder->fd, LMDB_LOCKS, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int result = 0;
    off_t size = lseek(fd, 0, SEEK_END);
    while (result == 0 && size >= 0 && size < LMDB_LOCKS_SIZE) {
        ssize_t written = pwrite(fd, zeros, (size_t)(LMDB_LOCKS_SIZE - size), size);
        if (written > 0)
            size += written;
        else if (written == 0 || errno != EINTR)
            result = written == 0 ? ENOSPC : errno;
    }
    close(fd);
    return result;
}

void lmdb_folder_close(struct lmdb_folder *folder)
{
    if (folder->path == NULL)
        return;
    if (folder->lock_fd >= 0)
        close(folder->lock_fd);
    if (folder->fd >= 0)
        close(folder->fd);
    free(folder->path);
    free(folder->data_path);
    free(folder->new_path);
    *folder = (struct lmdb_folder){.fd = -1, .lock_fd = -1};
}
