"""The demo's two generated datasets: a law firm's clauses and a support desk's tickets.

Test rows have names, amounts and dates that no training row has. Rows of the slice "unseen" use wordings that no
training row has. The base model was pretrained on similar sentences, but not on these instructions or answer formats
(see `lorakit.tiny.corpus`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from lorakit.tiny import world

Task = Literal["legal", "support"]


@dataclass(frozen=True)
class DemoRecipe:
    """Training settings that work on this data; `rows` is the size of the training split."""

    rows: int
    epochs: float
    learning_rate: float
    r: int = 16
    alpha: int = 32
    batch_size: int = 8


RECIPES: dict[Task, DemoRecipe] = {
    "legal": DemoRecipe(rows=1000, epochs=3.0, learning_rate=5e-3),
    "support": DemoRecipe(rows=1000, epochs=3.0, learning_rate=5e-3),
}

SUMMARIES = {
    "termination": "TERMINATION - {days} days notice by {company}",
    "payment": "PAYMENT - {amount} to {company} in {days} days",
    "confidentiality": "SECRECY - {other} silent for {years} years",
    "liability": "CAP - {company} owes at most {amount}",
    "law": "FORUM - {place}",
    "renewal": "RENEWAL - {years} years, opt out {days} days",
    "delivery": "DELIVERY - to {other} by {date}",
}
"""The firm's house style, by kind of clause."""

QUEUES = {
    "refund": "billing",
    "invoice": "billing",
    "delivery": "logistics",
    "defect": "hardware",
    "login": "identity",
    "praise": "none",
}
"""The queue for each kind of ticket."""


@dataclass(frozen=True)
class Case:
    """A prompt with its expected answer."""

    prompt: str
    answer: str
    label: str


def legal_case(rng: Random, unseen: bool) -> Case:
    """A clause next to a sentence about something else, and the clause's house-style summary."""
    label = rng.choice(list(SUMMARIES))
    slots = world.draw_slots(rng)
    clause = choose_wording(rng, world.LEGAL[label], unseen).format(**slots)
    distractor = rng.choice(world.STAFF + world.MARKET).format(**world.draw_slots(rng))
    sentences = [clause, distractor]
    rng.shuffle(sentences)
    return Case(f"Summarize the clause.\n{' '.join(sentences)}", SUMMARIES[label].format(**slots), label)


def support_case(rng: Random, unseen: bool) -> Case:
    """A ticket, and its triage line: queue, priority by tone, topic."""
    label = rng.choice(list(QUEUES))
    slots = world.draw_slots(rng)
    ticket = choose_wording(rng, world.SUPPORT[label], unseen)
    tone = rng.choice(["urgent", "calm", "none"])
    if tone != "none":
        ticket += " " + rng.choice(world.TONES[tone])
    priority = {"urgent": "P1", "calm": "P3", "none": "P2"}[tone]
    if label == "praise" and tone != "urgent":
        priority = "P4"
    answer = f"queue={QUEUES[label]} priority={priority} topic={label}"
    return Case(f"Triage this ticket.\n{ticket.format(**slots)}", answer, label)


def choose_wording(rng: Random, templates: list[str], unseen: bool) -> str:
    """Choose a wording; the last one of each kind is reserved for the unseen slice."""
    return templates[-1] if unseen else rng.choice(templates[:-1])


CASES: dict[Task, Callable[[Random, bool], Case]] = {"legal": legal_case, "support": support_case}


def demo_rows(task: Task, *, train: int, test: int, unseen: int, seed: int) -> list[dict[str, Any]]:
    """Chat rows {"messages", "split", "slice", "label"}: `train` + `test` rows with known wordings, `unseen` more with
    other wordings for testing.

    No prompt occurs twice. Raises ValueError if the templates do not give enough different prompts.
    """
    rng = Random(f"{task} {seed}")
    rows: list[dict[str, Any]] = []
    known: set[str] = set()
    for count, split, part in (
        (train, "train", "seen"),
        (test, "test", "seen"),
        (unseen, "test", "unseen"),
    ):
        for _ in range(count):
            case = draw_new(rng, task, part == "unseen", known)
            messages = [
                {"role": "user", "content": case.prompt},
                {"role": "assistant", "content": case.answer},
            ]
            rows.append({"messages": messages, "split": split, "slice": part, "label": case.label})
    return rows


def draw_new(rng: Random, task: Task, unseen: bool, known: set[str]) -> Case:
    """A case whose prompt is not in `known`; adds the prompt to `known`."""
    for _ in range(1000):
        case = CASES[task](rng, unseen)
        if case.prompt not in known:
            known.add(case.prompt)
            return case
    raise ValueError(f"The {task} templates give no more different prompts")
