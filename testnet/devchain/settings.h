// devchain's command line, read and checked as a whole.
#ifndef SHOAL_TESTNET_DEVCHAIN_SETTINGS_H
#define SHOAL_TESTNET_DEVCHAIN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/log.h"
#include "testnet/common/options.h"
#include "testnet/devchain/daemon.h"

struct settings {
    struct daemon_options daemon;
    const char *bind;
    uint16_t port;
    char password[512];     // "user:password", empty if there is a cookie or none is asked for
    char cookie_path[4096]; // empty if none is written
    bool is_open;           // nobody is asked for a password
    enum fault_kind fault;
    bool is_print_anchor;
    enum log_level log_level;
    enum log_form log_form;
};

enum settings_result { SETTINGS_OK, SETTINGS_HELP, SETTINGS_BAD };

// SETTINGS_BAD: `error` names option and value and says what would be right. Texts are views of
// argv.
enum settings_result settings_read(int argc, char *const *argv, struct settings *settings,
                                   char error[OPTIONS_ERROR_SIZE]);
void settings_write_help(struct buffer *out);

#endif
