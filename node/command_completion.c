// `shoal completion`: scripts by which bash, zsh and fish complete commands, verbs, flags and the
// values of flags, from the tables of commands and of the configuration.
#include <stdio.h>
#include <string.h>
#include "node/command_line.h"
#include "node/command_text.h"
#include "node/config_table.h"
#include "sharechain/pool.h"

struct flag {
    const char *name;
    const char *value; // as in struct command_option
    const char *meaning;
};

typedef void flag_visit(struct buffer *out, const struct flag *flag);

static void visit_options(const struct command_option *options, flag_visit *visit,
                          struct buffer *out)
{
    for (; options != NULL && options->name != NULL; options++)
        visit(out, &(struct flag){options->name, options->value, options->meaning});
}

static void visit_keys(const struct command *command, flag_visit *visit, struct buffer *out)
{
    const struct config_row *row;
    for (size_t i = 0; (row = config_row(i)) != NULL; i++) {
        bool is_shown = command->keys == COMMAND_KEYS_ALL ||
                        (command->keys == COMMAND_KEYS_DATA &&
                         (strcmp(row->name, "data") == 0 || strcmp(row->name, "config") == 0));
        if (is_shown)
            visit(out, &(struct flag){row->name, row->value_name, row->help});
    }
}

// All flags that may stand behind a command and, NULL for none of its verbs, one of them.
static void visit_flags(const struct command *command, const struct command_verb *verb,
                        flag_visit *visit, struct buffer *out)
{
    struct pool_key_info key;
    visit_options(command->options, visit, out);
    if (verb != NULL)
        visit_options(verb->options, visit, out);
    visit_keys(command, visit, out);
    if (command->run != command_pool || verb == NULL || strcmp(verb->name, "new") != 0)
        return;
    for (size_t i = 0; pool_key_row(i, &key); i++)
        visit(out, &(struct flag){key.name, "VALUE", key.meaning});
}

enum value_kind { VALUE_NONE, VALUE_FILE, VALUE_DIR, VALUE_CHOICES, VALUE_COMMAND, VALUE_OTHER };

// Of a flag's value or an argument; brackets around it are looked through.
static enum value_kind value_kind(const char *value)
{
    if (value == NULL || value[0] == '\0')
        return VALUE_NONE;
    const char *name = value + (value[0] == '[' ? 1 : 0);
    size_t size = strcspn(name, " ]");
    if (strchr(value, '|') != NULL && strchr(value, ' ') == NULL)
        return VALUE_CHOICES;
    if (size == 4 && strncmp(name, "FILE", 4) == 0)
        return VALUE_FILE;
    if (size == 3 && strncmp(name, "DIR", 3) == 0)
        return VALUE_DIR;
    return size == 7 && strncmp(name, "COMMAND", 7) == 0 ? VALUE_COMMAND : VALUE_OTHER;
}

// "[a|b]" as "a b"
static void write_choices(struct buffer *out, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c != '[' && *c != ']')
            write_u8(out, *c == '|' ? ' ' : (uint8_t)*c);
    }
}

// ---- bash

static void bash_flag(struct buffer *out, const struct flag *flag)
{
    write_format(out, " --%s", flag->name);
}

// A branch of `case $prev`: what completes the value of a flag.
static void bash_value(struct buffer *out, const struct flag *flag)
{
    switch (value_kind(flag->value)) {
    case VALUE_NONE:
    case VALUE_COMMAND:
        return;
    case VALUE_FILE:
        write_format(out, "        --%s) _shoal_files -f; return ;;\n", flag->name);
        return;
    case VALUE_DIR:
        write_format(out, "        --%s) _shoal_files -d; return ;;\n", flag->name);
        return;
    case VALUE_CHOICES:
        write_format(out, "        --%s) _shoal_words '", flag->name);
        write_choices(out, flag->value);
        write_text(out, "'; return ;;\n");
        return;
    case VALUE_OTHER:
        write_format(out, "        --%s) return ;;\n", flag->name);
        return;
    }
}

