// The program `shoal`: finds the command and runs it.
#include <stdio.h>
#include <string.h>
#include <stdbool.h>
#include "node/commands.h"

struct command {
    const char *name;
    const char *meaning;
    int (*run)(int argc, const char *const *argv); // NULL: a question to a running node
    void (*help)(void);
};

static const struct command commands[] = {
    {"node", "run a node: serve miners, keep the share-chain", command_node, command_node_help},
    {"config", "check the configuration and print the values in force", command_config,
     command_config_help},
    {"pool", "make, show or check a pool file; make a secret", command_pool, command_pool_help},
    {"status", "the running node at a glance", NULL, command_query_help},
    {"miners", "who mines here, and which devices were refused", NULL, command_query_help},
    {"blocks", "blocks found by this node's miners, and their fate", NULL, command_query_help},
    {"block", "whom one block paid: shoal block HASH", NULL, command_query_help},
    {"payouts", "whom the next block pays, and what is to come", NULL, command_query_help},
    {"credits", "the share-chain with all credits, as JSON", NULL, command_query_help},
    {"loose", "shares that no link has credited yet, as JSON", NULL, command_query_help},
    {"daemons", "the coin daemons and what is wrong with them", NULL, command_query_help},
    {"links", "the newest links of the share-chain, as JSON", NULL, command_query_help},
    {"peers", "the nodes that this one is connected to", NULL, command_query_help},
    {"dht", "how nodes find each other, and the line by which others find this one", NULL,
     command_query_help},
    {"chain", "the share-chain, and how far it has caught up with the pool", NULL,
     command_query_help},
};

#define COMMANDS_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void print_help(FILE *out)
{
    fprintf(out, "shoal %s: a node of a decentralised mining pool\n\n", SHOAL_VERSION);
    fprintf(out, "Usage: shoal COMMAND [--key value ...]\n\n");
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].meaning);
    fprintf(out, "  %-10s %s\n", "help",
            "\"shoal help COMMAND\" says more; \"shoal help config\" "
            "lists the configuration keys");
    fprintf(out, "  %-10s %s\n", "version", "the version of this program");
    fprintf(out, "\nExit status: 0 done, 1 it could not be done, 2 wrong arguments or "
                 "configuration.\n");
}

static int run_help(int argc, const char *const *argv)
{
    if (argc == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    const struct command *command = command_find(argv[0]);
    if (command == NULL) {
        fprintf(stderr, "shoal: there is no command \"%s\"; \"shoal help\" lists them\n", argv[0]);
        return EXIT_MISUSED;
    }
    command->help();
    return EXIT_OK;
}

static bool wants_help(int argc, const char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int run(const char *name, int argc, const char *const *argv)
{
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return run_help(argc, argv);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("shoal %s\n", SHOAL_VERSION);
        return EXIT_OK;
    }
    const struct command *command = command_find(name);
    if (command == NULL) {
        fprintf(stderr, "shoal: there is no command \"%s\"; \"shoal help\" lists them\n", name);
        return EXIT_MISUSED;
    }
    if (wants_help(argc, argv)) {
        command->help();
        return EXIT_OK;
    }
    return command->run != NULL ? command->run(argc, argv) : command_query(name, argc, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_MISUSED;
    }
    int status = run(argv[1], argc - 2, (const char *const *)(argv + 2));
    // A full disk or a closed pipe behind stdout is a failure of its own.
    if (fflush(stdout) != 0 && status == EXIT_OK)
        return EXIT_FAILED;
    return status;
}
