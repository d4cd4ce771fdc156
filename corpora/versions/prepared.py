"""How a version was made from its file, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from corpora.models import DatasetVersion

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}

DECISIONS: dict[str, dict[str, str]] = {
    "bad_rows": {"bad_rows": "leave_out"},
    "personal_data": {"personal_data": "mask"},
    "over_long": {"over_long": "leave_out"},
    "leaks": {"leaks": "leave_out"},
}
"""What may be decided on a version's page, and the options of the new version that comes of it."""

OPTION_TITLES = {
    "file_format": "Format",
    "delimiter": "Delimiter",
    "layout": "Layout",
    "columns": "Columns",
    "bad_rows": "Rows that cannot be used",
    "personal_data": "Personal data",
    "over_long": "Rows longer than the model reads",
    "leaks": "Rows whose prompt is in both splits",
    "context": "Base model",
    "test_share": "Share held out",
    "seed": "Seed",
}


def prepared_as(version: DatasetVersion) -> list[str]:
    """Short phrases, the file's format first; what is as usual is not mentioned."""
    return list(_phrases(version.options, version))


def option_text(name: str, value: Any) -> str:
    """An option's value as it is shown beside its title."""
    if name == "columns" and value:
        return ", ".join(f"{field} from “{column}”" for field, column in value.items())
    if name == "test_share" and value is not None:
        return f"{value:.0%}" if value == round(value, 2) else f"{value:.1%}"
    if name == "delimiter" and value:
        return DELIMITERS.get(value, f"“{value}”")
    if value in ("", None, {}):
        return "as detected" if name != "context" else "the first there is"
    return str(value).replace("_", " ")


def _phrases(options: Mapping[str, Any], version: DatasetVersion) -> Iterator[str]:
    if version.file_format:
        delimiter = version.profile.get("delimiter")
        separated = f", separated by {option_text('delimiter', delimiter)}" if delimiter else ""
        yield f"read as {version.file_format.upper()}{separated}"
    if options.get("columns"):
        yield option_text("columns", options["columns"])
    if options.get("bad_rows") == "leave_out":
        yield "rows that cannot be used left out"
    if options.get("personal_data") == "mask":
        yield "personal data masked"
    if options.get("over_long") == "leave_out":
        yield "over-long rows left out"
    if options.get("leaks") == "leave_out":
        yield "the later row left out where a prompt is in both splits"
    if context := version.profile.get("context") or options.get("context"):
        yield f"measured against {context}"
    if "test_share" in options:
        yield f"{option_text('test_share', options['test_share'])} held out where the file names no split"
        yield f"seed {options.get('seed', 0)}"