static void bash_words(struct buffer *out, const char *arguments)
{
    switch (value_kind(arguments)) {
    case VALUE_FILE:
        write_text(out, "        files=-f\n");
        return;
    case VALUE_DIR:
        write_text(out, "        files=-d\n");
        return;
    case VALUE_CHOICES:
        write_text(out, "        words='");
        write_choices(out, arguments);
        write_text(out, "'\n");
        return;
    case VALUE_COMMAND:
        write_text(out, "        words=$commands\n");
        return;
    case VALUE_NONE:
    case VALUE_OTHER:
        return;
    }
}

static void bash_branch(struct buffer *out, const struct command *command,
                        const struct command_verb *verb)
{
    write_format(out, "    '%s %s')\n        flags='", command->name,
                 verb == NULL ? "" : verb->name);
    visit_flags(command, verb, bash_flag, out);
    write_text(out, " --help'\n        case $prev in\n");
    visit_flags(command, verb, bash_value, out);
    write_text(out, "        esac\n");
    bash_words(out, verb == NULL ? command->arguments : verb->arguments);
    write_text(out, "        ;;\n");
}

static void bash_command(struct buffer *out, const struct command *command)
{
    if (command->verbs == NULL) {
        bash_branch(out, command, NULL);
        return;
    }
    write_format(out, "    '%s ') words='", command->name);
    for (const struct command_verb *verb = command->verbs; verb->name != NULL; verb++)
        write_format(out, "%s%s", verb == command->verbs ? "" : " ", verb->name);
    write_text(out, "' flags=--help ;;\n");
    for (const struct command_verb *verb = command->verbs; verb->name != NULL; verb++)
        bash_branch(out, command, verb);
}

static const char bash_begin[] =
    "# Completes the command shoal in bash; made by \"shoal completion bash\".\n"
    "_shoal_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
    "_shoal_files() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
    "}\n"
    "_shoal() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local commands words='' flags='' files='' verb=''\n"
    "    COMPREPLY=()\n"
    "    # bash cuts --flag=value at the sign\n"
    "    [ \"$cur\" != = ] || cur=\n"
    "    [ \"$prev\" != = ] || prev=${COMP_WORDS[COMP_CWORD-2]}\n";

static const char bash_middle[] = "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                                  "        _shoal_words \"$commands --help --version\"\n"
                                  "        return\n"
                                  "    fi\n"
                                  "    case ${COMP_WORDS[1]} in\n";

static const char bash_end[] = "    *) return ;;\n"
                               "    esac\n"
                               "    if [[ $cur == -* ]]; then\n"
                               "        _shoal_words \"$flags\"\n"
                               "    elif [ -n \"$files\" ]; then\n"
                               "        _shoal_files \"$files\"\n"
                               "    else\n"
                               "        _shoal_words \"$words\"\n"
                               "    fi\n"
                               "}\n"
                               "complete -F _shoal shoal\n";

static void write_bash(struct buffer *out)
{
    const struct command *command;
    write_text(out, bash_begin);
    write_text(out, "    commands='");
    for (size_t i = 0; (command = command_row(i)) != NULL; i++)
        write_format(out, "%s%s", i == 0 ? "" : " ", command->name);
    write_text(out, "'\n");
    write_text(out, bash_middle);
    for (size_t i = 0; (command = command_row(i)) != NULL; i++) {
        if (command->verbs != NULL)
            write_format(out, "    %s) [ \"$COMP_CWORD\" -eq 2 ] || verb=${COMP_WORDS[2]} ;;\n",
                         command->name);
    }
    write_text(out, "    esac\n    case \"${COMP_WORDS[1]} $verb\" in\n");
    for (size_t i = 0; (command = command_row(i)) != NULL; i++)
        bash_command(out, command);
    write_text(out, bash_end);
}

// ---- zsh and fish: text between single quotes

static void write_quoted(struct buffer *out, const char *text, const char *escaped)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'')
            write_text(out, "'\\''");
        else if (strchr(escaped, *c) != NULL)
            write_format(out, "\\%c", *c);
        else
            write_u8(out, (uint8_t)*c);
    }
}

