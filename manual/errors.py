"""Makes bootimage-errors(7): errors.py ERRORS_H DIAGNOSTICS DATED_PAGE OUTPUT

ERRORS_H is the loader's table of errors, DIAGNOSTICS the tool's; each is told by number or name,
with what it means and what to do.
"""

import pathlib
import re
import sys

import mdoc

STRING = r'(?:"(?:[^"\\]|\\.)*"\s*)+'
ROW = re.compile(rf"X\((\d+),\s*(\w+),\s*({STRING}),\s*({STRING}),\s*({STRING})\)")


def strings(text):
    """The value of C string literals in a row."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace('\\"', '"')


def loader_rows(header, table):
    """(number, text, cause, cure) of each row of an X-macro table, sorted."""
    body = header.split(f"#define {table}(X)")[1].replace("\\\n", "\n")
    body = re.split(r"^(?:#define|/\*)", body, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [(int(row[0]), *map(strings, row[2:])) for row in ROW.findall(body)]
    assert len(rows) == len(re.findall(r"\bX\(", body)), f"a row of {table} was not understood"
    return sorted(rows)


def tool_rows(text):
    """(name, meaning, cure) of each entry of diagnostics.txt."""
    rows = [block.split("\n") for block in text.strip().split("\n\n") if block[0] != "#"]
    assert all(len(row) == 3 and row[0] == row[0].strip() for row in rows), "three lines each"
    return [tuple(line.strip() for line in row) for row in rows]


def page(header, diagnostics):
    lines = [
        ".Sh DESCRIPTION",
        "What the tool and the loader say when something is wrong has a name or a number, which",
        "never changes, and is never used again for something else.",
        ".Ss Errors of the loader",
        "The loader prints",
        ".Pp",
        r".Dl bootimage: E Ns Ar number Ar text",
        ".Pp",
        "and, where it knows more, a place and numbers.",
        "It does so on the screen, on the first serial port, and on port 0xE9, and stops.",
        "The first stage has no room for words, and prints the number and the status of the BIOS.",
    ]
    lines += mdoc.tags([(f"E{row[0]} {row[1]}", row[2:])
                        for row in loader_rows(header, "ERROR_TABLE")])
    lines += [".Ss Warnings of the loader", "The boot goes on."]
    lines += mdoc.tags([(f"W{row[0]} {row[1]}", row[2:])
                        for row in loader_rows(header, "WARNING_TABLE")])
    lines += [
        ".Ss Diagnostics of the tool",
        "Each message of",
        ".Xr bootimage 1",
        "is one line: the file, the place in it, what was found and what to do, and the name of the",
        "kind of fault in brackets.",
        "The names are these:",
    ]
    lines += mdoc.tags([(f"[{name}]", (meaning, cure))
                        for name, meaning, cure in sorted(tool_rows(diagnostics))])
    return lines + [".Sh SEE ALSO", ".Xr bootimage 1 ,", ".Xr bootinfo 7"]


def main():
    header, diagnostics, dated, output = sys.argv[1:]
    header, diagnostics, dated = (pathlib.Path(path).read_text(encoding="utf-8")
                                  for path in (header, diagnostics, dated))
    mdoc.write(output, mdoc.date_of(dated), "bootimage-errors",
               "what bootimage and its loader say when something is wrong",
               page(header, diagnostics))


if __name__ == "__main__":
    main()
