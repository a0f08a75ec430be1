#include "testnet/common/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void random_system(void *context, void *out, size_t size)
{
    (void)context;
    uint8_t *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0) {
            perror("getrandom");
            exit(EXIT_FAILURE);
        }
        at += got;
        size -= (size_t)got;
    }
}