static void zsh_action(struct buffer *out, const char *value)
{
    switch (value_kind(value)) {
    case VALUE_NONE:
        return;
    case VALUE_FILE:
        write_text(out, ":file:_files");
        return;
    case VALUE_DIR:
        write_text(out, ":directory:_files -/");
        return;
    case VALUE_CHOICES:
        write_text(out, ":value:(");
        write_choices(out, value);
        write_text(out, ")");
        return;
    case VALUE_COMMAND:
        write_text(out, ":command:(${commands%%:*})");
        return;
    case VALUE_OTHER:
        write_text(out, ":");
        write_quoted(out, value, ":[]\\");
        write_text(out, ": ");
        return;
    }
}

static void zsh_flag(struct buffer *out, const struct flag *flag)
{
    write_format(out, " \\\n            '--%s[", flag->name);
    write_quoted(out, flag->meaning, ":[]\\");
    write_text(out, "]");
    zsh_action(out, flag->value);
    write_text(out, "'");
}

static void zsh_branch(struct buffer *out, const struct command *command,
                       const struct command_verb *verb)
{
    const char *arguments = verb == NULL ? command->arguments : verb->arguments;
    write_format(out, "    '%s %s')\n        _arguments '--help[say more]'", command->name,
                 verb == NULL ? "" : verb->name);
    visit_flags(command, verb, zsh_flag, out);
    if (value_kind(arguments) == VALUE_COMMAND) {
        write_text(out, " \\\n            \"1:command:(${(j: :)commands%%:*})\"");
    } else if (arguments[0] != '\0') {
        write_text(out, " \\\n            '1");
        zsh_action(out, arguments);
        write_text(out, "'");
    }
    write_text(out, " ;;\n");
}

static void zsh_entry(struct buffer *out, const char *name, const char *meaning)
{
    write_format(out, "        '%s:", name);
    write_quoted(out, meaning, ":\\");
    write_text(out, "'\n");
}

static void zsh_command(struct buffer *out, const struct command *command)
{
    if (command->verbs == NULL) {
        zsh_branch(out, command, NULL);
        return;
    }
    write_format(out, "    '%s ')\n        verbs=(\n", command->name);
    for (const struct command_verb *verb = command->verbs; verb->name != NULL; verb++)
        zsh_entry(out, verb->name, verb->meaning);
    write_text(out, "        )\n        _describe 'what to do' verbs ;;\n");
    for (const struct command_verb *verb = command->verbs; verb->name != NULL; verb++)
        zsh_branch(out, command, verb);
}

static void write_zsh(struct buffer *out)
{
    const struct command *command;
    write_text(out, "#compdef shoal\n"
                    "# Completes the command shoal in zsh; made by \"shoal completion zsh\".\n"
                    "_shoal() {\n    local -a commands verbs\n    local name verb\n"
                    "    commands=(\n");
    for (size_t i = 0; (command = command_row(i)) != NULL; i++)
        zsh_entry(out, command->name, command->meaning);
    write_text(out, "    )\n    if (( CURRENT == 2 )); then\n"
                    "        _describe command commands\n        return\n    fi\n"
                    "    shift words\n    (( CURRENT-- ))\n    name=$words[1]\n"
                    "    case $name in\n");
    for (size_t i = 0; (command = command_row(i)) != NULL; i++) {
        if (command->verbs == NULL)
            continue;
        write_format(out,
                     "    %s) if (( CURRENT > 2 )); then\n            shift words\n"
                     "            (( CURRENT-- ))\n            verb=$words[1]\n        fi ;;\n",
                     command->name);
    }
    write_text(out, "    esac\n    case \"$name $verb\" in\n");
    for (size_t i = 0; (command = command_row(i)) != NULL; i++)
        zsh_command(out, command);
    write_text(out, "    esac\n}\n_shoal \"$@\"\n");
}

