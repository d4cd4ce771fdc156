"""How an anomaly is told to people and to webhooks."""

import datetime as dt
from typing import Any

from metering.anomalies.detecting import Judged
from metering.anomalies.hours import Beside
from metering.models import AlertKind
from metering.usage.figures import MICROS

HOUR = dt.timedelta(hours=1)
NAMES = {
    AlertKind.LATENCY: "the 95th percentile of latency",
    AlertKind.ERRORS: "the share of failed requests",
    AlertKind.COST: "the cost of serving",
}
TITLES = {
    AlertKind.LATENCY: "latency is unusually high",
    AlertKind.ERRORS: "unusually many requests fail",
    AlertKind.COST: "cost is unusually high",
}


def title_of(kind: AlertKind, model: str) -> str:
    return f"{model or 'All models'}: {TITLES[kind]}"


def text_of(kind: AlertKind, beside: Beside, judged: Judged, start: dt.datetime) -> str:
    return (
        f"{beside.model or 'All models'}: {NAMES[kind]} was {_shown(kind, judged.value)} on {start.day} {start:%B}, "
        f"{start:%H:%M} to {start + HOUR:%H:%M} (UTC). On a {start:%A} at that time it usually is "
        f"{_shown(kind, judged.usual)}."
    )


def data_of(kind: AlertKind, beside: Beside, judged: Judged, start: dt.datetime) -> dict[str, Any]:
    unit = MICROS if kind == AlertKind.COST else 1
    return {
        "kind": kind.value,
        "model": beside.model or None,
        "hour": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "value": round(judged.value / unit, 6),
        "usual": round(judged.usual / unit, 6),
        "requests": beside.hour.requests,
    }


def _shown(kind: AlertKind, value: float) -> str:
    if kind == AlertKind.LATENCY:
        return f"{value:,.0f} ms"
    return f"{value:.1%}" if kind == AlertKind.ERRORS else f"${value / MICROS:,.2f}"
