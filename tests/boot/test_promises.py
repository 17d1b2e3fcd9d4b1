"""The table of promises holds what it says: each word of the comments of bootinfo.h is quoted by a
promise, and each promise has its kernel, its test and its check.

What cannot be proved here is printed. No machine is started.
"""

import ast
import re
import sys

import promises
import suite

def functions(file):
    """The names of the tests that a file holds and that are run."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".c":
        return set(re.findall(r"\bcmocka_unit_test\w*\((\w+)", text))
    return {node.name for cls in ast.parse(text).body if isinstance(cls, ast.ClassDef)
            for node in cls.body if isinstance(node, ast.FunctionDef)}


class PromisesTest(suite.BootTest):
    def setUp(self):
        self.header = promises.Header(promises.HEADER.read_text(encoding="utf-8"))
        self.proofs, self.promises = promises.parse(promises.TABLE.read_text(encoding="utf-8"))

    def kernel(self, name):
        path = super().kernel(name)
        return path if path.exists() else suite.build_path("PROTOCOLS") / path.name

    def test_each_quotation_is_in_the_header_once(self):
        for promise in self.promises:
            self.assertEqual(len(self.header.find(promise.quotation)), 1,
                             f"promises.txt:{promise.line}:{promise.quotation}")

    def test_each_word_of_the_comments_is_quoted(self):
        open_runs = self.header.uncovered([promise.quotation for promise in self.promises])
        self.assertEqual(open_runs, [], "quote these in promises.txt, and prove them")

    def test_each_promise_is_proved_or_says_why_not(self):
        for promise in self.promises:
            where = f"promises.txt:{promise.line}:{promise.quotation}"
            self.assertTrue(promise.proofs or promise.reasons, where)
            for _, why in promise.reasons:
                self.assertTrue(why, where)
            for name, _ in promise.proofs:
                self.assertIn(name, self.proofs, where)

    def test_each_kernel_makes_the_checks(self):
        """The text of a check stands in the kernel as a C string."""
        for promise in self.promises:
            for name, check in promise.proofs:
                proof = self.proofs[name]
                if check:
                    self.assertIsNotNone(proof.kernel, f"promises.txt:{promise.line}: {name}")
                    self.assertTrue(check.encode() + b"\0" in
                                    self.kernel(proof.kernel).read_bytes(),
                                    f"promises.txt:{promise.line}: {proof.kernel} has no {check!r}")

    def test_each_proof_is_there_and_used(self):
        used = {name for promise in self.promises for name, _ in promise.proofs}
        for name, proof in self.proofs.items():
            self.assertIn(name, used)
            self.assertIn(proof.test, functions(proof.file), name)
            if proof.kernel:
                self.assertTrue(self.kernel(proof.kernel).exists(), name)
                self.assertIn(f'"{proof.kernel}"', proof.file.read_text(encoding="utf-8"), name)

    def test_each_file_of_tests_is_run(self):
        meson = (promises.HERE / "meson.build").read_text(encoding="utf-8")
        for proof in self.proofs.values():
            if proof.file.parent == promises.HERE:
                self.assertIn(f"'{proof.file.stem.removeprefix('test_')}'", meson)

    def test_what_is_not_proved_is_told(self):
        count = 0
        for promise in self.promises:
            for verdict, why in promise.reasons:
                if verdict == "not provable":
                    print(f"{verdict}: {why}:{promise.quotation}", file=sys.stderr)
                    count += 1
        print(f"{len(self.promises)} promises, {count} not provable here", file=sys.stderr)


class TableTest(suite.BootTest):
    """The checks above see what they are for."""

    HEADER = "/* A HEADING\n *\n * One thing. Another\n * thing. */\nint x; /* 0: a number */"

    def uncovered(self, *quotations):
        return promises.Header(self.HEADER).uncovered(quotations)

    def test_a_new_sentence_is_seen(self):
        self.assertEqual(self.uncovered("One thing.", "x; /* 0: a number */"), ["Another thing."])

    def test_headings_and_code_need_no_proof(self):
        self.assertEqual(self.uncovered("One thing. Another thing.", "0: a number"), [])

    def test_a_sentence_that_has_changed_is_seen(self):
        self.assertEqual(promises.Header(self.HEADER).find("0: the number"), [])

    def test_a_proof_of_nothing_is_an_error(self):
        with self.assertRaisesRegex(AssertionError, "promises.txt:1: this proves nothing"):
            promises.parse("    proof: check\n")


if __name__ == "__main__":
    suite.main()
