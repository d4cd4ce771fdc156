"""Says in words how an uploaded file is read, from its inspection."""

from collections.abc import Mapping
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import filesizeformat

from corpora.models import Upload

FORMATS = {"jsonl": "JSONL", "json": "JSON", "csv": "CSV", "tsv": "TSV", "parquet": "Parquet"}
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
ENCODINGS = {"utf-16": "UTF-16", "windows-1252": "Windows-1252"}
"""Encodings that are converted."""

ROWS = {
    "chat": "conversations",
    "ShareGPT": "ShareGPT conversations",
    "exchanges": "questions and answers in turn",
    "transcript": "conversations, each in one text",
    "prompt and completion": "questions and answers",
    "instruction": "instructions and answers",
    "classification": "texts and labels",
    "preference": "preference data",
    "KTO": "preference data",
}
PERSONAL = {
    "dataset:personal_email": "e-mail addresses",
    "dataset:personal_phone": "phone numbers",
    "dataset:personal_card": "payment card numbers",
    "dataset:personal_iban": "bank account numbers",
    "dataset:personal_secret": "keys and access tokens",
}
NAMED = 5
"""Largest number of ignored columns that are named."""


def file_facts(upload: Upload) -> list[str]:
    """The file's name, size, format and number of rows."""
    found = upload.inspection
    facts = [upload.file_name, filesizeformat(upload.bytes)]
    if found.get("file_format"):
        facts += [_format(found), _rows(found)]
    return [fact for fact in facts if fact]


def looks_like(found: Mapping[str, Any], *, chosen: bool) -> str:
    """What the rows look like, or are read as if the layout was `chosen`; empty if that is not known."""
    rows = ROWS.get(found.get("layout", ""), "")
    if not rows:
        return ""
    if rows == "preference data":
        return "This is preference data."
    return f"Read as {rows}." if chosen else f"Looks like {rows}."


def ignored_columns(found: Mapping[str, Any]) -> str:
    """Which columns are not used; empty if all are."""
    ignored = found.get("ignored", ())
    if not ignored:
        return ""
    names = ", ".join(ignored[:NAMED])
    if len(ignored) > NAMED:
        names += f" and {len(ignored) - NAMED:,} more"
    return f"{len(ignored):,} column{' is' if len(ignored) == 1 else 's are'} ignored: {names}."


def first_rows(found: Mapping[str, Any]) -> str:
    """Which rows a count is of: `of 12 rows`, or `of the first 50 rows`."""
    read = found.get("rows_read", 0)
    return f"of {intcomma(read)} rows" if found.get("row_count") == read else f"of the first {intcomma(read)} rows"


def personal_data(found: Mapping[str, Any]) -> str:
    """The personal data in the first rows; empty if there is none."""
    notices = found.get("notices", {})
    kinds = [f"{title} in {intcomma(notices[code])}" for code, title in PERSONAL.items() if notices.get(code)]
    return f"{', '.join(kinds)} {first_rows(found)}" if kinds else ""


def _format(found: Mapping[str, Any]) -> str:
    parts = [FORMATS.get(found["file_format"], found["file_format"])]
    if delimiter := found.get("delimiter"):
        parts.append(SEPARATORS.get(delimiter, f"separated by “{delimiter}”"))
    if encoding := ENCODINGS.get(found.get("encoding", "")):
        parts.append(f"{encoding} (converted)")
    if found.get("packed"):
        parts.append(found.get("packing") or "gzipped")
    return ", ".join(parts)


def _rows(found: Mapping[str, Any]) -> str:
    if not found.get("rows"):
        return ""
    count, read = found.get("row_count"), found.get("rows_read", 0)
    if count is not None:
        return f"{intcomma(count)} row{'' if count == 1 else 's'}"
    return f"the first {intcomma(read)} rows are shown here" if read else ""
