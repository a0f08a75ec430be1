// The process itself, by the names that Prometheus' own libraries use, and what it is.
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "node/meter_state.h"

static const char *const versions[] = {SHOAL_VERSION, NULL};

enum { CPU, RESIDENT, VIRTUAL, FILES, FILES_MAX, STARTED, BUILD, POOL, COUNT };

static const struct metric_spec specs[COUNT] = {
    [CPU] = {METRIC_COUNTER, "process_cpu_seconds_total",
             "Time of processors spent, user and system.", NULL, NULL, NULL, 0},
    [RESIDENT] = {METRIC_GAUGE, "process_resident_memory_bytes", "Memory in use.", NULL, NULL, NULL,
                  0},
    [VIRTUAL] = {METRIC_GAUGE, "process_virtual_memory_bytes", "Memory in the address space.", NULL,
                 NULL, NULL, 0},
    [FILES] = {METRIC_GAUGE, "process_open_fds", "Open files and sockets.", NULL, NULL, NULL, 0},
    [FILES_MAX] = {METRIC_GAUGE, "process_max_fds", "How many there may be.", NULL, NULL, NULL, 0},
    [STARTED] = {METRIC_GAUGE, "process_start_time_seconds", "When the node began, since 1970.",
                 NULL, NULL, NULL, 0},
    [BUILD] = {METRIC_GAUGE, "shoal_build_info", "1 at the version that runs.", "version", versions,
               NULL, 0},
    [POOL] = {METRIC_GAUGE, "shoal_pool_info", "1 at the pool that the node is of.", "pool",
              meter_label_pool, NULL, 0},
};

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void read_usage(struct metric *const *metrics)
{
    struct rusage usage = {0};
    struct rlimit limit = {0};
    getrusage(RUSAGE_SELF, &usage);
    metric_set(metrics[CPU], 0, seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
    bool has_limit = getrlimit(RLIMIT_NOFILE, &limit) == 0;
    metric_set(metrics[FILES_MAX], 0, has_limit ? (double)limit.rlim_cur : NAN);
}

// The first two numbers of statm: pages of the address space, and of those in memory.
static void read_memory(struct metric *const *metrics)
{
    char line[128] = "";
    char *at = line;
    FILE *file = fopen("/proc/self/statm", "r");
    bool is_read = file != NULL && fgets(line, sizeof(line), file) != NULL;
    if (file != NULL)
        fclose(file);
    double page_size = is_read ? (double)sysconf(_SC_PAGESIZE) : NAN;
    for (unsigned i = 0; i < 2; i++)
        metric_set(metrics[i == 0 ? VIRTUAL : RESIDENT], 0,
                   (double)strtoull(at, &at, 10) * page_size);
}

// Newer kernels give the count as the folder's size; with older ones the entries are counted, but
// for ".", ".." and the one that is open to read them.
static double count_files(void)
{
    struct stat status;
    if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
        return (double)status.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return NAN;
    double count = -3;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void read_process(struct meter *meter, struct metric *const *metrics)
{
    read_usage(metrics);
    read_memory(metrics);
    metric_set(metrics[FILES], 0, count_files());
    metric_set(metrics[STARTED], 0, (double)meter->node->started_at.ms / 1e3);
    metric_set(metrics[BUILD], 0, 1);
    metric_set(metrics[POOL], 0, 1);
}

const struct meter_part meter_process = {specs, COUNT, read_process};
