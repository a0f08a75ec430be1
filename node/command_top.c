// `shoal top`: asks the node once a second over its control socket and keeps the terminal showing
// what it says, until somebody has seen enough.
#include <stddef.h>
#include "node/ask.h"
#include "node/command_line.h"
#include "node/console.h"
#include "node/net/terminal.h"
#include "node/top.h"

#define ASK_EVERY_MS 1000

struct watching {
    struct net_loop *loop;
    struct net_terminal *terminal;
    struct net_timer *tick;
    struct ask *ask;
    struct top *top;
    const char *wanted; // the document that is asked for; NULL: none is
    size_t wanted_index;
    bool is_again; // ask once more as soon as this answer is there
};

static void draw(struct watching *watching)
{
    struct buffer text;
    buffer_init(&text, 16u << 20);
    top_draw(watching->top, &text);
    bool is_there = !text.failed && (text.size == 0 ||
                                     net_terminal_write(watching->terminal, text.data, text.size));
    buffer_clear(&text);
    if (!is_there)
        net_loop_stop(watching->loop);
}

// ---- The node

static void ask_for(struct watching *watching, size_t i)
{
    watching->wanted_index = i;
    watching->wanted = top_wants(watching->top, i);
    if (watching->wanted != NULL)
        ask_begin(watching->ask, &(struct ask_request){.command = watching->wanted});
}

static void ask_all(struct watching *watching)
{
    watching->is_again = watching->wanted != NULL;
    if (watching->wanted == NULL)
        ask_for(watching, 0);
}

static void on_answered(void *context, struct json *answer, const char *error)
{
    struct watching *watching = context;
    const struct buffer *text = ask_text(watching->ask);
    if (answer == NULL) {
        top_set_problem(watching->top, error);
        watching->wanted = NULL;
    } else {
        top_set_document(watching->top, watching->wanted, text->data, text->size);
        json_free(answer);
        ask_for(watching, watching->wanted_index + 1);
    }
    if (watching->wanted != NULL)
        return;
    draw(watching);
    if (watching->is_again)
        ask_all(watching);
}

static void on_tick(void *context, struct now now)
{
    struct watching *watching = context;
    net_timer_start(watching->tick, (struct mono_time){now.mono.ms + ASK_EVERY_MS});
    if (watching->wanted == NULL)
        ask_all(watching);
}

// ---- The terminal

static void on_resized(void *context)
{
    struct watching *watching = context;
    size_t columns, rows;
    net_terminal_size(watching->terminal, &columns, &rows);
    top_resize(watching->top, columns, rows);
    draw(watching);
}

static void on_typed(void *context, const uint8_t *keys, size_t size)
{
    struct watching *watching = context;
    if (size == 0) {
        net_loop_stop(watching->loop);
        return;
    }
    switch (top_type(watching->top, keys, size)) {
    case TOP_NOTHING:
        return;
    case TOP_ASK:
        ask_all(watching);
        draw(watching);
        return;
    case TOP_DRAW:
        draw(watching);
        return;
    case TOP_SUSPEND:
        net_terminal_suspend(watching->terminal);
        on_resized(watching);
        return;
    case TOP_QUIT:
        net_loop_stop(watching->loop);
        return;
    }
}

static void on_signal(void *context, enum net_signal which)
{
    struct watching *watching = context;
    (void)which;
    net_loop_stop(watching->loop);
}

// ---- Running

static int watch(struct watching *watching)
{
    static const struct net_terminal_events events = {.typed = on_typed, .resized = on_resized};
    if (!net_loop_catch_signals(watching->loop, on_signal, watching))
        return command_fail(EXIT_FAILED, "signals cannot be caught");
    watching->terminal = net_terminal_open(watching->loop, &events, watching);
    if (watching->terminal == NULL)
        return command_fail(EXIT_FAILED, "top needs a terminal for input and output; \"shoal "
                                         "status --json\" is for programs");
    on_tick(watching, net_loop_now(watching->loop));
    on_resized(watching);
    net_loop_run(watching->loop);
    net_terminal_close(watching->terminal);
    return EXIT_OK;
}

static int run_top(struct watching *watching, const char *data)
{
    watching->loop = net_loop_new();
    if (watching->loop != NULL) {
        watching->ask = ask_new(watching->loop, data, on_answered, watching);
        watching->tick = net_timer_new(watching->loop, on_tick, watching);
        watching->top = top_new(console_has_colours());
    }
    bool is_made = watching->ask != NULL && watching->tick != NULL && watching->top != NULL;
    int status = is_made ? watch(watching) : command_fail(EXIT_FAILED, "out of memory");
    ask_close(watching->ask);
    net_timer_free(watching->tick);
    top_free(watching->top);
    net_loop_free(watching->loop);
    return status;
}

int command_top(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    struct watching watching = {.wanted = NULL};
    int status = run_top(&watching, line->config.data);
    command_line_free(line);
    return status;
}
