"""What a judging comes to: each model's mean grade, each pair's wins and losses, and whether enough is judged. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Literal

from evaluations.judges.backends.base import HIGHEST, LOWEST
from evaluations.judging.coverage import why_incomplete
from evaluations.judging.grades import AnswerGrade
from evaluations.judging.plan import Pair, Plan, Row
from evaluations.judging.preferences import LENGTHS, Length, RowPreference, length_of
from evaluations.judging.results import RowResult
from lorakit.stats import Estimate, cluster_interval, ends_interval
from lorakit.stats.clusters import FEWEST_CLUSTERS


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """One model's grades, from 1 to 5, over the `judged` of the `rows` that it answered.

    `low` to `high` is the 95% interval of the mean, by prompt where rows repeat one; None for fewer than two. `spread`
    is the judges' mean disagreement, None for a single judge. `missing` counts required scores by why they are missing.
    """

    model: str
    rows: int
    judged: int
    mean: float | None
    low: float | None
    high: float | None
    spread: float | None
    by_criterion: Mapping[str, float | None]
    by_judge: Mapping[str, float | None]
    missing: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class LengthBucket:
    """Rows where the first model's answer is much `shorter` or `longer` than the second's, or about as long."""

    length: Length
    judged: int
    win_rate: float | None


@dataclass(frozen=True, kw_only=True)
class PairSummary:
    """The first model of `pair` against the second; a tie is half a win in `win_rate`, 0 to 1.

    `low` to `high` is its 95% interval and `p_value` two-sided, that neither is better; `units` are rows, or prompts
    where rows repeat one. `flip_rate` is the share of comparisons whose winner depended on the order.
    """

    pair: Pair
    rows: int
    judged: int
    wins: int
    ties: int
    losses: int
    win_rate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    units: int
    flip_rate: float | None
    by_length: tuple[LengthBucket, ...]
    missing: Mapping[str, int]

    @property
    def verdict(self) -> Literal["better", "worse", "unclear", "too few"]:
        """Of the first model; better only from 20 independent units on."""
        if self.low is None or self.high is None or self.win_rate is None or self.low <= 0.5 <= self.high:
            return "unclear"
        if self.win_rate < 0.5:
            return "worse"
        return "better" if self.units >= FEWEST_CLUSTERS else "too few"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`complete` says whether enough of every model and pair is judged, `why` in a sentence why not."""

    models: tuple[ModelSummary, ...]
    pairs: tuple[PairSummary, ...]
    complete: bool
    why: str


class Tally:
    """Takes in results one at a time: one for all rows, or one for each slice."""

    def __init__(self, plan: Plan) -> None:
        self._models: dict[str, _Model] = {}
        self._pairs = {pair: _Pair() for pair in plan.pairs}

    def add(self, result: RowResult) -> None:
        for model, grade in result.grades.items():
            self._models.setdefault(model, _Model()).add(result.row, grade)
        for pair, preference in result.preferences.items():
            self._pairs[pair].add(result.row, pair, preference)

    def summary(self, *, names: Mapping[str, str] | None = None, left: Mapping[str, int] | None = None) -> Summary:
        """`names` are those of the models for people, `left` counts passing failures of the last attempt, by why."""
        models = tuple(tally.summary(model) for model, tally in self._models.items())
        pairs = tuple(tally.summary(pair) for pair, tally in self._pairs.items())

        def name(model: str) -> str:
            return (names or {}).get(model, model)

        parts = [(f"the answers of {name(one.model)}", one.judged, one.rows, one.missing) for one in models]
        parts += [
            (f"the comparisons of {name(one.pair[0])} with {name(one.pair[1])}", one.judged, one.rows, one.missing)
            for one in pairs
        ]
        why = why_incomplete(parts, left or {})
        return Summary(models=models, pairs=pairs, complete=not why, why=why)


def summarise(
    plan: Plan,
    found: Iterable[RowResult],
    *,
    names: Mapping[str, str] | None = None,
    left: Mapping[str, int] | None = None,
) -> Summary:
    """The summary of all of them; see `Tally.summary`."""
    tally = Tally(plan)
    for result in found:
        tally.add(result)
    return tally.summary(names=names, left=left)


