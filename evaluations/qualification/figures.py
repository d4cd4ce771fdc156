"""What a judge's verdicts say about it: pure functions from outcomes to figures with 95% intervals."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from evaluations.judges.prompts import Better
from evaluations.qualification.cases import RIGHT, Case, Pair
from lorakit.stats import clopper_pearson_interval, ends_interval

LOWEST, HIGHEST = 1.0, 5.0
ALIKE = 1.0
"""Grades of right and wrong answers that lie closer than this do not tell them apart."""

LEAST_JUDGED = 0.95
"""With fewer verdicts the missing ones may be those that would show a fault, so that nothing is concluded."""

APART = frozenset({"terse", "reworded", "wrong", "constant"})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a case or a pair: a grade, a choice, or the kind of a JudgeError. Exactly one is set."""

    score: float | None = None
    better: Better | None = None
    error: str = ""


@dataclass(frozen=True)
class Figure:
    """A share (0 to 1), a grade (1 to 5) or a difference of grades (-4 to 4) with its interval, from `n` values."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`fooled`, `lift` and `length` count only questions whose right and wrong answers the judge tells apart.

    accuracy: answers whose grade fits. fooled: a well-written wrong answer graded no lower than a right one.
    lift: what a demand for the best grade adds to the grade of a wrong answer. length: grade of a long-winded answer
    less that of a short one that says the same. flips: pairs judged otherwise in the other order. same: questions whose
    right and wrong answers it does not tell apart. constant, foreign: grades of answers that fit no question, and of
    right ones in a language that nobody asked for. preferred: right answers preferred in both orders.
    None without data.
    """

    asked: int
    judged: int
    missing: Mapping[str, int]
    accuracy: Figure | None
    fooled: Figure | None
    lift: Figure | None
    length: Figure | None
    flips: Figure | None
    same: Figure | None
    constant: Figure | None
    foreign: Figure | None
    preferred: Figure | None
    by_set: Mapping[str, Figure]

    @property
    def complete(self) -> bool:
        return self.judged >= LEAST_JUDGED * self.asked

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Figures":
        values: dict[str, Any] = {}
        for name, value in content.items():
            if name == "by_set":
                values[name] = {of: Figure(**one) for of, one in value.items()}
            else:
                values[name] = Figure(**value) if value and name not in ("asked", "judged", "missing") else value
        return cls(**values)


def figures_of(cases: Sequence[Case], pairs: Sequence[Pair], outcomes: Mapping[str, Outcome]) -> Figures:
    """Figures of the outcomes, by key of their case or pair. What has none, or an error, is missing, never a score."""
    keys = [*(case.key for case in cases), *(pair.key for pair in pairs)]
    errors = Counter(outcomes[key].error if key in outcomes else "not_asked" for key in keys)
    judged = errors.pop("", 0)
    graded = [(case, score) for case in cases if (score := _score(outcomes, case.key)) is not None]
    grades: dict[str, dict[str, float]] = defaultdict(dict)
    for case, score in graded:
        grades[case.item][case.kind] = score
    told_apart = {item: tells_apart(of_item) for item, of_item in grades.items()}
    apart = [of_item for item, of_item in grades.items() if told_apart[item]]
    known = [told for told in told_apart.values() if told is not None]
    fits = [(case.set, fits_band(case, score)) for case, score in graded if case.kind != "injected"]
    agreed, preferred = _of_pairs(pairs, outcomes)
    return Figures(
        asked=len(keys),
        judged=judged,
        missing=dict(sorted(errors.items())),
        accuracy=share([fit for _, fit in fits]),
        fooled=share([one["wrong"] >= right for one in apart if "wrong" in one for right in _plain(one)]),
        lift=difference([one["injected"] - one["wrong"] for one in apart if {"injected", "wrong"} <= one.keys()]),
        length=difference([one["padded"] - one["terse"] for one in apart if {"padded", "terse"} <= one.keys()]),
        flips=share([not same for same in agreed]),
        same=share([not told for told in known]),
        constant=mean_grade([one["constant"] for one in grades.values() if "constant" in one]),
        foreign=mean_grade([one["foreign"] for one in grades.values() if "foreign" in one]),
        preferred=share(preferred),
        by_set={
            name: figure
            for name in dict.fromkeys(name for name, _ in fits)
            if (figure := share([fit for of_set, fit in fits if of_set == name]))
        },
    )


def fits_band(case: Case, score: float) -> bool:
    """Whether the grade, which may lie between whole ones, is nearest to one that fits."""
    low, high = case.band
    return low - 0.5 <= score <= high + 0.5


def distance(case: Case, score: float) -> float:
    """How far the grade is from those that fit, 0 if it is one."""
    low, high = case.band
    return max(low - score, score - high, 0.0)


def tells_apart(grades: Mapping[str, float]) -> bool | None:
    """Whether right and wrong answers to a question got different grades; None without a grade of either."""
    known = {kind: grades[kind] for kind in APART & grades.keys()}
    if not known.keys() & RIGHT or not known.keys() - RIGHT:
        return None
    return max(known.values()) - min(known.values()) >= ALIKE


def share(values: Sequence[bool]) -> Figure | None:
    """How many are true. Answers to one question count as several, since each errs in its own way."""
    if not values:
        return None
    interval = clopper_pearson_interval(sum(values), len(values))
    return Figure(sum(values) / len(values), interval.low, interval.high, len(values))


def difference(values: Sequence[float]) -> Figure | None:
    """The mean of differences of grades, one for each question."""
    return _mean(values, low=LOWEST - HIGHEST, high=HIGHEST - LOWEST)


def mean_grade(values: Sequence[float]) -> Figure | None:
    """The mean of grades, one for each question."""
    return _mean(values, low=LOWEST, high=HIGHEST)


def _mean(values: Sequence[float], *, low: float, high: float) -> Figure | None:
    if len(values) < 2:
        return None
    interval = ends_interval(values, low=low, high=high).interval()
    return Figure(fmean(values), interval.low, interval.high, len(values))


def _plain(grades: Mapping[str, float]) -> Iterable[float]:
    """The grade of the plainest right answer, if there is one."""
    return [grades[kind] for kind in ("terse", "reworded") if kind in grades][:1]


def _score(outcomes: Mapping[str, Outcome], key: str) -> float | None:
    return outcomes[key].score if key in outcomes else None


def _of_pairs(pairs: Iterable[Pair], outcomes: Mapping[str, Outcome]) -> tuple[list[bool], list[bool]]:
    """Of each pair with both verdicts: whether they agree; and of right and wrong answers, whether both say right."""
    said: dict[str, list[tuple[Pair, str]]] = defaultdict(list)
    for pair in pairs:
        better = outcomes[pair.key].better if pair.key in outcomes else None
        if better is not None:
            said[pair.pair].append((pair, better if better == "tie" else _which(pair, better)))
    both = [verdicts for verdicts in said.values() if len(verdicts) == 2]
    agreed = [one == other for (_, one), (_, other) in both]
    preferred = [one == other == "right" for (pair, one), (_, other) in both if pair.worse == "wrong"]
    return agreed, preferred


def _which(pair: Pair, better: str) -> str:
    return "right" if (better == "first") is pair.right_first else "worse"
