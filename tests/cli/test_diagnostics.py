"""The names of messages: each message of the tool has one, each is documented, each is provoked.

    return error_set(error, "%s: what is wrong; what to do [the-name]", path);

A new message needs a name at the end of its format, three lines in bootimage/diagnostics.txt, and a
test in tests/cli or tests/unit that expects it, name included.
"""

import pathlib
import re

import support

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALL = re.compile(r"\berror_(?:set|warn)\(")
# The format: literals and macros, such as PRIu64, up to the comma that ends it.
FORMAT = re.compile(r'\s*(?:\w+->)?error,\s*((?:"(?:[^"\\]|\\.)*"|\w+|\s)+)[,)]')
NAME = re.compile(r' "?\[([a-z0-9]+(?:-[a-z0-9]+)*)\]"\Z')

# Names that no test provokes, and why.
UNPROVOKED = {
    "compressed-too-large": "takes 4 GiB of disk",
    "esp-damaged": "takes a bootimage with another volume in it",
    "esp-full": "takes a certificate of 100 KB",
    "gdb-script": "takes a folder for temporary files that fills up between two of them",
    "firmware-uefi": "takes a tool that was built without the loader for UEFI",
    "image-read": "takes a disk that fails, or a file that shrinks while it is read",
    "machine-fork": "takes a machine without room for a process",
    "machine-lines": "takes a machine without room for a pipe",
    "machine-memory": "takes a machine without memory",
    "kernel-read": "takes a disk that fails, or a file that shrinks between two system calls",
    "libelf": "what libelf refuses, kernel.c has refused before",
    "libelf-version": "takes a libelf that does not know ELF's only version",
    "ovmf-copy": "takes a file that shrinks while it is read, or a folder without room",
    "ovmf-missing": "takes a machine without OVMF",
    "out-of-memory": "takes a machine without memory: sanitizers do not run under a limit",
    "output-close": "takes a file system over a network",
    "output-flush": "takes a disk that fails",
    "output-mode": "takes a file system that creates files and refuses their mode",
}
# Names that messages of several files share, as the fault is the same one.
SHARED = {
    "temporary-file": "a file, or a folder with files",
    "image-checksum": "a part of an image and its checksum, whichever",
    "elf-truncated": "the file ends before a part of it, whichever",
    "libelf": "libelf refuses what was found sound",
    "elf-32-bit-pie": "relocations of either kind of code in such a file",
    "elf-type": "whichever protocol",
    "entry-nowhere": "virtual addresses and physical ones",
    "header-address": "the same fields in both headers of Multiboot",
    "multiboot-cut": "either header",
    "too-many-modules": "by --module alone, or with those that a kernel names itself",
    "wrong-machine": "for one machine, or for two",
    "stack-size": "the same size, by a note or by --stack-size",
}


def messages():
    """(file, format) of all that modules say."""
    for path in sorted((ROOT / "bootimage").rglob("*.c")):
        text = path.read_text()
        if path.name == "error.c":
            yield path.name, re.search(r'out_of_memory\[\] = (".*");', text)[1]
            continue
        for call in CALL.finditer(text):
            form = FORMAT.match(text, call.end())
            yield path.name, form[1] if form else text[call.start() : call.end() + 80]


class Diagnostics(support.ToolTest):
    def collect(self):
        """{name: files}"""
        names = {}
        for file, form in messages():
            found = NAME.search(re.sub(r'"\s+"', "", form.strip()))
            self.assertTrue(found, f"{file}: no [name] ends the format of this message: {form}")
            names.setdefault(found[1], set()).add(file)
        self.assertGreater(len(names), 50)
        return names

    def test_one_kind_of_fault_has_one_name(self):
        for name, files in self.collect().items():
            self.assertTrue(len(files) == 1 or name in SHARED,
                            f"[{name}] is said by {files}: name each kind of fault differently")

    def test_all_are_documented(self):
        text = (ROOT / "bootimage/diagnostics.txt").read_text()
        entries = [block.split("\n") for block in text.strip().split("\n\n")[1:]]
        self.assertEqual([entry[0] for entry in entries], sorted(self.collect()))
        for name, meaning, cure in entries:
            self.assertTrue(meaning.endswith(".") and cure.endswith("."), name)

    def test_all_are_provoked(self):
        tests = "".join(path.read_text() for folder in ("cli", "unit", "boot")
                        for path in (ROOT / "tests" / folder).rglob("test_*.*")
                        if path.name != pathlib.Path(__file__).name)
        for name in self.collect():
            self.assertNotEqual(f"[{name}]" in tests, name in UNPROVOKED,
                                f"[{name}] needs a test, or a reason in UNPROVOKED, not both")


if __name__ == "__main__":
    support.main()