// A flag of the command that write_fish is at; its condition stands in front.
static void fish_flag(struct buffer *out, const struct flag *flag)
{
    write_format(out, " -l %s", flag->name);
    switch (value_kind(flag->value)) {
    case VALUE_NONE:
        break;
    case VALUE_FILE:
        write_text(out, " -r -F");
        break;
    case VALUE_DIR:
        write_text(out, " -x -a '(__fish_complete_directories)'");
        break;
    case VALUE_CHOICES:
        write_text(out, " -x -a '");
        write_choices(out, flag->value);
        write_text(out, "'");
        break;
    case VALUE_COMMAND:
    case VALUE_OTHER:
        write_text(out, " -x");
        break;
    }
    write_text(out, " -d '");
    write_quoted(out, flag->meaning, "\\");
    write_text(out, "'\n");
}

// Puts `condition` in front of each line that fish_flag has written.
static void fish_flags(struct buffer *out, const struct command *command,
                       const struct command_verb *verb, const char *condition)
{
    struct buffer lines;
    buffer_init(&lines, COMMAND_TEXT_MAX);
    visit_flags(command, verb, fish_flag, &lines);
    const char *line = (const char *)lines.data, *end = line + lines.size;
    while (!lines.failed && line < end) {
        size_t size = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line) + 1;
        write_format(out, "complete -c shoal -n '__fish_seen_subcommand_from %s%s'", command->name,
                     condition);
        write_bytes(out, line, size);
        line += size;
    }
    buffer_clear(&lines);
}

static void fish_words(struct buffer *out, const char *name, const char *arguments)
{
    enum value_kind kind = value_kind(arguments);
    if (kind != VALUE_FILE && kind != VALUE_CHOICES && kind != VALUE_COMMAND)
        return;
    write_format(out, "complete -c shoal -n '__fish_seen_subcommand_from %s'", name);
    if (kind == VALUE_FILE)
        write_text(out, " -F");
    else
        write_text(out, " -a '");
    if (kind == VALUE_COMMAND)
        write_text(out, "$shoal_commands");
    else if (kind == VALUE_CHOICES)
        write_choices(out, arguments);
    write_text(out, kind == VALUE_FILE ? "\n" : "'\n");
}

static void fish_command(struct buffer *out, const struct command *command)
{
    write_format(out, "complete -c shoal -n __fish_use_subcommand -a %s -d '", command->name);
    write_quoted(out, command->meaning, "\\");
    write_text(out, "'\n");
    if (command->verbs == NULL)
        fish_flags(out, command, NULL, "");
    fish_words(out, command->name, command->arguments);
    for (const struct command_verb *verb = command->verbs; verb != NULL && verb->name != NULL;
         verb++) {
        char condition[128];
        write_format(out, "complete -c shoal -n '__fish_seen_subcommand_from %s' -a %s -d '",
                     command->name, verb->name);
        write_quoted(out, verb->meaning, "\\");
        write_text(out, "'\n");
        snprintf(condition, sizeof(condition), "; and __fish_seen_subcommand_from %s", verb->name);
        fish_flags(out, command, verb, condition);
        fish_words(out, verb->name, verb->arguments);
    }
}

static void write_fish(struct buffer *out)
{
    const struct command *command;
    write_text(out, "# Completes the command shoal in fish; made by \"shoal completion fish\".\n"
                    "set -g shoal_commands");
    for (size_t i = 0; (command = command_row(i)) != NULL; i++)
        write_format(out, " %s", command->name);
    write_text(out, "\ncomplete -c shoal -f\ncomplete -c shoal -l help -d 'say more'\n");
    for (size_t i = 0; (command = command_row(i)) != NULL; i++)
        fish_command(out, command);
}

int command_completion(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    struct buffer text;
    buffer_init(&text, COMMAND_TEXT_MAX);
    const char *shell = line->arguments[0];
    command_line_free(line);
    if (strcmp(shell, "bash") == 0)
        write_bash(&text);
    else if (strcmp(shell, "zsh") == 0)
        write_zsh(&text);
    else
        write_fish(&text);
    return command_print(&text);
}
