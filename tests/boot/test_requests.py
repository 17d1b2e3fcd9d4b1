"""What contract 1.1 adds, asked for and looked at by a kernel (kernels/requests.c)."""

import re

import machine
import suite

# How many checks requests.c makes.
CHECKS = 26
MODULES = 1000
LONGEST_COMMAND_LINE = 65535
# BOOTINFO_REQUEST_ by number, in the order of the types.
CONTRACT, STACK, MEMORY, IDENTITY, MAP, LEVELS, RECURSIVE, FRAMEBUFFER, CPUS = range(1, 10)
KERNEL_FILE = 10
OPTIONAL = 0x10000


def fnv1a(data):
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


class RequestsTest(suite.BootTest):
    def check(self, *options, kernel="requests", **how):
        """Boot the kernel; its values, and {type: [(met, words)]} of its requests."""
        values, count = self.boot(kernel, *options, **how)
        self.assertEqual(count, CHECKS)
        requests = {}
        for name, text in values.items():
            if re.fullmatch(r"request\d+", name):
                kind, met, *words = text.replace("not met", "unmet").split()
                requests.setdefault(int(kind, 16), []).append(
                    (met == "met", [int(word, 16) for word in words]))
        return values, requests

    def check_each_request(self, kernel, **how):
        values, requests = self.check(kernel=kernel, **how)
        self.assertEqual(requests, {
            CONTRACT: [(True, [0x10004, 0, 0, 0])],
            STACK: [(True, [0x20000, 0, 0, 0])],
            MEMORY: [(True, [0x1000000, 0, 0, 0])],
            IDENTITY: [(True, [0, 0, 0, 0])],
            MAP: [(True, [0xffffc90000000000, 0xfed00000, 0x1000, 5]),
                  (True, [0xffffc90000200000, 0x400000, 0x200000, 9]),
                  (True, [0xffffc90000400000, 0x400000, 0x200000, 2]),
                  (True, [0x4000000, 0, 0xf0000000, 0])],
            RECURSIVE: [(True, [400, 0, 0, 0])],
            LEVELS | OPTIONAL: [(False, [5, 0, 0, 0])],
            FRAMEBUFFER | OPTIONAL: [(True, [0, 0, 0, 0])],
            CPUS: [(True, [1, 0, 0, 0])],
            KERNEL_FILE: [(True, [1, 0, 0, 0])],
        })
        self.assertEqual(int(values["page_levels"], 16), 4)
        self.assertEqual(int(values["stack_bytes"], 16), 0x20000)
        self.assertEqual(int(values["cpu_count"], 16), int(how.get("processors", "1")))

    def test_each_request_is_met_and_told(self):
        self.check_each_request("requests")

    def test_in_cxx(self):
        self.check_each_request("requests-cc", processors="2")

    def test_in_assembly(self):
        self.check_each_request("requests-asm", machine="q35")

    def test_a_cpu_without_nx(self):
        self.check_each_request("requests", cpu="qemu64,-nx")

    def test_five_levels_where_the_cpu_has_them(self):
        values, requests = self.check(cpu="max,la57=on", machine="q35", memory="5120M")
        self.assertEqual(requests[LEVELS | OPTIONAL], [(True, [5, 0, 0, 0])])
        self.assertEqual(int(values["page_levels"], 16), 5)

    def test_the_kernel_s_own_file(self):
        values, _ = self.check()
        file = self.kernel("requests").read_bytes()
        self.assertEqual(int(values["kernel_file_bytes"], 16), len(file))
        self.assertEqual(int(values["kernel_file_hash"], 16), fnv1a(file))

    def test_an_option_overrides_the_note(self):
        values, requests = self.check("--stack-size=1M")
        self.assertEqual(requests[STACK], [(True, [0x100000, 0, 0, 0])])
        self.assertEqual(int(values["stack_bytes"], 16), 0x100000)

    def test_many_modules_and_the_longest_command_line(self):
        sizes = [0, 1, 4095, 4096, 4097] + [3] * (MODULES - 5)
        options = ["--cmdline", "c" * LONGEST_COMMAND_LINE]
        for index, size in enumerate(sizes):
            file = self.folder / f"m{index:04}"
            file.write_bytes(bytes((at * 7 + index) % 256 for at in range(size)))
            options += ["--module", f"{file},first, of many" if index == 0 else str(file)]
        values, _ = self.check(*options, **self.used_memory(128))
        self.assertEqual(int(values["module_count"], 16), MODULES)
        self.assertEqual(int(values["command_line_bytes"], 16), LONGEST_COMMAND_LINE)

    def test_a_large_module_takes_its_time(self):
        """Each of the three times of loading is far above that of the kernel alone. Here a tick is
        an instruction: real time depends on what else the host does."""
        file = self.folder / "m0000"
        file.write_bytes(bytes(at * 7 % 256 for at in range(256)) * 2**12)
        counting = {"arguments": ["-icount", "shift=0,sleep=off"]}
        alone, _ = self.check(**counting)
        with_module, _ = self.check("--module", f"{file},first, of many", **counting)
        for name in ("ticks_read", "ticks_copy", "ticks_check"):
            self.assertGreater(int(with_module[name], 16), 10 * int(alone[name], 16), name)

    def test_not_enough_memory(self):
        with machine.Machine(self.package(self.kernel("requests")), memory="12M") as guest:
            guest.wait_for_debugcon("bootimage: E17")


if __name__ == "__main__":
    suite.main()
