"""Int 13h as BIOSes have it: with and without EDD, with limits, with failures, and with registers
and flags that do not survive a call."""

import struct

import machine
import shim
import suite
from image_file import SECTOR_BYTES, STAGE2_LBA

# More than 1 MiB of data, all of which the kernel compares.
LARGE = {"kernel": "plain-gcc"}
NO_EDD = {"edd_fails": 1}
BROKEN = {"bad_lba": 0, "bad_sectors": 0xFFFFFFFE}
ALL_TRASH = (shim.TRASH_UPPER | shim.TRASH_KNOWN | shim.TRASH_MORE | shim.TRASH_GDT |
             shim.TRASH_DIRECTION | shim.TRASH_INTERRUPT_ON)


def plan(image):
    return image.plan_lba


def last_sector(image):
    return image.image_sectors - 1


def last_of_loader(image):
    return STAGE2_LBA + image.stage2_sectors - 1


def longer_loader(image):
    """Let stage 1 read 160 sectors. What lies behind stage 2 it loads for nothing."""
    # The end of its packet: segment and LBA of the next read, most sectors in one, sectors left.
    layout = "<HQHH"
    now = struct.pack(layout, 0x7E0, 1, 127, image.stage2_sectors + 1)
    sector = image.path.read_bytes()[:SECTOR_BYTES]
    assert sector.count(now) == 1
    image.overwrite(sector.index(now), struct.pack(layout, 0x7E0, 1, 127, 160))


class EddTest(shim.ShimTest):
    @shim.each({
        "carry": {"edd_fails": 1},
        "signature": {"edd_signature": 0x55AA},
        "interfaces": {"edd_interfaces": 0x06},
        "interfaces nothing": {"edd_interfaces": 0},
    })
    def absent_says(self, **settings):
        self.check_boots(met=["chs_reads"], not_met=["packet_reads"], **settings)

    @shim.each({
        "packets alone": {"edd_interfaces": 0x01},
        "junk in the other bits": {"edd_interfaces": 0xFFFF},
    })
    def present_with(self, **settings):
        self.check_boots(met=["packet_reads"], not_met=["chs_reads"], **settings)

    @shim.each({
        "refused": {"size_fails": 1},
        "0 sectors": {"disk_sectors": 0},
        "just the image": {},
        "more than 32 bits": {"disk_sectors": 1 << 40},
    })
    def size_of_the_disk(self, **settings):
        self.check_boots(**settings)

    def test_a_disk_shorter_than_the_image(self):
        self.check_error("DISK_SHORT", disk_sectors=last_sector)


class GeometryTest(shim.ShimTest):
    """Cylinders, heads and sectors, where there is no EDD. The small tracks make stage 1, too, read
    from many heads and cylinders."""

    @shim.each({
        "16 heads of 63": {"heads": 16, "track_sectors": 63},
        "2 heads of 7": {"heads": 2, "track_sectors": 7},
        "3 heads of 5": {"heads": 3, "track_sectors": 5},
        "64 heads of 32": {"heads": 64, "track_sectors": 32},
        "255 heads of 63": {"heads": 255, "track_sectors": 63},
        "256 heads of 1": {"heads": 256, "track_sectors": 1},
    })
    def tracks(self, **settings):
        self.check_boots(**LARGE, **NO_EDD, met=["chs_reads", "reads_above_head_0"],
                         not_met=["failed_reads"], **settings)

    def test_cylinders_above_255(self):
        self.check_boots(**LARGE, **NO_EDD, heads=1, track_sectors=6,
                         met=["reads_above_cylinder_255"])

    def test_an_image_that_ends_behind_the_last_cylinder(self):
        self.check_error("DISK_SHORT", **LARGE, **NO_EDD, heads=1, track_sectors=3)

    def test_an_image_that_ends_in_the_last_cylinder(self):
        # 1,024 cylinders of 4 sectors hold the 3,142 of this image.
        self.check_boots(**LARGE, **NO_EDD, heads=1, track_sectors=4)

    def test_success_with_a_status(self):
        self.check_boots(**NO_EDD, success_status=0x11)

    def test_refused(self):
        self.check_error("STAGE1_DRIVE", "01", **NO_EDD, geometry_fails=1)

    def test_no_sectors(self):
        self.check_error("STAGE1_DRIVE", "00", **NO_EDD, track_sectors=0)

    def test_every_try_fails_but_the_last(self):
        self.check_boots(**NO_EDD, failures=7, needs_reset=1, heads=3, track_sectors=5)


