"""Int 1Ah: what the real-time clock says, and what the kernel is told of it."""

import calendar

import shim
import suite
from shim import ABSENT, ANSWER


def decimal(high, low):
    """Two numbers below 100, each as two decimal digits in a byte."""
    return int(f"{high:02}{low:02}", 16)


def clock(year, month, day, hour=0, minute=0, second=0):
    """The settings of a clock that says so."""
    return {"clock": ANSWER, "clock_date_cx": decimal(year // 100, year % 100),
            "clock_date_dx": decimal(month, day), "clock_time_cx": decimal(hour, minute),
            "clock_time_dx": decimal(second, 0)}


class ClockTest(shim.ShimTest):
    def check_clock(self, seconds, **settings):
        values, _ = self.check_boots(met=["clock_calls"], **settings)
        self.assertEqual(int(values["wall_clock_s"], 16), seconds)

    @shim.each({
        "the first second after 1970-01-01": {"date": (1970, 1, 1, 0, 0, 1)},
        "the end of February": {"date": (2023, 2, 28, 23, 59, 59)},
        "a leap day": {"date": (2024, 2, 29, 12, 34, 56)},
        "the day behind a leap day": {"date": (2024, 3, 1)},
        "a leap day that ends a century": {"date": (2000, 2, 29)},
        "a century without a leap day": {"date": (2100, 3, 1)},
        "the last second of a year": {"date": (1999, 12, 31, 23, 59, 59)},
        "behind the end of 32-bit time": {"date": (2106, 2, 7, 6, 28, 16)},
        "the last century": {"date": (9999, 12, 31, 23, 59, 59)},
    })
    def date(self, date):
        self.check_clock(calendar.timegm((*date, 0, 0, 0)[:6]), **clock(*date))

    @shim.each({
        "that is absent": {"clock": ABSENT},
        "of another century": clock(1899, 12, 31),
        "before 1970": clock(1969, 12, 31, 23, 59, 59),
        "of month 0": clock(2024, 0, 1),
        "of month 13": clock(2024, 13, 1),
        "of day 0": clock(2024, 1, 0),
        "of day 32": clock(2024, 1, 32),
        "of hour 24": clock(2024, 1, 1, 24),
        "of minute 60": clock(2024, 1, 1, 0, 60),
        "of second 60": clock(2024, 1, 1, 0, 0, 60),
        "that is not decimal": {**clock(2024, 1, 1), "clock_date_cx": 0x202A},
        "of junk": {"clock": ANSWER, "clock_date_cx": shim.JUNK, "clock_date_dx": shim.JUNK,
                    "clock_time_cx": shim.JUNK, "clock_time_dx": shim.JUNK},
    })
    def no_clock(self, **settings):
        self.check_clock(0, **settings)


if __name__ == "__main__":
    suite.main()
