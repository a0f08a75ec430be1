#include "node/password_prompt.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define BREAK '\x03'

bool password_prompt_is_terminal(void)
{
    return isatty(STDIN_FILENO) == 1;
}

// Byte by byte: what is behind the line belongs to the next question.
static bool read_line(char out[PASSWORD_PROMPT_SIZE])
{
    size_t size = 0;
    while (size < PASSWORD_PROMPT_SIZE) {
        ssize_t got = read(STDIN_FILENO, out + size, 1);
        if (got < 0 && errno == EINTR)
            continue;
        bool is_end = got <= 0 || out[size] == '\n';
        if (!is_end) {
            size++;
            continue;
        }
        out[size] = '\0';
        return (got > 0 || size > 0) && strchr(out, BREAK) == NULL;
    }
    out[0] = '\0';
    return false;
}

bool password_prompt_read(const char *text, char out[PASSWORD_PROMPT_SIZE])
{
    struct termios old, silent;
    bool is_terminal = password_prompt_is_terminal() && tcgetattr(STDIN_FILENO, &old) == 0;
    if (!is_terminal)
        return read_line(out);
    silent = old;
    // Ctrl-C comes as a character, so that it cannot leave the terminal without echo.
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    fprintf(stderr, "%s", text);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
        return false;
    bool is_read = read_line(out);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
    fprintf(stderr, "\n");
    return is_read;
}
