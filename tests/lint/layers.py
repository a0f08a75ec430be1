"""Who may know whom: docs/architecture.md, as tables."""

import posixpath
import re

from tree import Finding, Rule, line_of

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

LEAVES = ["node/base"]
COINS = LEAVES + ["node/pow", "node/bitcoin"]
ENGINES = ["dht", "sharechain", "stratum"]
SERVICES = ["node/backend", "node/net", "node/api"]

# Which folders the files of a folder may include besides their own. tests/ may know everything.
KNOWN = {
    "node/base": [],
    "node/pow": LEAVES,
    "node/bitcoin": COINS,
    "dht": COINS,
    "sharechain": COINS,
    "stratum": COINS,
    "node/net": LEAVES,
    "node/backend": COINS + ["node/net"],
    "node/api": COINS + ENGINES + ["node/net", "node/backend"],
    "node/web": [],
    "node": COINS + ENGINES + SERVICES + ["node/web"],
    "testnet/common": LEAVES,
    "testnet/devchain": COINS + ["testnet/common"],
    "testnet/miner": COINS + ["testnet/common", "node/net"],
}
FOR_ALL = {"node/limits.h"}
PURE = LEAVES + COINS + ENGINES

# A library's header, and where in the node and the testnet it may be included. Prefixes.
LIBRARIES = {
    "uv.h": ["node/net/"],
    "curl/": ["node/net/"],
    "miniupnpc/": ["node/net/"],
    "openssl/": ["node/net/", "node/api/totp"],
    "libwebsockets.h": ["testnet/"],
    "lmdb.h": ["sharechain/store_lmdb"],
    "jsmn.h": ["node/base/json"],
    "ini.h": ["node/config"],
    "msgpack": ["dht/"],
    "secp256k1": ["node/bitcoin/"],
    "sodium.h": ["node/", "dht/", "testnet/"],
}
# What layers 1-3 may include of the system: nothing that opens, waits, or tells the time.
PURE_SYSTEM = set(
    "assert.h cpuid.h ctype.h errno.h float.h immintrin.h inttypes.h limits.h math.h stdalign.h "
    "stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h "
    "time.h".split()
)
IMPURE = re.compile(r"^sharechain/store_lmdb\w*\.[ch]$")
# Headers that show a folder's insides; tests may look.
PRIVATE = {"internal.h", "link_state.h", "state.h"}


def includes(text):
    for match in INCLUDE.finditer(text):
        yield line_of(text, match.start()), match.group(1) == '"', match.group(2)


def judge_own(tree, path, header):
    folder, target = posixpath.dirname(path), posixpath.dirname(header)
    if header not in tree.texts:
        return f"{header} is no file from the root of the repository"
    if folder.startswith("tests"):
        return None
    if target != folder and posixpath.basename(header) in PRIVATE:
        return f"{header} is private to {target}"
    if target == folder or header in FOR_ALL:
        return None
    if folder not in KNOWN:
        return f"folder {folder} has no row in tests/lint/layers.py"
    if target not in KNOWN[folder]:
        return f"{folder} may not know {target}"
    return None


def judge_system(path, header):
    folder = posixpath.dirname(path)
    if folder.startswith("tests"):
        return None
    for library, places in LIBRARIES.items():
        if header.startswith(library):
            if not path.startswith(tuple(places)):
                return f"<{header}> belongs to {' '.join(places)}"
            is_private = posixpath.basename(path) in PRIVATE or IMPURE.match(path)
            if path.endswith(".h") and not is_private:
                return f"<{header}> in a header: ours show no library"
            return None
    if folder in PURE and not IMPURE.match(path) and header not in PURE_SYSTEM:
        return f"<{header}> in layers 1-3, which hold no I/O, threads or clocks"
    return None


def check_includes(tree):
    for path in tree.paths(".c", ".h"):
        for line, is_own, header in includes(tree.texts[path]):
            why = judge_own(tree, path, header) if is_own else judge_system(path, header)
            if why:
                yield Finding(path, line, why)


def own(path, header):
    return {path: f'#include "{header}"\n', header: ""}


def system(path, header):
    return {path: f"#include <{header}>\n"}


RULES = [
    Rule(
        "layers",
        check_includes,
        refused=[
            own("node/base/hex.c", "node/pow/pow.h"),
            own("stratum/job.c", "sharechain/share.h"),
            own("sharechain/share.c", "node/net/tcp.h"),
            own("node/net/tcp.c", "node/backend/rpc.h"),
            own("node/main.c", "tests/support/rig.h"),
            own("node/node.c", "testnet/common/clock.h"),
            own("node/node.c", "sharechain/state.h"),
            own("newroom/a.c", "node/base/hex.h"),
            {"node/base/hex.c": '#include "hex.h"\n', "node/base/hex.h": ""},
            system("node/backend/backend.c", "uv.h"),
            system("node/backend/backend.c", "curl/curl.h"),
            system("sharechain/chain.c", "lmdb.h"),
            system("sharechain/chain.c", "pthread.h"),
            system("stratum/line.c", "sys/socket.h"),
            system("node/base/log.c", "unistd.h"),
            system("node/net/tcp.h", "uv.h"),
            system("node/base/json.h", "jsmn.h"),
        ],
        accepted=[
            own("node/base/hex.c", "node/base/bytes.h"),
            own("sharechain/share.c", "node/bitcoin/header.h"),
            own("sharechain/share.c", "node/limits.h"),
            own("sharechain/share.c", "sharechain/state.h"),
            own("node/node.c", "stratum/stratum.h"),
            own("tests/unit/node/net/tcp_test.c", "node/net/internal.h"),
            system("node/net/internal.h", "uv.h"),
            system("sharechain/store_lmdb_writer.c", "pthread.h"),
            system("tests/bench/pow_bench.c", "openssl/sha.h"),
            system("node/base/log.c", "string.h"),
        ],
    )
]
