// What one case has said so far; only run.c and vectors.c look inside.
#ifndef SHOAL_TESTS_VECTORS_REPORT_H
#define SHOAL_TESTS_VECTORS_REPORT_H

#include <stddef.h>

struct vector_report {
    size_t count;   // of differences reported
    char where[96]; // put before the field of the next report
};

#endif
