// The audit log: who did what from where, and what came of it. A line of JSON for each change and
// each attempt to sign in, appended to audit.log (mode 0600); at 4 MiB it becomes audit.log.1 and a
// new one begins. Lines are numbered through both, and over restarts. A caller that changes
// something writes its line first, and changes nothing where that fails.
#ifndef SHOAL_NODE_API_AUDIT_H
#define SHOAL_NODE_API_AUDIT_H

#include <stdbool.h>
#include <stdint.h>
#include "node/api/problem.h"
#include "node/api/route.h"
#include "node/base/json.h"
#include "node/base/time.h"

#define AUDIT_SIZE_MAX      ((uint64_t)4 << 20) // of one of the two files
#define AUDIT_LINE_SIZE_MAX 4096
#define AUDIT_PATH_SIZE     2048

struct audit;

struct audit_entry {
    const struct api_identity *who;
    const char *action; // "accounts/add"
    const char *what;   // "name=bob role=viewer"; never a secret
    const char *result; // "done", or a sentence
};

// Goes on behind what is there. NULL with a sentence. `size_max` of a file: AUDIT_SIZE_MAX.
struct audit *audit_open(const char *path, uint64_t size_max, char error[API_PROBLEM_SIZE]);
void audit_close(struct audit *audit); // NULL is fine

// False (503) if the line could not be written whole; then nothing of it is there. It is on disk
// when this returns true, for an action that must not be forgotten (is_change), else soon.
bool audit_write(struct audit *audit, const struct audit_entry *entry, bool is_change,
                 struct now now, struct api_problem *problem);

// Members "entries" (newest first, up to `limit` with numbers up to `from`, 0: all) and "next".
// Lines that are damaged are left out.
void audit_list(struct audit *audit, uint64_t from, uint64_t limit, struct json_writer *writer);

#endif
