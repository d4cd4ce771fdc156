"""Reads the rows of a run: chat rows, each with the targets that are to answer it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorakit.errors import RunError
from lorakit.rows import ChatRow, parse_row, read_lines


@dataclass(frozen=True)
class Asked:
    """A row, the targets that are to answer it, in the run's order, and conversations to show them first."""

    row: ChatRow
    targets: tuple[str, ...]
    examples: tuple[ChatRow, ...] = ()


def read_prompts(path: Path, targets: tuple[str, ...]) -> Iterator[Asked]:
    """The rows of a file. Raises RunError naming an invalid line, an id that comes twice or an unknown target."""
    ids: set[str] = set()
    for row, names, examples in read_lines(path, parse, area="generation"):
        if row.id in ids:
            raise RunError("generation:id_twice", f"Two rows have the id {row.id}. Give each row an id of its own.")
        ids.add(row.id)
        unknown = sorted(names - set(targets)) if names is not None else []
        if unknown:
            text = f"Row {row.id} asks {unknown[0]}, which is not one of the models that this run asks."
            raise RunError("generation:unknown_target", text)
        asked = targets if names is None else tuple(target for target in targets if target in names)
        yield Asked(row, asked, examples)


def parse(row: Any, row_id: str) -> tuple[ChatRow, set[str] | None, tuple[ChatRow, ...]]:
    """A decoded line, the targets it names, None if it names none, and its examples.

    Raises ValueError or a lookup error.
    """
    names = row.get("targets")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ValueError("targets must be a list of names")
    examples = tuple(parse_row({"messages": messages}, row_id) for messages in row.get("examples") or ())
    return parse_row(row, row_id), None if names is None else set(names), examples
