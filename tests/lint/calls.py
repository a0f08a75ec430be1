"""Calls that this project does not make, and where it makes some that are banned elsewhere."""

import re

from layers import IMPURE, PURE
from tree import Finding, Rule, line_of

# Unbounded copies, parsing without errors, hidden state, and the clock that can jump.
BANNED = (
    "sprintf vsprintf strcpy strcat strncat stpcpy strtok gets atoi atol atoll atof sscanf fscanf "
    "scanf rand srand rand_r random srandom drand48 time gettimeofday sleep usleep alloca"
).split()
# What layers 1-3 and their tests must not do: sockets, files, threads, clocks, waiting.
BANNED_IN_PURE = (
    "clock clock_gettime nanosleep clock_nanosleep localtime localtime_r ctime socket bind listen "
    "accept connect send recv poll select open openat creat fopen freopen tmpfile read write fork "
    "pthread_create thrd_create mmap getenv system getrandom getentropy signal sigaction exit"
).split()
# Unit and simulator tests of anything see no wall clock and do not wait.
BANNED_IN_TESTS = "clock_gettime nanosleep clock_nanosleep localtime ctime".split()

CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")


def banned_at(path):
    names = set(BANNED)
    folder = path.rpartition("/")[0]
    if folder in PURE and not IMPURE.match(path):
        names.update(BANNED_IN_PURE)
    if path.startswith(("tests/unit/", "tests/sim/")):
        names.update(BANNED_IN_TESTS)
    return names


def check_calls(tree):
    for path, code in tree.code():
        names = banned_at(path)
        for match in CALL.finditer(code):
            name = match.group(1)
            if name in names:
                yield Finding(path, line_of(code, match.start()), f"{name}() is not used here")


RULES = [
    Rule(
        "banned calls",
        check_calls,
        refused=[
            *({"testnet/a.c": f"int b = {name} (c);"} for name in BANNED),
            *({"sharechain/a.c": f"int b = {name}(c);"} for name in BANNED_IN_PURE),
            {"tests/unit/node/net/a_test.c": "clock_gettime(CLOCK_REALTIME, &t);"},
            {"node/base/a.c": 'log("a"); x = y ? time(NULL) : 0;'},
        ],
        accepted=[
            {"node/a.c": "// sprintf(a)\nputs(\"atoi(b)\"); row->time(c); d.open(e); run_time(f);"},
            {"node/net/a.c": "clock_gettime(CLOCK_MONOTONIC, &t); connect(a);"},
            {"sharechain/store_lmdb_file.c": "int a = open(b, c);"},
        ],
    )
]
