"""Describes the import options of a version."""

from collections.abc import Iterator, Mapping
from typing import Any

from corpora.models import DatasetVersion

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}

ENCODINGS = {"utf-16": "UTF-16", "windows-1252": "Windows-1252"}

DECISIONS: dict[str, dict[str, str]] = {
    "bad_rows": {"bad_rows": "leave_out"},
    "personal_data": {"personal_data": "mask"},
    "over_long": {"over_long": "leave_out"},
    "leaks": {"leaks": "leave_out"},
    "near_leaks": {"near_leaks": "leave_out"},
    "reasoning": {"reasoning": "drop"},
}
"""The decisions on a version's page, each with the option changes for the new version."""

OPTION_TITLES = {
    "file_format": "Format",
    "delimiter": "Column separator",
    "encoding": "Text encoding",
    "layout": "Row layout",
    "columns": "Columns",
    "bad_rows": "Rows with problems",
    "personal_data": "Personal data",
    "over_long": "Rows too long for the base model",
    "leaks": "Prompts in both splits",
    "near_leaks": "Test rows much like training rows",
    "preferences": "Preference data",
    "reasoning": "Reasoning",
    "context": "Base model",
    "test_share": "Held out for testing",
    "seed": "Seed",
    "metadata": "Kept for filtering",
}


def prepared_as(version: DatasetVersion) -> list[str]:
    """Short phrases for the options, format first. Defaults are left out, except for the split."""
    return list(_phrases(version.options, version))


def option_text(name: str, value: Any) -> str:
    """The display text of an option's value."""
    if name == "columns" and value:
        return ", ".join(f"{field} from “{column}”" for field, column in value.items())
    if name == "test_share" and value is not None:
        return f"{value:.0%}" if value == round(value, 2) else f"{value:.1%}"
    if name == "delimiter" and value:
        return DELIMITERS.get(value, f"“{value}”")
    if name == "metadata" and value is not None:
        return ", ".join(value) or "none"
    if value in ("", None, {}):
        return "detected" if name != "context" else "default"
    return str(value).replace("_", " ")


def _phrases(options: Mapping[str, Any], version: DatasetVersion) -> Iterator[str]:
    if version.file_format:
        delimiter = version.profile.get("delimiter")
        separator = f" with {option_text('delimiter', delimiter)} separator" if delimiter else ""
        encoding = ENCODINGS.get(version.profile.get("encoding", ""))
        yield f"{version.file_format.upper()}{separator}{f', converted from {encoding}' if encoding else ''}"
    if options.get("columns"):
        yield option_text("columns", options["columns"])
    if kept := version.profile.get("metadata"):
        yield f"kept for filtering: {', '.join(kept)}"
    if options.get("bad_rows") == "leave_out":
        yield "rows with problems left out"
    if options.get("personal_data") == "mask":
        yield "personal data masked"
    if options.get("over_long") == "leave_out":
        yield "rows too long for the base model left out"
    if options.get("leaks") == "leave_out":
        yield "repeated prompts across splits left out"
    if options.get("near_leaks") == "leave_out":
        yield "test rows much like training rows left out"
    if options.get("preferences") == "chosen":
        yield "chosen answers of preference data"
    if options.get("reasoning") == "keep":
        yield "reasoning kept"
    if context := version.profile.get("context") or options.get("context"):
        yield f"token counts for {context}"
    if "test_share" in options:
        yield f"{option_text('test_share', options['test_share'])} held out unless the file has a split"
        yield f"seed {options.get('seed', 0)}"
