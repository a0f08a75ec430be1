// How often somebody may be wrong: ten wrong attempts lock a name for 15 minutes, and an address
// (IPv4, or the /64 of IPv6) for a minute, then for two, and so on up to an hour. Wrong attempts
// are forgotten after 15 minutes without another, locks of an address after a day. A fixed amount
// of memory: names share buckets by a keyed hash, so that names that exist are told from others
// neither by memory nor by time; addresses have a table whose oldest entry goes when it is full.
#ifndef SHOAL_NODE_API_LOCKOUT_H
#define SHOAL_NODE_API_LOCKOUT_H

#include <stdbool.h>
#include "node/base/env.h"
#include "node/base/time.h"

#define LOCKOUT_ATTEMPTS      10
#define LOCKOUT_NAME_S        900
#define LOCKOUT_ADDRESS_S     60
#define LOCKOUT_ADDRESS_MAX_S 3600
#define LOCKOUT_ADDRESSES_MAX 1024

struct lockout;

// NULL if out of memory. Env is not kept.
struct lockout *lockout_new(const struct env *env);
void lockout_free(struct lockout *lockout); // NULL is fine

// For how many seconds nothing may be tried; 0: it may be. Here and below NULL for the name counts
// the address alone.
int64_t lockout_wait_s(const struct lockout *lockout, const char *name, const char *address,
                       struct now now);
// An attempt was wrong. True if this locked the name or the address.
bool lockout_wrong(struct lockout *lockout, const char *name, const char *address, struct now now);
// An attempt was right: the name's wrong ones are forgotten, the address' are not, since whoever
// has one account could otherwise guess at all the others'.
void lockout_right(struct lockout *lockout, const char *name);

#endif
