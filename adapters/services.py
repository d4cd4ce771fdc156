"""Every write to base models, adapters and training runs."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from adapters.hyperparameters import apply_overrides
from adapters.models import Adapter, BaseModel, TrainingRun
from adapters.recipes import get_recipe
from corpora.models import DatasetVersion, VersionState
from jobs.services import start_job
from tenants.errors import Conflict, PortalError
from tenants.models import Tenant, User

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")

NEXT_STEP = {
    VersionState.CHECKING: "Wait until its check has ended, then train.",
    VersionState.REJECTED: "Mend the problems listed on its page and upload the file again.",
}


@transaction.atomic
def ensure_base_model(
    *,
    name: str,
    title: str,
    location: str,
    description: str = "",
    sha256: str = "",
    parameters: int = 0,
    context_length: int = 2048,
    is_synthetic: bool = False,
) -> BaseModel:
    """Make the base model called `name` known, or bring what is known of it up to date. The operator's."""
    base_model, _ = BaseModel.objects.update_or_create(
        name=name,
        defaults={
            "title": title,
            "location": location,
            "description": description,
            "sha256": sha256,
            "parameters": parameters,
            "context_length": context_length,
            "is_synthetic": is_synthetic,
        },
    )
    return base_model


@transaction.atomic
def start_training(
    *,
    tenant: Tenant,
    adapter_name: str,
    dataset_version: DatasetVersion,
    base_model: BaseModel | None,
    recipe: str,
    overrides: Mapping[str, Any],
    created_by: User | None = None,
) -> TrainingRun:
    """Queue the training of an adapter's next version; a name not used yet makes a new adapter.

    Without `base_model` an adapter keeps its own, and a new one takes the first there is.
    """
    check_trainable(dataset_version)
    adapter = _adapter_called(tenant, adapter_name, base_model, created_by)
    advice = get_recipe(recipe).for_base(adapter.base_model)
    hyperparameters = apply_overrides(advice.hyperparameters, overrides, base_model=adapter.base_model)
    run_id = uuid.uuid4()
    job = start_job(
        tenant=tenant,
        kind="training",
        title=f"Train {adapter.name} on {dataset_version}",
        spec={
            "training_run": str(run_id),
            "dataset_version": str(dataset_version.id),
            "base_model": str(adapter.base_model.id),
            "base_model_name": adapter.base_model.name,
            "hyperparameters": hyperparameters.to_dict(),
        },
        created_by=created_by,
    )
    run: TrainingRun = TrainingRun.objects.create(
        id=run_id,
        tenant=tenant,
        adapter=adapter,
        dataset_version=dataset_version,
        job=job,
        recipe=recipe,
        hyperparameters=hyperparameters.to_dict(),
        created_by=created_by,
    )
    return run


def check_trainable(dataset_version: DatasetVersion) -> None:
    """Raise Conflict with the next step unless the dataset version is ready."""
    if dataset_version.state != VersionState.READY:
        raise Conflict(
            f"{dataset_version} cannot be trained on. {NEXT_STEP[VersionState(dataset_version.state)]}",
            code="training:dataset_not_ready",
            field="dataset_version",
        )


def base_model_for(*, adapter_name: str, base_model: BaseModel | None) -> BaseModel:
    """The base model that an adapter of this name is trained on; raises Conflict if there is none such."""
    adapter = Adapter.objects.select_related("base_model").filter(name=adapter_name).first()
    if adapter is not None:
        if base_model is not None and base_model != adapter.base_model:
            raise Conflict(
                f"“{adapter.name}” is trained on {adapter.base_model}, and all its versions must be. "
                "Choose that base model, or give a new name.",
                code="training:other_base_model",
                field="base_model",
            )
        return adapter.base_model
    chosen = base_model or BaseModel.objects.order_by("created_at").first()
    if chosen is None:
        text = "There is no base model yet. The operator of this site has to set one up."
        raise Conflict(text, code="training:no_base_model", field="base_model")
    return chosen


def _adapter_called(tenant: Tenant, name: str, base_model: BaseModel | None, created_by: User | None) -> Adapter:
    _check_name(name)
    chosen = base_model_for(adapter_name=name, base_model=base_model)
    adapter: Adapter
    adapter, created = Adapter.objects.select_related("base_model").get_or_create(
        tenant=tenant, name=name, defaults={"base_model": chosen, "created_by": created_by}
    )
    if not created and adapter.base_model != chosen:
        # Somebody made it just now.
        base_model_for(adapter_name=name, base_model=chosen)
    return adapter


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        suggestion = slugify(name)[:60].strip("-_").replace("_", "-") or "legal-summaries"
        raise PortalError(
            "A name has at most 60 small letters, digits and hyphens, with no hyphen at either end: "
            f"“{suggestion}”, for example.",
            code="adapter:bad_name",
            field="adapter",
        )
    if BaseModel.objects.filter(name=name).exists():
        # At the gateway both are called by name.
        text = f"“{name}” is the name of a base model. Give the adapter another."
        raise PortalError(text, code="adapter:reserved_name", field="adapter")
