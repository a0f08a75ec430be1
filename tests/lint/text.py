"""What every file keeps to, and what the tree as a whole looks like."""

import posixpath
import re

from tree import Finding, Rule, line_of

# docs/architecture.md; CMake looks for the presets here and nowhere else.
TOP = set(
    "CMakeLists.txt CMakePresets.json README.md "
    "node dht sharechain stratum tests testnet docs".split()
)
DATA = ("tests/vectors/cases/", "tests/fuzz/corpus/")
REMARKS = [
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "do it, or write down an issue"),
    (re.compile(r"(?<![\w.])/(work|root|Users)/"), "a path of one machine"),
    (re.compile(r"/tmp/b-\w"), "a path of one machine"),
    (re.compile(r"\b(the|this|your|my) (brief|prompt|assistant)\b", re.I), "talk about the work"),
    (re.compile(r"\bas (asked|requested|instructed)\b", re.I), "talk about the work"),
]
GUARD = re.compile(r"^#ifndef (\w+)\n#define (\w+)$", re.MULTILINE)
CMAKE_COMMENT = re.compile(r"#[^\n]*")
CMAKE_SET = re.compile(r"\bset\((\w+)\s+([^)]*)\)")
FOREACH = re.compile(r"foreach\((\w+)\s+([^)]*)\)(.*?)endforeach\(\)", re.DOTALL)
CMAKE_SOURCE = re.compile(r"[\w./${}-]+\.c\b")
SUBDIRECTORY = re.compile(r"add_subdirectory\((\w+)[\s)]")
SCRIPT = re.compile(r"[\w-]+\.cmake\b")


def is_data(path):
    return path.startswith(DATA) or path.endswith((".json", ".svg", ".lock"))


def check_top(tree):
    for name in sorted({path.partition("/")[0] for path in tree.texts}):
        if name not in TOP and not name.startswith("."):
            yield Finding(name, 1, "does not belong at the top of the repository")


def check_whitespace(tree):
    for path, text in tree.texts.items():
        if is_data(path):
            continue
        if text and not text.endswith("\n"):
            yield Finding(path, text.count("\n") + 1, "the last line has no end")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield Finding(path, number, "white space at the end of a line")
            if "\t" in line:
                yield Finding(path, number, "a tab")


def check_remarks(tree):
    for path, text in tree.texts.items():
        if is_data(path) or path == "tests/lint/text.py":
            continue
        for pattern, why in REMARKS:
            for match in pattern.finditer(text):
                yield Finding(path, line_of(text, match.start()), f"{match.group(0)!r}: {why}")


def check_guards(tree):
    for path in tree.paths(".h"):
        wanted = "SHOAL_" + re.sub(r"\W", "_", path).upper()
        found = GUARD.search(tree.texts[path])
        if not found or set(found.groups()) != {wanted}:
            yield Finding(path, 1, f"the header's guard is to be {wanted}")
        elif not tree.texts[path].rstrip().endswith("#endif"):
            yield Finding(path, tree.texts[path].count("\n"), "the guard ends before the file")


def listed_sources(folder, text):
    """Paths of the C files that a CMake file names."""
    text = CMAKE_COMMENT.sub("", text).replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
    for variable, value in CMAKE_SET.findall(text):
        text = text.replace("${%s}" % variable, value)

    def unroll(match):
        variable, items, body = match.groups()
        return " ".join(body.replace("${%s}" % variable, item) for item in items.split())

    for name in CMAKE_SOURCE.findall(FOREACH.sub(unroll, text)):
        if name.startswith("${CMAKE_SOURCE_DIR}/"):
            yield name.removeprefix("${CMAKE_SOURCE_DIR}/")
        else:
            yield posixpath.normpath(posixpath.join(folder, name))


def check_sources_are_built(tree):
    listed = set()
    for path in tree.paths("CMakeLists.txt", ".cmake"):
        listed.update(listed_sources(posixpath.dirname(path), tree.texts[path]))
    for path in tree.paths(".c"):
        if path not in listed:
            yield Finding(path, 1, "no CMakeLists.txt names it: it is never built")


