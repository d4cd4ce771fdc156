"""Ledgers for bench/usage_kills.py, and what the sums of their rows are."""

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lorakit.contracts import InvocationRecord

FILES, ALIASES = 8, 4
REPEATED, LATE = 0.1, 0.05
KEPT_LINES = 5_000
"""Among which a repeated one is drawn."""


@dataclass
class Truth:
    """`sums` by tenant, hour, alias and name, each row counted once."""

    tenants: Sequence[str]
    count: int = 0
    sums: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def add(self, record: InvocationRecord) -> None:
        hour = dt.datetime.fromtimestamp(record.at, dt.UTC).replace(minute=0, second=0, microsecond=0)
        of = (record.tenant_id, hour, record.alias)
        self.count += 1
        for name, value in (
            ("requests", 1),
            ("failed", int(record.status >= 500)),
            ("prompt_tokens", record.prompt_tokens),
            ("busy_us", round((record.busy_ms or 0) * 1000)),
        ):
            self.sums[*of, name] += value

    def total(self, name: str) -> int:
        return sum(value for key, value in self.sums.items() if key[-1] == name)


def write_ledgers(folder: Path, tenants: Sequence[str], rows: int) -> Truth:
    """Files of lines: a tenth are lines that were written before, in any file, a twentieth are up to 40 days late."""
    rng, now, truth = random.Random(3), time.time(), Truth(tenants)
    files = [(folder / f"gateway-{number}.jsonl").open("w") for number in range(FILES)]
    written: list[str] = []
    for number in range(rows):
        if written and rng.random() < REPEATED:
            line = rng.choice(written)
        else:
            ago = 86_400 * 40 if rng.random() < LATE else 3_600 * 6
            record = InvocationRecord(
                request_id=f"req-{number:032x}", at=now - 60 - ago * rng.random(), tenant_id=rng.choice(tenants),
                key_id=tenants[0], alias=f"desk-{rng.randrange(ALIASES)}", version_id=tenants[0], deployment="a-1",
                endpoint="shared", queue_ms=1.5, status=200 if rng.random() < 0.98 else 503, error_code="",
                prompt_tokens=rng.randrange(500), completion_tokens=50, latency_ms=round(rng.lognormvariate(5, 0.5), 3),
                first_token_ms=20.0, busy_ms=round(60 * rng.random(), 3), streamed=False,
            )  # fmt: skip
            truth.add(record)
            line = record.to_json() + "\n"
            if len(written) < KEPT_LINES:
                written.append(line)
            else:
                written[rng.randrange(KEPT_LINES)] = line
        rng.choice(files).write(line)
    for file in files:
        file.close()
    return truth
