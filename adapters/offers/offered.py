"""What organisations see of the base models they can train on."""

from dataclasses import dataclass

from django.db.models import Count

from adapters.base_models.chat_templates import read_by_template
from adapters.models import Adapter, BaseModel
from adapters.offers.licence import has_licence_text
from adapters.offers.needs import Needs, needs_of
from adapters.recipes.measured import Measured, measured_on


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A base model. What cannot be told here is None: of families whose shape is not known, and of files on another
    machine. `adapters` counts those of the active tenant. `measured` is None if no recipe was measured on it."""

    base_model: BaseModel
    adapters: int
    needs: Needs | None
    reads_tools: bool | None
    measured: Measured | None
    has_licence_text: bool


def offered() -> list[Offered]:
    """All of them by title."""
    counted = Adapter.objects.order_by().values("base_model").annotate(count=Count("id"))
    adapters = dict(counted.values_list("base_model", "count"))
    found = []
    for base_model in BaseModel.objects.order_by("title"):
        read = read_by_template(base_model)
        found.append(
            Offered(
                base_model=base_model,
                adapters=adapters.get(base_model.id, 0),
                needs=needs_of(base_model),
                reads_tools=None if read is None else "tools" in read,
                measured=measured_on(base_model),
                has_licence_text=has_licence_text(base_model),
            )
        )
    return found
