"""Which listed versions are live."""

from collections.abc import Sequence

from adapters.models import AdapterVersion
from adapters.versions.notes import Note, Notes
from serving.models import Route


def live_notes(versions: Sequence[AdapterVersion]) -> Notes:
    """Whether a version is live, or which other of its adapter is."""
    routes = Route.objects.filter(adapter__in={version.adapter_id for version in versions}, active__isnull=False)
    live = dict(routes.values_list("adapter", "active__version__number"))
    return {
        version.id: [_note(version, number)]
        for version in versions
        if (number := live.get(version.adapter_id)) is not None
    }


def _note(version: AdapterVersion, live: int) -> Note:
    return Note(text="Live", state="in_service") if version.number == live else Note(text=f"v{live} is live")
