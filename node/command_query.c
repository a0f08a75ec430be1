// `shoal status` and the other questions to a running node: asks over the control socket and shows
// the answer, as text or, with --json, as the document itself.
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "node/ask.h"
#include "node/command_line.h"
#include "node/command_text.h"
#include "node/console.h"
#include "node/show.h"

// The chain may change under a long answer; then it is asked for again.
#define TRIES_MAX 5
// Where the packages put it.
#define SYSTEM_CONFIG "/etc/shoal/shoal.conf"
#define SHOWN_MAX     (1u << 30)

static bool is_hash(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == 64 && text[64] == '\0';
}

static int fail(const char *error)
{
    return command_fail(EXIT_FAILED, "%s", error);
}

// ---- Documents in pages: "credits" and "blocks"

struct pages {
    struct ask *ask;
    const char *array; // the member that is in pages
    struct ask_request request;
    char tip[65]; // that all pages are of; "" if the document has none
    struct buffer whole;
};

// A member of the first page as it stands there.
static void write_member(struct json_value member, struct buffer *out)
{
    const char *name, *text;
    size_t name_size, size;
    const char *quote = json_is_text(member) ? "\"" : "";
    json_name(member, &name, &name_size);
    json_raw(member, &text, &size);
    write_format(out, "\"%.*s\":%s", (int)name_size, name, quote);
    write_bytes(out, text, size);
    write_format(out, "%s,", quote);
}

// All members but the array and the number of the next page; then the array is begun.
static void write_head(struct json_value root, const char *array, struct buffer *out)
{
    write_text(out, "{");
    for (struct json_value v = json_first(root); json_exists(v); v = json_next(v)) {
        const char *name;
        size_t size;
        json_name(v, &name, &size);
        bool is_array = size == strlen(array) && memcmp(name, array, size) == 0;
        if (!is_array && !(size == 4 && memcmp(name, "next", 4) == 0))
            write_member(v, out);
    }
    write_format(out, "\"%s\":[", array);
}

static void write_elements(struct json_value array, bool is_first, struct buffer *out)
{
    const char *text;
    size_t size;
    json_raw(array, &text, &size);
    if (json_size(array) == 0)
        return;
    write_text(out, is_first ? "" : ",\n");
    write_bytes(out, text + 1, size - 2); // without the brackets
}

// *is_last is set with the last one. False with a sentence.
static bool add_page(struct pages *pages, bool *is_last, char error[ASK_ERROR_SIZE])
{
    struct json *json = ask_question(pages->ask, &pages->request, error);
    if (json == NULL)
        return false;
    struct json_value root = json_root(json);
    bool is_first = pages->whole.size == 0;
    if (is_first)
        write_head(root, pages->array, &pages->whole);
    write_elements(json_get(root, pages->array), is_first, &pages->whole);
    if (json_to_text(json_get(json_get(root, "tip"), "id"), pages->tip, sizeof(pages->tip)))
        pages->request.tip = pages->tip;
    *is_last = !json_to_u64(json_get(root, "next"), &pages->request.from);
    json_free(json);
    return true;
}

static bool gather_pages(struct pages *pages, char error[ASK_ERROR_SIZE])
{
    bool is_last = false;
    buffer_reset(&pages->whole);
    pages->request.from = 0;
    pages->request.tip = NULL;
    while (!is_last) {
        if (!add_page(pages, &is_last, error))
            return false;
    }
    write_text(&pages->whole, "]}\n");
    return true;
}

static int print_pages(const char *name, struct ask *ask, const char *array)
{
    struct pages pages = {.ask = ask, .array = array, .request = {.command = name}};
    char error[ASK_ERROR_SIZE];
    bool is_whole = false;
    buffer_init(&pages.whole, SHOWN_MAX);
    // A branch of the chain may be left between two pages: then what was gathered is no chain.
    for (int i = 0; i < TRIES_MAX && !is_whole; i++)
        is_whole = gather_pages(&pages, error);
    if (is_whole)
        return command_print(&pages.whole);
    buffer_clear(&pages.whole);
    return fail(error);
}

// ---- Documents in one piece

// A block that the node knows nothing of is an answer, too: no.
static bool is_unknown(struct json_value document)
{
    return json_is_null(json_get(document, "found")) && json_is_null(json_get(document, "outputs"));
}

static int print_document(const struct command_line *line, struct ask *ask)
{
    const char *name = line->command->name;
    bool is_block = strcmp(name, "block") == 0;
    struct ask_request request = {.command = name,
                                  .id = is_block ? line->arguments[0] : NULL,
                                  .address = is_block ? NULL : line->arguments[0]};
    char error[ASK_ERROR_SIZE];
    struct json *json = ask_question(ask, &request, error);
    if (json == NULL)
        return fail(error);
    struct buffer text;
    buffer_init(&text, SHOWN_MAX);
    struct show_out out = {&text, console_width(), console_has_colours()};
    if (command_line_has(line, "json") || !show_document(name, json_root(json), &out)) {
        write_bytes(&text, ask_text(ask)->data, ask_text(ask)->size);
        write_text(&text, "\n");
    }
    int status = command_print(&text);
    if (status == EXIT_OK && is_block && is_unknown(json_root(json)))
        status = EXIT_FAILED;
    json_free(json);
    return status;
}

static int fail_unreached(const struct command_line *line, const char *error)
{
    command_fail(EXIT_UNREACHED, "%s", error);
    if (line->config.config_file[0] == '\0' && access(SYSTEM_CONFIG, F_OK) == 0)
        fprintf(
            stderr,
            "shoal: the node that systemd runs is asked with: sudo shoal %s --config " SYSTEM_CONFIG
            "\n",
            line->command->name);
    return EXIT_UNREACHED;
}

static int run_query(const struct command_line *line)
{
    const char *name = line->command->name;
    char error[ASK_ERROR_SIZE];
    struct ask *ask = ask_open(line->config.data, error);
    if (ask == NULL)
        return fail_unreached(line, error);
    int status;
    if (strcmp(name, "credits") == 0)
        status = print_pages(name, ask, "links");
    else if (strcmp(name, "blocks") == 0 && command_line_has(line, "json"))
        status = print_pages(name, ask, "blocks");
    else
        status = print_document(line, ask);
    ask_close(ask);
    return status;
}

int command_query(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    int status;
    if (strcmp(name, "block") == 0 && !is_hash(line->arguments[0]))
        status = command_fail(EXIT_MISUSED,
                              "\"%.80s\" is no block's hash: that has 64 hex digits, as \"shoal "
                              "blocks\" shows them",
                              line->arguments[0]);
    else
        status = run_query(line);
    command_line_free(line);
    return status;
}
