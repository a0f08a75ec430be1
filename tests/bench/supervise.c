#include "tests/bench/supervise.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct child {
    int (*run)(struct bench *bench, const char *folder);
    int seconds_max;
    sigset_t signals;
};

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

// What the child started dies with it, and comes to us to be buried.
static void bury_all(pid_t pid)
{
    kill(pid, SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
}

static int run_child(struct bench *bench, const char *folder, const struct child *child)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "%s: fork: %s\n", program_invocation_short_name, strerror(errno));
        return 2;
    }
    if (pid == 0) {
        sigprocmask(SIG_UNBLOCK, &child->signals, NULL);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(2);
        exit(child->run(bench, folder));
    }
    struct timespec patience = {.tv_sec = child->seconds_max};
    int status = 0;
    int signal = sigtimedwait(&child->signals, NULL, &patience);
    pid_t ended = signal == SIGCHLD ? waitpid(pid, &status, WNOHANG) : 0;
    if (ended != pid)
        fprintf(stderr, "%s: stopped %s\n", program_invocation_short_name,
                signal < 0 ? "after its longest time" : "by a signal");
    bury_all(pid);
    return ended == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int supervise(struct bench *bench, int (*run)(struct bench *bench, const char *folder),
              int seconds_max)
{
    struct child child = {.run = run, .seconds_max = seconds_max};
    char folder[] = "/tmp/shoal-bench-XXXXXX";
    sigemptyset(&child.signals);
    sigaddset(&child.signals, SIGINT);
    sigaddset(&child.signals, SIGTERM);
    sigaddset(&child.signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child.signals, NULL);
    if (mkdtemp(folder) == NULL) {
        fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, folder, strerror(errno));
        return 2;
    }
    int status = run_child(bench, folder, &child);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
