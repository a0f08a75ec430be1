// A password from whoever sits at the terminal, without echo; or the first line of standard input
// where that is no terminal, for scripts. Never from arguments, which every user of the machine
// can see.
#ifndef SHOAL_NODE_PASSWORD_PROMPT_H
#define SHOAL_NODE_PASSWORD_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_PROMPT_SIZE 256

// Asks with this text ("Password: "). False if there is no line, it is too long, or it was broken
// off with Ctrl-C.
bool password_prompt_read(const char *text, char out[PASSWORD_PROMPT_SIZE]);
// Whether there is a terminal to ask at: a new password is then asked for twice.
bool password_prompt_is_terminal(void);

#endif
