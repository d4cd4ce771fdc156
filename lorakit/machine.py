"""What this machine has, or what its container may use of it."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMORY_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def processors(cgroup: Path = CGROUP) -> int:
    """The number of processors, at least 1: those this process may run on, and no more than its container's quota."""
    mine = len(os.sched_getaffinity(0))
    try:
        quota, period = map(int, (cgroup / "cpu.max").read_text().split())
    except (OSError, ValueError):
        # "max" is no limit.
        return mine
    return max(1, min(mine, quota // period))


def memory_bytes(cgroup: Path = CGROUP) -> int:
    """Memory in bytes."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in MEMORY_LIMITS:
        try:
            return min(total, int((cgroup / limit).read_text()))
        except (OSError, ValueError):
            continue
    return total
