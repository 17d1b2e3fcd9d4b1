"""What memory does, tried out by kernels: accesses that must fault, and memory that must be free.
"""

import suite

RIGHTS_CHECKS = 20


class RightsTest(suite.BootTest):
    """kernels/rights.c."""

    def check_rights(self, kernel, **how):
        self.assertEqual(self.boot(kernel, **how)[1], RIGHTS_CHECKS)

    def test_linked_high(self):
        self.check_rights("rights-high")

    def test_linked_low_at_another_address_than_its_physical_one(self):
        self.check_rights("rights-low")

    def test_a_cpu_without_nx(self):
        self.check_rights("rights-high", cpu="qemu64,-nx")

    def test_a_cpu_with_everything(self):
        self.check_rights("rights-high", cpu="max")


if __name__ == "__main__":
    suite.main()
