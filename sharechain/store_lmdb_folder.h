// The folder of an LMDB store on disk: made if missing, held by one program at a time. In it:
//   store.mdb       the data; it appears whole or not at all
//   store.mdb-lock  LMDB's table of readers
//   store.lock      the lock that keeps a second program out, with the holder's process number
//   store.new       a store being made; left over only if that was interrupted
#ifndef SHOAL_SHARECHAIN_STORE_LMDB_FOLDER_H
#define SHOAL_SHARECHAIN_STORE_LMDB_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

struct lmdb_folder {
    char *path;
    char *data_path; // path/store.mdb
    char *new_path;  // path/store.new
    int fd;
    int lock_fd;
};

// Makes the folder (mode 0700) if need be and takes the lock; false with a sentence in error.
bool lmdb_folder_open(struct lmdb_folder *folder, const char *path, char *error,
                      size_t error_capacity);
bool lmdb_folder_has_data(const struct lmdb_folder *folder);
// Removes what an interrupted making left.
void lmdb_folder_remove_new(const struct lmdb_folder *folder);
// Turns path/store.new, synced, into path/store.mdb. 0 or an errno.
int lmdb_folder_adopt_new(const struct lmdb_folder *folder);
// Gives LMDB's lock file its blocks on disk: LMDB would leave them to the first access through the
// map, which on a full disk kills the program. 0 or an errno.
int lmdb_folder_reserve_locks(const struct lmdb_folder *folder);
// Lets go of the lock. Fine on a zeroed struct.
void lmdb_folder_close(struct lmdb_folder *folder);

#endif
