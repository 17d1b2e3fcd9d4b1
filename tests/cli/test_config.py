"""The options of run and test, and the project file bootimage.ini."""

import json
import os
import shlex

import elf
import support
from elf import note

STACK = 2


class ConfigTest(support.ToolTest):
    def config(self, *lines, name="bootimage.ini"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def inspect(self, *arguments, kernel="kernel.elf"):
        """What is planned, as inspect tells it."""
        status, output, errors = self.tool("inspect", "--json", *arguments, kernel)
        self.assertEqual((status, errors), (0, ""))
        return json.loads(output)

    def words(self, command, *arguments):
        """QEMU's words for a run, as its record has them; the QEMU itself is none."""
        status, output, errors = self.tool(command, "--qemu=/nonexistent", "--record=record",
                                           *arguments)
        self.assertEqual((status, output), (6 if command == "test" else 1, ""), errors)
        return shlex.split((self.folder / "record/command").read_text())

    def assert_has(self, words, *expected):
        """The words are there in a row."""
        text = " ".join(words) + " "
        self.assertIn(" " + " ".join(expected) + " ", text)

    def refused(self, message, *lines, command=(), name="bootimage.ini"):
        self.config(*lines, name=name)
        self.assert_fails(message, *command, "kernel.elf", status=2)


class Options(ConfigTest):
    def test_values(self):
        for options, message in [
            (["--disk=floppy"], "--disk is floppy; give ide, ahci, virtio, nvme or usb "
                                "[option-name]"),
            (["--accel=hvf"], "--accel is hvf; give tcg, kvm or auto [option-name]"),
            (["--tap=maybe"], "--tap is maybe; give yes or no [option-name]"),
            (["--timeout=1m"], "--timeout is 1m; give whole seconds, such as 60 [option-seconds]"),
            (["--timeout=4294967296"], "--timeout is 4294967296; give whole seconds, such as 60 "
                                       "[option-seconds]"),
            (["--gdb=0"], "--gdb is 0; give a TCP port, 1 to 65535 [gdb-port]"),
            (["--gdb", "65536"], "--gdb is 65536; give a TCP port, 1 to 65535 [gdb-port]"),
            (["--gdb", "--kaslr"], "--gdb wants to know where the kernel is mapped, and --kaslr "
                                   "lets nobody know; leave out one of them [gdb-kaslr]"),
            (["--screenshot-at=2"], "--screenshot-at is of no use without --screenshot; give both "
                                    "[screenshot-at-alone]"),
            (["--help=yes"], "option --help=yes is unknown or takes no argument; see bootimage "
                             "--help [wrong-option]"),
            (["--expect-serial=("], "--expect-serial is (: Unmatched ( or \\(; give an extended "
                                    "regular expression [expect-regex]"),
            (["--firmware=both"], "--firmware is both; give bios or uefi [firmware-name]"),
            (["--ovmf=x"], "--ovmf is of no use without --firmware=uefi; give both "
                           "[ovmf-without-uefi]"),
        ]:
            with self.subTest(options):
                self.assert_fails(message, "test", "kernel.elf", *options, status=2)
                self.assert_fails(message, "test", *options, "kernel.elf", status=2)
        self.assert_fails("option --qemu needs an argument; see bootimage --help [wrong-option]",
                          "test", "kernel.elf", "--qemu", status=2)
        self.assert_fails("unexpected argument b: one file at a time; see bootimage --help "
                          "[extra-argument]", "test", "kernel.elf", "b", status=2)
        for code in "0", "0x80", "-1", "x":
            for option in "success-code", "expect-exit":
                self.assert_fails(
                    f"--{option} is {code}; give 1 to 0x7f, as QEMU's exit status tells no other "
                    "codes apart [exit-code]", "test", "kernel.elf", f"--{option}={code}", status=2)

    def test_options_may_be_anywhere(self):
        for arguments in [
            ("kernel.elf", "--memory", "1G", "--disk=nvme"),
            ("--memory", "1G", "kernel.elf", "--disk=nvme"),
            ("--memory", "1G", "--disk=nvme", "kernel.elf"),
        ]:
            for command in "run", "test":
                words = self.words(command, *arguments)
                self.assertEqual(words[0], "bootimage" if "&&" in words else "/nonexistent")
                self.assert_has(words, "-m", "1G")
                self.assert_has(words, "nvme,serial=bootimage,drive=bootimage,bootindex=1")

    def test_the_rest_is_for_qemu(self):
        """Behind -- and behind all words of the tool's own, whatever they look like."""
        for command in "run", "test":
            words = self.words(command, "--qemu-arg=-name", "--qemu-arg", "a b", "kernel.elf", "--",
                               "--disk=nvme", "kernel.elf", "--")
            self.assertEqual(words[-5:], ["-name", "a b", "--disk=nvme", "kernel.elf", "--"])
            self.assert_fails("no file given; see bootimage --help [no-file]", command, "--",
                              "kernel.elf", status=2)
            self.assertEqual(self.words(command, "kernel.elf", "--")[-1],
                             self.words(command, "kernel.elf")[-1])

    def test_a_port_may_follow_a_blank(self):
        for options, port in [(["--gdb"], 1234), (["--gdb", "77"], 77), (["--gdb=77"], 77)]:
            for arguments in [*options, "kernel.elf"], ["kernel.elf", *options]:
                self.assert_has(self.words("test", *arguments), "-gdb", f"tcp:127.0.0.1:{port}")
        self.write("77", elf.kernel())
        self.words("test", "--gdb=78", "77")

    def test_flags(self):
        for value, has in [("", True), ("=yes", True), ("=no", False), ("=true", True),
                           ("=false", False), ("=on", True), ("=off", False)]:
            modules = self.inspect(f"--with-elf{value}")["modules"]
            self.assertEqual(len(modules), has, value)
        self.assertEqual(self.inspect("--with-elf", "--with-elf=no")["modules"], [])
        self.assertEqual(self.tool("--quiet=yes", "kernel.elf"), (0, "", ""))
        self.assert_fails("--gdb is yes; give a TCP port, 1 to 65535 [gdb-port]", "run",
                          "kernel.elf", "--gdb=yes", status=2)

    def test_each_command_has_its_own(self):
        for command, option in [("run", "--timeout=1"), ("run", "--tap"), ("runner", "--disk=ide"),
                                ("inspect", "--smp=2"), ("test", "--output=x"),
                                ("verify", "--config=x")]:
            self.assert_fails(f"bootimage {command} has no option {option.split('=')[0]}; "
                              "see bootimage --help [option-elsewhere]", command, option,
                              "kernel.elf", status=2)

    def test_help_needs_nothing_else(self):
        self.config("colour = red")
        for command in "run", "test", "runner", "inspect", "verify":
            self.assertEqual(self.tool(command, "--help"), self.tool("--help"))
            self.assertEqual(self.tool(command, "--version"), self.tool("--version"))
        self.assertIn("usage: bootimage", self.tool("run", "--help")[1])

    def test_an_image_has_its_plan(self):
        self.assertEqual(self.tool("-q", "kernel.elf")[0], 0)
        self.assert_fails("bootimage-kernel.bin: is an image, whose plan is made: --cmdline would "
                          "change nothing; leave it out, or name the kernel "
                          "[inspect-image-option]", "test", "bootimage-kernel.bin", "--cmdline=x",
                          status=2)

    def test_what_cannot_be_packaged_is_a_status_of_test(self):
        self.write("kernel.elf", b"no kernel")
        self.assertEqual(self.tool("test", "kernel.elf")[0], 2)
        self.assertEqual(self.tool("run", "kernel.elf")[0], 1)

    def test_a_record_needs_a_folder(self):
        self.assert_fails("/dev/null/x: cannot create: Not a directory; name another folder by "
                          "--record [record-folder]", "test", "kernel.elf", "--record=/dev/null/x",
                          status=2)


class ProjectFile(ConfigTest):
    def test_where_it_is(self):
        (self.folder / "sub").mkdir()
        self.write("sub/kernel.elf", elf.kernel())
        kernel = "sub/kernel.elf"
        self.assertIsNone(self.inspect(kernel=kernel)["command_line"])
        self.config("cmdline = beside the kernel", name="sub/bootimage.ini")
        self.assertEqual(self.inspect(kernel=kernel)["command_line"], "beside the kernel")
        self.config("cmdline = working directory")
        self.assertEqual(self.inspect(kernel=kernel)["command_line"], "working directory")
        self.config("cmdline = named", name="other.ini")
        self.assertEqual(self.inspect("--config=other.ini", kernel=kernel)["command_line"], "named")
        self.assertIsNone(self.inspect("--config=/dev/null", kernel=kernel)["command_line"])

    def test_which_one_was_used_is_said(self):
        self.config("cmdline = x")
        status, _, errors = self.tool("test", "-v", "--qemu=/nonexistent", "kernel.elf")
        self.assertEqual(status, 6)
        self.assertIn("bootimage: project file: bootimage.ini\n", errors)

    def test_each_command_but_inspect_says_which_one(self):
        self.config("cmdline = x")
        said = "bootimage: project file: bootimage.ini\n"
        status, output, errors = self.tool("-v", "kernel.elf")
        self.assertEqual((status, errors), (0, said))
        self.assertIn("bootimage-kernel.bin: ", output)
        errors = self.tool("run", "-v", "--qemu=/nonexistent", "kernel.elf")[2]
        self.assertTrue(errors.startswith(said), errors)
        errors = self.tool("runner", "-v", "kernel.elf", env={**os.environ, "PATH": "/nowhere"})[2]
        self.assertTrue(errors.startswith(said), errors)
        self.assertNotIn(said, self.tool("-v", "--config=/dev/null", "kernel.elf")[2])

    def test_verify_reads_none(self):
        self.tool("-q", "kernel.elf")
        self.config("colour = red")
        self.assertEqual(self.tool("verify", "-q", "bootimage-kernel.bin"), (0, "", ""))
        for command in (), ("inspect",), ("runner",), ("run",), ("test",):
            self.assert_fails("bootimage.ini:1: there is no key colour; keys are the options' "
                              "names without -- [config-key]", *command, "kernel.elf", status=2)

    def test_errors_name_file_and_line(self):
        where = "bootimage.ini:2: "
        for line, message in [
            ("colour = red", "there is no key colour; keys are the options' names without -- "
                             "[config-key]"),
            ("help = yes", "there is no key help; keys are the options' names without -- "
                           "[config-key]"),
            ("config = x", "there is no key config; keys are the options' names without -- "
                           "[config-key]"),
            ("just words", "this is no section, no key = value and no comment [config-line]"),
            ("with-elf = perhaps", "--with-elf is perhaps; give yes or no [option-name]"),
            ("stack-size = 0", "--stack-size is 0; give 1 to 1G bytes, such as 65536, 0x10000 or "
                               "64K [stack-size]"),
            ("cmdline = " + "x" * 200, "the line has 211 bytes, more than 199; go on in the next "
                                       "line, behind blanks [config-line-long]"),
        ]:
            with self.subTest(line):
                self.refused(where + message, "; a comment", line)
        self.refused("bootimage.ini:1: the line holds a byte of 0, which no text does [config-zero]",
                     "timeout = 5\0zz")
        self.refused("bootimage.ini:3: section [run] has no key timeout, as its command has no "
                     "such option; move it [config-key-elsewhere]",
                     "[run]", "memory = 1G", "timeout = 3")
        self.refused("bootimage.ini:2: there is no section [tests]; use [package], [run] or "
                     "[test], or none [config-section]", "[tests]", "timeout = 3")

    def test_what_cannot_be_read(self):
        self.assert_fails("no.ini: cannot open: No such file or directory; check the path and its "
                          "rights [config-open]", "--config=no.ini", "kernel.elf", status=2)
        (self.folder / "bootimage.ini").mkdir()
        self.assert_fails("bootimage.ini:0: cannot read: Is a directory [config-read]",
                          "kernel.elf", status=2)

    def test_an_error_is_in_the_file_that_was_named(self):
        message = "there is no key red; keys are the options' names without -- [config-key]"
        self.refused(f"folder/own.ini:1: {message}", "red = 1", name="folder/own.ini",
                     command=["--config", "folder/own.ini"])
        (self.folder / "sub").mkdir()
        self.write("sub/kernel.elf", elf.kernel())
        self.config("", "red = 1", name="sub/bootimage.ini")
        self.assert_fails(f"sub/bootimage.ini:2: {message}", "sub/kernel.elf", status=2)

    def test_an_error_of_a_value_is_where_it_begins(self):
        self.refused("bootimage.ini:2: --with-elf is yes no; give yes or no [option-name]",
                     "[package]", "with-elf = yes", "   no", "cmdline = x")

    def test_values_of_other_commands_are_not_read(self):
        """A key has to be there, but what it is told is for its command."""
        self.config("timeout = soon", "[test]", "disk = floppy")
        self.assertEqual(self.tool("-q", "kernel.elf"), (0, "", ""))
        self.assert_fails("bootimage.ini:1: --timeout is soon; give whole seconds, such as 60 "
                          "[option-seconds]", "test", "kernel.elf", status=2)

    def test_rights(self):
        self.config("cmdline = x").chmod(0)
        self.assert_fails("bootimage.ini: cannot open: Permission denied; check the path and its "
                          "rights [config-open]", "kernel.elf", status=2, **self.as_nobody())

    def test_sections(self):
        self.config("memory = 1G", "[test]", "cmdline = of test", "[package]",
                    "cmdline = of the image", "[run]", "cmdline = of run")
        self.assertEqual(self.inspect()["command_line"], "of the image")
        for command, words in ("test", "of test"), ("run", "of run"):
            record = self.folder / command
            self.tool(command, "--qemu=/nonexistent", f"--record={record}", "kernel.elf")
            image = str(record / "image.bin")
            (self.folder / "bootimage.ini").rename(self.folder / "aside")
            self.assertEqual(self.inspect(kernel=image)["command_line"], words)
            (self.folder / "aside").rename(self.folder / "bootimage.ini")
            self.assertIn("-m 1G", (record / "command").read_text())

    def test_words_beat_the_file_and_that_the_notes(self):
        self.write("kernel.elf", elf.kernel(elf.notes_segment(note(STACK, 0x3000))))
        self.assertEqual(self.inspect()["stack_bytes"], 0x3000)
        self.config("stack-size = 0x5000")
        self.assertEqual(self.inspect()["stack_bytes"], 0x5000)
        self.assertEqual(self.inspect("--stack-size=0x7000")["stack_bytes"], 0x7000)
        self.config("with-elf = yes")
        self.assertEqual(len(self.inspect()["modules"]), 1)
        self.assertEqual(self.inspect("--with-elf=no")["modules"], [])

    def test_words_beat_the_file_in_run_and_test(self):
        self.config("memory = 1G", "disk = ide", "[test]", "smp = 3", "[run]", "smp = 4")
        for command, count in ("test", "3"), ("run", "4"):
            words = self.words(command, "--memory=2G", "kernel.elf")
            self.assert_has(words, "-m", "2G")
            self.assert_has(words, "-smp", count)
            self.assert_has(words, "ide-hd,bus=ide.0,drive=bootimage,bootindex=1")

    def test_the_last_of_a_key_counts(self):
        self.config("cmdline = one", "[package]", "cmdline = two", "cmdline = three", "[test]",
                    "cmdline = four")
        self.assertEqual(self.inspect()["command_line"], "three")

    def test_bases_override_each_other(self):
        self.write("kernel.elf", elf.pie())

        def base(*words):
            plan = self.inspect(*words)
            return "random" if plan["random_base"] else plan["slide"]

        self.config("kaslr = yes")
        self.assertEqual(base(), "random")
        self.assertEqual(base("--base=0x40000000"), "0x40000000")
        self.config("base = 0x50000000")
        self.assertEqual(base(), "0x50000000")
        self.assertEqual(base("--kaslr"), "random")

    def test_lists_add_up(self):
        self.config("qemu-arg = -name", "qemu-arg = one", "module = kernel.elf=a")
        self.assertEqual(self.words("run", "--qemu-arg=-S", "kernel.elf", "--", "-k", "de")[-5:],
                         ["-name", "one", "-S", "-k", "de"])
        modules = self.inspect("--module=kernel.elf=b", "--module=kernel.elf=c")["modules"]
        self.assertEqual([module["name"] for module in modules], ["a", "b", "c"])

    def test_a_value_goes_on_in_lines_that_are_indented(self):
        self.config("cmdline = one", "   two", "\tthree ; and a comment", "with-elf = no")
        self.assertEqual(self.inspect()["command_line"], "one two three")

    def test_lines(self):
        """Comments, blanks, Windows' ends of lines, and a last line without an end."""
        path = self.config("\ufeff; comment", "# comment", "", "  ", "cmdline=a=b; c  ; comment\r",
                           "stack-size : 0x5000\r", "[package]  ; comment")
        with path.open("a") as file:
            file.write("with-elf = yes")
        plan = self.inspect()
        self.assertEqual((plan["command_line"], plan["stack_bytes"], len(plan["modules"])),
                         ("a=b; c", 0x5000, 1))

    def test_a_line_may_be_just_so_long(self):
        key = "cmdline = "
        self.config(key + "x" * (198 - len(key)))
        self.assertEqual(self.inspect()["command_line"], "x" * (198 - len(key)))
        self.refused("bootimage.ini:1: the line has 200 bytes, more than 199; go on in the next "
                     "line, behind blanks [config-line-long]", key + "x" * (199 - len(key)))

    def test_files_that_are_written_are_from_the_file_on(self):
        (self.folder / "sub").mkdir()
        self.config("output = made.img", "quiet = yes", "[test]", "record = noted",
                    name="sub/own.ini")
        self.assertEqual(self.tool("--config=sub/own.ini", "kernel.elf"), (0, "", ""))
        self.tool("test", "--config=sub/own.ini", "--qemu=/nonexistent", "kernel.elf")
        self.assertEqual(sorted(path.name for path in (self.folder / "sub").iterdir()),
                         ["made.img", "noted", "own.ini"])
        self.assertEqual(self.tool("--config=sub/own.ini", "kernel.elf", "-o", "here.img")[0], 0)
        self.assertIn("here.img", self.names())

    def test_paths_are_from_the_file_on(self):
        folder = "a,b=c"
        (self.folder / folder).mkdir()
        self.write(f"{folder}/kernel.elf", elf.kernel())
        self.write(f"{folder}/data", b"12345")
        self.config("module = data=name,arguments", "module = data", name=f"{folder}/bootimage.ini")
        modules = self.inspect("--module=kernel.elf", kernel=f"{folder}/kernel.elf")["modules"]
        self.assertEqual([(module["name"], module["bytes"]) for module in modules[:2]],
                         [("name", 5), ("data", 5)])
        self.assertEqual([module["name"] for module in modules], ["name", "data", "kernel.elf"])

    def test_the_image_is_made_with_it(self):
        self.config("output = made.img", "cmdline = x", "quiet = yes")
        self.assertEqual(self.tool("kernel.elf"), (0, "", ""))
        self.assertEqual(self.inspect(kernel="made.img", *["--config=/dev/null"])["command_line"],
                         "x")
        self.assertEqual(self.tool("verify", "made.img")[0], 0)


if __name__ == "__main__":
    support.main()
