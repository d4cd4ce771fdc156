"""A judge that asks a language model, as often as its verdict needs."""

import time
from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from evaluations.judges.backends.base import Judge, Verdict, mean
from evaluations.judges.backends.errors import JudgeError
from evaluations.judges.backends.replies import Parsed
from evaluations.judges.backends.usage import NOTHING, Usage
from evaluations.judges.prompts import Prompt


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One reply of a model. `usage` has tokens; calls, time and cost are added to it."""

    parsed: Parsed
    raw: str
    usage: Usage


class SamplingJudge(Judge):
    """The mean by the choice's token probabilities where the model gives them, else of `SAMPLES` replies.

    `TEMPERATURE` above 0 makes replies differ; at 0 one reply is asked for, since others would be the same.
    `PRICE_IN` and `PRICE_OUT` are US dollars per million tokens.
    """

    is_llm = True
    options: ClassVar[dict[str, Any]] = {
        "MODEL": "",
        "TEMPERATURE": 0.0,
        "SAMPLES": 3,
        "MAX_TOKENS": 512,
        "TIMEOUT_SECONDS": 60.0,
        "PRICE_IN": None,
        "PRICE_OUT": None,
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        if not self.settings["MODEL"]:
            raise ValueError(f"JUDGES[{alias!r}] names no MODEL")
        self.label = f"{self.settings['MODEL']} (language model)"

    @abstractmethod
    def reply(self, prompt: Prompt) -> Reply:
        """One reply of the model. Raises JudgeError with the tokens that the failed call used."""

    def ask(self, prompt: Prompt) -> Verdict:
        wanted = self.settings["SAMPLES"] if self.settings["TEMPERATURE"] > 0 else 1
        replies: list[Reply] = []
        usage = NOTHING
        for _ in range(wanted):
            started = time.perf_counter()
            try:
                reply = self.reply(prompt)
            except JudgeError as error:
                error.usage = usage + self._charged(error.usage, started)
                raise
            usage += self._charged(reply.usage, started)
            replies.append(reply)
            if reply.parsed.distribution is not None:
                return self._verdict(prompt, [reply], usage)
        return self._verdict(prompt, replies, usage)

    def _charged(self, usage: Usage, started: float) -> Usage:
        return self.price.of(replace(usage, calls=1, latency_ms=(time.perf_counter() - started) * 1000))

    def _verdict(self, prompt: Prompt, replies: list[Reply], usage: Usage) -> Verdict:
        weighted = replies[-1].parsed.distribution
        counts = Counter(reply.parsed.choice for reply in replies)
        shares = {choice: counts[choice] / len(replies) for choice in prompt.choices if choice in counts}
        distribution = weighted or shares
        score = mean(distribution, prompt)
        # The reason of the reply whose choice is nearest to the mean.
        nearest = min(replies, key=lambda reply: abs(prompt.choices[reply.parsed.choice] - score))
        return Verdict(
            score=score,
            distribution=distribution,
            basis="logprobs" if weighted else "samples",
            reason=nearest.parsed.reason,
            raw=tuple(reply.raw for reply in replies),
            usage=usage,
        )
