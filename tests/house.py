#!/usr/bin/env python3
"""Figures of the sources, and two rules: includes go one way (ARCHITECTURE.md), and only src/cli names options and
commands in its texts; other rooms give an Error a Remedy, which src/cli/options/remedies.cc words.

    tests/house.py             exits 1 if a room includes one that is above it, or names an option or a command
    tests/house.py --figures   prints the figures as well
"""
import collections
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# From the ground up: a room includes itself and rooms before it.
ROOMS = ["include", "util", "io", "http", "crypto", "hash", "formats", "images", "model", "worker", "mark", "oracle", "torch", "blackbox",
         "baseline", "oms", "identity", "ledger", "policy", "report", "jobs", "hook", "capi", "cli"]
# Sub-folders that share what is beside them, and nothing else.
APART = [("mark/sealing", "mark/checking")]
# Asks the readers of what modelseal itself writes next to a model.
EXCEPTIONS = {"src/model/own_file.cc"}
# Command lines of another program, git.
OTHER_PROGRAMS = {"src/hook/git/commands.h"}

# "--pub", "'modelseal check'", "-k NAME" in a string; names of other programs' options are no exception.
COMMAND_LINE = re.compile(r"(?<![\w-])(?<!var\()--[a-z]|'modelseal [a-z]|(?<![\w-])-[a-zA-Z] [A-Z]{2}")
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|//[^\n]*|\'(?:[^\'\\\n]|\\.)\'')


def sources():
    listed = subprocess.check_output(["git", "ls-files", "include", "formats", "src"], cwd=ROOT, text=True).split()
    return [pathlib.PurePath(name) for name in listed if name.endswith((".cc", ".h"))]


def room_of(path):
    return path.parts[1] if path.parts[0] == "src" else path.parts[0]


def room_included(name):
    first = name.split("/")[0]
    return "include" if first == "modelseal" else first if first in ROOMS and "/" in name else None


def upward(files, text):
    for path in files:
        if str(path) in EXCEPTIONS:
            continue
        for name in re.findall(r'^#include ["<]([^">]+)[">]', text[path], re.M):
            there = room_included(name)
            if there and ROOMS.index(there) > ROOMS.index(room_of(path)):
                yield f"{path}: includes {name}, which is above it"
            for pair in APART:
                for here, other in (pair, pair[::-1]):
                    if str(path).startswith(f"src/{here}/") and name.startswith(f"{other}/"):
                        yield f"{path}: includes {name}; {here} and {other} know nothing of each other"


def namers(files, text):
    for path in files:
        if str(path) in OTHER_PROGRAMS or room_of(path) == "cli" or path.suffix == ".h" and room_of(path) == "include":
            continue
        found = [match for match in STRING.finditer(text[path]) if match[1] and COMMAND_LINE.search(match[1])]
        for match in found:
            line = text[path].count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: names an option or a command: \"{match[1]}\""


def function_lengths(text):
    """Lines of bodies that begin with a line that ends in '{' at the indentation of a function or method."""
    lengths, open_at = [], None
    for number, line in enumerate(text.splitlines()):
        if open_at is None and re.match(r"^(    )?[A-Za-z~].*\) ?(const|noexcept|override|final| )*\{$", line):
            open_at, indent = number, len(line) - len(line.lstrip())
        elif open_at is not None and line == " " * indent + "}":
            lengths.append(number - open_at + 1)
            open_at = None
    return lengths


def figures(files, text):
    lines = {path: text[path].count("\n") for path in files}
    headers = [path for path in files if path.suffix == ".h"]
    folders = collections.Counter(path.parent for path in files)
    functions = [length for path in files for length in function_lengths(text[path])]
    code = "".join(text[path] for path in files if path.suffix == ".cc").splitlines()
    written = [line for line in code if line.strip()]
    names = collections.Counter(path.name for path in files if path.suffix == ".cc")
    rows = [
        ("files, lines", f"{len(files)}, {sum(lines.values())}"),
        ("lines of a file, median and most", f"{statistics.median(lines.values()):.0f}, {max(lines.values())}"),
        ("files in a folder, most", ", ".join(f"{folder} {count}" for folder, count in folders.most_common(8))),
        ("folders of more than 25 files", sum(count > 25 for count in folders.values())),
        ("headers, of at most 20 lines", f"{len(headers)}, {sum(lines[path] <= 20 for path in headers)}"),
        ("lines of a function, median, 95 %, most",
         f"{statistics.median(functions):.0f}, {sorted(functions)[len(functions) * 95 // 100]}, {max(functions)}"),
        ("lines of comment in sources", f"{100 * sum(line.lstrip().startswith('//') for line in written) / len(written):.1f} %"),
        ("names of sources that stand twice", sum(count > 1 for count in names.values())),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")


def main():
    files = sources()
    text = {path: (ROOT / path).read_text() for path in files}
    if "--figures" in sys.argv[1:]:
        figures(files, text)
    wrong = list(upward(files, text)) + list(namers(files, text))
    print("\n".join(wrong) if wrong else "includes go one way, and only src/cli names options")
    sys.exit(1 if wrong else 0)


main()
