#include "testnet/miner/limiter.h"

#define SECOND_NS INT64_C(1000000000)
#define CREDIT_NS (SECOND_NS / 10)

void limiter_init(struct limiter *limiter, uint64_t rate, int64_t now_ns)
{
    *limiter = (struct limiter){.rate = rate, .next_ns = now_ns};
}

int64_t limiter_reserve(struct limiter *limiter, uint64_t hashes, int64_t now_ns)
{
    if (limiter->rate == 0)
        return now_ns;
    if (limiter->next_ns < now_ns - CREDIT_NS)
        limiter->next_ns = now_ns - CREDIT_NS;
    int64_t begin = limiter->next_ns;
    limiter->next_ns += (int64_t)((double)hashes * (double)SECOND_NS / (double)limiter->rate);
    return begin > now_ns ? begin : now_ns;
}
