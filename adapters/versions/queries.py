"""What the pages read of adapters and versions, each in a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from adapters.models import Adapter, AdapterVersion, TrainingRun
from adapters.versions.notes import Note, notes_of, titles_of
from rest.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class AdapterRow:
    """An adapter with its newest version and newest run, either of which may be None.

    `badges` stand beside the version, `columns` are notes on it by title.
    """

    adapter: Adapter
    version: AdapterVersion | None
    run: TrainingRun | None
    badges: list[Note]
    columns: list[tuple[str, Note | None]]


def rows_of(adapters: Sequence[Adapter]) -> list[AdapterRow]:
    """One row for each adapter, in their order, by two queries and those of the notes."""
    versions = AdapterVersion.objects.filter(adapter__in=adapters).order_by("adapter_id", "-number")
    runs = TrainingRun.objects.filter(adapter__in=adapters).order_by("adapter_id", "-created_at")
    newest_version = {row.adapter_id: row for row in versions.distinct("adapter_id").defer("manifest")}
    newest_run = {row.adapter_id: row for row in runs.distinct("adapter_id").select_related("job")}
    notes = notes_of(list(newest_version.values()))
    titles = titles_of(notes)
    rows = []
    for adapter in adapters:
        version = newest_version.get(adapter.id)
        own = notes[version.id] if version else []
        by_title = {note.title: note for note in own}
        rows.append(
            AdapterRow(
                adapter=adapter,
                version=version,
                run=newest_run.get(adapter.id),
                badges=[note for note in own if not note.title],
                columns=[(title, by_title.get(title)) for title in titles],
            )
        )
    return rows


def adapters_by_name() -> QuerySet[Adapter]:
    """The tenant's adapters with their base models."""
    return Adapter.objects.select_related("base_model").order_by("name")


def version_with_all(version_id: UUID) -> AdapterVersion:
    """A version with what its pages show; Http404 for an id of another tenant."""
    dataset = ("run__dataset_version__dataset", "run__dataset_version__personal_data_kept_by")
    related = ("adapter__base_model", "run__job", *dataset, "run__created_by")
    return get_object_or_404(AdapterVersion.objects.select_related(*related), pk=version_id)


def version_named(version_id: UUID) -> AdapterVersion:
    """The version that a request names, with its base model and dataset version; raises NotFound."""
    rows = AdapterVersion.objects.select_related("adapter__base_model", "run__dataset_version__dataset")
    version = rows.filter(id=version_id).first()
    if version is None:
        raise NotFound("Adapter version not found.", field="version")
    return version
