#include "node/command_table.h"
#include <string.h>
#include "node/text.h"

static const struct command_option json_option[] = {
    {"json", NULL, "print the document as JSON, for programs"},
    {0},
};

static const struct command_option pool_new_options[] = {
    {"hashrate", "RATE",
     "expected hashes a second of the pool, as in 500T: sets easiest_bits for a tenth of it (with "
     "a link_spacing of 1 for all of it, as that never becomes harder)"},
    {"daemon", "URL",
     "take anchor_height, anchor_header and anchor_prev_time from a running daemon: the last "
     "multiple of 2016 that is at least 144 blocks deep"},
    {"daemon-user", "NAME", "as for the node"},
    {"daemon-password", "TEXT", "as for the node"},
    {"daemon-cookie", "FILE", "as for the node"},
    {0},
};

static const struct command_verb pool_verbs[] = {
    {"new", "FILE",
     "make a pool file from the flags given, the pool's keys among them (FILE - is standard "
     "output); genesis_time is now unless it is given",
     pool_new_options},
    {"show", "FILE", "every key of a pool file with its meaning", NULL},
    {"check", "FILE", "print the pool id if all is right", NULL},
    {"secret", "", "make a secret for a private pool, the same for all its nodes", NULL},
    {0},
};

static const struct command_option account_add_options[] = {
    {"role", "viewer|operator|admin", "what it may do"},
    {0},
};

static const struct command_option account_totp_options[] = {
    {"remove", NULL, "take the second factor away"},
    {0},
};

static const struct command_verb account_verbs[] = {
    {"add", "NAME", "make an account; its password is asked for", account_add_options},
    {"list", "", "all accounts, with their roles", NULL},
    {"remove", "NAME", "remove an account, its sessions and its tokens", NULL},
    {"password", "NAME", "give an account another password; its sessions end", NULL},
    {"totp", "NAME", "give an account a second factor: codes that follow from the time",
     account_totp_options},
    {0},
};

static const struct command_option token_create_options[] = {
    {"role", "viewer|operator|admin", "what it may do"},
    {"label", "TEXT", "what it is for"},
    {"expires", "TIME", "when it ends, as in 30d, 12h or never; 90d if not given"},
    {0},
};

static const struct command_verb token_verbs[] = {
    {"create", "", "make a token, which is shown this once", token_create_options},
    {"list", "", "all tokens, without their secrets", NULL},
    {"revoke", "ID", "make a token useless", NULL},
    {0},
};

static const struct command_option audit_options[] = {
    {"limit", "N", "how many lines at most; 50 if not given"},
    {0},
};

static const struct command_option ban_options[] = {
    {"for", "TIME", "how long, as in 1d, 12h or 30m; a day if not given"},
    {"reason", "TEXT", "why, for the audit log"},
    {0},
};

#define TABLE_THEN_JSON                                                                            \
    "Prints a table for people; with --json the document itself, whose members docs/api.md "       \
    "describes."

