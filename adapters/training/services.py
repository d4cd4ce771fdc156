"""Every write to adapters and training runs."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from adapters.base_models.chat_templates import read_by_template
from adapters.base_models.clouds import is_readable_by_runs
from adapters.base_models.names import kind_called
from adapters.base_models.queries import base_models_to_choose
from adapters.models import Adapter, BaseModel, TrainingRun
from adapters.recipes.catalogue import get_recipe
from adapters.recipes.hyperparameters import apply_overrides
from adapters.training.curves import last_checkpoint
from corpora.models import DatasetVersion, VersionState
from corpora.versions.caveats import has
from jobs.compute.kinds import checkpoint_key
from jobs.services import start_job
from jobs.states import State
from lorakit.chat_templates import REASONING, TOOLS
from rest.errors import Conflict, NotFound, PortalError
from tenants.audit.services import record_event
from tenants.models import Tenant, User

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")

NEXT_STEP = {
    VersionState.CHECKING: "Wait until its check has finished.",
    VersionState.REJECTED: "Fix the problems listed on its page and upload the file again.",
}


@transaction.atomic
def start_training(
    *,
    tenant: Tenant,
    adapter_name: str,
    dataset_version: DatasetVersion,
    base_model: BaseModel | None,
    recipe: str,
    overrides: Mapping[str, Any],
    evaluate: bool = False,
    created_by: User | None = None,
) -> TrainingRun:
    """Queue the training of an adapter's next version; a name not used yet makes a new adapter.

    Without `base_model` an adapter keeps its own, and a new one takes the first of `base_models_to_choose`. `evaluate`
    has the version evaluated as soon as it is trained.
    """
    check_trainable(dataset_version)
    adapter = adapter_called(tenant, adapter_name, base_model, created_by)
    check_template(dataset_version, adapter.base_model)
    advice = get_recipe(recipe).for_base(adapter.base_model, dataset_version.train_count)
    hyperparameters = apply_overrides(advice.hyperparameters, overrides, base_model=adapter.base_model)
    return queue_run(
        TrainingRun(
            tenant=tenant,
            adapter=adapter,
            dataset_version=dataset_version,
            recipe=recipe,
            hyperparameters=hyperparameters.to_dict(),
            is_evaluated=evaluate,
            created_by=created_by,
        )
    )


@transaction.atomic
def resume_training(*, run_id: UUID, created_by: User | None = None) -> TrainingRun:
    """Queue a run that continues from the last checkpoint of a stopped or failed run."""
    # Of two who resume it at once, the second waits here, and then finds it resumed. The job's row is locked against
    # who clears away its checkpoints.
    locked = TrainingRun.objects.select_for_update(of=("self", "job")).select_related("job", "adapter__base_model")
    found = locked.filter(id=run_id).first()
    if found is None:
        raise NotFound("Training run not found.")
    check_resumable(found)
    return queue_run(
        TrainingRun(
            tenant_id=found.tenant_id,
            adapter=found.adapter,
            dataset_version=found.dataset_version,
            recipe=found.recipe,
            hyperparameters=found.hyperparameters,
            sweep_id=found.sweep_id,
            resumed_from=found,
            is_evaluated=found.is_evaluated,
            created_by=created_by,
        ),
        checkpoint_of=checkpoint_key(found.job),
    )


def check_resumable(run: TrainingRun) -> None:
    """Raise Conflict with the next step unless the run left a checkpoint that no other run has resumed."""
    if run.job.state not in {State.STOPPED, State.FAILED}:
        text = "Only a stopped or failed training can be resumed."
        raise Conflict(text, code="training:not_resumable")
    if run.resumptions.exists():
        text = "This training has already been resumed. Continue with the run that resumed it."
        raise Conflict(text, code="training:already_resumed")
    if last_checkpoint(run) is None:
        text = "This training saved no checkpoint. Clone it to start again."
        raise Conflict(text, code="training:no_checkpoint")
    if run.job.discard_begun or run.job.run_discarded:
        text = "The checkpoint of this training was deleted. Clone it to start again."
        raise Conflict(text, code="training:checkpoint_gone")


def check_trainable(dataset_version: DatasetVersion) -> None:
    """Raise Conflict with the next step unless the dataset version is ready."""
    if dataset_version.state != VersionState.READY:
        raise Conflict(
            f"{dataset_version} can’t be used for training yet. {NEXT_STEP[VersionState(dataset_version.state)]}",
            code="training:dataset_not_ready",
            field="dataset_version",
        )
    if dataset_version.is_evaluation_set:
        raise Conflict(
            f"{dataset_version} is kept for evaluation. Choose another dataset, or allow training on its page.",
            code="training:evaluation_set",
            field="dataset_version",
        )


def check_template(dataset_version: DatasetVersion, base_model: BaseModel) -> None:
    """Raise Conflict if the base's chat template reads no tools, or no reasoning, that the rows have.

    The trainer refuses the same rows. A template that reads some of their parts, or lies elsewhere, is left to it.
    """
    read = read_by_template(base_model)
    if read is None:
        return
    if has(dataset_version, "dataset:uses_tools") and not read & TOOLS:
        raise Conflict(
            f"{dataset_version} uses tools, and the chat template of {base_model} does not read them. "
            "Choose a base model made for tools, or a dataset without them.",
            code="training:template_without_tools",
            field="base_model",
        )
    if has(dataset_version, "dataset:reasoning") and not read & REASONING:
        raise Conflict(
            f"{dataset_version} has reasoning, and the chat template of {base_model} does not read it. "
            "Import the dataset again and drop reasoning.",
            code="training:template_without_reasoning",
            field="dataset_version",
        )


def base_model_for(*, adapter_name: str, base_model: BaseModel | None) -> BaseModel:
    """The base model for an adapter with this name.

    Raises Conflict if there is none, if it differs, or if trainings can't read it where they run.
    """
    adapter = Adapter.objects.select_related("base_model").filter(name=adapter_name).first()
    if adapter is not None:
        if base_model is not None and base_model != adapter.base_model:
            raise Conflict(
                f"“{adapter.name}” uses {adapter.base_model}, and all its versions must use the same base model. "
                "Choose that base model, or enter a new adapter name.",
                code="training:other_base_model",
                field="base_model",
            )
        _check_readable(adapter.base_model)
        return adapter.base_model
    chosen = base_model or base_models_to_choose().first()
    if chosen is None:
        text = "There is no base model yet. Ask your site’s operator to set one up."
        raise Conflict(text, code="training:no_base_model", field="base_model")
    _check_readable(chosen)
    return chosen


def _check_readable(base_model: BaseModel) -> None:
    if not is_readable_by_runs(base_model):
        raise Conflict(
            f"{base_model} can’t be trained on this site yet: its files are not where trainings run. "
            "Choose another base model, or ask your site’s operator to set its location.",
            code="training:base_model_not_in_s3",
            field="base_model",
        )


def queue_run(run: TrainingRun, **more: str) -> TrainingRun:
    """Store the run with its job, adding `more` to the spec."""
    run.job = start_job(
        tenant=run.tenant,
        kind="training",
        title=f"Train {run.adapter.name} on {run.dataset_version}",
        spec={
            "training_run": str(run.id),
            "dataset_version": str(run.dataset_version_id),
            "base_model": str(run.adapter.base_model.id),
            "base_model_name": run.adapter.base_model.name,
            "machine": run.adapter.base_model.training_instance,
            "hyperparameters": run.hyperparameters,
            **more,
        },
        created_by=run.created_by,
    )
    run.save(force_insert=True)
    after = {
        "adapter": run.adapter.name,
        "dataset_version": str(run.dataset_version),
        "recipe": run.recipe,
        "hyperparameters": run.hyperparameters,
    }
    record_event("training.resumed" if run.resumed_from_id else "training.started", run, after=after)
    return run


def adapter_called(tenant: Tenant, name: str, base_model: BaseModel | None, created_by: User | None) -> Adapter:
    """The tenant's adapter of that name, made if there is none; raises what check_name and base_model_for do."""
    check_name(name)
    chosen = base_model_for(adapter_name=name, base_model=base_model)
    adapter: Adapter
    adapter, created = Adapter.objects.select_related("base_model").get_or_create(
        tenant=tenant, name=name, defaults={"base_model": chosen, "created_by": created_by}
    )
    if created:
        record_event("adapter.created", adapter, after={"base_model": chosen.name})
    elif adapter.base_model != chosen:
        # Somebody made it just now.
        base_model_for(adapter_name=name, base_model=chosen)
    return adapter


def name_from(text: str) -> str:
    """The most similar name that an adapter can have; empty where nothing of the text can be in one."""
    return slugify(text).replace("_", "-")[:60].strip("-")


def check_name(name: str) -> None:
    """Raises PortalError for a name that no adapter can have: adapter:bad_name, adapter:reserved_name."""
    if not NAME.fullmatch(name):
        suggestion = name_from(name) or "legal-summaries"
        raise PortalError(
            "Use up to 60 lowercase letters, digits and hyphens, and no hyphen at either end. "
            f"Example: “{suggestion}”.",
            code="adapter:bad_name",
            field="adapter",
        )
    if BaseModel.objects.filter(name=name).exists():
        # At the gateway both are called by name.
        text = f"“{name}” is the name of a base model. Choose another name."
        raise PortalError(text, code="adapter:reserved_name", field="adapter")
    if (kind := kind_called(name)) and not Adapter.objects.filter(name=name).exists():
        text = f"“{name}” is the name of a {kind}, so no version could be promoted. Choose another name."
        raise PortalError(text, code="adapter:reserved_name", field="adapter")
