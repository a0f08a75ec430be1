// The configuration: one table of keys (config_table.c: name, kind, default, range, help) from
// which the INI file, the environment, the flags, --help and the dump of values are made. Flags win
// over the environment, that over the file. Key "stratum-listen" is the flag --stratum-listen, the
// variable SHOAL_STRATUM_LISTEN and `listen` in section [stratum] of the file. Read by the
// commands; everybody else gets the finished struct.
#ifndef SHOAL_NODE_CONFIG_H
#define SHOAL_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/log.h"
#include "node/limits.h"

#define CONFIG_TEXT_SIZE    1024
#define CONFIG_LIST_MAX     8
#define CONFIG_WARNINGS_MAX 4
#define CONFIG_MESSAGE_SIZE 512
#define CONFIG_ROWS_MAX     64

// Where a value is from; later ones win.
enum config_layer {
    CONFIG_LAYER_DEFAULT,
    CONFIG_LAYER_FILE,
    CONFIG_LAYER_ENVIRONMENT,
    CONFIG_LAYER_FLAG
};

struct config_list {
    size_t count;
    char items[CONFIG_LIST_MAX][CONFIG_TEXT_SIZE];
};

// What is no error but should be known.
struct config_warnings {
    size_t count;
    char items[CONFIG_WARNINGS_MAX][CONFIG_MESSAGE_SIZE];
};

// Values after defaults, file, environment and flags; all checked.
struct config {
    char config_file[CONFIG_TEXT_SIZE]; // "" if none
    char pool[CONFIG_TEXT_SIZE];        // the pool file
    char data[CONFIG_TEXT_SIZE];        // the data directory
    struct config_list seed;            // "host:port/key"
    bool found;
    char secret[65]; // 64 hex digits, or ""
    bool upnp;
    struct config_list daemon; // urls, most preferred first
    char daemon_user[256];
    char daemon_password[256];
    char daemon_cookie[CONFIG_TEXT_SIZE];
    uint32_t daemon_poll_s;
    struct config_list peer_listen; // "0.0.0.0:8400"; none: no node connects here
    struct config_list peer_public; // "203.0.113.5" or "203.0.113.5:8400"
    bool peer_entry;
    uint32_t peer_inbound, peer_outbound; // most at a time
    struct config_list stratum_listen;    // "0.0.0.0:3333"
    uint32_t stratum_connections;         // most at a time
    uint32_t stratum_connections_per_address;
    double stratum_difficulty;     // to start with; 0: by chain and device
    double stratum_difficulty_min; // 0: by chain
    double stratum_shares_per_minute;
    uint32_t stratum_version_mask;              // 1fffe000
    struct config_list stratum_device_override; // user-agent beginnings, "*" for all
    char http_listen[CONFIG_TEXT_SIZE];         // address of the status page; "" for none
    struct config_list http_host;               // names by which browsers call this node
    char http_tls_cert[CONFIG_TEXT_SIZE], http_tls_key[CONFIG_TEXT_SIZE]; // PEM files; "" for none
    bool http_plain;  // without TLS also where others can listen in
    bool http_public; // what is public needs no role
    enum log_level log_level;
    enum log_form log_form;
    struct config_warnings warnings;
    enum config_layer given[CONFIG_ROWS_MAX]; // where the value of each row of the table is from
};

struct config_error {
    char text[CONFIG_MESSAGE_SIZE]; // key, value, where from, and what would be right
};

// Defaults, then the file (if `config` names one in the arguments or the environment), then the
// environment, then the arguments (after the command's name). False with *error.
bool config_read(int argc, const char *const *argv, struct config *config,
                 struct config_error *error);
// The same for commands that only need the data directory: keys that `shoal node` requires may be
// missing.
bool config_read_partly(int argc, const char *const *argv, struct config *config,
                        struct config_error *error);
// The table as help text; docs/operating.md holds the same.
void config_write_help(struct buffer *out);
// The values in force as an INI file, secrets left out.
void config_write_values(const struct config *config, struct buffer *out);
// Takes over the value of one key, and where it is from.
void config_copy_key(struct config *to, const struct config *from, const char *key);
// Calls `visit` with the name of every key whose value differs between the two.
void config_compare(const struct config *a, const struct config *b,
                    void (*visit)(void *context, const char *key), void *context);

#endif
