"""Modules and the kernel's own file: what stands in the image for them, and what is refused."""

import os
import resource
import socket
import time

import elf
import image
import support

MAXIMUM = 65536


class Modules(support.ToolTest):
    def package(self, *arguments):
        self.assertEqual(self.tool("-q", "kernel.elf", *arguments), (0, "", ""))
        return image.Image(self.image.read_bytes())

    def test_order_names_and_content(self):
        large = os.urandom(700001)
        self.write("large", large)
        self.write("empty", b"")
        (self.folder / "sub").mkdir()
        self.write("sub/initrd.img", b"initrd")
        made = self.package("--module=large=first", "--module", "empty", "--module=sub/initrd.img",
                            "--module=large,a=b, c,")
        self.assertEqual(made.modules, [
            ("first", "", large),
            ("empty", "", b""),
            ("initrd.img", "", b"initrd"),
            ("large", "a=b, c,", large),
        ])
        self.assertEqual(len(made.segments), 3)
        self.assertIsNone(made.kernel_file)

    def test_words_of_the_option(self):
        for name in "a", "a=b", "a,b", "a\\b", "\u00fc", "a=":
            self.write(name, name.encode())
        for word, expected in [
            ("a", ("a", "")),
            ("a=n", ("n", "")),
            ("a,x", ("a", "x")),
            ("a,", ("a", "")),
            ("a=n,", ("n", "")),
            ("a=n,x,y=z", ("n", "x,y=z")),
            ("a=n=m,x", ("n=m", "x")),
            ("a=n\\,m,x", ("n,m", "x")),
            ("a=n\\\\,x", ("n\\", "x")),
            ("a,x\\y\\", ("a", "x\\y\\")),
            ("\\a", ("a", "")),
            ("a\\=b", ("a=b", "")),
            ("a\\,b=n", ("n", "")),
            ("a\\\\b,x", ("a\\b", "x")),
            ("./a\\=,x", ("a=", "x")),
            ("a=dir/n", ("dir/n", "")),
            ("\u00fc", ("\u00fc", "")),
            ("a=\u00fc,\u00e4 \u00f6", ("\u00fc", "\u00e4 \u00f6")),
        ]:
            with self.subTest(word):
                self.assertEqual(self.package(f"--module={word}").modules[0][:2], expected)

    def test_file_with_a_name_that_is_no_utf_8(self):
        self.write(os.fsdecode(b"a\xff"), b"content")
        self.assertEqual(self.package(b"--module=a\xff=name").modules, [("name", "", b"content")])

    def test_same_file_twice_and_the_kernel_as_module(self):
        kernel = self.kernel.read_bytes()
        made = self.package("--module=kernel.elf", "--module=kernel.elf")
        self.assertEqual(made.modules, [("kernel.elf", "", kernel)] * 2)

    def test_long_texts(self):
        self.write("m", b"x")
        made = self.package(f"--module=m={'n' * 65535}", f"--module=m,{'a' * 65535}")
        self.assertEqual(made.modules, [("n" * 65535, "", b"x"), ("m", "a" * 65535, b"x")])

    def test_modules_make_another_identity(self):
        self.write("m", b"one")
        images = [self.package(*words) for words in
                  [[], ["--module=m"], ["--module=m=n"], ["--module=m,a"], ["--with-elf"]]]
        self.write("m", b"two")
        images.append(self.package("--module=m"))
        self.assertEqual(len({made.image_id for made in images}), 6)

    def test_says_what_was_loaded(self):
        self.write("m", b"12345")
        for count, words in [(1, "1 module"), (2, "2 modules")]:
            self.assertEqual(self.tool("kernel.elf", *["--module=m"] * count), (
                0, f"bootimage-kernel.bin: 516096 bytes, {29 + 5 * count} of them loaded from "
                   f"kernel.elf and {words}\n", ""))

    def test_as_many_as_promised(self):
        self.write("m", b"module")
        begin = time.monotonic()
        made = self.package(*["--module=m"] * MAXIMUM)
        print(f"{MAXIMUM} modules: {time.monotonic() - begin:.2f} s")
        self.assertEqual(len(made.modules), MAXIMUM)
        self.assertEqual(set(made.modules), {("m", "", b"module")})
        self.assert_fails(f"more than {MAXIMUM} modules; put files together into one, as an "
                          "archive [too-many-modules]",
                          "kernel.elf", *["--module=m"] * (MAXIMUM + 1), status=2)

    def test_more_modules_than_files_can_be_open(self):
        for i in range(1000):
            self.write(f"m{i}", str(i).encode())

        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

        words = [f"--module=m{i}" for i in range(1000)]
        self.assertEqual(self.tool("-q", "kernel.elf", *words, preexec_fn=few), (0, "", ""))
        made = image.Image(self.image.read_bytes())
        self.assertEqual(made.modules, [(f"m{i}", "", str(i).encode()) for i in range(1000)])


