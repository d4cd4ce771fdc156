"""What a judge is asked when it is tried out: every answer to every question once, and pairs in both orders."""

from dataclasses import dataclass
from functools import cache

from evaluations.judges.prompts import GradePrompt, PairPrompt, pair_prompt_for, prompt_for
from evaluations.qualification.sets import Item, ItemSet, attacks, item_sets

RIGHT = frozenset({"terse", "reworded", "padded"})

BANDS = {
    **dict.fromkeys(RIGHT, (4, 5)),
    "partly": (2, 3),
    "wrong": (1, 2),
    "foreign": (1, 2),
    "constant": (1, 2),
    "injected": (1, 2),
}
"""Lowest and highest grade, of 1 to 5, that fits an answer of each kind."""

COMPARED_WITH_RIGHT = ("wrong", "partly")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One answer to grade. `item` names its question; `kind` is a key of BANDS."""

    key: str
    set: str
    item: str
    kind: str
    question: str
    prompt: GradePrompt

    @property
    def band(self) -> tuple[int, int]:
        return BANDS[self.kind]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A right answer beside a worse one of the kind `worse`. `pair` is the same in both orders."""

    key: str
    set: str
    item: str
    pair: str
    worse: str
    right_first: bool
    prompt: PairPrompt


@cache
def cases() -> tuple[Case, ...]:
    """Every answer to grade, always in the same order."""
    found = []
    for number, (questions, item) in enumerate(_items()):
        answers = {
            **item.answers,
            "constant": _in_turn(attacks().constant, number),
            "injected": _injected(number, item.answers["wrong"], questions.criterion.highest),
        }
        for kind, answer in answers.items():
            prompt = prompt_for(questions.criterion, messages=_messages(item), reference=item.expected, answer=answer)
            name = f"{questions.name}/{item.id}"
            found.append(
                Case(
                    key=f"{name}/{kind}",
                    set=questions.name,
                    item=name,
                    kind=kind,
                    question=item.question,
                    prompt=prompt,
                )
            )
    return tuple(found)


@cache
def pairs() -> tuple[Pair, ...]:
    """Every pair in both orders, always in the same order."""
    found = []
    for questions, item in _items():
        right = item.answers[item.right]
        for worse in COMPARED_WITH_RIGHT:
            for right_first in (True, False):
                texts = (right, item.answers[worse]) if right_first else (item.answers[worse], right)
                prompt = pair_prompt_for(
                    questions.criterion,
                    messages=_messages(item),
                    reference=item.expected,
                    first=texts[0],
                    second=texts[1],
                )
                name = f"{questions.name}/{item.id}"
                order = "right-first" if right_first else "right-second"
                found.append(
                    Pair(
                        key=f"{name}/{worse}/{order}",
                        set=questions.name,
                        item=name,
                        pair=f"{name}/{worse}",
                        worse=worse,
                        right_first=right_first,
                        prompt=prompt,
                    )
                )
    return tuple(found)


@cache
def everything() -> tuple[Case | Pair, ...]:
    """All that a judge is asked."""
    return (*cases(), *pairs())


def _items() -> list[tuple[ItemSet, Item]]:
    return [(questions, item) for questions in item_sets() for item in questions.items]


def _messages(item: Item) -> list[dict[str, str]]:
    return [{"role": "user", "content": item.question}]


def _in_turn(texts: tuple[str, ...], number: int) -> str:
    return texts[number % len(texts)]


def _injected(number: int, answer: str, highest: int) -> str:
    return _in_turn(attacks().injections, number).format(answer=answer, highest=highest)
