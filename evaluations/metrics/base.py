"""The contract of a metric: how close a model's answers are to the references."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, ClassVar, Literal, TypeVar

from jobs.aliases import merge_options

T = TypeVar("T")


class Answers:
    """One model's answers to the rows of a set, in order.

    `logprobs` holds the natural log-probability of each whole answer, the sum over its tokens, or None where the
    server gave none. Raises ValueError if the lengths differ.
    """

    def __init__(
        self,
        references: Sequence[str],
        texts: Sequence[str],
        logprobs: Sequence[float | None] | None = None,
    ) -> None:
        self.references = references
        self.texts = texts
        self.logprobs = [None] * len(texts) if logprobs is None else logprobs
        if not len(self.references) == len(self.texts) == len(self.logprobs):
            raise ValueError("references, texts and logprobs must have the same length")
        self._shared: dict[Any, Any] = {}
        self._whole: tuple[Answers, Sequence[int]] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, places: Sequence[int]) -> "Answers":
        """The answers at these places, which share what was computed for each row of the whole."""
        part = Answers(
            [self.references[place] for place in places],
            [self.texts[place] for place in places],
            [self.logprobs[place] for place in places],
        )
        part._whole = self, places
        return part

    def shared(self, compute: Callable[["Answers"], T]) -> T:
        """`compute(self)`, kept for as long as the answers are, so that related metrics do their work once."""
        if compute not in self._shared:
            self._shared[compute] = compute(self)
        result: T = self._shared[compute]
        return result

    def by_row(self, compute: Callable[["Answers"], list[T]]) -> list[T]:
        """Like `shared`, where `compute` gives one value for each row that depends on that row alone."""
        if self._whole is None:
            return self.shared(compute)
        whole, places = self._whole
        column = whole.by_row(compute)
        return [column[place] for place in places]


class Metric(ABC):
    """One metric.

    `name` is what the field calls it, `title` is what people read, `note` says what it means in one sentence,
    `lowest` and `highest` are its range, and `version` changes whenever the same answers may get another score.
    """

    name: ClassVar[str]
    title: str
    note: str
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0
    higher_is_better: ClassVar[bool] = True
    scope: ClassVar[Literal["row", "set"]]
    version: str = "1"
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self.settings = merge_options("METRICS", alias, self.options, options)

    def unavailable(self, answers: Answers) -> str:
        """Why the metric does not apply to these answers, as a sentence; empty if it does."""
        return "" if len(answers) else "There are no rows."

    @abstractmethod
    def value(self, answers: Answers) -> float | None:
        """The figure of the whole set, `lowest` to `highest`, or None if nothing in it can be scored."""

    def details(self, answers: Answers) -> dict[str, Any]:
        """What a page shows beside the figure, ready for JSON."""
        return {}


class RowMetric(Metric):
    """A metric with a score for each row; the figure of a set is their mean."""

    scope = "row"

    @abstractmethod
    def scores(self, answers: Answers) -> list[float | None]:
        """A score for each row, None where the metric does not apply to the reference."""

    def score(self, reference: str, answer: str) -> float | None:
        """The score of a row by itself."""
        return self.scores(Answers([reference], [answer]))[0]

    def value(self, answers: Answers) -> float | None:
        known = [score for score in answers.by_row(self.scores) if score is not None]
        return fmean(known) if known else None


class PairMetric(RowMetric):
    """A metric whose score of a row depends on that row alone."""

    @abstractmethod
    def score(self, reference: str, answer: str) -> float | None:
        """`lowest` to `highest`, or None if the metric does not apply to this reference."""

    def scores(self, answers: Answers) -> list[float | None]:
        return [self.score(*pair) for pair in zip(answers.references, answers.texts, strict=True)]


class SetMetric(Metric):
    """A metric of a set as a whole, without scores of single rows."""

    scope = "set"
