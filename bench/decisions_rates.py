"""Shares of simulated courses, with what the simulation leaves open."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GRADES = np.arange(1.0, 6.0)
LIKELY = np.array([0.08, 0.12, 0.25, 0.35, 0.20])
"""How often each grade from 1 to 5 is given, where nothing else is said: 3.47 on average."""


def rate(name: str, hits: Flags) -> dict[str, float]:
    """Percentage of courses that are hits, and its standard error."""
    share = float(hits.mean())
    return {f"{name}_percent": 100 * share, f"{name}_se": 100 * float(np.sqrt(share * (1 - share) / hits.size))}


def rate_in_groups(name: str, hits: Flags) -> dict[str, float]:
    """The same where each line of `hits` shares something random, such as a baseline: lines are independent."""
    shares = hits.mean(axis=1)
    error = float(shares.std(ddof=1) / np.sqrt(len(shares)))
    return {f"{name}_percent": 100 * float(shares.mean()), f"{name}_se": 100 * error}


def extreme(name: str, rates: Mapping[str, float], *, highest: bool) -> dict[str, float]:
    """The worst of several rates with its standard error, so that one goal holds for all."""
    keys = [key for key in rates if key.endswith("_percent")]
    worst = (max if highest else min)(keys, key=rates.__getitem__)
    return {f"{name}_percent": rates[worst], f"{name}_se": rates[worst.removesuffix("_percent") + "_se"]}
