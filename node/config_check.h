// The forms of values that are more than text: addresses, urls, seeds, secrets. Used by the table
// of keys and by those who take such a value apart later. Only the form: whether somebody listens
// there is found out by asking.
#ifndef SHOAL_NODE_CONFIG_CHECK_H
#define SHOAL_NODE_CONFIG_CHECK_H

#include "node/config.h"

// Decimal digits only; false if it is no number or more than max.
bool config_parse_count(const char *text, uint64_t max, uint64_t *value);

// Each of these: false with what is wrong ("names no host"); the value itself is not in it.
// "0.0.0.0:3333", "[::]:3333", "unix:/path".
bool config_check_address(const char *value, char wrong[CONFIG_MESSAGE_SIZE]);
// The same for what others reach: no unix socket, no port 0.
bool config_check_socket(const char *value, char wrong[CONFIG_MESSAGE_SIZE]);
// "203.0.113.5", "[2001:db8::1]", or one of these with a port.
bool config_check_public(const char *value, char wrong[CONFIG_MESSAGE_SIZE]);
// http[s]://[user[:password]@]host[:port][/path]
bool config_check_url(const char *value, char wrong[CONFIG_MESSAGE_SIZE]);
bool config_check_seed(const char *value, char wrong[CONFIG_MESSAGE_SIZE]);

// HOST:PORT/KEY: a node of the pool that may be asked first, and its DHT key.
struct seed_name {
    char host[256]; // a name or an IP address; IPv6 without brackets
    uint16_t port;
    uint8_t key[32];
};
// False with what is wrong.
bool seed_name_parse(const char *text, struct seed_name *seed, const char **wrong);

#define CONFIG_SECRET_SIZE 32
// 64 hex digits that are not all 0.
bool config_parse_secret(const char *text, uint8_t secret[CONFIG_SECRET_SIZE]);

#endif
