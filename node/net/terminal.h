// The terminal of a program that draws its whole screen: keys one by one, the size as it changes,
// and everything as it was when the program ends or is put aside (Ctrl-Z). Whoever opens it also
// catches the signals that end a program (net_loop_catch_signals) and closes it then.
#ifndef SHOAL_NODE_NET_TERMINAL_H
#define SHOAL_NODE_NET_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/net/loop.h"

struct net_terminal;

// None of these comes from inside a call of the functions below.
struct net_terminal_events {
    // What was typed, as the terminal sends it; size 0: it is gone, nothing will come any more.
    void (*typed)(void *context, const uint8_t *keys, size_t size);
    // It has another size, or its content is lost: draw all anew.
    void (*resized)(void *context);
};

// NULL if standard input or output is no terminal, or there is no memory. From now on the screen is
// a second one, without a cursor, and what is typed is not shown.
struct net_terminal *net_terminal_open(struct net_loop *loop,
                                       const struct net_terminal_events *events, void *context);
// As it was before. NULL is fine.
void net_terminal_close(struct net_terminal *terminal);
void net_terminal_size(const struct net_terminal *terminal, size_t *columns, size_t *rows);
// Waits until the terminal has taken it. False if it is gone.
bool net_terminal_write(struct net_terminal *terminal, const void *data, size_t size);
// Gives the terminal back and stops the process, as Ctrl-Z does elsewhere; returns when it goes on.
void net_terminal_suspend(struct net_terminal *terminal);

#endif
