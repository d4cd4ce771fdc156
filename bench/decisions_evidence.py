"""Evidence of many courses of reviews at once, held against `lorakit.stats` on some of them."""

from collections.abc import Callable
from math import inf, log

import numpy as np

from bench.decisions_rates import Array
from lorakit.stats.evidence import DECISIVE, FRACTIONS, START, add_gain, log_evidence
from lorakit.stats.gains import Gains

CHECKED = 10
"""Courses of each kind that are computed by `lorakit.stats` too."""


def first_looks(values: Array, risk: float | Array) -> Array:
    """For each course (a line of gains) the review at which its evidence first suffices, infinity for none.

    `risk` is the greatest loss, of all courses or of each.
    """
    bets = np.outer(np.broadcast_to(1 / np.asarray(risk), len(values)), FRACTIONS)
    wealth = np.ones(bets.shape)
    first = np.full(len(values), inf)
    going = np.arange(len(values))
    for place in range(values.shape[1]):
        # A bet this far down adds nothing any more, and smaller numbers are slow.
        wealth = np.maximum(wealth * (1 + bets * values[going, place, None]), 1e-200)
        enough = wealth.mean(axis=1) >= DECISIVE
        if enough.any():
            first[going[enough]] = place + 1
            wealth, bets, going = wealth[~enough], bets[~enough], going[~enough]
    return first


def first_look(found: Gains, *, decline: bool = False) -> float:
    """The same for one course, review by review with `lorakit.stats`."""
    logs, risk, sign = START, found.risk_up, 1
    if decline:
        risk, sign = found.risk_down, -1
    for place, value in enumerate(found.values, 1):
        logs = add_gain(logs, sign * value, risk=risk)
        if log_evidence(logs) >= log(DECISIVE):
            return place
    return inf


def count_differences(first: Array, of_course: Callable[[int], Gains], *, decline: bool = False) -> int:
    """Of the first courses, those for which `lorakit.stats` decides at another review; half of them decided ones."""
    decided = np.flatnonzero(np.isfinite(first))[: CHECKED // 2]
    places = [*range(CHECKED // 2), *decided.tolist()]
    return sum(first_look(of_course(place), decline=decline) != first[place] for place in places)
