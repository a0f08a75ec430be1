#include "node/config.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/config_reader.h"

#define VARIABLE_PREFIX "SHOAL_"

extern char **environ;

// ---- What the layers share

static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

bool config_reader_fail(struct config_reader *reader, const char *format, ...)
{
    if (reader->error->text[0] != '\0')
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(reader->error->text, sizeof(reader->error->text), format, args);
    va_end(args);
    make_printable(reader->error->text);
    return false;
}

void config_reader_warn(struct config_reader *reader, const char *format, ...)
{
    struct config_warnings *warnings = &reader->config->warnings;
    if (warnings->count == CONFIG_WARNINGS_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(warnings->items[warnings->count], CONFIG_MESSAGE_SIZE, format, args);
    va_end(args);
    make_printable(warnings->items[warnings->count]);
    warnings->count++;
}

// What may hold a password is not repeated in messages.
static bool is_showable(const struct config_row *row, const char *value)
{
    return !config_row_is_secret(row) && !(row->kind == CONFIG_URLS && strchr(value, '@') != NULL);
}

bool config_reader_set(struct config_reader *reader, const struct config_row *row,
                       const char *value, const char *where)
{
    enum config_layer *given = &reader->config->given[config_row_index(row)];
    if (*given == reader->layer && !config_row_is_list(row))
        return config_reader_fail(reader, "%s: given a second time (%s); give it once", row->name,
                                  where);
    if (*given != reader->layer && config_row_is_list(row))
        config_row_clear_list(row, reader->config);
    *given = reader->layer;
    char wrong[CONFIG_MESSAGE_SIZE];
    if (config_row_set(row, value, reader->config, wrong))
        return true;
    if (is_showable(row, value))
        return config_reader_fail(reader, "%s: \"%.120s\" (%s) %s; right is %s", row->name, value,
                                  where, wrong, row->range);
    return config_reader_fail(reader, "%s: the value (%s) %s; right is %s", row->name, where, wrong,
                              row->range);
}

static void describe_nearest(const char *name, char out[128])
{
    const struct config_row *nearest = config_row_nearest(name);
    if (nearest == NULL)
        snprintf(out, 128, "\"shoal help config\" lists them");
    else if (nearest->section[0] == '\0')
        snprintf(out, 128, "is \"%s\" meant?", nearest->name);
    else
        snprintf(out, 128, "is \"%s\" (in a file: \"%s\" in [%s]) meant?", nearest->name,
                 nearest->name + strlen(nearest->section) + 1, nearest->section);
}

bool config_reader_unknown(struct config_reader *reader, const char *name, const char *where)
{
    char nearest[128];
    describe_nearest(name, nearest);
    return config_reader_fail(reader, "%.64s: there is no such key (%s); %s", name, where, nearest);
}

// ---- Layers

static bool set_defaults(struct config_reader *reader)
{
    reader->layer = CONFIG_LAYER_DEFAULT;
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        char wrong[CONFIG_MESSAGE_SIZE];
        reader->config->given[i] = CONFIG_LAYER_DEFAULT;
        if (row->default_text[0] != '\0' &&
            !config_row_set(row, row->default_text, reader->config, wrong) &&
            row->kind != CONFIG_PATH) // without HOME; asked for again when nothing else is given
            return config_reader_fail(reader, "%s: the default %s", row->name, wrong);
    }
    return true;
}

// SHOAL_LOG_LEVEL -> log-level
static void variable_to_name(const char *variable, size_t size, char out[64])
{
    size_t begin = sizeof(VARIABLE_PREFIX) - 1, i = 0;
    for (; begin + i < size && i < 63; i++) {
        char c = variable[begin + i];
        out[i] = c == '_' ? '-' : (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    out[i] = '\0';
}

// Unlike an unknown flag, an unknown variable may belong to somebody else.
static void warn_of_unknown_variables(struct config_reader *reader)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals == NULL || strncmp(*entry, VARIABLE_PREFIX, sizeof(VARIABLE_PREFIX) - 1) != 0)
            continue;
        char name[64], nearest[128];
        variable_to_name(*entry, (size_t)(equals - *entry), name);
        if (config_row_find(name) != NULL)
            continue;
        describe_nearest(name, nearest);
        config_reader_warn(reader,
                           "environment variable %.*s is no key of shoal and does nothing; %s",
                           (int)(equals - *entry < 64 ? equals - *entry : 64), *entry, nearest);
    }
}

