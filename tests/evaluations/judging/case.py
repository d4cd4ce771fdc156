"""A small evaluation to judge: a rubric, rows with answers, and jurors that behave as told."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from evaluations.judges.backends.base import Judge, Verdict, mean
from evaluations.judges.backends.errors import JudgeError
from evaluations.judges.backends.reference import compared, graded
from evaluations.judges.backends.usage import Usage
from evaluations.judges.calling import Breaker, Caller
from evaluations.judges.prompts import Choice, GradePrompt, PairPrompt, Prompt
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Row
from evaluations.rubrics.document import RubricDocument, parsed

Respond = Callable[[Prompt], Choice | JudgeError]

RUBRIC: dict[str, Any] = {
    "name": "Clauses",
    "instructions": "Grade by the expected answer.",
    "criteria": [
        {"name": "Correctness", "description": "Is it right?", "weight": 2},
        {"name": "Brevity", "description": "Is it short?", "scale": [1, 3], "required": False},
    ],
}


def rubric(**changes: Any) -> RubricDocument:
    return parsed({**RUBRIC, **changes})


def one_criterion() -> RubricDocument:
    return rubric(criteria=RUBRIC["criteria"][:1])


def row(number: int, answers: Mapping[str, str] | None = None) -> Row:
    reference = f"SHELF {number % 7} row {number}"
    return Row(
        id=f"row-{number}",
        messages=[{"role": "user", "content": f"Which shelf holds box {number}?"}],
        reference=reference,
        answers={"base": f"I do not know, {number}.", "v1": reference} if answers is None else answers,
    )


def rows(count: int, start: int = 0) -> Iterator[Row]:
    return (row(number) for number in range(start, count))


def by_rule(prompt: Prompt) -> Choice:
    """As the reference grader would say."""
    if isinstance(prompt, PairPrompt):
        return compared(prompt.reference, prompt.first, prompt.second)[0]
    assert isinstance(prompt, GradePrompt)
    score, _ = graded(prompt.reference, prompt.answer)
    return max(prompt.lowest, min(int(score), prompt.highest))


class Scripted(Judge):
    """Replies what `respond` says; `asked` are the prompts."""

    label = "Scripted"
    is_llm = True

    def __init__(self, respond: Respond) -> None:
        super().__init__("scripted", {})
        self.respond = respond
        self.asked: list[Prompt] = []

    def ask(self, prompt: Prompt) -> Verdict:
        self.asked.append(prompt)
        said = self.respond(prompt)
        usage = Usage(calls=1, tokens_in=10, tokens_out=5, cost_usd=None)
        if isinstance(said, JudgeError):
            said.usage = usage
            raise said
        only: dict[Choice, float] = {said: 1.0}
        return Verdict(
            score=mean(only, prompt), distribution=only, basis="samples", reason="As I see it.", raw=(), usage=usage
        )


def scripted_juror(
    respond: Respond = by_rule, *, name: str = "scripted", breaker: Breaker | None = None, **options: Any
) -> tuple[Juror, Scripted]:
    judge = Scripted(respond)
    caller = Caller(judge, sleep=lambda seconds: None, breaker=breaker or Breaker(failures=50), **options)
    return Juror(name=name, fingerprint=name, caller=caller), judge
