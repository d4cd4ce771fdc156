"""What is predicted when an adapter comes to an endpoint, and how far off such predictions were.

A prediction has `p95_ms`, `waits_a_day` (requests that wait for a slot) and `memory_bytes` (all but the cache).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from lorakit.capacity.residency import characteristic_seconds, misses_a_day
from serving.backends.residency import Residency
from serving.capacity.twins import Twin
from serving.models import CapacityPrediction, Deployment

FEWEST_WAITS = 10
"""Fewer a day say more of chance than of the prediction."""

PLANNED_PARTS = ("base", "slots", "process")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """None for what can't be said."""

    p95_ms: float | None = None
    waits_a_day: float | None = None
    memory_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def predicted_for(twin: Twin, deployment: Deployment) -> Figures:
    """What is to be expected of the twin's endpoint with a deployment that has just come to it.

    It takes over the requests of its model ID. One that nobody has asked yet is expected to be asked as often as half
    of the others.
    """
    adapter = deployment.version.adapter_id
    siblings = {one.deployment.id for one in twin.adapters if one.deployment.version.adapter_id == adapter}
    taken_over = sum(one.rate for one in twin.adapters if one.deployment.id in siblings)
    asked = [one.rate for one in twin.adapters if one.rate]
    rate = taken_over or (median(asked) if asked else 0.0)
    others = [
        one.rate / twin.copies
        for one in twin.adapters
        if one.deployment.id not in siblings and not one.deployment.is_pinned
    ]
    rates = others if deployment.is_pinned else [*others, rate / twin.copies]
    seconds = characteristic_seconds(rates, twin.setup.slots - twin.pinned)
    demand = twin.demand
    if demand is not None and not taken_over:
        demand = demand.plus(rate / twin.copies)
    return Figures(
        p95_ms=demand.p95_ms if demand else None,
        waits_a_day=misses_a_day(rates, seconds) * twin.copies,
        memory_bytes=twin.plan.fixed,
    )


def measured_memory(residency: Residency | None) -> int | None:
    """The parts of the plan that are fixed, as the engine measures them; None if it doesn't say all."""
    if residency is None or not all(part in residency.memory for part in PLANNED_PARTS):
        return None
    return sum(residency.memory[part] for part in PLANNED_PARTS)


def median_errors(rows: Iterable[CapacityPrediction]) -> dict[str, float]:
    """By figure, the median share by which predictions missed what was measured; without figures that have no pair."""
    errors: dict[str, list[float]] = {}
    for row in rows:
        for name, predicted in row.predicted.items():
            measured = row.measured.get(name)
            if predicted is None or not measured or (name == "waits_a_day" and measured < FEWEST_WAITS):
                continue
            errors.setdefault(name, []).append(abs(predicted / measured - 1))
    return {name: median(shares) for name, shares in errors.items()}
