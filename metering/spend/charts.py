"""Plotly figures of how an endpoint was used, as plain dictionaries. Hours that nothing is known of are gaps."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from metering.spend.use import HourOfUse
from metering.usage.charts import Axis

Use = Mapping[dt.datetime, HourOfUse]
NOTHING = HourOfUse()


def adapters_figure(axis: Axis, use: Use, *, room: int | None) -> dict[str, Any]:
    """The most adapters at a time, and how many there is room for now, if that is known."""
    data = [_curve(axis, use, "Adapters", "adapters", shape="hv")]
    if room is not None:
        line = {"dash": "dot", "color": "--chart-text"}
        ends = [axis.x[0], axis.x[-1]]
        data.append({"type": "scatter", "mode": "lines", "name": "Room", "x": ends, "y": [room, room], "line": line})
    of = f" of {room}" if room is not None else ""
    return _figure(axis, data, "Adapters", f"Adapters on the endpoint. {_peak(use, 'adapters', of)}")


def used_figure(axis: Axis, use: Use) -> dict[str, Any]:
    """The share of its time that was used, in per cent."""
    data = _curves(axis, use, {"Used": "used_percent"})
    return _figure(axis, data, "Per cent", f"Time used. {_peak(use, 'used_percent', '%')}")


def machines_figure(axis: Axis, use: Use) -> dict[str, Any]:
    """GPUs, processors and their memory as a cloud saw them, means in per cent."""
    names = {
        "GPU": "gpu_percent",
        "GPU memory": "gpu_memory_percent",
        "Processor": "cpu_percent",
        "Memory": "memory_percent",
    }
    data = _curves(axis, use, names)
    told = [_peak(use, column, "%", f"{name}, most") for name, column in names.items() if _has(use, column)]
    return _figure(axis, data, "Per cent", f"GPU and memory. {' '.join(told) or 'Nothing known.'}")


def memory_figure(axis: Axis, use: Use) -> dict[str, Any]:
    """The most that each part of the engine's memory took, in MiB."""
    names = {
        "Base model": "base_mib",
        "Adapter slots": "slots_mib",
        "Key-value cache": "cache_mib",
        "Engine": "process_mib",
    }
    data = _curves(axis, use, names)
    told = [_peak(use, column, " MiB", f"{name}, most") for name, column in names.items() if _has(use, column)]
    return _figure(axis, data, "MiB", f"The engine’s memory. {' '.join(told) or 'Nothing known.'}")


def requests_figure(axis: Axis, use: Use) -> dict[str, Any]:
    """The most requests at a time, and the most that waited, on an instance."""
    data = _curves(axis, use, {"Answered at a time": "concurrency", "Waiting at a time": "waiting"})
    return _figure(axis, data, "Requests", f"Requests at a time. {_peak(use, 'concurrency', '')}")


def _figure(axis: Axis, data: Sequence[dict[str, Any]], title: str, label: str) -> dict[str, Any]:
    return {"data": list(data), "layout": axis.layout(title), "label": label}


def _curves(axis: Axis, use: Use, columns: Mapping[str, str]) -> list[dict[str, Any]]:
    return [_curve(axis, use, name, column) for name, column in columns.items() if _has(use, column)]


def _curve(axis: Axis, use: Use, name: str, column: str, **line: Any) -> dict[str, Any]:
    values = [getattr(use.get(time, NOTHING), column) for time in axis.times]
    shown = [None if value is None else round(value, 2) for value in values]
    looks = {"mode": "lines+markers", "marker": {"size": 4}, "line": line, "connectgaps": False}
    return {"type": "scatter", "name": name, "y": shown, **looks}


def _has(use: Use, column: str) -> bool:
    return any(getattr(one, column) is not None for one in use.values())


def _peak(use: Use, column: str, unit: str, name: str = "Most") -> str:
    found = [(value, time) for time, one in use.items() if (value := getattr(one, column)) is not None]
    if not found:
        return "Nothing known."
    most, time = max(found)
    return f"{name}: {most:,.0f}{unit}, {time:%-d %B, %H:%M} UTC."