def check_folders_are_built(tree):
    for path in tree.paths("CMakeLists.txt", ".cmake"):
        folder, name = posixpath.split(path)
        if name == "CMakeLists.txt":
            if folder == "":
                continue
            parent, child = posixpath.split(folder)
            joined, pattern = posixpath.join(parent, "CMakeLists.txt"), SUBDIRECTORY
        else:
            child, joined, pattern = name, posixpath.join(folder, "CMakeLists.txt"), SCRIPT
        if child not in pattern.findall(CMAKE_COMMENT.sub("", tree.texts.get(joined, ""))):
            yield Finding(path, 1, f"{joined} does not take it in: it is never built")


def header(path, name):
    return {path: f"#ifndef {name}\n#define {name}\nint a;\n#endif\n"}


RULES = [
    Rule(
        "top of the repository",
        check_top,
        refused=[{"src/a.c": ""}, {"notes.txt": ""}],
        accepted=[{"README.md": "", "node/a.c": "", ".ci/run": "", ".gitignore": ""}],
    ),
    Rule(
        "white space",
        check_whitespace,
        refused=[{"node/a.c": "a \n"}, {"docs/a.md": "a"}, {"tests/run": "\ta\n"}],
        accepted=[{"node/a.c": "a\n\nb\n", "node/empty": ""}],
    ),
    Rule(
        "remarks",
        check_remarks,
        refused=[
            {"node/a.c": "// TODO: later\n"},
            {"docs/a.md": "see /Users/me/notes\n"},
            {"tests/run": "cd /root/src\n"},
            {"docs/a.md": "done as requested\n"},
        ],
        accepted=[{"node/a.c": "// mkdtemp(XXXXXX) in build/work/root\n"}],
    ),
    Rule(
        "header guards",
        check_guards,
        refused=[
            {"node/a.h": "int a;\n"},
            header("node/a.h", "SHOAL_A_H"),
            {"node/a.h": "#ifndef SHOAL_NODE_A_H\n#define SHOAL_NODE_A_H\n#endif\nint a;\n"},
        ],
        accepted=[header("node/base/a.h", "SHOAL_NODE_BASE_A_H")],
    ),
    Rule(
        "every source is built",
        check_sources_are_built,
        refused=[
            {"node/a.c": "", "node/CMakeLists.txt": "shoal_library(x SOURCES b.c)"},
            {"node/a.c": "", "node/CMakeLists.txt": "shoal_library(x SOURCES b.c) # a.c"},
            {"node/a.c": "", "CMakeLists.txt": "shoal_library(x SOURCES a.c)"},
        ],
        accepted=[
            {"node/a.c": "", "node/CMakeLists.txt": "shoal_library(x SOURCES b.c a.c)"},
            {"node/a.c": "", "node/CMakeLists.txt": "foreach(p b a)\nx(${p}.c)\nendforeach()"},
            {"node/a.c": "", "tests/x.cmake": "x(${CMAKE_CURRENT_SOURCE_DIR}/../node/a.c)"},
            {"node/a.c": "", "tests/x.cmake": "x(${CMAKE_SOURCE_DIR}/node/a.c)"},
            {"node/a.c": "", "tests/x.cmake": "set(n ../node) x(${n}/a.c)"},
        ],
    ),
    Rule(
        "every folder is built",
        check_folders_are_built,
        refused=[
            {"node/CMakeLists.txt": "", "CMakeLists.txt": "add_subdirectory(nodes)"},
            {"node/a.cmake": "", "node/CMakeLists.txt": "# include(a.cmake)"},
            {"tests/e2e/CMakeLists.txt": ""},
        ],
        accepted=[
            {
                "CMakeLists.txt": "add_subdirectory(node elsewhere)",
                "node/CMakeLists.txt": "include(a.cmake)",
                "node/a.cmake": "",
            },
        ],
    ),
]
