// For tests of the LMDB store: a folder that is new and goes away again.
#ifndef SHOAL_TESTS_UNIT_SHARECHAIN_STORE_FOLDER_H
#define SHOAL_TESTS_UNIT_SHARECHAIN_STORE_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct store_folder {
    char path[256];
};

static inline struct store_folder store_folder_new(void)
{
    const char *parent = getenv("TMPDIR");
    struct store_folder folder;
    snprintf(folder.path, sizeof folder.path, "%s/shoal-store-XXXXXX",
             parent != NULL ? parent : "/tmp");
    if (mkdtemp(folder.path) == NULL) {
        perror(folder.path);
        abort();
    }
    return folder;
}

// The path of a file in the folder; out has room for 300 characters.
static inline const char *store_folder_file(const struct store_folder *folder, const char *name,
                                            char out[300])
{
    snprintf(out, 300, "%s/%s", folder->path, name);
    return out;
}

static inline void store_folder_remove(const struct store_folder *folder)
{
    static const char *const names[] = {"store.mdb", "store.mdb-lock", "store.lock", "store.new"};
    char path[300];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(store_folder_file(folder, names[i], path));
    rmdir(folder->path);
}

#endif
