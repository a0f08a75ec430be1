"""Nothing grows beyond what fits in a head: files, functions, lines, nesting.

Parameters are counted by clang-tidy, which obeys a comment that says why not.
"""

from tree import Finding, Rule, functions

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100
BLOCKS_MAX = 3

CODE = (".c", ".h", ".py", ".js", ".mjs", ".cmake", "CMakeLists.txt")


def is_measured(path, text):
    if path.startswith("node/web/"):
        return False
    return path.endswith(CODE) or text.startswith("#!")


def check_files(tree):
    for path, text in tree.texts.items():
        count = text.count("\n")
        if is_measured(path, text) and count > FILE_LINES_MAX:
            yield Finding(path, count, f"{count} lines; a file has at most {FILE_LINES_MAX}")


def check_lines(tree):
    for path, text in tree.texts.items():
        if not is_measured(path, text):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LINE_COLUMNS_MAX:
                message = f"{len(line)} columns; a line has at most {LINE_COLUMNS_MAX}"
                yield Finding(path, number, message)


def check_functions(tree):
    for path, code in tree.code():
        for function in functions(code):
            lines = function.last_line - function.first_line + 1
            if lines > FUNCTION_LINES_MAX:
                message = f"{function.name}: {lines} lines; at most {FUNCTION_LINES_MAX}"
                yield Finding(path, function.first_line, message)


def deepest_block(body):
    """(depth, index) of the most nested block of statements; the function's own has depth 0."""
    deepest, kinds = (0, 0), []
    for index, char in enumerate(body):
        if char == "{":
            # Braces that hold values follow "=", a comma, or without a space a type.
            before = body[:index].rstrip()[-1:]
            is_value = before in ("=", ",") or (before == ")" and body[index - 1] == ")")
            is_in_value = before == "{" and kinds[-1] is False
            kinds.append(not (is_value or is_in_value))
            if kinds[-1] and kinds.count(True) - 1 > deepest[0]:
                deepest = (kinds.count(True) - 1, index)
        elif char == "}":
            kinds.pop()
    return deepest


def check_nesting(tree):
    for path, code in tree.code():
        for function in functions(code):
            depth, index = deepest_block(function.body)
            if depth > BLOCKS_MAX:
                line = function.last_line - function.body.count("\n", index)
                message = f"{function.name}: {depth} blocks in each other; at most {BLOCKS_MAX}"
                yield Finding(path, line, message)


def function_of(lines):
    return {"node/a.c": "int a(void)\n{\n" + "    b();\n" * (lines - 3) + "}\n"}


RULES = [
    Rule(
        "file size",
        check_files,
        refused=[{"node/a.c": "\n" * 601}, {"tests/run": "#!/bin/sh\n" * 601}],
        accepted=[{"node/a.c": "\n" * 600}, {"node/web/page.js": "\n" * 601}],
    ),
    Rule(
        "line length",
        check_lines,
        refused=[{"node/a.h": "x" * 101}, {"tests/run": "#!/bin/sh\n# " + "é" * 99}],
        accepted=[{"node/a.h": "é" * 100}, {"docs/a.md": "x" * 200}],
    ),
    Rule(
        "function length",
        check_functions,
        refused=[
            function_of(71),
            {"node/a.c": "int a(void)\n{\n" + '    b("}");\n' * 68 + "}\n"},
            {"node/a.c": "int b;\nint a(\n  int b)\n{\n" + "    b(); // }\n" * 67 + "}\n"},
        ],
        accepted=[function_of(70), {"node/a.c": "int a[] = {\n" + "    1,\n" * 100 + "};\n"}],
    ),
    Rule(
        "nesting",
        check_nesting,
        refused=[
            {"node/a.c": "int a(void)\n{\nif (b) {\nfor (;;) {\ndo {\nif (c) {\n}}}}}\n"},
            {"node/a.c": "int a(void)\n{\nif (b) {} else {\nswitch (c) {\ncase 1: {\ndo {}}}}}"},
        ],
        accepted=[
            {"node/a.c": "int a(void)\n{\nif (b) {\nfor (;;) {\nif (c) {\n}}}}\n"},
            {"node/a.c": "int a(void)\n{\nif (b) {\nint c[] = {{{{1}}}, (struct d){{{2}}}};\n}}\n"},
        ],
    ),
]
