"""Medians, spreads and tables: what the benchmarks print."""

import statistics


class Samples:
    """What the runs of one thing gave, in one unit."""

    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)

    def median(self):
        return statistics.median(self.values)

    def spread(self):
        """From the least to the greatest, as a part of the median."""
        return (max(self.values) - min(self.values)) / self.median()

    def text(self, scale=1.0, digits=2):
        return f"{self.median() * scale:.{digits}f} ±{self.spread() / 2:.0%}"


def table(heading, rows):
    """Print rows of texts under a heading, each column as wide as it must be."""
    widths = [max(len(row[i]) for row in [heading, *rows]) for i in range(len(heading))]
    for row in [heading, *rows]:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip(), flush=True)


def size_text(size_bytes):
    return f"{size_bytes // 2**20} MiB" if size_bytes >= 2**20 else f"{size_bytes // 2**10} KiB"
