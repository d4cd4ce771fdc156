"""Routing by rules in large and small: 10,000 adapters and 1,000 rules against 10 of each, in turns.

A request is what a gateway does between its body and the adapter's name: read the JSON, gather the user's messages, run
the rules over them, and look up the target. `rules` is the time of the rules alone. Prompts are like a service desk's,
some as parts of a conversation; three in four name something that a rule is about in both sizes. The rest name nothing,
and are read to their end.
"""

import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.report import Goal, finish
from lorakit.route.bounded import compile_bounded
from lorakit.route.router import Router
from lorakit.route.rules import Rule
from lorakit.route.table import Table
from lorakit.route.texts import texts_of
from lorakit.strict_json import read_json

T = TypeVar("T")

SIZES = {"large": (10_000, 1_000), "small": (10, 10)}
"""Adapters and rules."""

REQUESTS = 2_000
ROUNDS = 15
GOALS: dict[str, Goal] = {"request_ratio": ("<=", 1.1), "rules_ratio": ("<=", 1.1)}

SYLLABLES = [first + last for first in ("b", "dr", "fl", "g", "k", "m", "pl", "str", "v", "z") for last in "aeiou"]
FILLER = (
    "Please check my account, I think something went wrong since yesterday.",
    "I have read your help page twice and still don’t know what to do about it.",
    "Could you look into this today? My colleague in Zürich has the same question.",
    "We ordered it in March and it has not arrived; the tracking says nothing new.",
    "Thanks for the quick answer the other day, that solved the first half.",
)


@dataclass(frozen=True)
class Site:
    """A router and the adapters that it can send to."""

    router: Router
    adapters: dict[str, str]

    def request(self, body: bytes) -> str | None:
        """The adapter that answers."""
        decision = self.router.by_rule(texts_of(read_json(body)))
        return None if decision is None or decision.target is None else self.adapters[decision.target]


def word(random_: random.Random) -> str:
    """A word that no other text has."""
    return "".join(random_.choice(SYLLABLES) for _ in range(4))


def rules(topics: Sequence[str], adapters: Sequence[str]) -> list[Rule]:
    """One in ten has a pattern, the others a word and a phrase."""
    made = []
    for index, topic in enumerate(topics):
        target = adapters[index * len(adapters) // len(topics)]
        if index % 10 == 9:
            made.append(Rule(kind="pattern", texts=(rf"\b{topic[:5]}-?\d{{4,8}}\b",), target=target))
        else:
            made.append(Rule(kind="keyword", texts=(topic, f"cancel my {topic}"), target=target))
    return made


def bodies(topics: Sequence[str], random_: random.Random) -> list[bytes]:
    """Requests about topics that both sizes have rules for."""
    made = []
    for index in range(REQUESTS):
        text = " ".join(random_.sample(FILLER, random_.randint(1, 4)))
        if index % 4:
            topic = random_.choice(topics)
            text += f" It is about {topic[:5]}-40{index} and my {topic}." if index % 2 else f" Cancel my {topic}!"
        messages = [{"role": "system", "content": "Answer briefly."}]
        if index % 3 == 0:
            messages += [{"role": "user", "content": FILLER[0]}, {"role": "assistant", "content": FILLER[1]}]
        messages.append({"role": "user", "content": text})
        made.append(json.dumps({"model": "desk", "messages": messages}).encode())
    return made


def site(topics: Sequence[str], adapters: int) -> tuple[Site, float]:
    """A site of a size, and seconds to compile its rules in a child process."""
    names = [f"adapter-{number}" for number in range(adapters)]
    made = rules(topics, names)
    began = time.perf_counter()
    table = Table.load(compile_bounded(made))
    return Site(Router(rules=made, table=table), {name: f"{name}-at-endpoint" for name in names}), (
        time.perf_counter() - began
    )


def microseconds(work: Callable[[T], object], requests: Sequence[T]) -> float:
    """Of processor time for each request: what else the machine does counts for nothing."""
    began = time.thread_time()
    for request in requests:
        work(request)
    return (time.thread_time() - began) / len(requests) * 1e6


def main() -> int:
    """Run, report, and return the exit status."""
    random_ = random.Random(7)
    topics = [word(random_) for _ in range(SIZES["large"][1])]
    asked = bodies(topics[: SIZES["small"][1]], random_)
    texts = [texts_of(read_json(body)) for body in asked]
    sites: dict[str, Site] = {}
    figures: dict[str, float] = {}
    for name, (adapters, count) in SIZES.items():
        sites[name], figures[f"compile_{name}_seconds"] = site(topics[:count], adapters)
    routed = {name: sum(one.request(body) is not None for body in asked) / REQUESTS for name, one in sites.items()}
    if routed["large"] != routed["small"]:
        raise RuntimeError(f"the sizes do not route the same requests: {routed}")
    figures["routed_share"] = routed["large"]

    taken: dict[str, list[float]] = {f"{what}_{name}": [] for what in ("request", "rules") for name in SIZES}
    gc.disable()
    for _ in range(ROUNDS):
        for name, one in sites.items():
            taken[f"request_{name}"].append(microseconds(one.request, asked))
            taken[f"rules_{name}"].append(microseconds(one.router.by_rule, texts))
    for what in ("request", "rules"):
        for name in SIZES:
            figures[f"{what}_{name}_us"] = statistics.median(taken[f"{what}_{name}"])
        pairs = zip(taken[f"{what}_large"], taken[f"{what}_small"], strict=True)
        figures[f"{what}_ratio"] = statistics.median(large / small for large, small in pairs)
    return finish("routing", figures=figures, goals=GOALS, packages=["hyperscan", "msgspec"])


if __name__ == "__main__":
    raise SystemExit(main())
