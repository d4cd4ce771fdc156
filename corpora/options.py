"""Validates the import options that people and API clients set."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args, get_type_hints

import msgspec

from corpora.contexts import context_named
from corpora.ingest.contracts import FIELDS, Options
from corpora.ingest.layouts.known import MARKS
from corpora.ingest.problems import shown
from lorakit.contracts import split_message, unknown_fields
from rest.errors import PortalError

OPTION_TYPES = get_type_hints(Options)
UNUSABLE_DELIMITERS = frozenset('\r\n"')
LONGEST_COLUMN = 1_000


class WrongOption(PortalError):
    """An option is unknown or has an invalid value."""

    code = "dataset:wrong_option"


def read_options(raw: Mapping[str, Any]) -> Options:
    """Validate `raw` and return the options. Raises WrongOption, whose `field` names the invalid option."""
    try:
        options = msgspec.convert(dict(raw), Options)
    except msgspec.ValidationError as error:
        field, text = split_message(str(error))
        text = f"The option “{field}” is invalid: {text}.{_choices(field)}"
        raise WrongOption(text, field=f"options.{field}") from None
    for field in unknown_fields(dict(raw), msgspec.to_builtins(options)):
        raise WrongOption(f"Unknown option “{field}”. Check its spelling, or remove it.", field=f"options.{field}")
    for name in options.columns:
        if name not in FIELDS:
            text = f"“{name}” is not a known field. Use one of {', '.join(FIELDS)}."
            raise WrongOption(text, field="options.columns")
    if options.delimiter in UNUSABLE_DELIMITERS:
        text = "The option “delimiter” is a line break or a quotation mark. Use the character between the columns."
        raise WrongOption(text, field="options.delimiter")
    _check_columns(options.columns)
    for name, text in (("delimiter", options.delimiter), *(("columns", column) for column in options.columns.values())):
        if not _can_be_stored(text):
            raise WrongOption(
                f"The option “{name}” contains an invalid character. Replace it.", field=f"options.{name}"
            )
    if options.context and context_named(options.context) is None:
        raise WrongOption(
            f"Unknown base model “{options.context}”. Choose another, or omit it to use the default.",
            field="options.context",
        )
    # Normalise the columns, so that equal sets of options have one digest.
    return replace(options, columns=_spelled(options), metadata=_kept(options))


def _check_columns(columns: Mapping[str, str]) -> None:
    """Raises WrongOption for a column whose name is too long, or that stands for two parts of a conversation."""
    taken: dict[str, str] = {}
    for name, column in columns.items():
        if len(column) > LONGEST_COLUMN:
            text = f"The column for “{name}” has more than {LONGEST_COLUMN} characters. Rename it in the file."
            raise WrongOption(text, field="options.columns")
        if name in MARKS:
            continue
        if other := taken.get(column):
            text = f"“{other}” and “{name}” are the same column, “{shown(column)}”. Choose one column for each."
            raise WrongOption(text, field="options.columns")
        taken[column] = name


def _choices(field: str) -> str:
    """What an option may be, if it is one of a few values."""
    values = get_args(OPTION_TYPES.get(field))
    if not values or not all(isinstance(value, str) for value in values):
        return ""
    return f" Use one of {', '.join(value for value in values if value)}."


def _spelled(options: Options) -> dict[str, str]:
    """The columns in sorted order, in lower case for CSV and TSV, where column names are not case-sensitive."""
    columns = dict(sorted(options.columns.items()))
    if options.file_format in {"csv", "tsv"}:
        columns = {field: column.strip().lower() for field, column in columns.items()}
    return columns


def _kept(options: Options) -> tuple[str, ...] | None:
    """The columns kept for filtering, each once. Raises WrongOption for a name that cannot be one."""
    if options.metadata is None:
        return None
    for column in options.metadata:
        if not column or len(column) > LONGEST_COLUMN or not _can_be_stored(column):
            text = f"“{shown(column)}” cannot be the name of a column to keep. Use a name from the file."
            raise WrongOption(text, field="options.metadata")
    is_table = options.file_format in {"csv", "tsv"}
    return tuple(dict.fromkeys(column.strip().lower() if is_table else column for column in options.metadata))


def _can_be_stored(text: str) -> bool:
    """Whether the text has no NUL and no lone surrogate, which PostgreSQL rejects."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
