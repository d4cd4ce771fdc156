"""JSON Lines: one object per line, strictly by RFC 8259."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

import jiter

from corpora.ingest.contracts import Problem
from corpora.ingest.formats.lines import bounded_lines
from corpora.ingest.problems import RowProblem, shown

NOT_UTF8 = (
    "The text is not UTF-8. Save the file as UTF-8 (in Excel: “CSV UTF-8”), or choose its encoding (option “encoding”)."
)


def parse_line(line: bytes) -> Any:
    """The value of one line. Raises RowProblem."""
    try:
        return jiter.from_json(line, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")
    except ValueError:
        # jiter accepts slightly less than the standard library, whose errors are clearer for people.
        return _parse_slowly(line)


def read_lines(file: BinaryIO, *, max_row_bytes: int) -> Iterator[tuple[int, Any] | Problem]:
    """(line, value) of each line that is not blank, or why it cannot be read."""
    for number, line in bounded_lines(file, max_row_bytes):
        if line is None:
            yield Problem(line=number, field="", code="dataset:row_too_long", text="The row is too long. Shorten it.")
        elif line.strip():
            try:
                yield number, parse_line(line)
            except RowProblem as problem:
                yield problem.at(number)


def _parse_slowly(line: bytes) -> Any:
    try:
        return _decoder.decode(line.decode())
    except UnicodeDecodeError:
        raise RowProblem("dataset:encoding", "", NOT_UTF8) from None
    except RecursionError:
        raise RowProblem(
            "dataset:broken_line", "", "The JSON is nested too deeply. A row is a flat object, or a list of turns."
        ) from None
    except json.JSONDecodeError as error:
        where = f"Error at character {error.pos + 1}: {error.msg.lower()}."
        raise RowProblem("dataset:broken_line", "", f"The line is not a complete JSON object. {where}") from None
    except ValueError:
        raise RowProblem(
            "dataset:broken_line", "", "The row contains a number with too many digits. Shorten it."
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        name = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        text = f"“{shown(name)}” occurs twice. Remove one of them."
        raise RowProblem("dataset:duplicate_key", shown(name), text)
    return result


def _no_constant(name: str) -> NoReturn:
    raise RowProblem("dataset:broken_line", "", f"{name} is not valid JSON. Use a number or null.")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
