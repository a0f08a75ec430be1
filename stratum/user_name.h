// What miners put into the user name and the password: address[.worker][@team][+difficulty] and d=
// diff= md= sd= team=.
#ifndef SHOAL_STRATUM_USER_NAME_H
#define SHOAL_STRATUM_USER_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/team.h"
#include "node/limits.h"
#include "stratum/line.h"

// A name as it is shown, logged and stored: of the characters A-Z a-z 0-9 . _ : ~ @ = - only.
struct user_name {
    uint8_t size;
    uint8_t address_size; // the address is the beginning
    uint8_t worker_at;    // where the worker's name begins; size if there is none
    char text[LIMIT_USER_NAME + 1];
};

// What a name asks for beside naming.
struct user_wishes {
    double difficulty; // of a "+number", or 0
    struct team team;  // behind the last '@', which some miners write as %40
    bool has_bad_team; // there was one, and it is no team: it stays a part of the name
};
// Reads a user name; anything unusual becomes '-', what is too long is cut. Wishes are no part of
// the name. False if it is no text or empty.
bool user_name_parse(const struct line_value *value, struct user_name *name,
                     struct user_wishes *wishes);
// Moves the end of the address to the first '_': base58 and bech32 have none, so where the whole is
// no address the
// '_' may be a separator. False if there is none.
bool user_name_split_at_underscore(struct user_name *name);
// Is this the name, as it was written at authorize (perhaps with its wishes)?
bool user_name_matches(const struct user_name *name, const struct line_value *value);

struct password_options {
    double fixed;      // d= or diff=
    double start;      // sd=
    double min;        // md=
    struct team team;  // team=
    bool has_bad_team; // there was one, and it is no team
};
// Unknown options and impossible values are ignored: "x" is the most usual password.
void password_parse(const struct line_value *value, struct password_options *options);
// A difficulty that can be worked with: finite, positive, not absurd.
bool difficulty_is_sane(double difficulty);

#endif
