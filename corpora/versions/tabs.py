"""What each tab of a version's page shows."""

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
    """Rows by page, or those that hold a text."""
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
    """Findings by code with what is to be decided, or every finding of one code."""
    quality = quality_of(version)
    code = query.get("code", "")
    if not code:
        return {"quality": quality}
    part = read_findings(
        version, code="" if code == "all" else code, cursor=read_cursor(query) or 0, size=FINDINGS_SHOWN
    )
    title = "Everything that was found" if code == "all" else title_of(code)
    return {"quality": quality, "code": code, "code_title": title, "part": part}


def profile_tab(version: DatasetVersion, query: QueryDict) -> Context:
    """Charts of the rows and their figures."""
    return {"charts": profile_charts(version.profile)}


def versions_tab(version: DatasetVersion, query: QueryDict) -> Context:
    """What changed against another version, `?against=`, or the ready one before."""
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
    """Lineage; the uses themselves are on every tab, for their number."""
    return {"derived": version.derived.order_by("number").only("id", "number")}


TABS: dict[str, Callable[[DatasetVersion, QueryDict], Context]] = {
    "preview": preview_tab,
    "quality": quality_tab,
    "profile": profile_tab,
    "versions": versions_tab,
    "uses": uses_tab,
}


def read_cursor(query: QueryDict) -> int | None:
    """`?cursor=`; raises BadCursor for what is no cursor."""
    text = query.get("cursor", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadCursor
    return int(text)


def read_id(text: str) -> UUID:
    """An id in a query; raises NotFound for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is nothing of that id.") from None
