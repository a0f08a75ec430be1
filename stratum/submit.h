// A submit on its way from the line to the verdict. It outlives its session where hashing is slow.
#ifndef SHOAL_STRATUM_SUBMIT_H
#define SHOAL_STRATUM_SUBMIT_H

#include "stratum/engine.h"

struct submit {
    struct job *job; // holds a reference
    struct job_solution solution;
    uint8_t header[HEADER_SIZE];
    struct user_name *user;       // of the session; NULL if it authorized no such name
    enum stratum_verdict verdict; // what is wrong before the hash is known
    uint64_t mark;                // of submit_arrived
};

// The hash is there: tells of a block or grain, then answers. session is NULL if it is gone
// meanwhile.
void submit_finish(struct stratum *stratum, struct session *session, struct submit *submit,
                   const struct line_value *id, const struct hash256 *hash);

// hashing.c: submits whose hash is being computed elsewhere.
struct hashing *hashing_new(void);
void hashing_free(struct stratum *stratum);
// Takes over the submit's job; false if too many are under way.
bool hashing_ask(struct session *session, const struct submit *submit, const struct line_value *id);
void hashing_answer(struct stratum *stratum, uint64_t token, const struct hash256 *hash);
size_t hashing_count(const struct stratum *stratum);

#endif
