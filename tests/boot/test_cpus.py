"""The other CPUs: started, parked, and called by a kernel that has each tell its state
(kernels/cpus.c)."""

import re

import machine
import suite

# How many checks cpus.c makes.
CHECKS = 21


class CpusTest(suite.BootTest):
    def check(self, **how):
        """Boot the kernel; the (APIC id, processor id) of each CPU in the order of the list."""
        values, count = self.boot("cpus", **how)
        self.assertEqual(count, CHECKS)
        cpus = [tuple(map(int, value.split())) for name, value in values.items()
                if re.fullmatch(r"cpu\d+", name)]
        self.assertEqual(int(values["cpu_count"], 16), len(cpus))
        return cpus

    def test_eight(self):
        self.assertEqual(self.check(processors="8"), [(i, i) for i in range(8)])

    def test_eight_on_q35(self):
        self.assertEqual(self.check(processors="8", machine="q35"), [(i, i) for i in range(8)])

    def test_one(self):
        self.assertEqual(self.check(), [(0, 0)])

    def test_ids_with_holes(self):
        """Three cores in each of two packages: the ids leave room for a fourth."""
        cpus = self.check(processors="6,sockets=2,cores=3")
        self.assertEqual([apic_id for apic_id, _ in cpus], [0, 1, 2, 4, 5, 6])

    def test_a_cpu_that_is_not_there_yet(self):
        """It may be plugged in later: the table lists it, but not as enabled."""
        self.assertEqual(self.check(processors="2,maxcpus=4"), [(0, 0), (1, 1)])

    def test_without_acpi(self):
        """No table, no other CPUs."""
        self.assertEqual(self.check(processors="4", machine_options=",acpi=off"), [(0, 0)])

    def test_five_levels_and_used_memory(self):
        self.assertEqual(len(self.check(processors="3", cpu="max,la57=on", **self.used_memory(128))),
                         3)

    def test_stopped_where_nobody_asks(self):
        """Where the BIOS let them wait, when the kernel has come to its end."""
        with machine.Machine(self.package(self.kernel("contract-high")), processors="4") as guest:
            self.check_report(guest)
            self.assertEqual(guest.halted_processors() - {0}, {1, 2, 3})

    def test_every_cpu_in_turn(self):
        """Again and again: a race between two of them would show."""
        image = self.package(self.kernel("cpus"))
        for _ in range(5):
            with machine.Machine(image, processors="8") as guest:
                self.check_report(guest)


if __name__ == "__main__":
    suite.main()
