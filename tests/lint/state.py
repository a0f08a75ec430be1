"""No variable outlives a call unless somebody owns it: nothing mutable at file scope."""

import re

from tree import Finding, Rule, functions, line_of, top_level_items

BODY = re.compile(r"\{[^{}]*\}")
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)|\b__extension__\b", re.DOTALL)
NOT_A_VARIABLE = re.compile(r"^(typedef|extern|_Static_assert|static_assert)\b|^$")
TYPE_ALONE = re.compile(r"^(static\s+)?(struct|union|enum)\b\s*\w*\s*(@\s*)?$")
FUNCTION_POINTER = re.compile(r"\(\s*\*\s*(\w+)")
FUNCTION_TYPE = re.compile(r"\btypedef\b[^;(]*?(\w+)\s*\([^*]")
STATIC = re.compile(r"\b(static|_Thread_local)\b")

# Statics inside a function that are right as they are. Tests may have them: scratch space.
STATICS = {
    ("node/pow/cpu.c", "kept"),  # what the processor can do, the same for whoever asks first
    ("sharechain/store_lmdb_env.c", "name"),  # a constant; LMDB takes keys by void *
}


def collapse(text):
    """Braces and what they hold as @, so that a declaration is one line of words."""
    text = ATTRIBUTE.sub(" ", text)
    while BODY.search(text):
        text = BODY.sub("@", text)
    return " ".join(text.split())


def is_mutable(declaration):
    """Of a declaration without its initialiser: can what it names be written to?"""
    pointer = FUNCTION_POINTER.search(declaration)
    if pointer:
        return pointer.group(1) != "const"
    if "*" in declaration:
        return not re.search(r"\bconst\b", declaration.rpartition("*")[2])
    return not re.search(r"\bconst\b", declaration)


def is_mutable_item(text, function_types):
    words = collapse(text).rstrip("; ")
    if NOT_A_VARIABLE.search(words) or TYPE_ALONE.search(words):
        return False
    if words.removeprefix("static ").partition(" ")[0] in function_types:
        return "*" in words and "(" not in words and is_mutable(words.partition("=")[0])
    declaration = words.partition("=")[0].strip()
    if "(" in declaration and not FUNCTION_POINTER.search(declaration):
        return False  # a prototype
    if FUNCTION_POINTER.search(declaration) and declaration.find("(") < declaration.find("(*"):
        return False  # a prototype that takes a function
    return is_mutable(declaration)


def mutable_statics(body):
    """(index, name) of the static variables in a function that are not constants."""
    for match in STATIC.finditer(body):
        depth, end = 0, match.start()
        while body[end] not in ";=" or depth > 0:
            depth += (body[end] == "{") - (body[end] == "}")
            end += 1
        declaration = collapse(body[match.start() : end])
        if is_mutable(declaration):
            yield match.start(), re.findall(r"\w+", declaration.partition("[")[0])[-1]


def check_state(tree):
    function_types = set()
    for _, code in tree.code():
        function_types.update(FUNCTION_TYPE.findall(code))
    for path, code in tree.code():
        for start, end, is_function, body in top_level_items(code):
            text = code[start:end]
            at = start + len(text) - len(text.lstrip())
            if not is_function and is_mutable_item(text, function_types):
                yield Finding(path, line_of(code, at), "a variable at file scope")
            if not is_function or path.startswith("tests/"):
                continue
            for index, name in mutable_statics(code[body:end]):
                if (path, name) not in STATICS:
                    yield Finding(path, line_of(code, body + index), f"{name}: a static variable")


def lines(*declarations):
    return [{"node/a.c": declaration + "\n"} for declaration in declarations]


RULES = [
    Rule(
        "no mutable globals",
        check_state,
        refused=lines(
            "int a;",
            "static int a = 1, b;",
            "static struct x y;",
            "static struct { int a; } y = {1};",
            "static const char *name = 0;",
            "static const char *names[] = {0};",
            "static bool (*hook)(int);",
            "static _Thread_local int a;",
            "int f(void)\n{\n    static size_t calls;\n    return calls++;\n}",
            "int f(void)\n{\n    static struct { int a; } b = {1};\n}",
            "volatile sig_atomic_t is_stopped;",
            "typedef int kind(int a);\nstatic kind *hook;",
        ),
        accepted=lines(
            "static const int a = 1;",
            "static const char *const names[] = {0};",
            "static const struct { const char *a; int b; } rows[] = {{0, 1}};",
            "extern char **environ;",
            "typedef int kind(int a);\nkind hook;\nstatic kind *const hooks[] = {hook};",
            "typedef int kind(int a);\nkind *find(int b);",
            "__extension__ typedef unsigned __int128 u128;",
            "struct a { int b; };\nenum { X, Y };\nunion c;\nstruct d;",
            "int f(int a, bool (*b)(int));\nstatic int g(void);",
            "static bool (*const hooks[])(int) = {0};",
            "_Static_assert(sizeof(int) == 4, 0);",
            "int f(void)\n{\n    static const int a[] = {1};\n    int b = 0;\n    return b;\n}",
        ),
    )
]
