"""Notes that higher floors add to versions in lists, such as a score or that one is live. They register here.

In an `AppConfig.ready`: `register(scores)`, where `scores(versions)` returns {version's id: its notes}. A source is
asked once for all versions of a list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.models import AdapterVersion


@dataclass(frozen=True, kw_only=True)
class Note:
    """A few words about a version.

    `title` heads its column in a list. Without one it stands beside the version's name, coloured as `state`.
    """

    text: str
    title: str = ""
    state: str = ""
    url: str = ""


Notes = Mapping[UUID, Sequence[Note]]
NoteSource = Callable[[Sequence[AdapterVersion]], Notes]

_sources: list[NoteSource] = []
_badge_sources: list[NoteSource] = []


def register(source: NoteSource, *, has_badges: bool = False) -> None:
    """Ask `source` for notes whenever versions are listed; `has_badges` says that some have a `state`."""
    if has_badges and source not in _badge_sources:
        _badge_sources.insert(0, source)
    if source not in _sources:
        # INSTALLED_APPS begins with the highest floor: scores, then what is live.
        _sources.insert(0, source)


def notes_of(versions: Sequence[AdapterVersion]) -> dict[UUID, list[Note]]:
    """Every version's notes, lower floors first."""
    return _asked(_sources, versions)


def badges_of(versions: Sequence[AdapterVersion]) -> dict[UUID, list[Note]]:
    """Every version's notes that stand beside its name, without working out the others."""
    found = _asked(_badge_sources, versions)
    return {version_id: [note for note in notes if note.state] for version_id, notes in found.items()}


def _asked(sources: Sequence[NoteSource], versions: Sequence[AdapterVersion]) -> dict[UUID, list[Note]]:
    found: dict[UUID, list[Note]] = {version.id: [] for version in versions}
    if not versions:
        return found
    for source in sources:
        for version_id, notes in source(versions).items():
            found[version_id] += notes
    return found


def titles_of(notes: Notes) -> list[str]:
    """The columns that a list needs, in order."""
    return list(dict.fromkeys(note.title for one in notes.values() for note in one if note.title))
