"""The contract of a judge: a prompt in, a verdict out, or one of the errors of `errors.py`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from evaluations.judges.backends.usage import Price, Usage
from evaluations.judges.prompts import CORRECT, Choice, Prompt, prompt_for
from jobs.aliases import merge_options

Message = dict[str, Any]

LOWEST, HIGHEST = 1.0, 5.0


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A grade from 1 (wrong) to 5 (as good as the reference) with its reason in plain words."""

    score: float
    reason: str

    def __post_init__(self) -> None:
        if not LOWEST <= self.score <= HIGHEST:
            raise ValueError(f"a grade is from 1 to 5, not {self.score}")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A judge's reply to one prompt: a grade of one answer, or which of two is better.

    `distribution` gives probabilities by the prompt's choices and sums to 1; `score` is the mean of their values.
    `basis` says what they are: the probabilities of the choice's token (`logprobs`), shares of repeated replies
    (`samples`), or a rule's only choice (`rule`). `raw` are the replies as they came.
    """

    score: float
    distribution: Mapping[Choice, float]
    basis: Literal["logprobs", "samples", "rule"]
    reason: str
    raw: tuple[str, ...]
    usage: Usage


@dataclass(frozen=True, kw_only=True)
class Completion:
    """A model's own answer to a chat. `log_probability` is of the whole answer, None where the server gives none."""

    text: str
    log_probability: float | None
    usage: Usage


class Judge(ABC):
    """One judge. `is_llm` says whether a language model gives the grades; `label` is what people read.

    `ask` may be called by several threads at once. It tries once: `calling.Caller` tries again. `revision` rises when
    the class computes other verdicts from the same options.
    """

    label: str
    is_llm: ClassVar[bool]
    revision: ClassVar[int] = 1
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self.settings = merge_options("JUDGES", alias, self.options, options)
        self.price = self.own_price
        """What its calls cost. `evaluations.judges.prices` sets it where the judge's own settings have none."""

    @property
    def own_price(self) -> Price:
        """What its settings say."""
        return Price(self.settings.get("PRICE_IN"), self.settings.get("PRICE_OUT"))

    @property
    def priced_as(self) -> tuple[str, str] | None:
        """Model and region by which a price book may know its price; None if it can't."""
        return None

    @abstractmethod
    def ask(self, prompt: Prompt) -> Verdict:
        """The verdict on the prompt's answers. Raises JudgeError.

        An answer is data: whatever it asks of its grader must not change the verdict.
        """

    def judge(self, *, messages: Sequence[Message], reference: str, answer: str) -> Judgement:
        """Grade `answer` to `messages` by correctness. Raises JudgeError."""
        verdict = self.ask(prompt_for(CORRECT, messages=messages, reference=reference, answer=answer))
        return Judgement(score=verdict.score, reason=verdict.reason)


def mean(distribution: Mapping[Choice, float], prompt: Prompt) -> float:
    """The expected value of the prompt's choices."""
    return sum(prompt.choices[choice] * probability for choice, probability in distribution.items())
