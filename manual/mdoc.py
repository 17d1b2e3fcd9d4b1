"""Writes mdoc(7), the language of manual pages: what the generators of this folder share."""

import re

# A word that mdoc could take for the name of a macro.
MACRO = re.compile(r"^[%A-Z][A-Za-z0-9]{1,2}$")


def escape(text):
    return text.replace("\\", r"\e")


def words(text):
    """Text as arguments of a macro."""
    return " ".join((r"\&" if MACRO.match(word) else "") + word
                    for word in escape(text).replace('"', r"\(dq").split())


def text_lines(text):
    """Running text: each sentence on a line of its own, no line that looks like a macro."""
    sentences = re.split(r"(?<=[.;?!]) +(?=[A-Z])", " ".join(escape(text).split()))
    return [r"\&" + sentence if sentence[0] in ".'" else sentence
            for sentence in sentences if sentence]


def paragraphs(texts):
    """Texts, with a macro between two of them."""
    lines = []
    for text in texts:
        lines += ([".Pp"] if lines else []) + text_lines(text)
    return lines


def tags(rows, width="Ds"):
    """A list of (term, texts)."""
    lines = [f".Bl -tag -width {width}"]
    for term, texts in rows:
        lines += [f".It {words(term)}"] + paragraphs(texts)
    return lines + [".El"]


def literal(rows):
    lines = [r"\&" + escape(row) if row[:1] in (".", "'") else escape(row) for row in rows]
    return [".Bd -literal -offset indent", *lines, ".Ed"]


def date_of(page):
    """The line .Dd of another page, so that all have one date."""
    return re.search(r"^\.Dd .*$", page, re.MULTILINE).group()


def write(path, date, name, description, lines):
    start = [date, f".Dt {name.upper()} 7", ".Os", ".Sh NAME", f".Nm {name}",
             f".Nd {description}"]
    with open(path, "w", encoding="utf-8") as page:
        page.write("\n".join(start + lines) + "\n")
