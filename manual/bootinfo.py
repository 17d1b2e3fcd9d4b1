"""Makes bootinfo(7): bootinfo.py BOOTINFO_H DATED_PAGE OUTPUT

The header documents itself: its first comment becomes the sections of prose, its macros and structs
become lists. What this script does not understand stops the build, so that nothing gets lost.
"""

import pathlib
import re
import sys

import mdoc

COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
# Where the prose indents: paragraphs and terms, and what is told of a term.
DEEPER = " " * 4


def comment_text(comment):
    return " ".join(line.strip().lstrip("*").strip() for line in comment.split("\n")).strip()


def blocks(lines):
    """Groups of lines between empty lines."""
    group = []
    for line in [*lines, ""]:
        if line.strip():
            group.append(line)
        elif group:
            yield group
            group = []


def terms_of(group):
    """(term, texts) of a list whose terms begin a line, and whose descriptions are indented; None
    if the group is no such list."""
    rows = []
    for line in group:
        beside = re.match(r"(\S.*?) {2,}(\S.*)", line)
        if beside:
            rows.append((beside[1], [beside[2]]))
        elif not line.startswith(" "):
            rows.append((line.strip(), []))
        elif rows:
            rows[-1][1].append(line.strip())
    told = sum(bool(texts) for _, texts in rows)
    indented = any(line.startswith(DEEPER) for line in group)
    if not told or not indented and told < len(rows):
        return None
    return [(term, [" ".join(texts)] if texts else []) for term, texts in rows]


def prose(lines):
    """One section: paragraphs, lists and examples."""
    out, rows = [], []

    def flush():
        if rows:
            out.extend(mdoc.tags(rows, "firmware"))
            rows.clear()

    for group in blocks(lines):
        group = [line[2:] if line.startswith("  ") else line for line in group]
        if all(line.startswith(DEEPER) for line in group):
            flush()
            out.extend(mdoc.literal([line[4:] for line in group]))
            continue
        found = terms_of(group)
        if found:
            rows += found
            continue
        flush()
        if out:
            out.append(".Pp")
        out += mdoc.text_lines(" ".join(group))
    flush()
    return out


def sections(comment):
    """(title, lines) of the first comment; the first has no title."""
    parts = [["", []]]
    for line in comment.split("\n"):
        line = re.sub(r"^ \* ?", "", line)
        if re.fullmatch(r"[A-Z][A-Z ]+", line):
            parts.append([line, []])
        else:
            parts[-1][1].append(line)
    return parts


def constants(body):
    """Lists of the macros, under the comments that begin a group."""
    lines = []
    for group in body.split("\n\n"):
        # Not the include guard, nor what lays out a note, which the prose tells.
        if "#define" not in group or "#ifndef" in group or "__ASSEMBLER__" in group:
            continue
        title, rows, before, told_before = None, [], None, False
        token = re.compile(r"#define (\w+) +(\"[^\"]*\"|\w+)(?: */\*(.*?)\*/)?|/\*(.*?)\*/",
                           re.DOTALL)
        for name, value, after, comment in token.findall(group):
            if not name:
                if not rows and title is None:
                    title = comment_text(comment)
                else:
                    before = comment_text(comment)
                continue
            told = comment_text(after) if after else before
            told_before |= before is not None
            rows.append((f"{name} {value}", [told] if told else []))
            before = None
        assert group.count("#define") == len(rows), group
        # The first comment is of the whole group, unless each macro has one above it.
        if title and not rows[0][1] and (told_before or len(rows) == 1):
            rows[0] = (rows[0][0], [title])
            title = None
        if title:
            lines += [".Pp", *mdoc.text_lines(title)]
        lines += mdoc.tags(rows)
    return lines


def fields(body):
    """Lists of the members of a struct; comments between them become paragraphs."""
    lines, rows, place = [], [], None

    def flush():
        if rows:
            lines.extend(mdoc.tags(rows))
            rows.clear()

    token = re.compile(r"([\w ]+?) (\w+(?:\[\w+\])?);(?:[ \t]*/\*(.*?)\*/)?|/\*(.*?)\*/", re.DOTALL)
    for kind, name, after, comment in token.findall(body):
        told = comment_text(after or comment)
        offset = re.match(r"(\d+)(?:: *)?(.*)", told)
        if not name:
            # Of the member that follows, if it tells an offset.
            place = offset
            if not offset:
                flush()
                lines += [".Pp", *mdoc.text_lines(told)]
            continue
        offset, place = offset or place, None
        assert offset, f"{name} has no offset"
        rows.append((f"{offset[1]} {kind.strip()} {name}", [offset[2]] if offset[2] else []))
    assert body.count(";") - sum(c.count(";") for c in COMMENT.findall(body)) == \
        sum(line.startswith(".It ") for line in lines) + len(rows), body
    flush()
    return lines


def structs(body):
    lines = []
    for comment, name, members in re.findall(
            r"(?:/\*((?:(?!\*/).)*)\*/\n)?struct (\w+) \{\n(.*?)\n\};", body, re.DOTALL):
        lines.append(f".Ss struct {name}")
        if comment:
            lines += mdoc.text_lines(comment_text(comment))
        lines += fields(members)
    return lines


def page(header):
    first = COMMENT.search(header)
    (_, start), *rest = sections(first[1].strip("\n"))
    lines = [".Sh SYNOPSIS", ".In bootimage/bootinfo.h", ".Sh DESCRIPTION", *prose(start)]
    for title, text in rest:
        lines += [f".Sh {mdoc.words(title)}", *prose(text)]
    body = header[first.end():]
    lines += [".Sh CONSTANTS", "The names of a kind begin alike."]
    lines += constants(re.sub(r"^struct \w+ \{.*?^\};", "", body, flags=re.DOTALL | re.MULTILINE))
    lines += [".Sh STRUCTURES", "Each member stands with its offset in bytes."]
    lines += structs(body)
    return lines + [".Sh SEE ALSO", ".Xr bootimage 1 ,", ".Xr bootimage-errors 7"]


def main():
    header, dated, output = sys.argv[1:]
    header, dated = (pathlib.Path(path).read_text(encoding="utf-8") for path in (header, dated))
    mdoc.write(output, mdoc.date_of(dated), "bootinfo",
               "what a kernel finds that bootimage boots", page(header))


if __name__ == "__main__":
    main()
