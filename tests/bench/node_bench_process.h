// The processes that node_bench and network_bench start and looks at from outside: the CPU time and
// the memory of each. Every process that is started here dies with the one that started it.
// Whatever goes wrong ends the program: a bench has nothing sensible to do without its processes.
#ifndef SHOAL_TESTS_BENCH_NODE_BENCH_PROCESS_H
#define SHOAL_TESTS_BENCH_NODE_BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_PATH_SIZE 512

// Says what is wrong on standard error and ends the program with status 2.
_Noreturn void process_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A program of the build that this one belongs to: build/.../bin/NAME.
void process_path(const char *name, char out[PROCESS_PATH_SIZE]);

// Starts a program; what it says goes to the end of the file `log`.
pid_t process_start(const char *const *argv, const char *log);
// The same, and what it says is to be read from *heard, which has to be emptied while it runs.
pid_t process_start_heard(const char *const *argv, int *heard);
// Starts a function that never returns as a process of its own.
pid_t process_fork(void (*run)(uint16_t port), uint16_t port);
// Runs a program to its end and keeps the beginning of what it wrote to standard output, closed by
// a zero; ends ours if it fails.
void process_output(const char *const *argv, char *out, size_t capacity);
// The same, but a program that fails is only false, and what it complains of is not shown.
bool process_ask(const char *const *argv, char *out, size_t capacity);
// Kills it and waits until it is gone.
void process_stop(pid_t pid);

// CPU time of all its threads, user and system, in nanoseconds.
double process_cpu_ns(pid_t pid);
// The same of its first thread alone, the one that runs the loop.
double process_loop_cpu_ns(pid_t pid);
// Resident memory in bytes.
double process_memory(pid_t pid);
// A field of /proc/PID/status that is in kB, such as VmHWM, the most it was: in bytes.
double process_memory_of(pid_t pid, const char *field);

// A TCP port of the loopback address that nobody listens on now.
uint16_t process_free_port(void);
// Pauses for so long.
void process_wait_ms(int ms);

#endif
