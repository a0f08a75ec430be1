// `shoal status` and the other questions to a running node: asks over the control socket and shows
// the answer, as text or, with --json, as the document itself.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/ask.h"
#include "node/commands.h"
#include "node/config.h"
#include "node/report.h"
#include "node/show.h"

#define ARGUMENTS_MAX 64
// The chain may change under a long answer; then it is asked for again.
#define TRIES_MAX 5
#define SHOWN_MAX (1u << 30)

struct query {
    const char *name;
    bool wants_json;
    const char *id; // of the block, for "block"
    struct config config;
};

void command_query_help(void)
{
    printf("Usage: shoal COMMAND [--data DIR] [--config FILE] [--json]\n"
           "       shoal block HASH [--data DIR] ...\n\n"
           "Asks the node that runs on the data directory (default ~/.shoal) over its socket\n"
           "control.sock, as the same user. COMMAND is one of:\n\n");
    const char *meaning, *name;
    for (unsigned i = 0; (name = report_name(i, &meaning)) != NULL; i++)
        printf("  %-10s %s\n", name, meaning);
    printf("\n--json prints the document as JSON: times in seconds since 1970, amounts in satoshi "
           "and\n"
           "weights as decimal text, scripts and ids of links as hex in wire order, hashes of\n"
           "blocks as explorers show them.\n");
}

static bool is_hash(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == 64 && text[64] == '\0';
}

// Takes --json out; the rest are keys of the configuration, so that --data, SHOAL_DATA and --config
// mean what they mean to the node.
static bool read_arguments(struct query *query, int argc, const char *const *argv)
{
    const char *rest[ARGUMENTS_MAX];
    int rest_count = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            query->wants_json = true;
            continue;
        }
        if (strcmp(query->name, "block") == 0 && query->id == NULL && is_hash(argv[i])) {
            query->id = argv[i];
            continue;
        }
        if (rest_count == ARGUMENTS_MAX) {
            fprintf(stderr, "shoal: too many arguments\n");
            return false;
        }
        rest[rest_count] = argv[i];
        rest_count++;
    }
    if (strcmp(query->name, "block") == 0 && query->id == NULL) {
        fprintf(stderr, "shoal: say which block: shoal block HASH, with the 64 hex digits that "
                        "\"shoal blocks\" shows\n");
        return false;
    }
    struct config_error error;
    if (config_read_partly(rest_count, rest, &query->config, &error))
        return true;
    fprintf(stderr, "shoal: %s\n", error.text);
    return false;
}

static int fail(const char *error)
{
    fprintf(stderr, "shoal: %s\n", error);
    return EXIT_FAILED;
}

static int print(const struct buffer *text)
{
    if (text->failed)
        return fail("out of memory");
    bool is_written = fwrite(text->data, 1, text->size, stdout) == text->size;
    return is_written ? EXIT_OK : EXIT_FAILED;
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
    pages->request.from = 1;
    pages->request.tip = NULL;
    while (!is_last) {
        if (!add_page(pages, &is_last, error))
            return false;
    }
    write_text(&pages->whole, "]}\n");
    return true;
}

static int print_pages(struct query *query, struct ask *ask, const char *array)
{
    struct pages pages = {.ask = ask, .array = array, .request = {.command = query->name}};
    char error[ASK_ERROR_SIZE];
    bool is_whole = false;
    buffer_init(&pages.whole, SHOWN_MAX);
    // A branch of the chain may be left between two pages: then what was gathered is no chain.
    for (int i = 0; i < TRIES_MAX && !is_whole; i++)
        is_whole = gather_pages(&pages, error);
    int status = is_whole ? print(&pages.whole) : fail(error);
    buffer_clear(&pages.whole);
    return status;
}

// ---- Documents in one piece

static int print_document(struct query *query, struct ask *ask)
{
    struct ask_request request = {.command = query->name, .id = query->id};
    char error[ASK_ERROR_SIZE];
    struct json *json = ask_question(ask, &request, error);
    if (json == NULL)
        return fail(error);
    struct buffer text;
    buffer_init(&text, SHOWN_MAX);
    if (query->wants_json || !show_document(query->name, json_root(json), &text)) {
        write_bytes(&text, ask_text(ask)->data, ask_text(ask)->size);
        write_text(&text, "\n");
    }
    int status = print(&text);
    buffer_clear(&text);
    json_free(json);
    return status;
}

static int run_query(struct query *query)
{
    char error[ASK_ERROR_SIZE];
    struct ask *ask = ask_open(query->config.data, error);
    if (ask == NULL)
        return fail(error);
    int status;
    if (strcmp(query->name, "credits") == 0)
        status = print_pages(query, ask, "links");
    else if (strcmp(query->name, "blocks") == 0 && query->wants_json)
        status = print_pages(query, ask, "blocks");
    else
        status = print_document(query, ask);
    ask_close(ask);
    return status;
}

int command_query(const char *name, int argc, const char *const *argv)
{
    struct query *query = calloc(1, sizeof(*query));
    if (query == NULL)
        return fail("out of memory");
    query->name = name;
    int status = read_arguments(query, argc, argv) ? run_query(query) : EXIT_MISUSED;
    free(query);
    return status;
}
