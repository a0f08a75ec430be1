// `shoal config`: reads the configuration as `shoal node` does and prints what is in force.
#include <stdio.h>
#include <stdlib.h>
#include "node/commands.h"
#include "node/config.h"

static int print(const struct buffer *text)
{
    return fwrite(text->data, 1, text->size, stdout) == text->size ? EXIT_OK : EXIT_FAILED;
}

void command_config_help(void)
{
    struct buffer text;
    buffer_init(&text, LIMIT_CONFIG_FILE_SIZE);
    config_write_help(&text);
    print(&text);
    buffer_clear(&text);
}

int command_config(int argc, const char *const *argv)
{
    struct config *config = malloc(sizeof(*config));
    struct config_error error = {"out of memory"};
    if (config == NULL || !config_read(argc, argv, config, &error)) {
        fprintf(stderr, "shoal: %s\n", error.text);
        free(config);
        return EXIT_MISUSED;
    }
    for (size_t i = 0; i < config->warnings.count; i++)
        fprintf(stderr, "shoal: warning: %s\n", config->warnings.items[i]);
    struct buffer text;
    buffer_init(&text, LIMIT_CONFIG_FILE_SIZE);
    config_write_values(config, &text);
    int status = print(&text);
    buffer_clear(&text);
    free(config);
    return status;
}