static bool read_environment(struct config_reader *reader)
{
    reader->layer = CONFIG_LAYER_ENVIRONMENT;
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        char variable[64], where[96];
        config_row_variable(row, variable);
        const char *value = getenv(variable);
        snprintf(where, sizeof(where), "environment variable %s", variable);
        if (value != NULL && !config_reader_set(reader, row, value, where))
            return false;
    }
    warn_of_unknown_variables(reader);
    return true;
}

// One flag with its value, "--name value" or "--name=value".
struct flag {
    char name[64];
    const char *value;
};

// Moves *i to the next argument. False with the error set.
static bool next_flag(struct config_reader *reader, int argc, const char *const *argv, int *i,
                      struct flag *flag)
{
    const char *text = argv[*i];
    if (strncmp(text, "--", 2) != 0 || text[2] == '\0')
        return config_reader_fail(reader, "\"%.80s\" is no flag; write --key value", text);
    size_t size = strcspn(text + 2, "=");
    snprintf(flag->name, sizeof(flag->name), "%.*s", (int)(size < 63 ? size : 63), text + 2);
    bool has_value = text[2 + size] == '=';
    const struct config_row *row = config_row_find(flag->name);
    if (row == NULL)
        return config_reader_unknown(reader, flag->name, "flag");
    const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (!has_value && row->kind == CONFIG_SWITCH && (next == NULL || next[0] == '-')) {
        flag->value = "1";
        *i += 1;
        return true;
    }
    if (!has_value && next == NULL)
        return config_reader_fail(reader, "%s: the flag has no value; right is %s", flag->name,
                                  row->range);
    flag->value = has_value ? text + 2 + size + 1 : next;
    *i += has_value ? 1 : 2;
    return true;
}

static void warn_of_flag(struct config_reader *reader, const struct config_row *row)
{
    char variable[64];
    config_row_variable(row, variable);
    config_reader_warn(reader, "%s: every user of this machine can see flags; use the file or %s",
                       row->name, variable);
}

static bool read_flags(struct config_reader *reader, int argc, const char *const *argv)
{
    reader->layer = CONFIG_LAYER_FLAG;
    for (int i = 0; i < argc;) {
        struct flag flag = {.value = NULL};
        char where[96];
        if (!next_flag(reader, argc, argv, &i, &flag))
            return false;
        snprintf(where, sizeof(where), "flag --%s", flag.name);
        if (!config_reader_set(reader, config_row_find(flag.name), flag.value, where))
            return false;
        if (config_row_is_secret(config_row_find(flag.name)))
            warn_of_flag(reader, config_row_find(flag.name));
    }
    return true;
}

// The file is read first although its name stands in a later layer.
static bool read_file(struct config_reader *reader, int argc, const char *const *argv)
{
    const char *path = getenv(VARIABLE_PREFIX "CONFIG");
    for (int i = 0; i < argc;) {
        struct flag flag = {.value = NULL};
        if (!next_flag(reader, argc, argv, &i, &flag))
            return false;
        if (strcmp(flag.name, "config") == 0)
            path = flag.value;
    }
    reader->layer = CONFIG_LAYER_FILE;
    return path == NULL || path[0] == '\0' || config_file_read(reader, path);
}

static bool check_required(struct config_reader *reader)
{
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        char variable[64];
        config_row_variable(row, variable);
        if (row->is_required && config_row_is_empty(row, reader->config))
            return config_reader_fail(
                reader, "%s: missing; give --%s %s (or %s, or \"%s\" in the file): %s", row->name,
                row->name, row->value_name, variable, row->name, row->range);
    }
    return true;
}

