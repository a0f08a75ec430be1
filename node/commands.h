// The commands of the program `shoal`, one function each: they get the arguments behind their name
// and return the exit status. Called by main.c only.
#ifndef SHOAL_NODE_COMMANDS_H
#define SHOAL_NODE_COMMANDS_H

// Exit statuses, as in docs/operating.md.
#define EXIT_OK      0
#define EXIT_FAILED  1 // it could not be done
#define EXIT_MISUSED 2 // the command line or the configuration is wrong

int command_node(int argc, const char *const *argv);
int command_config(int argc, const char *const *argv);
int command_pool(int argc, const char *const *argv);
// status, miners, blocks and the other documents of report.h: `name` is one of them.
int command_query(const char *name, int argc, const char *const *argv);

// The text of `shoal help CMD`.
void command_node_help(void);
void command_config_help(void);
void command_pool_help(void);
void command_query_help(void);

#endif
