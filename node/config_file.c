// The INI file. inih cuts lines and names that are too long, joins indented lines to the one above
// and takes " ;" in a value for a comment, all without a word: here each of these is an error that
// names the line.
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "node/config_reader.h"

struct ini_source {
    struct config_reader *reader;
    FILE *file;
    const char *path;
    unsigned line; // the one that was read last
    size_t bytes;
    bool has_failed;
    bool has_secrets;
};

static bool fail_line(struct ini_source *source, const char *what)
{
    source->has_failed = true;
    return config_reader_fail(source->reader, "%s:%u: %s", source->path, source->line, what);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

// `text` is without the spaces in front of it.
static bool check_line(struct ini_source *source, const char *text)
{
    if (text[0] == '\0' || text[0] == '\n' || text[0] == '\r' || text[0] == ';' || text[0] == '#')
        return true;
    for (const char *c = text + 1; *c != '\0'; c++) {
        if ((*c == ';' || *c == '#') && is_space(c[-1]))
            return fail_line(source, "a comment stands on a line of its own: no ; or # behind a "
                                     "space in a value");
    }
    return true;
}

// Gives inih one line, as fgets does. NULL at the end of the file and on every failure.
static char *read_line(char *out, int out_size, void *stream)
{
    struct ini_source *source = stream;
    if (source->has_failed || fgets(out, out_size, source->file) == NULL)
        return NULL;
    source->line++;
    size_t size = strlen(out);
    source->bytes += size;
    if (source->bytes > LIMIT_CONFIG_FILE_SIZE) {
        fail_line(source, "the file is too large to be a configuration");
        return NULL;
    }
    if ((size == 0 || out[size - 1] != '\n') && !feof(source->file)) {
        char what[96];
        snprintf(what, sizeof(what), "the line has a zero byte or more than %d characters",
                 out_size - 2);
        fail_line(source, what);
        return NULL;
    }
    // An indented line would be joined to the value above it.
    size_t spaces = strspn(out, " \t");
    memmove(out, out + spaces, size - spaces + 1);
    return check_line(source, out) ? out : NULL;
}

static void note_secrets(struct ini_source *source, const struct config_row *row, const char *value)
{
    bool has_secret = config_row_is_secret(row) || (row->kind == CONFIG_URLS && strchr(value, '@'));
    source->has_secrets = source->has_secrets || (has_secret && value[0] != '\0');
}

// inih's convention: 0 is a failure.
static int on_value(void *context, const char *section, const char *name, const char *value)
{
    struct ini_source *source = context;
    if (source->has_failed)
        return 0;
    char full[128], where[CONFIG_TEXT_SIZE + 32];
    snprintf(full, sizeof(full), "%s%s%s", section, section[0] == '\0' ? "" : "-", name);
    snprintf(where, sizeof(where), "%s:%u", source->path, source->line);
    const struct config_row *row = config_row_find(full);
    bool is_good;
    if (row == NULL)
        is_good = config_reader_unknown(source->reader, full, where);
    else if (strcmp(row->name, "config") == 0)
        is_good = fail_line(source, "config: cannot be set in the file itself");
    else
        is_good = config_reader_set(source->reader, row, value, where);
    source->has_failed = !is_good;
    if (is_good && row != NULL)
        note_secrets(source, row, value);
    return is_good;
}

static void warn_if_readable(struct ini_source *source)
{
    struct stat status;
    if (!source->has_secrets || fstat(fileno(source->file), &status) != 0 ||
        (status.st_mode & S_IROTH) == 0)
        return;
    config_reader_warn(source->reader,
                       "%s holds a password and every user of this machine can read it: chmod 600 "
                       "it",
                       source->path);
}

bool config_file_read(struct config_reader *reader, const char *path)
{
    struct stat status;
    struct ini_source source = {.reader = reader, .path = path, .file = fopen(path, "rb")};
    if (source.file == NULL)
        return config_reader_fail(reader, "config: cannot read \"%s\": %s", path, strerror(errno));
    if (fstat(fileno(source.file), &status) != 0 || S_ISDIR(status.st_mode)) {
        fclose(source.file);
        return config_reader_fail(reader, "config: \"%s\" is a directory; give a file", path);
    }
    int result = ini_parse_stream(read_line, &source, on_value, &source);
    if (!source.has_failed && ferror(source.file))
        fail_line(&source, "the file cannot be read on");
    if (!source.has_failed && result != 0) {
        source.line = result > 0 ? (unsigned)result : 0;
        fail_line(&source,
                  result > 0 ? "is neither \"key = value\" nor \"[section]\"" : "out of memory");
    }
    warn_if_readable(&source);
    fclose(source.file);
    return !source.has_failed;
}