@dataclass
class _Units:
    """Values by unit: rows, or prompts where rows repeat one."""

    sums: dict[str, float] = field(default_factory=dict)
    sizes: Counter[str] = field(default_factory=Counter)

    def add(self, unit: str, value: float) -> None:
        self.sums[unit] = self.sums.get(unit, 0.0) + value
        self.sizes[unit] += 1

    @property
    def count(self) -> int:
        return self.sizes.total()

    @property
    def mean(self) -> float | None:
        return fsum(self.sums.values()) / self.count if self.count else None

    def estimate(self, *, low: float, high: float) -> Estimate | None:
        if len(self.sums) < 2:
            return None
        if len(self.sums) < self.count:
            sizes = [self.sizes[unit] for unit in self.sums]
            return cluster_interval([*self.sums.values()], sizes, low=low, high=high)
        return ends_interval([*self.sums.values()], low=low, high=high)


@dataclass
class _Mean:
    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total += value
            self.count += 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass
class _Model:
    rows: int = 0
    grades: _Units = field(default_factory=_Units)
    spread: _Mean = field(default_factory=_Mean)
    by_criterion: dict[str, _Mean] = field(default_factory=dict)
    by_judge: dict[str, _Mean] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, grade: AnswerGrade) -> None:
        self.rows += 1
        self.missing.update(grade.missing)
        for means, values in ((self.by_criterion, grade.by_criterion), (self.by_judge, grade.by_judge)):
            for name, value in values.items():
                means.setdefault(name, _Mean()).add(value)
        if grade.grade is not None:
            self.grades.add(row.prompt_key, grade.grade)
            self.spread.add(grade.spread)

    def summary(self, model: str) -> ModelSummary:
        estimate = self.grades.estimate(low=LOWEST, high=HIGHEST)
        interval = estimate.interval() if estimate else None
        return ModelSummary(
            model=model,
            rows=self.rows,
            judged=self.grades.count,
            mean=self.grades.mean,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            spread=self.spread.value,
            by_criterion={name: mean.value for name, mean in self.by_criterion.items()},
            by_judge={name: mean.value for name, mean in self.by_judge.items()},
            missing=dict(self.missing),
        )


@dataclass
class _Pair:
    rows: int = 0
    outcomes: Counter[int] = field(default_factory=Counter)
    units: _Units = field(default_factory=_Units)
    comparisons: int = 0
    flips: int = 0
    by_length: dict[Length, _Mean] = field(default_factory=lambda: {length: _Mean() for length in LENGTHS})
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, pair: Pair, found: RowPreference) -> None:
        self.rows += 1
        self.missing.update(found.missing)
        self.comparisons += found.comparisons
        self.flips += found.flips
        if found.outcome is not None:
            self.outcomes[found.outcome] += 1
            self.units.add(row.prompt_key, found.outcome)
            self.by_length[length_of(row.answers[pair[0]], row.answers[pair[1]])].add(_win(found.outcome))

    def summary(self, pair: Pair) -> PairSummary:
        estimate = self.units.estimate(low=-1.0, high=1.0)
        interval = estimate.interval() if estimate else None
        mean = self.units.mean
        return PairSummary(
            pair=pair,
            rows=self.rows,
            judged=self.units.count,
            wins=self.outcomes[1],
            ties=self.outcomes[0],
            losses=self.outcomes[-1],
            win_rate=None if mean is None else _win(mean),
            low=_win(interval.low) if interval else None,
            high=_win(interval.high) if interval else None,
            p_value=estimate.p_value() if estimate else None,
            units=len(self.units.sums),
            flip_rate=self.flips / self.comparisons if self.comparisons else None,
            by_length=tuple(
                LengthBucket(length=length, judged=mean.count, win_rate=mean.value)
                for length, mean in self.by_length.items()
            ),
            missing=dict(self.missing),
        )


def _win(outcome: float) -> float:
    """From -1, 0 and 1 to 0, one half and 1."""
    return (outcome + 1.0) / 2.0
