// vectors PATH...: runs every *.json under the paths and says how many cases passed. Exit status 1
// if one failed, if a file could not be read, or if there was no case at all.
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/log.h"
#include "tests/vectors/vectors.h"

#define FILE_SIZE_MAX (512u << 20)

struct run {
    struct env env;
    uint64_t random_state;
    struct vector_totals totals;
};

// The same numbers in every run: they only key hash maps.
static void random_of_run(void *context, void *out, size_t size)
{
    struct run *run = context;
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        run->random_state = run->random_state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(run->random_state >> 56);
    }
}

static void fail_path(struct run *run, const char *path, const char *why)
{
    printf("FAILED %s: %s\n", path, why);
    run->totals.failed++;
}

static bool read_all(FILE *file, struct buffer *text)
{
    uint8_t piece[65536];
    size_t got;
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
        write_bytes(text, piece, got);
    return !ferror(file) && !text->failed;
}

static void run_file(struct run *run, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_path(run, path, strerror(errno));
        return;
    }
    struct buffer text;
    buffer_init(&text, FILE_SIZE_MAX);
    if (read_all(file, &text))
        vector_run_text(path, (const char *)text.data, text.size, &run->env, &run->totals);
    else
        fail_path(run, path, "it cannot be read, or is too large");
    buffer_clear(&text);
    fclose(file);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

// A file named on the command line is run whatever its name; in folders only *.json.
static bool is_wanted(const FTSENT *entry)
{
    const char *dot = strrchr(entry->fts_name, '.');
    return entry->fts_level == FTS_ROOTLEVEL || (dot != NULL && strcmp(dot, ".json") == 0);
}

static void run_entry(struct run *run, const FTSENT *entry)
{
    switch (entry->fts_info) {
    case FTS_F:
        if (is_wanted(entry))
            run_file(run, entry->fts_path);
        break;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
    case FTS_SLNONE:
        fail_path(run, entry->fts_path, strerror(entry->fts_errno));
        break;
    case FTS_DC:
        fail_path(run, entry->fts_path, "the folder contains itself");
        break;
    default:
        break; // folders, and what is neither file nor folder
    }
}

static void run_paths(struct run *run, char *const *paths)
{
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (walk == NULL) {
        fail_path(run, paths[0], strerror(errno));
        return;
    }
    FTSENT *entry;
    while ((entry = fts_read(walk)) != NULL)
        run_entry(run, entry);
    fts_close(walk);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: vectors PATH...\nEach path is a file of test vectors or a folder "
                        "of *.json.\n");
        return 2;
    }
    struct log *log = log_new_silent();
    if (log == NULL)
        return 2;
    struct run run = {.random_state = 1};
    run.env = (struct env){.random = random_of_run, .context = &run, .log = log};
    run_paths(&run, argv + 1);
    log_free(log);
    if (run.totals.passed + run.totals.failed == 0)
        printf("FAILED: there is no case under these paths\n");
    printf("%zu passed, %zu failed\n", run.totals.passed, run.totals.failed);
    return run.totals.failed == 0 && run.totals.passed > 0 ? 0 : 1;
}
