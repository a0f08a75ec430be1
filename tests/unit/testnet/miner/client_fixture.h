// A client and the pool it talks to, for tests.
#ifndef SHOAL_TESTS_UNIT_TESTNET_MINER_CLIENT_FIXTURE_H
#define SHOAL_TESTS_UNIT_TESTNET_MINER_CLIENT_FIXTURE_H

#include "testnet/miner/client.h"

#define SECOND_US  INT64_C(1000000)
#define SENT_SIZE  4000
#define AUTHORIZED "{\"id\":3,\"result\":true,\"error\":null}"
#define SUBSCRIBED                                                                                 \
    "{\"id\":2,\"result\":[[[\"mining.notify\",\"s1\"],[\"mining.set_difficulty\",\"s2\"]],"       \
    "\"08000002\",4],\"error\":null}"

struct client_fixture {
    struct stats stats;
    struct client_config config;
    struct client *client;
    int64_t now_us;
    char said[CLIENT_TEXT_MAX];
};

void client_set_up(struct client_fixture *f);
// Logged in, with a job, nothing left to send.
void client_set_up_mining(struct client_fixture *f);
void client_tear_down(struct client_fixture *f);
// The pool says a line.
bool pool_says(struct client_fixture *f, const char *line);
void pool_notifies(struct client_fixture *f, const char *id, bool is_clean);
// What the client has sent since last asked; one line or more, without the last newline.
const char *client_sent(struct client_fixture *f, char out[SENT_SIZE]);
void assert_sent(struct client_fixture *f, const char *expected);

#endif
