"""How usage has changed since the time before, in words."""

from metering.usage.figures import Figures

COMPARED = ("requests", "p50_ms", "first_p50_ms", "tokens", "cost")


def changes(now: Figures, before: Figures) -> dict[str, str]:
    """By figure; what there was nothing of before is left out."""
    if not before.requests:
        return {}
    found = {name: _part(getattr(now, name), getattr(before, name)) for name in COMPARED}
    points = round((now.error_share - before.error_share) * 100, 1)
    return {**found, "error_share": f"{_arrow(points)} {abs(points):g} points from the time before"}


def _part(now: float | None, before: float | None) -> str:
    if now is None or not before:
        return ""
    change = round((float(now) / float(before) - 1) * 100)
    return f"{_arrow(change)} {abs(change)}% from the time before"


def _arrow(change: float) -> str:
    return "↑" if change > 0 else "↓" if change < 0 else "→"
