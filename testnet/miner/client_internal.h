// What client.c and client_message.c share.
#ifndef SHOAL_TESTNET_MINER_CLIENT_INTERNAL_H
#define SHOAL_TESTNET_MINER_CLIENT_INTERNAL_H

#include "testnet/miner/client.h"

#define CLIENT_PENDING_MAX 256 // submissions that wait for an answer
#define CLIENT_SESSION_MAX 64

// Ids of our requests; submissions count on from the last one.
enum client_request {
    REQUEST_CONFIGURE = 1,
    REQUEST_SUBSCRIBE,
    REQUEST_AUTHORIZE,
    REQUEST_EXTRANONCE,
    REQUEST_SUGGEST,
    REQUEST_SUBMIT_FIRST = 100,
};

struct client_submission {
    uint64_t id; // 0: none
    int64_t sent_us;
    double work; // hashes that the share stands for
};

struct client {
    const struct client_config *config;
    enum client_state state;
    char error[CLIENT_TEXT_MAX];
    bool wants_reconnect;
    uint32_t pause_s;
    struct buffer input;
    struct buffer output;
    int64_t step_us;  // when the current step of the login began
    int64_t heard_us; // when the pool last said something

    char session[CLIENT_SESSION_MAX + 1]; // to be taken up again after a reconnect
    struct extranonce extranonce;
    struct extranonce extranonce_next; // from the next job on
    bool has_extranonce_next;
    double difficulty;
    double difficulty_next;
    uint32_t version_mask; // negotiated
    struct job job;
    uint64_t epoch;

    struct scan_work unit; // one header, whose nonces are handed out
    struct u256 target;
    uint8_t unit_extranonce2[JOB_EXTRANONCE2_MAX];
    uint32_t unit_version;
    uint64_t unit_next;
    uint64_t unit_end; // 0: there is no unit
    uint64_t counter;  // our part of the extranonce

    uint64_t submit_id;
    struct client_submission pending[CLIENT_PENDING_MAX];
    size_t pending_count;
};

// Remembers why and gives false.
bool client_fail(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void client_say(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Goes to this step of the login and sends its request.
void client_step(struct client *client, enum client_state state, int64_t now_us);
// The job, or what its headers are made of, has changed.
void client_drop_unit(struct client *client);
// Handles one line. False: close the connection.
bool client_handle_line(struct client *client, const char *line, size_t size, int64_t now_us);

#endif
