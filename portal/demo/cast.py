"""The demo's tenants and their tasks: two on the tiny base, two on SmolLM2."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from portal.demo.corpora import written_rows
from portal.demo.datasets import RECIPES, Task, demo_rows

TEST_ROWS, UNSEEN_ROWS = 150, 60


@dataclass(frozen=True, kw_only=True)
class DemoTenant:
    """A tenant of the demo. `recipe` is a key of adapters.recipes.catalogue, and `overrides` differ from its numbers.

    `first_epochs` is the training of version 1, which is too brief, so that there is something to compare version 2
    with.
    """

    slug: str
    name: str
    dataset: str
    adapter: str
    rows: Callable[[], list[dict[str, Any]]]
    recipe: str
    epochs: float
    first_epochs: float
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @property
    def admin(self) -> str:
        """The admin's e-mail address."""
        return f"admin@{self.slug}.example"

    @property
    def expert(self) -> str:
        """The reviewing expert's e-mail address."""
        return f"expert@{self.slug}.example"


def _generated(task: Task, **about: str) -> DemoTenant:
    training = RECIPES[task]
    return DemoTenant(
        **about,
        rows=partial(demo_rows, task, train=training.rows, test=TEST_ROWS, unseen=UNSEEN_ROWS, seed=0),
        epochs=training.epochs,
        first_epochs=0.5,
        overrides={"learning_rate": training.learning_rate},
    )


TENANTS = (
    _generated(
        "legal",
        slug="alder-law",
        name="Alder Law",
        dataset="Clauses and summaries",
        adapter="clause-summary",
        recipe="style",
    ),
    _generated(
        "support",
        slug="harbour-support",
        name="Harbour Support",
        dataset="Tickets and triage",
        adapter="ticket-triage",
        recipe="structured",
    ),
)

ENGLISH_TENANTS = (
    DemoTenant(
        slug="larch-legal",
        name="Larch Legal",
        dataset="Clauses and register lines",
        adapter="clause-register",
        rows=partial(written_rows, "law"),
        recipe="structured",
        epochs=2.5,
        first_epochs=0.25,
    ),
    DemoTenant(
        slug="tarn-bank",
        name="Tarn Bank",
        dataset="Messages and intents",
        adapter="message-intent",
        rows=partial(written_rows, "support"),
        recipe="classification",
        epochs=3.0,
        first_epochs=0.25,
    ),
)
