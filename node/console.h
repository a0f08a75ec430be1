// What the program's standard output is connected to: decides widths and colours.
#ifndef SHOAL_NODE_CONSOLE_H
#define SHOAL_NODE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

// Columns of the terminal behind standard output; 0 if there is none, so that nothing is cut in
// what goes to a file or another program.
size_t console_width(void);
// True if a terminal is behind standard output, NO_COLOR is not set (or empty) and TERM is not
// "dumb".
bool console_has_colours(void);

#endif
