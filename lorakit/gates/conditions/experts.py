"""Experts' verdicts, as evidence that may be looked at after every review."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from math import exp, log
from typing import Any, ClassVar, Self

from lorakit.gates.case import CAP, Case, Units
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import WrongPolicy, choice, fields, number
from lorakit.gates.outcome import Outcome, Outlook, State
from lorakit.stats.always_valid import betting_interval, betting_interval_with_judge
from lorakit.stats.evidence import DECISIVE, START, add_gain, log_evidence
from lorakit.stats.gains import Gains, JudgedRows, gains, gains_with_judge
from lorakit.stats.isotonic import Map
from lorakit.stats.more_reviews import forecast
from lorakit.stats.prediction_powered import prediction_powered_mean

VERDICTS = ("pass", "grade", "pair", "difference")
SCALES = {"pass": (0.0, 1.0), "grade": (1.0, 5.0), "pair": (-1.0, 1.0), "difference": (-4.0, 4.0)}
USUAL = {"pass": 0.7, "grade": 4.0, "pair": 0.0, "difference": 0.0}
PASSING = 4.0
FUTILE_FROM, FUTILE_EVERY = 30, 10
MOST_CATEGORIES = 60
LEAST_TO_COMPARE = 3


@dataclass(frozen=True, kw_only=True)
class ExpertVerdicts(Condition):
    """Experts' verdicts of random answers lie above `threshold` on average.

    `verdict` is what counts: the share of answers with a grade of `passing` or more (`pass`), the mean grade
    (`grade`), wins against losses in pairs (`pair`), or the difference of two grades (`difference`).
    """

    kind: ClassVar[str] = "experts"
    verdict: str = "pass"
    threshold: float = USUAL["pass"]
    passing: float = PASSING

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "verdict", "threshold", "passing"})
        verdict = choice(known.get("verdict", "pass"), f"{where}: “verdict”", VERDICTS)
        low, high = SCALES[verdict]
        threshold = number(known.get("threshold", USUAL[verdict]), f"{where}: “threshold”", low=low, high=high)
        if not low < threshold < high:
            raise WrongPolicy(f"{where}: “threshold” lies inside the scale, above {low:g} and below {high:g}.")
        passing = number(known.get("passing", PASSING), f"{where}: “passing”", low=1, high=5)
        return cls(verdict=verdict, threshold=threshold, passing=passing)

    def check(self, case: Case) -> Outcome:
        title, needs = self._title(), f"above {self._shown(self.threshold)}"
        mismatch = self._mismatch(case)
        if mismatch:
            return Outcome(state="undecided", title=title, shown="no reviews", needs=needs, why=mismatch,
                           limit=self.threshold, evidence="round")  # fmt: skip
        units = case.uniform()
        rows, values = units.rows[:CAP], [self._value(own, other) for own, other in units.values[:CAP]]
        judge = self._judge(case)
        enough = enough_for(case.attempt)
        walk = _walk(self._gains(rows, values, judge), enough)
        rows, values = rows[: walk.used], values[: walk.used]
        low, high = self._interval(rows, values, judge, enough)
        detail: dict[str, Any] = {
            "reviewed": len(values),
            "waiting": units.waiting,
            "skipped": units.skipped,
            "left_out": units.leaked,
            "cap": CAP,
            "attempt": case.attempt,
            "decisive": enough,
            "evidence_for": walk.promote,
            "evidence_against": walk.decline,
            "judge_weight": judge.weight if judge else 0.0,
        } | self._saved(rows, values, judge)
        outlook, why = None, ""
        if walk.state == "undecided" and len(values) >= CAP:
            state: State = "fails"
            why = f"Not shown in {CAP} reviews, the most that a decision takes."
        else:
            state = walk.state
            if state == "undecided":
                outlook = self._outlook(case, units, rows, values, judge, enough)
                why = _what_is_left(outlook, detail)
        return Outcome(
            state=state,
            title=title,
            shown=self._sentence(values, low, high),
            needs=needs,
            why=why,
            number=sum(values) / len(values) if values else None,
            low=low,
            high=high,
            limit=self.threshold,
            evidence="round",
            detail=detail,
            outlook=outlook,
        )

    def _title(self) -> str:
        return {
            "pass": f"Experts give {self.passing:g} or more",
            "grade": "Experts’ mean grade",
            "pair": "Experts prefer it in pairs",
            "difference": "Experts grade it higher",
        }[self.verdict]

    def _mismatch(self, case: Case) -> str:
        """Why no verdict of the round counts, empty if they do."""
        if case.round is None:
            return "Start a review round: experts’ verdicts are needed."
        shape = "pair" if self.verdict == "pair" else "single"
        if case.round.shape != shape:
            return "The review round shows pairs, and grades are needed." if shape == "single" else (
                "The review round shows single answers, and pairs are needed.")  # fmt: skip
        if self.verdict == "difference" and all(item.role == "own" for item in case.round.items):
            return "The review round has answers of one model only, and those of two are needed."
        return ""

    def _value(self, own: float, other: float | None) -> float:
        if self.verdict == "pass":
            return float(own >= self.passing)
        if self.verdict == "difference":
            return own - (other or 0.0)
        return own

    def _judge(self, case: Case) -> "_Judge | None":
        """The judge's scores on the scale of verdicts, where it controls: single answers, all of them graded."""
        control = case.control
        if control is None or not control.weight or self.verdict not in ("pass", "grade"):
            return None
        to_grade = Map(control.scores, control.grades)
        scores = {
            row.number: to_grade(row.answers["own"].judge)
            for row in case.counted
            if row.answers["own"].judge is not None
        }
        if self.verdict == "pass":
            scores = {row: float(score >= self.passing) for row, score in scores.items()}
        complete = scores and len(scores) == len(case.counted)
        return _Judge(weight=control.weight, scores=scores) if complete else None

    def _gains(self, rows: tuple[int, ...], values: list[float], judge: "_Judge | None") -> Gains:
        low, high = SCALES[self.verdict]
        if judge is None:
            return gains(values, threshold=self.threshold, low=low, high=high)
        return gains_with_judge(
            values, [judge.scores[row] for row in rows], rows=judge.rows, weight=judge.weight,
            threshold=self.threshold, low=low, high=high,
        )  # fmt: skip

    def _interval(
        self, rows: tuple[int, ...], values: list[float], judge: "_Judge | None", enough: float
    ) -> tuple[float | None, float | None]:
        low, high = SCALES[self.verdict]
        if not values:
            return None, None
        if judge is None:
            found = betting_interval(values, low=low, high=high, enough=enough)
        else:
            judged = [judge.scores[row] for row in rows]
            found = betting_interval_with_judge(
                values, judged, rows=judge.rows, weight=judge.weight, low=low, high=high, enough=enough
            )
        return found.low, found.high

    def _saved(self, rows: tuple[int, ...], values: list[float], judge: "_Judge | None") -> dict[str, float]:
        """The share of labels that the judge saves, as measured on these verdicts."""
        if judge is None or len(values) < LEAST_TO_COMPARE:
            return {}
        others = [score for row, score in judge.scores.items() if row not in set(rows)]
        if len(others) < 2:
            return {}
        low, high = SCALES[self.verdict]
        judged = [judge.scores[row] for row in rows]
        return {"labels_saved": prediction_powered_mean(values, judged, others, low=low, high=high).saved}

    def _outlook(
        self, case: Case, units: Units, rows: tuple[int, ...], values: list[float], judge: "_Judge | None",
        enough: float,
    ) -> Outlook:  # fmt: skip
        low, high = SCALES[self.verdict]
        usual = {"pass": [0.0, 1.0], "grade": [1.0, 2.0, 3.0, 4.0, 5.0], "pair": [-1.0, 0.0, 1.0]}
        verdicts = sorted({*usual.get(self.verdict, [-2.0, -1.0, 0.0, 1.0, 2.0]), *values})
        pairs, prior = [(value, 0.0) for value in verdicts], [1.0] * len(verdicts)
        seen = [(value, 0.0) for value in values]
        if judge is not None:
            shares = dict.fromkeys(sorted({*judge.scores.values()}), 0)
            if len(shares) * len(verdicts) <= MOST_CATEGORIES:
                for score in judge.scores.values():
                    shares[score] += 1
                pairs = list(product(verdicts, shares))
                prior = [2 * shares[score] / len(judge.scores) / len(verdicts) for _, score in pairs]
                seen = list(zip(values, (judge.scores[row] for row in rows), strict=True))
            else:
                judge = None
        counts = [seen.count(pair) for pair in pairs]
        if judge is None:
            categories = gains([value for value, _ in pairs], threshold=self.threshold, low=low, high=high)
        else:
            categories = gains_with_judge(
                [value for value, _ in pairs], [score for _, score in pairs], rows=judge.rows, weight=judge.weight,
                threshold=self.threshold, low=low, high=high,
            )  # fmt: skip
        found = forecast(counts, categories, cap=CAP, seed=_seed(self.to_dict(), counts), prior=prior, enough=enough)
        pace = case.round.seconds if case.round else None
        each = (case.round.reviewers_per_item if case.round else 1) * (2 if self.verdict == "difference" else 1)
        more = found.median if found.median is not None else CAP - len(values)
        return Outlook(
            early=found.early,
            median=found.median,
            late=found.late,
            promote=found.promote,
            decline=found.decline,
            neither=found.neither,
            hours=more * each * pace / 3600 if pace is not None else None,
            hopeless=found.hopeless and len(values) >= FUTILE_FROM and not len(values) % FUTILE_EVERY,
        )

    def _shown(self, value: float) -> str:
        return f"{value:.0%}" if self.verdict == "pass" else f"{value:.2f}"

    def _sentence(self, values: list[float], low: float | None, high: float | None) -> str:
        if not values or low is None or high is None:
            return "no reviews yet"
        between = f"[{self._shown(low)}, {self._shown(high)}]"
        if self.verdict == "pass":
            return f"{sum(values):.0f} of {len(values)} {between}"
        if self.verdict == "pair":
            wins, losses = values.count(1.0), values.count(-1.0)
            return f"{wins} better, {losses} worse, {len(values) - wins - losses} equal {between}"
        return f"{sum(values) / len(values):.2f} {between} from {len(values)} reviews"


