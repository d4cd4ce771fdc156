"""The fair queue: deficit round robin among tenants, each within its own limit (Shreedhar and Varghese, 1995)."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

QUANTUM = 1.0


@dataclass
class Waiting:
    """One tenant's queue: `jobs` as (id, cost units), oldest first. `free` more may start; `credit` is unspent."""

    tenant_id: UUID
    jobs: deque[tuple[UUID, float]]
    free: int
    credit: float = 0.0


def pick(waiting: Sequence[Waiting], *, slots: int) -> tuple[list[UUID], Mapping[UUID, float]]:
    """The ids of the jobs to start now, in order, and the credit left per tenant.

    `waiting` begins with the tenant whose turn it is. Each round adds one quantum to every tenant that still has a
    job and room for it, and starts what its credit pays for. A tenant with nothing left to start keeps no credit.
    The round ends when the slots run out, so a tenant that was not reached saves up no credit for a burst.
    """
    chosen: list[UUID] = []
    credit = {queue.tenant_id: queue.credit for queue in waiting}
    round_ = [queue for queue in waiting if queue.jobs and queue.free > 0]
    while round_ and slots > 0:
        for queue in round_:
            if slots <= 0:
                break
            credit[queue.tenant_id] += QUANTUM
            while queue.jobs and queue.free > 0 and slots > 0 and queue.jobs[0][1] <= credit[queue.tenant_id]:
                job_id, cost = queue.jobs.popleft()
                credit[queue.tenant_id] -= cost
                queue.free -= 1
                slots -= 1
                chosen.append(job_id)
            if not queue.jobs:
                credit[queue.tenant_id] = 0.0
        round_ = [queue for queue in round_ if queue.jobs and queue.free > 0]
    return chosen, credit