static bool check_data(struct config_reader *reader)
{
    return reader->config->data[0] != '\0' ||
           config_reader_fail(reader, "data: missing, and there is no HOME for ~/.shoal; give "
                                      "--data DIR");
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0;
}

static bool check_http(struct config_reader *reader)
{
    const struct config *config = reader->config;
    bool has_cert = config->http_tls_cert[0] != '\0';
    if (config->http_listen[0] == '\0' || is_loopback(config->http_listen) || has_cert ||
        config->http_plain)
        return true;
    return config_reader_fail(
        reader,
        "http-listen: \"%s\" can be reached by others; give --http-tls-cert and --http-tls-key, or "
        "listen on 127.0.0.1 behind a proxy that has TLS, or say --http-plain 1 if everybody on "
        "the way may read passwords and tokens",
        config->http_listen);
}

static bool read_layers(struct config_reader *reader, int argc, const char *const *argv)
{
    memset(reader->config, 0, sizeof(*reader->config));
    reader->error->text[0] = '\0';
    return set_defaults(reader) && read_file(reader, argc, argv) && read_environment(reader) &&
           read_flags(reader, argc, argv) && check_data(reader);
}

bool config_read_partly(int argc, const char *const *argv, struct config *config,
                        struct config_error *error)
{
    struct config_reader reader = {.config = config, .error = error};
    return read_layers(&reader, argc, argv);
}

bool config_read(int argc, const char *const *argv, struct config *config,
                 struct config_error *error)
{
    struct config_reader reader = {.config = config, .error = error};
    return read_layers(&reader, argc, argv) && check_required(&reader) && check_http(&reader);
}

// ---- Writing

static void write_row_help(const struct config_row *row, struct buffer *out)
{
    write_format(out, "  --%s %s\n      %s.\n      Right: %s.", row->name, row->value_name,
                 row->help, row->range);
    if (config_row_is_list(row))
        write_text(out, " Several: commas between, or given again.");
    if (row->is_required)
        write_text(out, " Required.");
    else if (row->zero_means != NULL)
        write_format(out, " Default: %s (%s).", row->default_text, row->zero_means);
    else if (row->default_text[0] != '\0')
        write_format(out, " Default: %s.", row->default_text);
    write_text(out, "\n");
}

void config_write_help(struct buffer *out)
{
    write_text(
        out,
        "Every key is a flag (--stratum-listen), an environment variable\n"
        "(SHOAL_STRATUM_LISTEN) and a line of the INI file (\"listen = ...\" in [stratum]; keys\n"
        "without a section stand above the first one). Flags win over the environment, that\n"
        "over the file. Comments in the file stand on lines of their own.\n\n");
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++)
        write_row_help(row, out);
}

void config_write_values(const struct config *config, struct buffer *out)
{
    const char *section = "";
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        if (strcmp(row->name, "config") == 0 || config_row_is_secret(row))
            continue;
        if (strcmp(section, row->section) != 0)
            write_format(out, "\n[%s]\n", row->section);
        section = row->section;
        write_format(out, "%s = ", row->name + (section[0] == '\0' ? 0 : strlen(section) + 1));
        config_row_write(row, config, out);
        write_text(out, "\n");
    }
}

void config_copy_key(struct config *to, const struct config *from, const char *key)
{
    const struct config_row *row = config_row_find(key);
    if (row == NULL)
        return;
    memcpy((uint8_t *)to + row->offset, (const uint8_t *)from + row->offset, row->size);
    to->given[config_row_index(row)] = from->given[config_row_index(row)];
}

void config_compare(const struct config *a, const struct config *b,
                    void (*visit)(void *context, const char *key), void *context)
{
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        const uint8_t *in_a = (const uint8_t *)a + row->offset;
        const uint8_t *in_b = (const uint8_t *)b + row->offset;
        if (memcmp(in_a, in_b, row->size) != 0)
            visit(context, row->name);
    }
}
