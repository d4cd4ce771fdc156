"""Reads of base models across all tenants, for the operator. Each enters the site's scope by itself."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from adapters.models import BaseModel, BaseModelWork, WorkState
from adapters.offers.needs import Needs, needs_of
from rest.errors import NotFound
from tenants.scope import system_scope


@dataclass(frozen=True, kw_only=True)
class Line:
    """A base model, what it needs (None if that can't be told here), and what uses it, such as "2 adapters".

    `work` is what is being done to it, or what was done last.
    """

    base_model: BaseModel
    needs: Needs | None
    uses: list[str]
    work: BaseModelWork | None

    @property
    def wrong(self) -> int:
        """How many findings have to be put right."""
        return sum(one["level"] == "wrong" for one in self.base_model.findings)


def lines() -> list[Line]:
    """All base models by name."""
    found = list(BaseModel.objects.order_by("name"))
    uses = _uses()
    # The last of each wins.
    work = {one.base_model_id: one for one in BaseModelWork.objects.exclude(base_model=None).order_by("created_at")}
    return [_line(one, uses, work.get(one.id)) for one in found]


def line_of(base_model: BaseModel) -> Line:
    """One of them."""
    last = BaseModelWork.objects.filter(base_model=base_model).order_by("-created_at").first()
    return _line(base_model, _uses(), last)


def base_model_of(base_model_id: UUID) -> BaseModel:
    """Raises NotFound."""
    found = BaseModel.objects.filter(id=base_model_id).first()
    if found is None:
        raise NotFound("Base model not found.")
    return found


def work_of(work_id: UUID) -> BaseModelWork:
    """Raises NotFound."""
    found = BaseModelWork.objects.filter(id=work_id).first()
    if found is None:
        raise NotFound("This is no longer there.")
    return found


def additions() -> list[BaseModelWork]:
    """Those that have not led to a base model, newest first."""
    adding = BaseModelWork.objects.filter(kind=BaseModelWork.Kind.ADD, base_model=None).exclude(state=WorkState.DONE)
    return list(adding.select_related("started_by"))


def place_in_s3(base_model: BaseModel) -> tuple[str, bool]:
    """Where SageMaker reads it, and whether the settings say so; empty if nobody said."""
    if base_model.sagemaker_uri:
        return base_model.sagemaker_uri, False
    known = settings.COMPUTE["default"].get("OPTIONS", {}).get("BASE_MODELS", {})
    return str(known.get(base_model.location, "")), True


def _line(base_model: BaseModel, uses: dict[UUID, list[str]], work: BaseModelWork | None) -> Line:
    return Line(
        base_model=base_model,
        needs=needs_of(base_model),
        uses=uses.get(base_model.id, []),
        work=work,
    )


def _uses() -> dict[UUID, list[str]]:
    """How many rows of each kind refer to each base model, whichever app they are of."""
    found: dict[UUID, list[str]] = {}
    with system_scope():
        for relation in BaseModel._meta.get_fields(include_hidden=True):
            model = relation.related_model
            if not relation.one_to_many or not isinstance(model, type) or model is BaseModelWork:
                continue
            column = relation.field.name  # type: ignore[union-attr]
            counted = model._base_manager.order_by().values_list(column).annotate(count=Count("pk"))
            for base_model_id, count in counted:
                name = model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural
                found.setdefault(base_model_id, []).append(f"{count:,} {name}")
    return found
