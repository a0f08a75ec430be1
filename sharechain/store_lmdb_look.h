// A first look at a store file, by a child process: where pages of it are damaged LMDB follows
// numbers in them to anywhere, which can end the process that reads. Used by store_lmdb_file.c
// before it opens the file.
#ifndef SHOAL_SHARECHAIN_STORE_LMDB_LOOK_H
#define SHOAL_SHARECHAIN_STORE_LMDB_LOOK_H

// 0 if every entry of the file can be read, or if no child could be started; else LMDB's
// MDB_CORRUPTED. Reads the whole file. The caller must have no other threads that matter.
int lmdb_look(const char *path);

#endif
