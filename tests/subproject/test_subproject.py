"""The consumer project builds its kernel image with bootimage as a subproject, in a native and in a
cross build, the image boots, and `meson test` has the kernel's own tests in its list."""

import json
import shutil

from build import CROSS_FILE, SOURCE_ROOT, BuildTest
from machine import Machine
from suite import main


class SubprojectTest(BuildTest):
    def consumer(self):
        """The consumer project with the sources under test as its subproject."""
        consumer = self.folder / "consumer"
        shutil.copytree(SOURCE_ROOT / "tests" / "subproject" / "consumer", consumer)
        (consumer / "subprojects" / "bootimage").symlink_to(SOURCE_ROOT, target_is_directory=True)
        return consumer

    def check(self, *arguments):
        build = self.build(self.consumer(), *arguments)
        self.assertEqual(self.installed(build), [], "a subproject installs nothing")
        with Machine(build / "bootimage-consumer.bin") as machine:
            machine.wait_for_debugcon("consumer: booted by bootimage from a subproject\n")

        self.check_tests(build)

    def check_tests(self, build):
        """Not skipped: a test of a cross-built program is, and one that prints no TAP."""
        self.meson("test", "-C", build, "--no-rebuild")
        log = (build / "meson-logs" / "testlog.json").read_text()
        tests = [json.loads(line) for line in log.splitlines()]
        self.assertEqual([(test["name"], test["result"]) for test in tests], [("boots", "OK")])
        self.assertIn("ok 1 - boot information\nok 2 - memcpy", tests[0]["stdout"])

    def test_native(self):
        self.check()

    def test_cross(self):
        self.check("--cross-file", CROSS_FILE)


if __name__ == "__main__":
    main()