class LimitTest(shim.ShimTest):
    @shim.each({
        "1": {"most_sectors": 1},
        "16": {"most_sectors": 16},
        "16 as DMA boundary": {"most_sectors": 16, "most_sectors_status": 0x09},
        "64": {"most_sectors": 64},
        "1 with success in AH": {"most_sectors": 1, "success_status": 0x42},
    })
    def sectors(self, **settings):
        self.check_boots(**LARGE, met=["failed_reads"], needs_reset=1, **settings)

    def test_1_sector_without_edd(self):
        self.check_boots(**LARGE, **NO_EDD, most_sectors=1, needs_reset=1, met=["failed_reads"])

    def test_a_loader_that_lies_across_64_kib(self):
        self.check_boots(change=longer_loader, not_met=["failed_reads"])

    def test_a_loader_that_lies_across_64_kib_without_edd(self):
        self.check_boots(**NO_EDD, change=longer_loader, not_met=["failed_reads"])

    def test_all_that_every_bios_takes_is_read_at_once(self):
        image = self.disk("plain-gcc")
        with machine.Machine(image) as guest:
            self.check_report(guest)
            self.check_shim(guest, [], ["failed_reads"])
            self.assertEqual(self.shim.counter(guest, "longest_read"), 127)


class FailureTest(shim.ShimTest):
    @shim.each({
        "1": {"failures": 1},
        "1 and reset": {"failures": 1, "needs_reset": 1},
        "3 and reset": {"failures": 3, "needs_reset": 1},
    })
    def every_transfer_fails_first(self, **settings):
        self.check_boots(**LARGE, met=["failed_reads", "resets"], **settings)

    def test_every_try_fails_but_the_last(self):
        self.check_boots(failures=7, needs_reset=1, met=["failed_reads"])

    @shim.each({
        "every try": {"told": "80", "failures": 8},
        "every sector": {"told": "10", **BROKEN},
        "every sector without EDD": {"told": "10", **BROKEN, **NO_EDD},
        "every sector and the direction": {
            "told": "10", **BROKEN, "disk_trash": ALL_TRASH, "video_trash": shim.TRASH_DIRECTION},
        "the header": {"told": "04", "bad_lba": 1, "bad_status": 0x04},
        "the last sector of the loader": {"told": "BB", "bad_lba": last_of_loader,
                                          "bad_status": 0xBB},
    })
    def stage_1(self, **settings):
        self.check_error("STAGE1_READ", met=["failed_reads"], **settings)

    @shim.each({
        "the plan": {"told": "sector 0x(40|1[0-9a-f]{2}), status 0x10", "bad_lba": plan},
        "the plan without EDD": {"told": "sector 0x(40|1[0-9a-f]{2}), status 0x10", "bad_lba": plan, **NO_EDD},
        "the payload": {"told": "status 0xaa", "bad_lba": last_sector, "bad_status": 0xAA},
        "the payload without a status": {"told": "status 0xff", "bad_lba": last_sector,
                                         "bad_status": 0},
        "trashed registers": {"told": "status 0x10", "bad_lba": plan, "disk_trash": ALL_TRASH,
                              "video_trash": ALL_TRASH},
    })
    def core(self, **settings):
        self.check_error("DISK_READ", met=["failed_reads"], **settings)


class RegisterTest(shim.ShimTest):
    @shim.each({
        "upper halves": {"disk_trash": shim.TRASH_UPPER},
        "DL ES SI BP": {"disk_trash": shim.TRASH_KNOWN},
        "BX CX DI FS GS": {"disk_trash": shim.TRASH_MORE},
        "GDTR": {"disk_trash": shim.TRASH_GDT},
        "direction flag": {"disk_trash": shim.TRASH_DIRECTION},
        "interrupts on": {"disk_trash": shim.TRASH_INTERRUPT_ON},
        "interrupts off": {"disk_trash": shim.TRASH_INTERRUPT_OFF},
        "everything": {"disk_trash": ALL_TRASH},
        "everything without EDD": {"disk_trash": ALL_TRASH, **NO_EDD, "heads": 3,
                                   "track_sectors": 5},
        "everything and failures": {"disk_trash": ALL_TRASH, "failures": 2, "needs_reset": 1},
        "16 KiB of stack": {"stack_bytes": 0x4000},
    })
    def trashed(self, **settings):
        self.check_boots(**LARGE, **settings)


if __name__ == "__main__":
    suite.main()
