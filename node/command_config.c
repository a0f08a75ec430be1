// `shoal config`: reads the configuration as `shoal node` does and prints what is in force.
#include <stdio.h>
#include <stdlib.h>
#include "node/command_line.h"
#include "node/command_text.h"
#include "node/config.h"

int command_config(const char *name, int argc, const char *const *argv)
{
    (void)name;
    struct config *config = malloc(sizeof(*config));
    struct config_error error = {"out of memory"};
    if (config == NULL || !config_read(argc, argv, config, &error)) {
        free(config);
        return command_fail(EXIT_MISUSED, "%s", error.text);
    }
    for (size_t i = 0; i < config->warnings.count; i++)
        fprintf(stderr, "shoal: warning: %s\n", config->warnings.items[i]);
    struct buffer text;
    buffer_init(&text, LIMIT_CONFIG_FILE_SIZE);
    config_write_values(config, &text);
    free(config);
    return command_print(&text);
}
