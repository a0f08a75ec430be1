// The local control socket DATA/control.sock (mode 0600): one request a line, one JSON document
// back: the documents of report.h, the actions of operate.h, and what access_action.h has on
// accounts. Whoever can open the socket owns the node, and may do everything. Made by node.c.
#ifndef SHOAL_NODE_CONTROL_H
#define SHOAL_NODE_CONTROL_H

struct node;
struct control;

// NULL with a sentence (NODE_ERROR_SIZE characters at most).
struct control *control_new(struct node *node, char *error);
void control_free(struct control *control); // NULL is fine

#endif
