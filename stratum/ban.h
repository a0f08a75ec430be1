// Who misbehaves, by address: an IPv4 address or an IPv6 /64. Offences add to a score that fades;
// too much of it is a ban for a while. Also counts the sessions of an address, and how long a
// refused user name has to wait. Trusted networks and loopback collect no score. Bounded in memory:
// the table forgets the mildest first.
#ifndef SHOAL_STRATUM_BAN_H
#define SHOAL_STRATUM_BAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/env.h"
#include "node/base/time.h"
#include "stratum/stratum.h"

enum ban_offence {
    BAN_SHARE_GOOD, // takes score away
    BAN_SHARE_INVALID,
    BAN_SHARE_MALFORMED,
    BAN_JUNK_LINE,
    BAN_LINE_TOO_LONG,
    BAN_USER_REFUSED,
    BAN_SILENT, // connected and said nothing
    BAN_FLOOD,
};

struct ban_table;

// `config` is borrowed for its trusted networks and ban_ms. NULL if out of memory.
struct ban_table *ban_table_new(const struct env *env, const struct stratum_config *config);
void ban_table_free(struct ban_table *table);

bool ban_is_trusted(const struct ban_table *table, const struct stratum_peer *peer);
bool ban_is_banned(const struct ban_table *table, const struct stratum_peer *peer,
                   struct mono_time now);
// Addresses banned now.
uint32_t ban_count(const struct ban_table *table, struct mono_time now);
// True if this offence made the score full: the address is banned from now on.
bool ban_add_offence(struct ban_table *table, const struct stratum_peer *peer,
                     enum ban_offence offence, struct mono_time now);

// Sessions of an address: false if out of memory. Each join is followed by one leave.
bool ban_session_joined(struct ban_table *table, const struct stratum_peer *peer);
void ban_session_left(struct ban_table *table, const struct stratum_peer *peer);
uint32_t ban_sessions(const struct ban_table *table, const struct stratum_peer *peer);

// A user name was refused: how long its connection is kept before it may try again. 3 s the first
// time, doubling up to 600 s, forgotten an hour after the last time.
int64_t ban_user_backoff_ms(struct ban_table *table, const char *user, struct mono_time now);
// Forgets what has faded; to be called now and then.
void ban_sweep(struct ban_table *table, struct mono_time now);

#endif
