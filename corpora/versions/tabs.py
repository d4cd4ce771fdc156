"""Template contexts of the tabs on a version's page."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import QueryDict

from corpora.models import DatasetVersion
from corpora.versions.charts import profile_charts
from corpora.versions.diff import MAX_ROWS, diff, previous_ready, version_to_compare
from corpora.versions.findings import read_findings, title_of
from corpora.versions.prepared import OPTION_TITLES, option_text
from corpora.versions.quality import quality_of
from corpora.versions.rows import BadCursor, Choice, Rows
from rest.errors import NotFound

ROWS_SHOWN = 20
FINDINGS_SHOWN = 50
QUERY_CHARACTERS = 200
SPLITS: dict[Choice, str] = {"all": "All", "train": "Train", "test": "Test"}

Context = dict[str, Any]


def preview_tab(version: DatasetVersion, query: QueryDict) -> Context:
    """A page of rows, or the rows that match a search."""
    split: Choice = next((split for split in SPLITS if split == query.get("split")), "all")
    text = query.get("q", "").strip()[:QUERY_CHARACTERS]
    rows = Rows(version, split)
    context: Context = {"split": split, "splits": SPLITS.items(), "q": text}
    if text:
        found = rows.search(text, cursor=read_cursor(query), size=ROWS_SHOWN)
        return context | {"found": found, "rows": found.rows}
    page = Paginator(rows, ROWS_SHOWN).get_page(query.get("page"))
    return context | {"page_obj": page, "rows": page.object_list}


def quality_tab(version: DatasetVersion, query: QueryDict) -> Context:
    """Findings grouped by code with the open decisions, or a list of findings of one code."""
    quality = quality_of(version)
    code = query.get("code", "")
    if not code:
        return {"quality": quality}
    part = read_findings(
        version, code="" if code == "all" else code, cursor=read_cursor(query) or 0, size=FINDINGS_SHOWN
    )
    title = "All findings" if code == "all" else title_of(code)
    return {"quality": quality, "code": code, "code_title": title, "part": part}


def profile_tab(version: DatasetVersion, query: QueryDict) -> Context:
    """Charts of the rows with their data."""
    return {"charts": profile_charts(version.profile)}


def versions_tab(version: DatasetVersion, query: QueryDict) -> Context:
    """The changes since another version, `?against=`, or since the previous ready version."""
    others = DatasetVersion.objects.ready().filter(dataset_id=version.dataset_id).exclude(id=version.id)
    context: Context = {"others": others.order_by("-number").only("id", "number", "created_at")}
    against = query.get("against")
    other = version_to_compare(version, read_id(against)) if against else previous_ready(version) or others.first()
    if other is None:
        return context
    found = diff(before=other, after=version)
    changes = [
        (
            OPTION_TITLES.get(change.name, change.name),
            *(option_text(change.name, v) for v in (change.before, change.after)),
        )
        for change in found.options
    ]
    return context | {"diff": found, "option_changes": changes, "max_rows": MAX_ROWS}


def uses_tab(version: DatasetVersion, query: QueryDict) -> Context:
    """Versions derived from this one. The uses are in the context of every tab, for their count."""
    return {"derived": version.derived.order_by("number").only("id", "number")}


TABS: dict[str, Callable[[DatasetVersion, QueryDict], Context]] = {
    "preview": preview_tab,
    "quality": quality_tab,
    "profile": profile_tab,
    "versions": versions_tab,
    "uses": uses_tab,
}


def read_cursor(query: QueryDict) -> int | None:
    """The number in `?cursor=`, or None. Raises BadCursor."""
    text = query.get("cursor", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadCursor
    return int(text)


def read_id(text: str) -> UUID:
    """The id in a query parameter. Raises NotFound if it is not a UUID."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("Invalid ID. Choose a version from the list.") from None
