"""The models that an evaluation compares."""

import hashlib
import json
from collections.abc import Sequence

from adapters.models import AdapterVersion, BaseModel
from evaluations.judges.configured import fingerprint
from evaluations.models import EvaluatedModel, EvaluationRun, Judge, JudgeKind, ModelKind
from lorakit.contracts import MAX_TARGETS
from rest.errors import PortalError

MOST_MODELS = MAX_TARGETS
"""Also as many as fit beside each other on a page."""

BASE = "base"


def contenders(
    run: EvaluationRun, *, base: bool, versions: Sequence[AdapterVersion], outside: Sequence[Judge] = ()
) -> list[EvaluatedModel]:
    """The models of a run, unsaved: the base, other versions, the run's own version, then outside models.

    Raises PortalError for versions on another base model, for too many models, and for none.
    """
    found = [_base(run.base)] if base and run.base is not None else []
    found += _versions(run.version, versions)
    found += [_outside(judge) for judge in {judge.id: judge for judge in outside}.values()]
    if not found:
        raise PortalError(
            "Choose an adapter version, a base model or an outside model.",
            code="evaluation:no_models",
            field="base_model",
        )
    if len(found) > MOST_MODELS:
        raise PortalError(
            f"Choose up to {MOST_MODELS} models. You chose {len(found)}.",
            code="evaluation:too_many_models",
            field="versions",
        )
    for position, model in enumerate(found):
        model.tenant_id, model.run, model.position = run.tenant_id, run, position
    return found


def about_of(run: EvaluationRun, models: Sequence[EvaluatedModel]) -> str:
    """The key of the model that a run is about: its version, without one the base, else the first outside model."""
    own = [model for model in models if run.version is not None and model.version_id == run.version.id]
    return (own or models)[0].key


def version_before(version: AdapterVersion) -> list[AdapterVersion]:
    """The adapter's version before this one, if there is one."""
    earlier = AdapterVersion.objects.filter(adapter=version.adapter_id, number__lt=version.number)
    return list(earlier.select_related("adapter").order_by("-number")[:1])


def base_sha256(base_model: BaseModel) -> str:
    """Identifies what the base computes: the hash of its files, of its address where that is not known."""
    return base_model.sha256 or _sha256(base_model.name, base_model.location)


def _base(base_model: BaseModel) -> EvaluatedModel:
    return EvaluatedModel(key=BASE, name="Base", kind=ModelKind.BASE, sha256=base_sha256(base_model))


def _versions(own: AdapterVersion | None, versions: Sequence[AdapterVersion]) -> list[EvaluatedModel]:
    if own is None:
        if versions:
            raise PortalError(
                "Choose the version that the evaluation is about, and then others to compare with it.",
                code="evaluation:no_version",
                field="version",
            )
        return []
    others = {version.id: version for version in versions if version.id != own.id}
    for version in others.values():
        if version.adapter.base_model_id != own.adapter.base_model_id:
            raise PortalError(
                f"{version} is on another base model than {own}. Compare versions of the same base model.",
                code="evaluation:other_base_model",
                field="versions",
            )
    ordered = sorted(others.values(), key=lambda one: (one.adapter_id == own.adapter_id, one.adapter.name, one.number))
    return [_version(version, own) for version in [*ordered, own]]


def _version(version: AdapterVersion, own: AdapterVersion) -> EvaluatedModel:
    is_own_line = version.adapter_id == own.adapter_id
    return EvaluatedModel(
        key=f"v{version.number}" if is_own_line else f"{version.adapter.name}-v{version.number}",
        name=f"v{version.number}" if is_own_line else str(version),
        kind=ModelKind.VERSION,
        version=version,
        sha256=_sha256(base_sha256(own.adapter.base_model), version.package_sha256),
    )


def _outside(judge: Judge) -> EvaluatedModel:
    if judge.kind == JudgeKind.BEDROCK:
        raise PortalError(
            f"“{judge.name}” runs on Bedrock and can only judge. Choose a model behind an OpenAI-compatible address.",
            code="evaluation:outside_kind",
            field="outside",
        )
    return EvaluatedModel(
        # A judge is never renamed to what another one has been, so its id makes the key.
        key=f"outside-{judge.id.hex[:8]}",
        name=judge.model,
        kind=ModelKind.OUTSIDE,
        judge=judge,
        sha256=fingerprint(judge),
    )


def _sha256(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
