"""Reads what people and programs say about a file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from corpora.contexts import context_named
from corpora.ingest.contracts import FIELDS, Options
from lorakit.contracts import split_message, unknown_fields
from rest.errors import PortalError


class WrongOption(PortalError):
    """An option that does not exist or cannot have this value."""

    code = "dataset:wrong_option"


def read_options(raw: Mapping[str, Any]) -> Options:
    """The options; raises WrongOption naming the one that is wrong."""
    try:
        options = msgspec.convert(dict(raw), Options)
    except msgspec.ValidationError as error:
        field, text = split_message(str(error))
        raise WrongOption(f"The option “{field}” cannot be used: {text}.", field=f"options.{field}") from None
    for field in unknown_fields(dict(raw), msgspec.to_builtins(options)):
        raise WrongOption(f"There is no option “{field}”.", field=f"options.{field}")
    for name in options.columns:
        if name not in FIELDS:
            text = f"“{name}” is nothing a column can stand for. Use one of {', '.join(FIELDS)}."
            raise WrongOption(text, field="options.columns")
    for name, text in (("delimiter", options.delimiter), *(("columns", column) for column in options.columns.values())):
        if not _can_be_stored(text):
            raise WrongOption(f"The option “{name}” holds a character that is none.", field=f"options.{name}")
    if options.context and context_named(options.context) is None:
        raise WrongOption(f"There is no base model “{options.context}”.", field="options.context")
    # msgspec leaves out what has its default value; a set of options has one spelling, however it was given.
    return replace(options, columns=_spelled(options))


def _spelled(options: Options) -> dict[str, str]:
    """The columns in one order; a table's are found in any case, so where it is known to be one, in lower case."""
    columns = dict(sorted(options.columns.items()))
    if options.file_format in {"csv", "tsv"}:
        columns = {field: column.strip().lower() for field, column in columns.items()}
    return columns


def _can_be_stored(text: str) -> bool:
    """Neither NUL nor half of a character, which no database takes."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
