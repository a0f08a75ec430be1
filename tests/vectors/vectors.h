// The vectors program: runs the project's test vectors (protocol.md in numbers) against the real
// code. main.c finds the files, vectors.c reads and compares fields, one file x_case.c per kind of
// case does the work. A runner reads its inputs with vector_read_*, compares with vector_check_*
// and says with vector_known_keys which keys it looked at: a case passes only if nothing was
// reported and the runner came to its end.
#ifndef SHOAL_TESTS_VECTORS_VECTORS_H
#define SHOAL_TESTS_VECTORS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/env.h"
#include "node/base/hash.h"
#include "node/base/json.h"
#include "node/base/u256.h"
#include "node/bitcoin/coinbase.h"
#include "node/bitcoin/merkle.h"
#include "node/bitcoin/script.h"
#include "sharechain/pool.h"
#include "sharechain/share.h"

enum case_outcome { CASE_PASSED, CASE_FAILED };

struct vector_report; // counts and prints mismatches of the case at hand

struct vector_case {
    const char *file;         // path, for messages
    const char *name;         // of the case
    struct json_value inputs; // the case object itself
    struct json_value expect; // its `expect`: an object or (headers) an array
    const struct env *env;    // seeded randomness, silent log
    struct vector_report *report;
};

typedef enum case_outcome vector_runner(const struct vector_case *c);

vector_runner vector_body_case;
vector_runner vector_chain_case;
vector_runner vector_coin_line_case;
vector_runner vector_coin_retarget_case;
vector_runner vector_coinbase_case;
vector_runner vector_compact_case;
vector_runner vector_grain_case;
vector_runner vector_headers_case;
vector_runner vector_payout_case;
vector_runner vector_pool_keys_case;
vector_runner vector_pool_text_case;
vector_runner vector_retarget_case;
vector_runner vector_share_case;
vector_runner vector_skeleton_encode_case;
vector_runner vector_skeleton_follow_case;
vector_runner vector_skeleton_read_case;
vector_runner vector_subsidy_case;
vector_runner vector_varint_case;

// Reports one difference; the case has failed. got and expected are texts.
void vector_mismatch(const struct vector_case *c, const char *field, const char *got,
                     const char *expected);
// Reports a case that cannot be read as its kind; the case has failed.
void vector_malformed(const struct vector_case *c, const char *field, const char *why);
// Puts this (printf) before the field of every later report, as in "links[3].": for lists. ""
// clears it.
void vector_where(const struct vector_case *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// True if nothing was reported for this case so far.
bool vector_is_clean(const struct vector_case *c);
// CASE_PASSED if clean: how a runner ends.
enum case_outcome vector_outcome(const struct vector_case *c);

// Reading an input `name` of an object. False, having reported it, if it is absent or of another
// form.
bool vector_read_hex(const struct vector_case *c, struct json_value object, const char *name,
                     void *out, size_t size); // exactly size bytes
bool vector_read_hash(const struct vector_case *c, struct json_value object, const char *name,
                      struct hash256 *out);
bool vector_read_blob(const struct vector_case *c, struct json_value object, const char *name,
                      struct buffer *out); // appends hex of any length
bool vector_read_u64(const struct vector_case *c, struct json_value object, const char *name,
                     uint64_t *out); // an integer or a decimal string
bool vector_read_u32(const struct vector_case *c, struct json_value object, const char *name,
                     uint32_t *out);
bool vector_read_i64(const struct vector_case *c, struct json_value object, const char *name,
                     int64_t *out); // a JSON integer
bool vector_read_u256(const struct vector_case *c, struct json_value object, const char *name,
                      struct u256 *out); // an integer or a decimal string
bool vector_read_target(const struct vector_case *c, struct json_value object, const char *name,
                        struct u256 *out); // 64 hex digits, most significant first
bool vector_read_bits(const struct vector_case *c, struct json_value object, const char *name,
                      uint32_t *out); // 8 hex digits as usually written
bool vector_read_script(const struct vector_case *c, struct json_value object, const char *name,
                        struct script *out);
bool vector_read_branch(const struct vector_case *c, struct json_value object, const char *name,
                        struct merkle_branch *out);
// The object `pool` of a case; its pool_id, where given, is compared.
bool vector_read_pool(const struct vector_case *c, struct pool *out);

// The same of a value without a name, as in arrays; nothing is reported.
bool vector_value_blob(struct json_value value, struct buffer *out);
bool vector_value_u64(struct json_value value, uint64_t *out);
bool vector_value_u256(struct json_value value, struct u256 *out);
bool vector_value_bits(struct json_value value, uint32_t *out);
// "script:number". The script may be any bytes: orders are tested with scripts that nobody could be
// paid to.
bool vector_value_pair(struct json_value value, struct script *script, struct u256 *number);

// Comparing a result with the key `name` of an object of `expect`. An absent key is nothing to
// compare; a present one that differs or has another form is reported.
void vector_check_hex(const struct vector_case *c, struct json_value object, const char *name,
                      const void *got, size_t size);
void vector_check_hash(const struct vector_case *c, struct json_value object, const char *name,
                       const struct hash256 *got);
void vector_check_u64(const struct vector_case *c, struct json_value object, const char *name,
                      uint64_t got);
void vector_check_i64(const struct vector_case *c, struct json_value object, const char *name,
                      int64_t got);
void vector_check_u256(const struct vector_case *c, struct json_value object, const char *name,
                       const struct u256 *got);
void vector_check_target(const struct vector_case *c, struct json_value object, const char *name,
                         const struct u256 *got);
void vector_check_bits(const struct vector_case *c, struct json_value object, const char *name,
                       uint32_t got);
void vector_check_bool(const struct vector_case *c, struct json_value object, const char *name,
                       bool got);
void vector_check_text(const struct vector_case *c, struct json_value object, const char *name,
                       const char *got);

// Reports every key of the object that is not among the names, a zero-terminated list joined by
// single spaces
// ("link_bits x"), and an object that is none or empty: nothing in `expect` goes unchecked.
void vector_known_keys(const struct vector_case *c, struct json_value object, const char *names);
// For kinds whose `expect` may be a refusal (`refuse` or `invalid`): reports it if the code and the
// vector do not agree. True if both accept, so that there is a result to compare.
bool vector_agrees_to_accept(const struct vector_case *c, bool accepted);

// The list of coinbase outputs hashed as payout_sha256 is: one SHA256 of u64 amount, varbytes
// script, each.
void vector_outputs_sha256(const struct coinbase_output *outputs, size_t count,
                           struct hash256 *hash);

// A coinbase from the inputs of coinbase.json (height, extranonce, outputs or outputs_recipe,
// witness_commitment), its aux and commitment from info; appended whole to coinbase. False,
// reported, if an input is missing.
bool vector_build_coinbase(const struct vector_case *c, struct json_value parts,
                           const struct share_info *info, struct buffer *coinbase);
// Script i of a recipe: 0014 and the first 20 bytes of SHA256(salt followed by i in decimal).
void vector_recipe_script(const char *salt, uint64_t i, struct script *script);

struct vector_totals {
    size_t passed;
    size_t failed;
};
// Runs every case of a file's text; a text that is no array of cases counts as one failure.
void vector_run_text(const char *file, const char *text, size_t size, const struct env *env,
                     struct vector_totals *totals);

#endif
