#include "node/net/terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "node/net/internal.h"

#define COLUMNS_USUAL 80
#define ROWS_USUAL    24

// The second screen, no cursor, and lines that are too long are cut.
static const char enter_text[] = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
static const char leave_text[] = "\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l";

struct net_terminal {
    const struct net_terminal_events *events;
    void *context;
    uv_poll_t input;
    uv_signal_t resize;
    unsigned handles_open; // of the two; the struct goes with the last
    int input_file;        // standard input once more: libuv makes it one that does not wait
    struct termios before;
    bool is_entered;
    bool is_gone;
};

// ---- Modes

static bool enter(struct net_terminal *terminal)
{
    struct termios raw = terminal->before;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | INPCK | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    terminal->is_entered = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    return terminal->is_entered && net_terminal_write(terminal, enter_text, sizeof(enter_text) - 1);
}

static void leave(struct net_terminal *terminal)
{
    if (!terminal->is_entered)
        return;
    net_terminal_write(terminal, leave_text, sizeof(leave_text) - 1);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
    terminal->is_entered = false;
}

// ---- Events

static void lose(struct net_terminal *terminal)
{
    terminal->is_gone = true;
    uv_poll_stop(&terminal->input);
    terminal->events->typed(terminal->context, NULL, 0);
}

static void on_input(uv_poll_t *handle, int status, int happened)
{
    struct net_terminal *terminal = handle->data;
    uint8_t keys[256];
    (void)happened;
    ssize_t size = status < 0 ? 0 : read(terminal->input_file, keys, sizeof(keys));
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (size <= 0)
        lose(terminal);
    else
        terminal->events->typed(terminal->context, keys, (size_t)size);
}

static void on_resize(uv_signal_t *handle, int number)
{
    struct net_terminal *terminal = handle->data;
    (void)number;
    terminal->events->resized(terminal->context);
}

static void terminal_free(struct net_terminal *terminal)
{
    if (terminal->input_file >= 0)
        close(terminal->input_file);
    free(terminal);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct net_terminal *terminal = handle->data;
    terminal->handles_open--;
    if (terminal->handles_open == 0)
        terminal_free(terminal);
}

// The shell shares the standard files with us: what is set for them would stay set for it.
static int open_input(void)
{
    char path[256];
    if (ttyname_r(STDIN_FILENO, path, sizeof(path)) != 0)
        return -1;
    return open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
}

static bool watch(struct net_terminal *terminal, struct net_loop *loop)
{
    if (uv_signal_init(&loop->uv, &terminal->resize) != 0)
        return false;
    terminal->handles_open = 1;
    terminal->resize.data = terminal;
    if (uv_poll_init(&loop->uv, &terminal->input, terminal->input_file) != 0)
        return false;
    terminal->handles_open = 2;
    terminal->input.data = terminal;
    return uv_poll_start(&terminal->input, UV_READABLE | UV_DISCONNECT, on_input) == 0 &&
           uv_signal_start(&terminal->resize, on_resize, SIGWINCH) == 0;
}

// ---- The program's side

struct net_terminal *net_terminal_open(struct net_loop *loop,
                                       const struct net_terminal_events *events, void *context)
{
    struct net_terminal *terminal = calloc(1, sizeof(*terminal));
    if (terminal == NULL)
        return NULL;
    terminal->events = events;
    terminal->context = context;
    terminal->input_file = open_input();
    if (terminal->input_file < 0 || !isatty(STDOUT_FILENO) ||
        tcgetattr(STDIN_FILENO, &terminal->before) != 0) {
        terminal_free(terminal);
        return NULL;
    }
    if (watch(terminal, loop) && enter(terminal))
        return terminal;
    net_terminal_close(terminal);
    return NULL;
}

void net_terminal_close(struct net_terminal *terminal)
{
    if (terminal == NULL)
        return;
    leave(terminal);
    if (terminal->handles_open == 0) {
        terminal_free(terminal);
        return;
    }
    if (terminal->handles_open == 2)
        uv_close((uv_handle_t *)&terminal->input, on_handle_closed);
    uv_close((uv_handle_t *)&terminal->resize, on_handle_closed);
}

void net_terminal_size(const struct net_terminal *terminal, size_t *columns, size_t *rows)
{
    struct winsize size;
    (void)terminal;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *columns = is_known ? size.ws_col : COLUMNS_USUAL;
    *rows = is_known && size.ws_row > 0 ? size.ws_row : ROWS_USUAL;
}

bool net_terminal_write(struct net_terminal *terminal, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size > 0 && !terminal->is_gone) {
        ssize_t written = write(STDOUT_FILENO, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            terminal->is_gone = true;
            break;
        }
        at += written;
        size -= (size_t)written;
    }
    return !terminal->is_gone;
}

void net_terminal_suspend(struct net_terminal *terminal)
{
    leave(terminal);
    raise(SIGSTOP);
    enter(terminal);
}
