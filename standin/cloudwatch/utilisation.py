"""How busy a base's process is, as SageMaker publishes it of components and endpoints: processor, memory and disk.

There is no GPU, so nothing of one is published.
"""

import os
import shutil
import time
from pathlib import Path

from standin.cloudwatch.metrics import Metrics
from standin.cloudwatch.published import OF_COMPONENTS, OF_ENDPOINTS

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
MEMORY = os.sysconf("SC_PHYS_PAGES") * PAGE


class Utilisation:
    """Publishes shares in per cent, of the whole machine."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seen: dict[int, tuple[float, float]] = {}

    def sample(self, *, component: str, endpoint: str, pid: int, folder: Path, now: float) -> None:
        """Look at a process. Its processor time counts since the look before, so the first one tells none of it."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        except (OSError, IndexError):
            return
        used, at = (int(fields[11]) + int(fields[12])) / TICKS, time.monotonic()
        seen = self._seen.get(pid)
        self._seen[pid] = used, at
        disk = shutil.disk_usage(folder)
        shares = {"Memory": 100 * resident / MEMORY}
        if seen is not None and at > seen[1]:
            shares["CPU"] = min(100.0, 100 * (used - seen[0]) / (at - seen[1]) / (os.cpu_count() or 1))
        for what, share in shares.items():
            name = f"{what}UtilizationNormalized"
            self._metrics.add(name, {"InferenceComponentName": component}, now, share, namespace=OF_COMPONENTS)
        shares["Disk"] = 100 * disk.used / disk.total
        for what, share in shares.items():
            dimensions = {"EndpointName": endpoint, "VariantName": "AllTraffic"}
            self._metrics.add(f"{what}Utilization", dimensions, now, share, namespace=OF_ENDPOINTS)