class KernelFile(support.ToolTest):
    def test_with_elf(self):
        whole = elf.kernel(extra=b"debug information")
        self.write("kernel.elf", whole)
        self.write("m", b"module")
        self.assertEqual(self.tool("-q", "--with-elf", "--module=m", "kernel.elf"), (0, "", ""))
        made = image.Image(self.image.read_bytes())
        self.assertEqual((made.kernel_file, made.kernel_file_name), (whole, ""))
        self.assertEqual(made.modules, [("m", "", b"module")])
        self.assertEqual(len(made.segments), 3)

    def test_the_kernels_name_does_not_matter(self):
        self.write("other", self.kernel.read_bytes())
        self.assertEqual(self.tool("-q", "--with-elf", "kernel.elf", "-o", "a"), (0, "", ""))
        self.assertEqual(self.tool("-q", "--with-elf", "other", "-o", "b"), (0, "", ""))
        self.assertEqual((self.folder / "a").read_bytes(), (self.folder / "b").read_bytes())


class Refusals(support.ToolTest):
    def assert_module_refused(self, word, message, status=1):
        if isinstance(word, str):
            word = word.encode()
        self.assert_fails(message, "kernel.elf", b"--module=" + word, status=status)

    def test_files(self):
        (self.folder / "sub").mkdir()
        folder = ("is a folder, and a module is one file; give one --module for each file, or an "
                  "archive [module-folder]")
        cannot = "cannot open the module"
        self.assert_module_refused(
            "nothing", f"nothing: {cannot}: No such file or directory; check the path in --module "
                       "[module-open]")
        self.assert_module_refused(
            "kernel.elf/x", f"kernel.elf/x: {cannot}: Not a directory; check the path in --module "
                            "[module-open]")
        for name in "sub", "sub/", "sub/=n", ".":
            self.assert_module_refused(name, f"{name.split('=')[0]}: {folder}")
        os.mkfifo(self.folder / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "socket"))
            for name in "fifo", "socket", "/dev/null", "/dev/zero":
                self.assert_module_refused(
                    name, f"{name}: is not a regular file; copy its content to a file and name "
                          "that in --module [module-not-regular]")

    def test_unreadable(self):
        self.write("m", b"x").chmod(0)
        self.assertEqual(self.tool("kernel.elf", "--module=m", **self.as_nobody()), (
            1, "", "bootimage: m: cannot open the module: Permission denied; give read permission "
                   "[module-open]\n"))
        self.assertEqual(self.names(), ["kernel.elf", "m"])

    def test_words(self):
        self.write("m", b"x")
        for word, message in [
            ("", "names no file; write FILE[=name][,arguments] [module-no-file]"),
            ("=n", "names no file; write FILE[=name][,arguments] [module-no-file]"),
            (",a", "names no file; write FILE[=name][,arguments] [module-no-file]"),
            ("m=", "its name is empty; leave the = out to name it like its file [module-no-name]"),
            ("m=,a",
             "its name is empty; leave the = out to name it like its file [module-no-name]"),
            ("m\\", "a backslash is last, but takes the next character for what it is; write two "
                    "for one [module-backslash]"),
            ("m=n\\", "a backslash is last, but takes the next character for what it is; write "
                      "two for one [module-backslash]"),
        ]:
            self.assert_module_refused(word, f"--module={word}: {message}", status=2)

    def test_texts_that_are_no_utf_8(self):
        for word, shown, what, place in [
            (b"a\xff", "a\\xff", "name", 1),
            (b"a=\xc3\xbc\xc3", "a=\u00fc\\xc3", "name", 2),
            (b"a,b\x80", "a,b\\x80", "list of arguments", 1),
        ]:
            self.assert_module_refused(
                word, f"--module={shown}: its {what} is not valid UTF-8 at byte {place}; give it "
                      "another, as FILE=name,arguments [module-utf8]", status=2)

    def test_texts_that_are_too_long(self):
        for word, what in [("m=" + 65536 * "n", "name"), ("m," + 65536 * "a", "list of arguments")]:
            self.assert_module_refused(
                word, f"--module={word[:32]}...: its {what} takes 65536 bytes, more than 65535; "
                      "make a file of it [module-text-too-long]", status=2)

    def test_output_that_is_a_module(self):
        for content in b"module", b"":
            self.write("m", content)
            os.link(self.folder / "m", self.folder / "hard")
            os.symlink("m", self.folder / "soft")
            for name in "m", "hard", "soft":
                self.assert_fails(f"{name}: is a module itself; choose another place with -o "
                                  "[output-is-input]",
                                  "kernel.elf", "--module=kernel.elf", "--module=m", "-o", name)
            (self.folder / "hard").unlink()
            (self.folder / "soft").unlink()


if __name__ == "__main__":
    support.main()
