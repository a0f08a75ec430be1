// `shoal man`: the manual pages shoal(1) and shoal.conf(5) from the tables of commands, of the
// configuration and of pool files, as the packages install them.
#include <stdio.h>
#include <string.h>
#include "node/command_line.h"
#include "node/command_text.h"
#include "node/config_table.h"
#include "node/text.h"
#include "sharechain/pool.h"

#define SOURCE_WIDTH 72

// Of the build, as SOURCE_DATE_EPOCH says where it is set.
#ifndef SHOAL_DATE
#define SHOAL_DATE "1970-01-01"
#endif

// Text as roff takes it: nothing in it is a request or an escape, and a dash is the one that can be
// typed.
static void write_roff_size(struct buffer *out, const char *text, size_t size)
{
    bool is_line_begun = false;
    for (const char *c = text; c < text + size; c++) {
        if (!is_line_begun && (*c == '.' || *c == '\'' || *c == ' '))
            write_text(out, "\\&");
        is_line_begun = *c != '\n';
        if (*c == '\\')
            write_text(out, "\\e");
        else if (*c == '-')
            write_text(out, "\\-");
        else
            write_u8(out, (uint8_t)*c);
    }
}

static void write_roff(struct buffer *out, const char *text)
{
    write_roff_size(out, text, strlen(text));
}

// Text in lines of the source that are easily read; one that begins with a space stays a line, an
// empty one begins a paragraph.
static void write_paragraphs(struct buffer *out, const char *text)
{
    struct buffer lines;
    buffer_init(&lines, COMMAND_TEXT_MAX);
    text_wrap(&lines, text, 0, SOURCE_WIDTH);
    const char *line = (const char *)lines.data, *end = line + lines.size;
    while (!lines.failed && line < end) {
        size_t size = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line);
        if (size == 0)
            write_text(out, ".IP \"\" 8\n");
        else if (line[0] == ' ')
            write_text(out, ".br\n");
        write_roff_size(out, line, size);
        write_text(out, size == 0 ? "" : "\n");
        line += size + 1;
    }
    buffer_clear(&lines);
}

// "what it does" as "What it does."
static void write_sentence(struct buffer *out, const char *text)
{
    char sentence[1024];
    snprintf(sentence, sizeof(sentence), "%s.", text);
    if (sentence[0] >= 'a' && sentence[0] <= 'z')
        sentence[0] = (char)(sentence[0] - 'a' + 'A');
    write_paragraphs(out, sentence);
}

static void write_head(struct buffer *out, const char *title, const char *section, const char *name,
                       const char *meaning)
{
    write_format(out, ".TH %s %s %s \"shoal %s\" \"shoal\"\n.SH NAME\n", title, section, SHOAL_DATE,
                 SHOAL_VERSION);
    write_format(out, "%s \\- ", name);
    write_roff(out, meaning);
    write_text(out, "\n");
}

// "--flag VALUE" in bold and italics.
static void write_flag(struct buffer *out, const char *name, const char *value)
{
    write_text(out, ".TP 8\n\\fB\\-\\-");
    write_roff(out, name);
    write_text(out, "\\fR");
    if (value != NULL) {
        write_text(out, " \\fI");
        write_roff(out, value);
        write_text(out, "\\fR");
    }
    write_text(out, "\n");
}

static void write_default(struct buffer *out, const char *text)
{
    if (text[0] == '\0')
        return;
    write_text(out, "Default: ");
    write_roff(out, text);
    write_text(out, ".\n");
}

static void write_options(struct buffer *out, const struct command_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        write_flag(out, options->name, options->value);
        write_sentence(out, options->meaning);
    }
}

// ---- shoal(1)

static void write_command_usage(struct buffer *out, const struct command *command,
                                const struct command_verb *verb)
{
    struct buffer usage;
    buffer_init(&usage, COMMAND_TEXT_MAX);
    command_write_usage(command, verb, &usage);
    size_t name_size = strlen(command->name);
    write_text(out, ".TP 8\n\\fBshoal ");
    write_roff(out, command->name);
    write_text(out, "\\fR");
    if (!usage.failed)
        write_roff_size(out, (const char *)usage.data + name_size, usage.size - name_size);
    write_text(out, "\n");
    buffer_clear(&usage);
}

static void write_command(struct buffer *out, const struct command *command)
{
    if (command->verbs == NULL) {
        write_command_usage(out, command, NULL);
        write_sentence(out, command->meaning);
        write_text(out, ".IP \"\" 8\n");
        write_paragraphs(out, command->description);
    }
    for (const struct command_verb *verb = command->verbs; verb != NULL && verb->name != NULL;
         verb++) {
        write_command_usage(out, command, verb);
        write_sentence(out, verb->meaning);
        write_text(out, verb->options != NULL ? ".RS\n" : "");
        write_options(out, verb->options);
        write_text(out, verb->options != NULL ? ".RE\n" : "");
    }
    if (command->verbs != NULL) {
        write_text(out, ".IP \"\" 8\n");
        write_paragraphs(out, command->description);
    }
    write_text(out, command->options != NULL ? ".RS\n" : "");
    write_options(out, command->options);
    write_text(out, command->options != NULL ? ".RE\n" : "");
}

static void write_commands(struct buffer *out)
{
    write_text(out, ".SH COMMANDS\n");
    for (unsigned group = 0; group < COMMAND_GROUPS_COUNT; group++) {
        const struct command *command;
        bool is_begun = false;
        for (size_t i = 0; (command = command_row(i)) != NULL; i++) {
            if (command->group != group)
                continue;
            if (!is_begun)
                write_format(out, ".SS %s\n", command_group_text(command->group));
            is_begun = true;
            write_command(out, command);
        }
    }
}