static const struct command commands[] = {
    {
        .name = "node",
        .group = COMMAND_GROUP_RUN,
        .arguments = "",
        .meaning = "run a node: serve miners, keep the share-chain",
        .description =
            "Runs a node until SIGINT or SIGTERM: miners are told to reconnect, everything is "
            "written to disk, then it ends; a second signal ends it at once. SIGHUP reads the "
            "configuration again, as \"shoal reload\" does. The log "
            "goes to standard error. It needs a pool file (--pool) and a coin daemon (--daemon), "
            "and either another node of the pool (--seed) or --found, for the first one.",
        .keys = COMMAND_KEYS_ALL,
        .run = command_node,
    },
    {
        .name = "config",
        .group = COMMAND_GROUP_RUN,
        .arguments = "",
        .meaning = "check the configuration and print the values in force",
        .description = "Reads the configuration as \"shoal node\" does and prints it as a "
                       "configuration file, without secrets.",
        .keys = COMMAND_KEYS_ALL,
        .run = command_config,
    },
    {
        .name = "pool",
        .group = COMMAND_GROUP_RUN,
        .arguments = "",
        .meaning = "make, show or check a pool file; make a secret",
        .description =
            "All nodes of a pool have the same pool file. Its id is the hash of its values; "
            "comments and order do not matter. No value can be changed later: that would be "
            "another pool.",
        .verbs = pool_verbs,
        .run = command_pool,
    },
    {
        .name = "status",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the running node at a glance",
        .description = "Pool, share-chain, current job, miners, other nodes, daemons and disk, a "
                       "line each; what is wrong is said there.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "top",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the running node, live in the terminal",
        .description =
            "Overview, miners, peers, blocks and payouts, asked for once a second. Keys: 1 to 6 "
            "or Tab choose the view, < and > the column to sort by, r turns the order round, h "
            "lists all keys, q or Ctrl-C ends. A node that goes away is waited for.",
        .keys = COMMAND_KEYS_DATA,
        .run = command_top,
    },
    {
        .name = "miners",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "who mines here, and which devices were refused",
        .description =
            "One row for each connection, with its difficulty, its hashrate over one and ten "
            "minutes, and its shares; below, the devices that were sent away, and why.\n"
            "\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "addresses",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the miners of this node by payout address",
        .description = "The largest first; at most 50.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "address",
        .group = COMMAND_GROUP_ASK,
        .arguments = "ADDRESS",
        .meaning = "one miner: what it does, what it will be paid, what it was paid",
        .description = "Its workers, the coins that the next block is expected to pay it and why, "
                       "and the blocks of "
                       "this node that have paid it.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "payouts",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "whom the next block pays, and what is to come",
        .description =
            "The outputs of the block that is worked on now, the credits that it pays by, and "
            "the credits that the blocks after it will pay by. Credits enter payouts six blocks "
            "late.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "blocks",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "blocks found by this node's miners, and their fate",
        .description = "The newest blocks, the newest of them first; with --json all of them. Luck "
                       "is the work "
                       "that was expected for a block by the work that was done for it."
                       "\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "block",
        .group = COMMAND_GROUP_ASK,
        .arguments = "HASH",
        .meaning = "whom one block paid",
        .description = "HASH are the 64 hex digits that \"shoal blocks\" and explorers show. Exit "
                       "status 1 if the node knows no such block.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "luck",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "blocks found by the pool, and how many were expected",
        .description = "Over a day, a week and all that is known. 100 % is neither lucky nor "
                       "unlucky.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "standings",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "who mines most in the whole pool, from the share-chain",
        .description = "The miners of all nodes over the last day, by hashrate; at most "
                       "50.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "template",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the block that is worked on now",
        .description =
            "Its value, transactions and size, and the largest coinbase that each kind of device "
            "takes.\n\n" TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "daemons",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the coin daemons and what is wrong with them",
        .description = TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "peers",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the nodes that this one is connected to",
        .description = TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "dht",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "how nodes find each other, and this node's line for --seed",
        .description = TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "chain",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the share-chain, and how far it has caught up with the pool",
        .description = TABLE_THEN_JSON,
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "links",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the newest links of the share-chain, as JSON",
        .description = "For programs: always JSON.",
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "credits",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "the share-chain with all credits, as JSON",
        .description = "Every link of the best chain with whom it credits: what payouts can be "
                       "computed from again. For programs: always JSON.",
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "loose",
        .group = COMMAND_GROUP_ASK,
        .arguments = "",
        .meaning = "shares that no link has credited yet, as JSON",
        .description = "For programs: always JSON.",
        .keys = COMMAND_KEYS_DATA,
        .options = json_option,
        .run = command_query,
    },
    {
        .name = "ban",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "ADDRESS",
        .meaning = "end the links with a node's address, and take none for a while",
        .description = "ADDRESS is an IP address without port, as \"shoal peers\" shows them. Bans "
                       "end with their time, or when this node ends.",
        .keys = COMMAND_KEYS_DATA,
        .options = ban_options,
        .run = command_operate,
    },
    {
        .name = "unban",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "ADDRESS",
        .meaning = "take away all bans of an address",
        .description = "Also those that the node itself has made.",
        .keys = COMMAND_KEYS_DATA,
        .run = command_operate,
    },
    {
        .name = "disconnect",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "SESSION",
        .meaning = "close the connection of one miner",
        .description = "SESSION is its number, the last column of \"shoal miners\" where there is "
                       "room for it. The miner may come back at once.",
        .keys = COMMAND_KEYS_DATA,
        .run = command_operate,
    },
    {
        .name = "log-level",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "error|warn|info|debug",
        .meaning = "log more or less, until the next reload or restart",
        .description = "What the configuration says is not changed.",
        .keys = COMMAND_KEYS_DATA,
        .run = command_operate,
    },
    {
        .name = "reload",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "",
        .meaning = "read the configuration again",
        .description = "The same as SIGHUP: file and environment are read again, under the flags "
                       "that the node was started with. Says for each key that has changed whether "
                       "it is in force or takes a restart. A configuration that is wrong changes "
                       "nothing.",
        .keys = COMMAND_KEYS_DATA,
        .run = command_operate,
    },
    {
        .name = "drain",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "",
        .meaning = "send all miners elsewhere, and take no new ones",
        .description = "For a restart that no miner notices: they fail over to their next pool, "
                       "/readyz says 503, and the node stays in the pool as a peer.",
        .keys = COMMAND_KEYS_DATA,
        .run = command_operate,
    },
    {
        .name = "undrain",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "",
        .meaning = "take miners again",
        .description = "Ends what \"shoal drain\" began; a restart does, too.",
        .keys = COMMAND_KEYS_DATA,
        .run = command_operate,
    },
    {
        .name = "account",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "",
        .meaning = "who may sign in at the dashboard, and what they may do",
        .description =
            "Roles: a viewer sees addresses of miners and nodes and the configuration, an operator "
            "acts, an admin makes accounts. Passwords are asked for at the terminal, or read as a "
            "line from standard input. Works while no node runs, too.",
        .keys = COMMAND_KEYS_DATA,
        .verbs = account_verbs,
        .run = command_account,
    },
    {
        .name = "token",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "",
        .meaning = "tokens by which programs use the API",
        .description = "A program sends its token in the header Authorization: Bearer TOKEN. Works "
                       "while no node runs, too.",
        .keys = COMMAND_KEYS_DATA,
        .verbs = token_verbs,
        .run = command_token,
    },
    {
        .name = "audit",
        .group = COMMAND_GROUP_OPERATE,
        .arguments = "",
        .meaning = "who did what: the newest lines of the audit log",
        .description = "Every change and every attempt to sign in is a line of audit.log in the "
                       "data directory.",
        .keys = COMMAND_KEYS_DATA,
        .options = audit_options,
        .run = command_audit,
    },
    {
        .name = "help",
        .group = COMMAND_GROUP_ABOUT,
        .arguments = "[COMMAND]",
        .meaning = "the commands, or all about one of them",
        .description = "The same as \"shoal --help\" and \"shoal COMMAND --help\". \"shoal help "
                       "config\" lists the keys of the configuration.",
        .run = command_help,
    },
    {
        .name = "man",
        .group = COMMAND_GROUP_ABOUT,
        .arguments = "[shoal|shoal.conf]",
        .meaning = "a manual page, as roff",
        .description = "Made from the same tables as the help. \"shoal man | man -l -\" shows it; "
                       "packages install it.",
        .run = command_man,
    },
    {
        .name = "completion",
        .group = COMMAND_GROUP_ABOUT,
        .arguments = "bash|zsh|fish",
        .meaning = "what makes the shell complete commands and flags",
        .description = "Packages install it. By hand, in ~/.bashrc: . <(shoal completion bash)",
        .run = command_completion,
    },
    {
        .name = "version",
        .group = COMMAND_GROUP_ABOUT,
        .arguments = "",
        .meaning = "the version of this program",
        .description = "The same as \"shoal --version\".",
        .run = command_version,
    },
    {0},
};

