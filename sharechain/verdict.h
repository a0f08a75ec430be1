// What the rules say of an object: a pure function of the object and what it reaches by hash
// (protocol section 5).
#ifndef SHOAL_SHARECHAIN_VERDICT_H
#define SHOAL_SHARECHAIN_VERDICT_H

enum verdict {
    VERDICT_UNKNOWN, // something it points to is missing
    VERDICT_VALID,
    VERDICT_INVALID,
};

const char *verdict_text(enum verdict verdict); // "unknown", "valid", "invalid"

#endif
