"""The table of promises (promises.txt): which sentence of bootinfo.h is proved by which kernel and
test.

The header is taken as a row of words, and a promise quotes a part of that row, word by word; so a
line may be wrapped anew, but no word of a comment may come, go or change without the table.
"""

import pathlib
import re
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "promises.txt"
HEADER = HERE.parents[1] / "bootloader/include/bootimage/bootinfo.h"

# What stands in the place of a proof where there is none; a reason follows.
WITHOUT_PROOF = ("not provable", "no promise")


@dataclass
class Proof:
    """A kernel (None: the test needs none), the file of the test and the test's name."""

    kernel: str | None
    file: pathlib.Path
    test: str


@dataclass
class Promise:
    """line: in the table; proofs: (name of a proof, text of a check or ""); reasons: (one of
    WITHOUT_PROOF, why)."""

    line: int
    quotation: str = ""
    proofs: list = field(default_factory=list)
    reasons: list = field(default_factory=list)


class Header:
    """The words of a header."""

    def __init__(self, text):
        self.words = []
        self.promising = []  # for each word, whether it stands in a comment and is no heading
        at = 0
        for comment in re.finditer(r"/\*.*?\*/", text, re.DOTALL):
            self._add(text[at:comment.start()], False)
            for line in comment[0][2:-2].splitlines():
                line = re.sub(r"^\s*\*(?=\s|$)", "", line)
                self._add(line, not re.fullmatch(r"\s*[A-Z]+( [A-Z]+)*", line))
            at = comment.end()
        self._add(text[at:], False)

    def _add(self, text, promising):
        words = text.split()
        self.words += words
        self.promising += [promising] * len(words)

    def find(self, quotation):
        """The indices at which a quotation stands."""
        words = quotation_words(quotation)
        return [i for i, word in enumerate(self.words)
                if word == words[0] and self.words[i:i + len(words)] == words]

    def uncovered(self, quotations):
        """What of the comments none of the quotations quotes, run by run."""
        open_words = self.promising.copy()
        for quotation in quotations:
            for start in self.find(quotation):
                count = len(quotation_words(quotation))
                open_words[start:start + count] = [False] * count
        runs = []
        for i, is_open in enumerate(open_words):
            if is_open and i and open_words[i - 1]:
                runs[-1] += " " + self.words[i]
            elif is_open:
                runs.append(self.words[i])
        return runs


def quotation_words(quotation):
    return [word for word in quotation.split() if word not in ("/*", "*/")]


def parse(text):
    """The proofs by name, and the promises, of the text of a table."""
    proofs, promises, promise = {}, [], None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or re.match(r"#( |$)", line):
            promise = None
        elif found := re.fullmatch(r"proof (\w+) = (\S+) (\S+):(\w+)", line):
            assert found[1] not in proofs, f"promises.txt:{number}: {found[1]} is there twice"
            proofs[found[1]] = Proof(None if found[2] == "-" else found[2],
                                     (HERE / found[3]).resolve(), found[4])
        elif not line.startswith(" "):
            if promise is None or promise.proofs or promise.reasons:
                promise = Promise(number)
                promises.append(promise)
            promise.quotation += " " + line
        else:
            assert promise, f"promises.txt:{number}: this proves nothing"
            name, _, rest = (part.strip() for part in line.partition(":"))
            (promise.reasons if name in WITHOUT_PROOF else promise.proofs).append((name, rest))
    return proofs, promises
