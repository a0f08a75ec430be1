// Every cap on what comes from outside, in one place. Sizes in bytes unless the name says
// otherwise.
#ifndef SHOAL_NODE_LIMITS_H
#define SHOAL_NODE_LIMITS_H

// Pool file and configuration.
#define LIMIT_POOL_FILE_SIZE   65536
#define LIMIT_CONFIG_FILE_SIZE 262144

// Coin daemon.
#define LIMIT_RPC_REPLY_SIZE (64u << 20)
#define LIMIT_RPC_TOKENS     2000000u
#define LIMIT_TEMPLATE_TXS   65535u
#define LIMIT_DAEMONS        8

// Share-chain.
#define LIMIT_SHARE_SIZE           1024
#define LIMIT_PENDING_BYTES        (64u << 20) // unknown objects, all sources together
#define LIMIT_PENDING_SOURCE_BYTES (8u << 20)  // unknown objects of one source
#define LIMIT_VERDICTS_REMEMBERED  262144u     // verdicts on copies that were refused

// Stratum.
#define LIMIT_LINE_BEFORE_SUBSCRIBE 4096
#define LIMIT_LINE_AFTER_SUBSCRIBE  8192
#define LIMIT_SESSION_SEND_BYTES    65536
#define LIMIT_SESSION_JOBS          8
#define LIMIT_SESSION_USERS         16
#define LIMIT_SESSION_ANSWERS_HELD  256
#define LIMIT_USER_NAME             127

#endif