static void write_pool_keys(struct buffer *out)
{
    struct pool_key_info key;
    char text[512];
    write_text(out, ".SH POOL FILES\n"
                    "Lines \\(lqkey = value\\(rq; the same keys are flags of\n"
                    ".BR \"shoal pool new\" .\n");
    for (size_t i = 0; pool_key_row(i, &key); i++) {
        write_text(out, ".TP 8\n\\fB");
        write_roff(out, key.name);
        write_text(out, "\\fR\n");
        snprintf(text, sizeof(text), "%s: %s", key.meaning, key.range);
        write_sentence(out, text);
        write_default(out, key.default_text);
    }
}

static const char shoal_end[] =
    ".SH EXIT STATUS\n"
    ".TP 8\n.B 0\nDone; a node that was stopped by a signal and has written everything.\n"
    ".TP 8\n.B 1\nIt could not be done, or the node says no.\n"
    ".TP 8\n.B 2\nWrong arguments or configuration.\n"
    ".TP 8\n.B 3\nNo node answers on that data directory.\n"
    ".SH ENVIRONMENT\n"
    ".TP 8\n.B SHOAL_*\nKeys of the configuration, see\n.BR shoal.conf (5).\n"
    ".TP 8\n.B NO_COLOR\nIf set and not empty, nothing is shown in colours.\n"
    ".TP 8\n.BR NOTIFY_SOCKET \", \" WATCHDOG_USEC\n"
    "Set by\n.BR systemd (1):\nthe node tells it when miners can connect, and that it lives.\n"
    ".SH FILES\n"
    ".TP 8\n.I ~/.shoal\nThe data directory where nothing else is said.\n"
    ".TP 8\n.I /etc/shoal/shoal.conf\nThe configuration of the node that\n.BR systemd (1)\nruns;\n"
    ".B sudo shoal status \\-\\-config /etc/shoal/shoal.conf\nasks it.\n"
    ".TP 8\n.I control.sock\nIn the data directory: where questions are asked. Only for its "
    "owner.\n"
    ".SH SEE ALSO\n.BR shoal.conf (5)\n";

static void write_shoal_page(struct buffer *out)
{
    write_head(out, "SHOAL", "1", "shoal", "a node of a decentralised mining pool");
    write_text(out, ".SH SYNOPSIS\n.B shoal\n.I COMMAND\n[\\fIARGUMENT\\fR ...]\n"
                    "[\\fB\\-\\-\\fIflag value\\fR ...]\n"
                    ".SH DESCRIPTION\n"
                    "Nodes of a pool keep a chain of the work that all miners did,\n"
                    "and share the coins of each block by it, without anybody in the middle.\n"
                    ".B shoal node\nruns one; the other commands prepare it, and ask it what it "
                    "does.\nA running node is asked over a socket in its data directory,\n"
                    "by the same user or root.\n");
    write_commands(out);
    write_pool_keys(out);
    write_text(out, shoal_end);
}

// ---- shoal.conf(5)

static void write_key(struct buffer *out, const struct config_row *row)
{
    char text[512];
    size_t skipped = row->section[0] == '\0' ? 0 : strlen(row->section) + 1;
    write_text(out, ".TP 8\n\\fB");
    write_roff(out, row->name + skipped);
    write_text(out, "\\fR = \\fI");
    write_roff(out, row->value_name);
    write_text(out, "\\fR\n");
    write_sentence(out, row->help);
    snprintf(text, sizeof(text), "Right: %s", row->range);
    write_sentence(out, text);
    if (config_row_is_list(row))
        write_text(out, "Several: commas between.\n");
    if (row->is_required)
        write_text(out, "Required.\n");
    if (row->zero_means != NULL)
        snprintf(text, sizeof(text), "%s (%s)", row->default_text, row->zero_means);
    else
        snprintf(text, sizeof(text), "%s", row->default_text);
    write_default(out, text);
}

static void write_conf_page(struct buffer *out)
{
    const struct config_row *row;
    const char *section = "";
    write_head(out, "SHOAL.CONF", "5", "shoal.conf", "the configuration of a shoal node");
    write_text(out, ".SH DESCRIPTION\n"
                    "Lines \\(lqkey = value\\(rq; keys of a section stand below a line\n"
                    "\\(lq[section]\\(rq, those without one above the first.\n"
                    "Comments begin with # or ; and stand on lines of their own.\n"
                    "Every key is also a flag\n.RB ( \\-\\-stratum\\-listen )\n"
                    "and an environment variable\n.RB ( SHOAL_STRATUM_LISTEN ).\n"
                    "Flags win over the environment, that over the file.\n"
                    ".B shoal config\nchecks a configuration and prints the values in force.\n"
                    ".SH KEYS WITHOUT A SECTION\n");
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        if (strcmp(row->name, "config") == 0)
            continue; // cannot be set in the file itself
        if (strcmp(row->section, section) != 0)
            write_format(out, ".SH SECTION [%s]\n", row->section);
        section = row->section;
        write_key(out, row);
    }
    write_text(out, ".SH EXAMPLE\n.nf\npool = /etc/shoal/reef.pool\ndata = /var/lib/shoal\n"
                    "daemon = http://127.0.0.1:8332\n\n[daemon]\n"
                    "cookie = /var/lib/bitcoind/.cookie\n\n[stratum]\n"
                    "listen = 0.0.0.0:3333, [::]:3333\n.fi\n"
                    ".SH SEE ALSO\n.BR shoal (1)\n");
}

int command_man(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    struct buffer text;
    buffer_init(&text, COMMAND_TEXT_MAX);
    if (line->arguments[0] != NULL && strcmp(line->arguments[0], "shoal.conf") == 0)
        write_conf_page(&text);
    else
        write_shoal_page(&text);
    command_line_free(line);
    return command_print(&text);
}
