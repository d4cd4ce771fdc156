"""Whether training was needed, as pages and REST say it."""

from dataclasses import dataclass
from decimal import Decimal

from evaluations.models import EvaluationRun, ModelKind
from evaluations.runs.need.compared import Compared, Need, Verdict, need_of
from evaluations.runs.need.likeness_words import part_titles, repeats_sentence
from evaluations.runs.need.words import HEADINGS, difference, rows_in_words, sentence, value
from evaluations.runs.report import metric_title
from evaluations.runs.stages.scoring import RIGHT
from evaluations.texts import similarity_text


@dataclass(frozen=True, kw_only=True)
class Line:
    """A model as text. `won` and `lost` are rows that the version wins and loses against it, None where not known."""

    key: str
    name: str
    how: str
    score: str
    interval: str
    difference: str
    verdict: str
    won: int | None
    lost: int | None
    prompt_tokens: str
    tokens: str
    seconds: str
    usd_of_1000: float | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class PartLine:
    """Rows as similar as `similarity` to the training rows; `scores` are (name, score, interval) of models."""

    title: str
    similarity: str
    rows: int
    scores: list[tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class LikenessPanel:
    """The rows in thirds by similarity, the least similar first, and what the first third says."""

    by: str
    sentence: str
    parts: list[PartLine]


@dataclass(frozen=True, kw_only=True)
class NeedPanel:
    """`lines` are the version and its alternatives, best first; `metric` is the title of what they are compared by.

    `left_out` are the training rows that were not searched because they are asked. `usd_per_hour` is the price of the
    machine that the models ran on, None where it is not known.
    """

    verdict: Verdict
    heading: str
    sentence: str
    metric: str
    own: str
    decisive: str
    lines: list[Line]
    likeness: LikenessPanel | None
    left_out: int
    usd_per_hour: Decimal | None

    @property
    def is_exact(self) -> bool:
        """Whether rows are right or wrong, so that the grid has those that were won and lost."""
        return self.metric == metric_title(RIGHT)


def need_panel(run: EvaluationRun) -> NeedPanel | None:
    """None of an evaluation without alternatives."""
    need = need_of(run)
    if need is None:
        return None
    others = sorted(need.alternatives, key=lambda one: (-one.score, one.tokens))
    return NeedPanel(
        verdict=need.verdict,
        heading=HEADINGS[need.verdict],
        sentence=sentence(need),
        metric=metric_title(need.metric),
        own=need.own.key,
        decisive=need.decisive.key,
        lines=[_line(need, one) for one in [need.own, *others]],
        likeness=_likeness(need) if need.likeness and need.likeness.parts else None,
        left_out=max(one.left_out for one in need.alternatives),
        usd_per_hour=need.own.usd_per_hour,
    )


def duration(seconds: float | None) -> str:
    """Time of an answer with its unit; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 0.1:
        return f"{1000 * seconds:.1f} ms" if seconds >= 0.0001 else "below 0.1 ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:,.0f} s"


def _likeness(need: Need) -> LikenessPanel:
    likeness = need.likeness
    assert likeness is not None  # noqa: S101 - the caller looked
    names = {one.key: one.name for one in [need.own, *need.alternatives]}
    keys = [key for key in likeness.parts[0].scores if key in names]
    return LikenessPanel(
        by=likeness.by,
        sentence=repeats_sentence(need),
        parts=[
            PartLine(
                title=title,
                similarity=similarity_range(part.low, part.high),
                rows=part.rows,
                scores=[
                    (names[key], value(need, part.scores[key]), _interval(need, part.intervals.get(key)))
                    for key in keys
                ],
            )
            for title, part in zip(part_titles(likeness), likeness.parts, strict=True)
        ],
    )


def similarity_range(low: float, high: float) -> str:
    """Cosines as pages show them."""
    least, most = similarity_text(low), similarity_text(high)
    return least if least == most else f"{least} to {most}"


def _interval(need: Need, found: tuple[float, float] | None) -> str:
    return f"{100 * found[0]:.0f} to {100 * found[1]:.0f}%" if found and need.metric == RIGHT else ""


def _line(need: Need, one: Compared) -> Line:
    facts, found = one.facts, one.difference
    is_exact, is_own = need.metric == RIGHT, one is need.own
    has_interval = is_exact and facts.get("low") is not None
    return Line(
        key=one.key,
        name=one.name,
        how="" if is_own else _how(one),
        score=value(need, one.score),
        interval=f"{100 * facts['low']:.0f} to {100 * facts['high']:.0f}%" if has_interval else "",
        difference="" if is_own else difference(need, one),
        verdict="" if is_own else one.verdict,
        won=found["better"] if found and is_exact else None,
        lost=found["worse"] if found and is_exact else None,
        prompt_tokens=_count(facts.get("prompt_tokens")),
        tokens=_count(facts.get("tokens")),
        seconds=duration(facts.get("seconds")),
        usd_of_1000=one.usd_of_1000,
        sentence="" if is_own else rows_in_words(need, one),
    )


def _how(one: Compared) -> str:
    found = f"found by {one.likeness} among {one.training_rows:,}"
    match one.key:
        case ModelKind.FEW_SHOT:
            shown = one.facts.get("examples") or 0.0
            return f"{round(shown, 1):g} training rows in its prompt on average, {found}"
        case ModelKind.LOOK_UP:
            return f"the answer of the most similar training row, {found}"
        case ModelKind.CLASSIFIER:
            return f"the label with the most similar training rows, {found}"
    return "the prompt alone"


def _count(tokens: float | None) -> str:
    return "" if tokens is None else f"{tokens:,.0f}"
