"""How fast the collector takes the ledgers of a site with many tenants."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

from bench.scale_measure import processor_ms
from bench.scale_site import SEED
from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from tenants.models import Tenant

RECORDS, FILES, ALIASES = 60_000, 4, 4


def rate(tenants: Sequence[Tenant], folder: Path) -> float:
    """Rows a second of processor time, this process's and the database's, so as one core would take them.

    The records are of every tenant's four aliases in turns.
    """
    folder.mkdir()
    rng, now = random.Random(SEED), time.time()
    files = [(folder / f"{folder.name}-{number}.jsonl").open("w") for number in range(FILES)]
    for number in range(RECORDS):
        tenant = tenants[number % len(tenants)]
        record = InvocationRecord(
            request_id=f"req-{rng.getrandbits(128):032x}", at=now - 3_600 * rng.random(), tenant_id=str(tenant.id),
            key_id=str(tenant.id), alias=f"desk-{rng.randrange(ALIASES)}", version_id=str(tenant.id), deployment="a-1",
            endpoint="shared", queue_ms=1.5,
            status=200 if rng.random() < 0.98 else 503, error_code="", prompt_tokens=100, completion_tokens=50,
            latency_ms=round(rng.lognormvariate(5, 0.5), 3), first_token_ms=20.0, busy_ms=60.0, streamed=False,
        )  # fmt: skip
        files[number % FILES].write(record.to_json() + "\n")
    for file in files:
        file.close()
    began = processor_ms()
    added = collect(folder)
    seconds = (processor_ms() - began) / 1000
    assert added == RECORDS
    return added / seconds
