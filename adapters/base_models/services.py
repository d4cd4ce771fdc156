"""Writes to base models. They are the operator's."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from adapters.base_models.clouds import check_clouds, tidied
from adapters.base_models.folders import Folder, check_lengths, read_folder
from adapters.base_models.names import check_name, refuse_in_use, uses_of
from adapters.models import Adapter, BaseModel
from rest.errors import Conflict
from tenants.scope import system_scope

log = structlog.get_logger(__name__)

_before_removal: list[Callable[[BaseModel], None]] = []


def before_removal(release: Callable[[BaseModel], None]) -> None:
    """Call `release` with a base model that is about to be removed. Higher floors register here, in `AppConfig.ready`:
    what they hold of it and nobody needs must not keep it."""
    if release not in _before_removal:
        _before_removal.append(release)


def add_base_model(
    *,
    folder: Path,
    name: str = "",
    title: str = "",
    licence: str = "",
    source: str = "",
    description: str = "",
    **clouds: str,
) -> BaseModel:
    """Register the base model in a folder under `name`, or read it again; what is empty is taken from its `base.json`.

    `clouds` are columns that CLOUD names; what is empty stays as it was. Raises PortalError with `field`:
    base_model:too_long, base_model:bad_folder, base_model:bad_name, base_model:name_in_use, base_model:other_weights,
    and what `check_clouds` raises.
    """
    check_clouds(clouds)
    clouds = tidied(clouds)
    given = {"title": title, "licence": licence, "source": source, "description": description}
    check_lengths({"name": name, **given, **clouds})
    found = read_folder(folder.resolve())
    described = {key: value or found.described[key] for key, value in given.items()}
    name = name or found.described["name"]
    check_name(name)
    described["title"] = described["title"] or name
    refuse_in_use(name)
    known = BaseModel.objects.filter(name=name).first()
    if known is not None and known.sha256 not in {"", found.sha256} and _has_adapters(known):
        raise Conflict(
            f"The files of “{name}” differ from those that its adapters were trained on. Add them under another name.",
            code="base_model:other_weights",
            field="name",
        )
    return _register(name, found, described | {key: value for key, value in clouds.items() if value})


def change_base_model(*, base_model: BaseModel, title: str, licence: str, description: str, **clouds: str) -> None:
    """Say something else of it; `clouds` are columns that CLOUD names. Raises what `check_clouds` does."""
    check_clouds(clouds)
    said = {"title": title or base_model.name, "licence": licence, "description": description, **tidied(clouds)}
    BaseModel.objects.filter(id=base_model.id).update(**said)
    base_model.refresh_from_db()
    log.info("base_model_changed", base_model=base_model.name)


def note_findings(*, base_model: BaseModel, findings: Sequence[dict[str, Any]]) -> None:
    """Keep what a check has found."""
    BaseModel.objects.filter(id=base_model.id).update(findings=list(findings), checked_at=timezone.now())
    base_model.refresh_from_db()


def ensure_base_model(*, name: str, title: str, folder: Path) -> BaseModel:
    """Register the site's own base model, or read its files again: a site has to start also after they were replaced.

    What is said of one that is there already stays as it is, since an operator may have changed it; but `title` counts
    as long as the title is still what an earlier start has set. A name that a tenant's callers send for something of
    theirs is only logged.
    """
    if uses := uses_of(name):
        log.warning("base_model_name_in_use", base_model=name, uses=len(uses))
    title = title or name
    check_lengths({"title": title})
    found = read_folder(folder)
    known = BaseModel.objects.filter(name=name).first()
    if known is None:
        described = {key: found.described[key] for key in ("licence", "source", "description")}
        return _register(name, found, {"title": title, "set_title": title, **described})
    is_as_set = known.title in {known.set_title, title}
    return _register(name, found, {"title": title, "set_title": title} if is_as_set else {})


def _register(name: str, folder: Folder, described: dict[str, str]) -> BaseModel:
    base_model, _ = BaseModel.objects.update_or_create(
        name=name,
        defaults={
            **described,
            "location": str(folder.path),
            "architecture": folder.architecture,
            "sha256": folder.sha256,
            "parameters": folder.parameters,
            "context_length": folder.context_length,
            "is_synthetic": folder.is_synthetic,
        },
    )
    log.info("base_model_registered", base_model=name, sha256=folder.sha256)
    return base_model


def remove_base_model(*, base_model: BaseModel) -> None:
    """Take a base model off the site; its files stay. Raises Conflict while anything needs it."""
    try:
        with system_scope(), transaction.atomic():
            for release in _before_removal:
                release(base_model)
            base_model.delete()
    except ProtectedError as error:
        needing = sorted({str(one._meta.verbose_name_plural) for one in error.protected_objects})
        text = f"“{base_model.name}” is still needed by {' and '.join(needing)}. Delete these first."
        raise Conflict(text, code="base_model:in_use") from None
    log.info("base_model_removed", base_model=base_model.name)


def _has_adapters(base_model: BaseModel) -> bool:
    with system_scope():
        return Adapter.objects.filter(base_model=base_model).exists()