const struct command *command_row(size_t i)
{
    return i + 1 < sizeof(commands) / sizeof(commands[0]) ? &commands[i] : NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *command;
    for (size_t i = 0; (command = command_row(i)) != NULL; i++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

const struct command_verb *command_verb_find(const struct command *command, const char *name)
{
    for (const struct command_verb *verb = command->verbs; verb != NULL && verb->name != NULL;
         verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
    }
    return NULL;
}

const struct command *command_nearest(const char *name)
{
    const struct command *best = NULL, *command;
    size_t best_distance = 2 + strlen(name) / 4;
    for (size_t i = 0; (command = command_row(i)) != NULL; i++) {
        size_t distance = text_distance(name, command->name);
        if (distance > best_distance || distance >= strlen(name) ||
            (best != NULL && distance == best_distance))
            continue;
        best = command;
        best_distance = distance;
    }
    return best;
}

const char *command_group_text(enum command_group group)
{
    static const char *const texts[COMMAND_GROUPS_COUNT] = {
        [COMMAND_GROUP_RUN] = "To run a node",
        [COMMAND_GROUP_ASK] = "Questions to a running node",
        [COMMAND_GROUP_OPERATE] = "Changes to a running node",
        [COMMAND_GROUP_ABOUT] = "About the program",
    };
    return texts[group];
}
