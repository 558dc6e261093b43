"""Mutated files against the readers: only qbench's own errors may come out, soon and without much memory."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable

from qbench.errors import EnvironmentLacks, UserError

# How many files a test mutates; `make soak` asks for 10,000.
COUNT = int(os.environ.get("QBENCH_MUTATIONS", "150"))
FIRST = int(os.environ.get("QBENCH_FIRST_MUTATION", "0"))
SECONDS = 10.0
KIB = 4 << 20  # that a test's whole process may grow by

EXTREMES = (-(1 << 31), -(1 << 15), -129, -2, -1, 0, 1, 2, 3, 127, 255, 1 << 15, 1 << 24, (1 << 31) - 1)


def hold(read: Callable[[bytes], object], made: Callable[[int], bytes], count: int = COUNT) -> Counter[str]:
    """Read mutated files, and say how they ended.

    Args:
        read: reads a file's bytes, and computes with it.
        made: the mutated file of a number.
        count: of files.
    """
    ends: Counter[str] = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(FIRST, FIRST + count):
        content = made(number)
        start = time.process_time()
        try:
            read(content)
            ends["read"] += 1
        except (UserError, EnvironmentLacks):
            ends["refused"] += 1
        except BaseException as error:
            raise AssertionError(f"mutation {number} ended in {type(error).__name__}: {error}") from error
        assert time.process_time() - start < SECONDS, f"mutation {number} took too long"
    sys.stdout.write(f"{dict(ends)}\n")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < KIB, f"{grown:,} KiB more memory than before"
    return ends
