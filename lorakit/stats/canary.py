"""Evidence that callers of a new version fare worse than those of the live one, looked at after every caller.

A caller is the unit, in one arm for good by a hash of their own: requests of one caller resemble each other, and
counting requests halts 16% to 22% of harmless canaries. `x` in [0, 1] says how badly a caller fared in a first
window, and a canary receives `share` of the callers, fixed beforehand. Halt where the evidence reaches DECISIVE: at
most 5% of harmless canaries ever do, and 1.5% where an outage hits both arms.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp

from lorakit.stats.evidence import START, add_gain, log_evidence


@dataclass(frozen=True, kw_only=True)
class Callers:
    """`count` callers of one arm who fared alike."""

    in_canary: bool
    x: float
    count: int = 1


def evidence_of_harm(callers: Iterable[Callers], *, share: float) -> float:
    """E-value against the null that callers of the canary fare no worse. Raises ValueError for x outside [0, 1]."""
    return _evidence(callers, expected=share, sign=1.0, risk=share)


def evidence_of_safety(callers: Iterable[Callers], *, share: float, ratio: float = 2.0) -> float:
    """E-value against the null that callers of the canary fare at least `ratio` times as badly.

    Raises ValueError for x outside [0, 1].
    """
    expected = share * ratio / (share * ratio + 1 - share)
    return _evidence(callers, expected=expected, sign=-1.0, risk=1 - expected)


def _evidence(callers: Iterable[Callers], *, expected: float, sign: float, risk: float) -> float:
    logs = START
    for alike in callers:
        if not 0 <= alike.x <= 1:
            raise ValueError("how a caller fared must lie between 0 and 1")
        logs = add_gain(logs, sign * (alike.in_canary - expected) * alike.x, risk=risk, times=alike.count)
    return exp(min(log_evidence(logs), 700.0))
