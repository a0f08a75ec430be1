// The program `shoal`: finds the command and runs it.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "node/command_line.h"
#include "node/command_text.h"

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool wants_help(int argc, const char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i]))
            return true;
    }
    return false;
}

static int run(const char *name, int argc, const char *const *argv)
{
    if (is_help(name))
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    const struct command *command = command_find(name);
    if (command == NULL)
        return command_unknown(name);
    if (wants_help(argc, argv))
        return command_help("help", 1, &command->name);
    return command->run(name, argc, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        command_help("help", 0, NULL);
        return EXIT_MISUSED;
    }
    int status = run(argv[1], argc - 2, (const char *const *)(argv + 2));
    // A full disk or a closed pipe behind stdout is a failure of its own.
    if (fflush(stdout) != 0 && status == EXIT_OK)
        return EXIT_FAILED;
    return status;
}
