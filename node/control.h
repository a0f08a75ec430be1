// The local control socket DATA/control.sock (mode 0600): one request a line, one JSON document
// back. Read-only: what the `shoal` commands show (status, miners, blocks, payouts, credits,
// daemons) comes from here. Made by node.c.
#ifndef SHOAL_NODE_CONTROL_H
#define SHOAL_NODE_CONTROL_H

struct node;
struct control;

// NULL with a sentence (NODE_ERROR_SIZE characters at most).
struct control *control_new(struct node *node, char *error);
void control_free(struct control *control); // NULL is fine

#endif
