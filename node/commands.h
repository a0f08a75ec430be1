// The commands of the program `shoal`, one function each: they get their name and the arguments
// behind it and return the exit status. Their rows are in command_table.c; called by main.c only.
#ifndef SHOAL_NODE_COMMANDS_H
#define SHOAL_NODE_COMMANDS_H

// Exit statuses, as in docs/operating.md and the man page.
#define EXIT_OK        0
#define EXIT_FAILED    1 // it could not be done, or the node says no
#define EXIT_MISUSED   2 // the command line or the configuration is wrong
#define EXIT_UNREACHED 3 // no node answers

typedef int command_run(const char *name, int argc, const char *const *argv);

command_run command_node, command_config, command_pool;
// status, miners, blocks and the other documents of report.h: `name` is one of them.
command_run command_query;
command_run command_top;
// account, token, audit: in the node, or without one in its files.
command_run command_account, command_token, command_audit;
// ban, unban, disconnect, log-level, reload, drain, undrain: `name` is one of them.
command_run command_operate;
command_run command_help, command_version, command_man, command_completion;

#endif
