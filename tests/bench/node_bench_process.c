#include "tests/bench/node_bench_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDERS_UP 3 // from build/.../tests/bench/node_bench

void process_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(2);
}

void process_path(const char *name, char out[PROCESS_PATH_SIZE])
{
    char self[PROCESS_PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size < 0)
        process_fail("/proc/self/exe: %s", strerror(errno));
    self[size] = '\0';
    for (int i = 0; i < FOLDERS_UP; i++) {
        char *slash = strrchr(self, '/');
        if (slash == NULL)
            process_fail("%s is not where the build puts this program", self);
        *slash = '\0';
    }
    int length = snprintf(out, PROCESS_PATH_SIZE, "%s/bin/%s", self, name);
    if (length >= PROCESS_PATH_SIZE || access(out, X_OK) != 0)
        process_fail("%s cannot be run: build it first", out);
}

// A child, which is killed when its parent ends however that happens.
static pid_t fork_bound(void)
{
    fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        process_fail("fork: %s", strerror(errno));
    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
        _exit(2);
    return pid;
}

// argv as exec wants it; it only reads the texts.
_Noreturn static void run_program(const char *const *argv)
{
    union {
        const char *const *from;
        char *const *to;
    } cast = {.from = argv};
    execv(argv[0], cast.to);
    _exit(127);
}

pid_t process_start(const char *const *argv, const char *log)
{
    pid_t pid = fork_bound();
    if (pid > 0)
        return pid;
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0)
        _exit(126);
    run_program(argv);
}

pid_t process_fork(void (*run)(uint16_t port), uint16_t port)
{
    pid_t pid = fork_bound();
    if (pid > 0)
        return pid;
    run(port);
    _exit(2);
}

pid_t process_start_heard(const char *const *argv, int *heard)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        process_fail("pipe: %s", strerror(errno));
    pid_t pid = fork_bound();
    if (pid == 0) {
        if (dup2(ends[1], STDOUT_FILENO) < 0 || dup2(ends[1], STDERR_FILENO) < 0)
            _exit(126);
        run_program(argv);
    }
    close(ends[1]);
    *heard = ends[0];
    return pid;
}

bool process_ask(const char *const *argv, char *out, size_t capacity)
{
    int ends[2];
    if (pipe(ends) != 0)
        process_fail("pipe: %s", strerror(errno));
    pid_t pid = fork_bound();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(ends[1], STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        run_program(argv);
    }
    close(ends[1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read(ends[0], out + size, capacity - 1 - size)) > 0)
        size += (size_t)got;
    out[size] = '\0';
    close(ends[0]);
    int status;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

void process_output(const char *const *argv, char *out, size_t capacity)
{
    if (!process_ask(argv, out, capacity))
        process_fail("%s %s failed", argv[0], argv[1]);
}

void process_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

double process_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        process_fail("process %d is gone: its CPU time cannot be read", (int)pid);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void read_line(const char *path, char *text, size_t capacity)
{
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(text, (int)capacity, file) == NULL)
        process_fail("%s cannot be read: is the process gone?", path);
    fclose(file);
}

double process_loop_cpu_ns(pid_t pid)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)pid);
    read_line(path, text, sizeof text);
    return (double)strtoull(text, NULL, 10);
}

double process_memory_of(pid_t pid, const char *field)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    size_t size = strlen(field);
    double bytes = -1;
    while (file != NULL && fgets(text, sizeof text, file) != NULL) {
        if (strncmp(text, field, size) == 0 && text[size] == ':')
            bytes = strtod(text + size + 1, NULL) * 1024;
    }
    if (file != NULL)
        fclose(file);
    if (bytes < 0)
        process_fail("%s says nothing of %s: is the process gone?", path, field);
    return bytes;
}

double process_memory(pid_t pid)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    read_line(path, text, sizeof text);
    char *resident = strchr(text, ' '); // the second number, in pages
    if (resident == NULL)
        process_fail("%s: not as expected", path);
    return (double)strtoul(resident, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

uint16_t process_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        process_fail("no free port: %s", strerror(errno));
    close(fd);
    return ntohs(address.sin_port);
}

void process_wait_ms(int ms)
{
    poll(NULL, 0, ms);
}
