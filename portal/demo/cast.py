"""The demo's two tenants and their tasks."""

from dataclasses import dataclass

from portal.demo.datasets import Task


@dataclass(frozen=True)
class DemoTenant:
    """A tenant of the demo. `recipe` is a key of adapters.recipes.catalogue."""

    slug: str
    name: str
    task: Task
    dataset: str
    adapter: str
    recipe: str

    @property
    def admin(self) -> str:
        """The admin's e-mail address."""
        return f"admin@{self.slug}.example"

    @property
    def expert(self) -> str:
        """The reviewing expert's e-mail address."""
        return f"expert@{self.slug}.example"


TENANTS = (
    DemoTenant(
        slug="alder-law",
        name="Alder Law",
        task="legal",
        dataset="Clauses and summaries",
        adapter="clause-summary",
        recipe="style",
    ),
    DemoTenant(
        slug="harbour-support",
        name="Harbour Support",
        task="support",
        dataset="Tickets and triage",
        adapter="ticket-triage",
        recipe="structured",
    ),
)
