// The thread that brings the puts to the disk: what comes within a few milliseconds of each other
// is one batch, and when writing that fails it keeps the batch and tries again. Everything here is
// called by the loop's thread.
#ifndef SHOAL_SHARECHAIN_STORE_LMDB_WRITER_H
#define SHOAL_SHARECHAIN_STORE_LMDB_WRITER_H

#include "sharechain/store_lmdb_file.h"

struct lmdb_writer;

struct lmdb_writer_options {
    struct lmdb_file *file; // borrowed
    unsigned retry_ms;
    void (*wake)(void *context); // as in store_lmdb_options; may be NULL
    void *context;
};

// NULL if there is no thread to be had.
struct lmdb_writer *lmdb_writer_start(const struct lmdb_writer_options *options);
// Ends the thread after the batch it is writing, and frees all entries. NULL is fine.
void lmdb_writer_stop(struct lmdb_writer *writer);

// Takes the entry over, numbers it and puts it behind all others.
uint64_t lmdb_writer_add(struct lmdb_writer *writer, struct store_entry *entry);
// Gives back the oldest entry that is on disk, for the caller to free; NULL if none is left.
struct store_entry *lmdb_writer_take_done(struct lmdb_writer *writer);

uint64_t lmdb_writer_durable(struct lmdb_writer *writer);
uint64_t lmdb_writer_pending_bytes(struct lmdb_writer *writer);
// 0 when the last batch was written, otherwise why it was not: lmdb_env_error_text.
int lmdb_writer_trouble(struct lmdb_writer *writer);
// As store_next_commit.
bool lmdb_writer_next_commit(struct lmdb_writer *writer, struct store_commit *commit);
// Waits until everything added is on disk, at most timeout_ms; false if it is not.
bool lmdb_writer_settle(struct lmdb_writer *writer, unsigned timeout_ms);

#endif
