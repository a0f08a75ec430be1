"""What a rule looks at: the repository's files, and C source with its structure.

A rule is a function of a tree that yields findings. It carries samples: trees that it must refuse
and trees that it must accept, so that a rule which catches nothing fails by itself.
"""

import collections
import os
import pathlib
import re
import subprocess

Finding = collections.namedtuple("Finding", "path line message")
Rule = collections.namedtuple("Rule", "name check refused accepted")
Function = collections.namedtuple("Function", "name first_line last_line body")

LITERALS = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*(?:\\\n(?:[^\n\\]|\\.)*)*", re.MULTILINE)
SKIPPED_FOLDERS = {".git", "build", "node_modules", "__pycache__"}


def blank(text):
    return re.sub(r"[^\n]", " ", text)


class Tree:
    """Texts by path; paths are relative to the root, with slashes."""

    def __init__(self, texts):
        self.texts = texts

    def paths(self, *endings):
        return [path for path in sorted(self.texts) if path.endswith(endings)]

    def code(self):
        """(path, C text without comments, literals and directives), line by line as it was."""
        for path in self.paths(".c", ".h"):
            yield path, code_of(self.texts[path])


def code_of(text):
    def keep_quotes(match):
        literal = match.group(0)
        if literal[0] in "\"'":
            return literal[0] + blank(literal[1:-1]) + literal[0]
        return blank(literal)

    return DIRECTIVE.sub(lambda match: blank(match.group(0)), LITERALS.sub(keep_quotes, text))


def line_of(text, index):
    return text.count("\n", 0, index) + 1


def top_level_items(code):
    """(start, end, is_function, body start) of the declarations of a file, in order."""
    start, depth, body = 0, 0, None
    for index, char in enumerate(code):
        if char in "([{":
            if char == "{" and depth == 0 and code[start:index].rstrip().endswith(")"):
                body = index
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0 and char == "}" and body is not None:
                yield start, index + 1, True, body
                start, body = index + 1, None
        elif char == ";" and depth == 0:
            yield start, index + 1, False, None
            start = index + 1


def functions(code):
    for start, end, is_function, body in top_level_items(code):
        if not is_function:
            continue
        opening = opening_of(code, start + len(code[start:body].rstrip()) - 1)
        named = re.search(r"\w+\s*$", code[start:opening])
        name_at = start + named.start() if named else start
        yield Function(
            named.group(0).strip() if named else "?",
            line_of(code, name_at),
            line_of(code, end - 1),
            code[body:end],
        )


def opening_of(code, closing):
    """The parenthesis that the one at `closing` closes."""
    depth = 0
    for index in range(closing, -1, -1):
        depth += (code[index] == ")") - (code[index] == "(")
        if depth == 0:
            return index
    return closing


def repository(root):
    """The files that git knows or would add; where there is no git, all but what builds leave."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = set(filter(None, listed.stdout.decode().split("\0")))
    else:
        paths = set(walked(root))
    texts = {}
    for path in paths:
        try:
            texts[path] = (root / path).read_bytes().decode("utf-8")
        except FileNotFoundError:
            pass  # removed, and git has not been told
        except UnicodeDecodeError:
            texts[path] = None
    return Tree({path: text for path, text in texts.items() if text is not None})


def walked(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for name in names:
            yield pathlib.Path(folder, name).relative_to(root).as_posix()