@dataclass(frozen=True, kw_only=True)
class _Judge:
    """`scores` of all rows that count, on the scale of verdicts."""

    weight: float
    scores: Mapping[int, float]

    @property
    def rows(self) -> JudgedRows:
        scores = list(self.scores.values())
        return JudgedRows(mean=sum(scores) / len(scores), lowest=min(scores), highest=max(scores))


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """Where the evidence first sufficed, or stands now; `used` reviews led there."""

    state: State
    used: int
    promote: float
    decline: float


def enough_for(attempt: int) -> float:
    """The evidence that decides: 20 for a version's first decision, 20·j(j + 1) for the j-th."""
    return DECISIVE if attempt == 1 else DECISIVE * attempt * (attempt + 1)


def _walk(found: Gains, enough: float) -> _Walk:
    """The first crossing decides: later verdicts change nothing, and a revoked one is as if it had never been."""
    up, down = START, START
    for used, value in enumerate(found.values, 1):
        up, down = add_gain(up, value, risk=found.risk_up), add_gain(down, -value, risk=found.risk_down)
        for state, logs in (("passes", up), ("fails", down)):
            if log_evidence(logs) >= log(enough):
                decided: State = "passes" if state == "passes" else "fails"
                return _Walk(state=decided, used=used, promote=_evidence(up), decline=_evidence(down))
    return _Walk(state="undecided", used=len(found.values), promote=_evidence(up), decline=_evidence(down))


def _evidence(logs: tuple[float, ...]) -> float:
    return exp(min(log_evidence(logs), 700.0))


def _seed(condition: Mapping[str, Any], counts: list[int]) -> int:
    return int.from_bytes(sha256(repr((sorted(condition.items()), counts)).encode()).digest()[:8])


def _what_is_left(outlook: Outlook, detail: Mapping[str, Any]) -> str:
    if outlook.hopeless:
        return "Experts are unlikely to show this: stopping here saves their time and costs no validity."
    if outlook.median is None:
        return f"{CAP} reviews may not be enough to settle it."
    return f"About {outlook.median} more review{'' if outlook.median == 1 else 's'}."
