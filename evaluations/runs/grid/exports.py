"""Downloads of an evaluation's rows, in parts, so that memory stays the same however many there are.

Which rows, and in which order, is read at once; their texts are read part by part while the file is sent.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from math import exp
from statistics import fmean
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from corpora.versions.exports import BYTE_ORDER_MARK, safe_cell
from evaluations.metrics import metrics
from evaluations.metrics.base import RowMetric
from evaluations.models import EvaluationItem
from evaluations.runs.grades import NONE, AnswerGrades, GradesByAnswer, grades_of
from evaluations.runs.grid.columns import columns_of as kept_columns
from evaluations.runs.grid.grid import Grid
from evaluations.runs.queries import GradedAnswer, answers_of
from evaluations.runs.report import in_order
from evaluations.runs.stages.answers import parts
from evaluations.runs.stages.held_out import ALL
from tenants.scope import tenant_scope

FileType = Literal["csv", "jsonl", "parquet"]

FILE_TYPES: dict[FileType, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
METADATA = "metadata."
PART = 250
"""Rows that are in memory at once."""

Record = dict[str, Any]
"""The values of a row by column."""


def export_response(grid: Grid, file_type: FileType) -> StreamingHttpResponse:
    """The rows that a grid shows, in its order, as a download."""
    columns = columns_of(grid)
    pieces = WRITERS[file_type](columns, _records(grid, columns))
    # Once a response has started, it can no longer become an error page.
    pieces = chain([next(pieces, b"")], pieces)
    response = StreamingHttpResponse(pieces, content_type=FILE_TYPES[file_type])
    name = f"{grid.run.title} evaluation.{file_type}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def columns_of(grid: Grid) -> dict[str, str]:
    """{column: `text`, `number`, `integer` or `yes/no`}, in order; those of a model begin with its key."""
    columns = {"row": "integer", "slice": "text", "prompt": "text", "expected": "text"}
    columns |= {f"{METADATA}{name}": "text" for name in kept_columns(grid.run)}
    if grid.run.has_alternatives:
        columns["training_likeness"] = "number"
    for model in grid.models:
        own = {"answer": "text", "right": "yes/no", **dict.fromkeys(_metrics(grid), "number")}
        own |= {"judge_grade": "number", "judge_reason": "text", "confidence": "number"}
        own |= {"prompt_tokens": "integer", "tokens": "integer", "seconds": "number"}
        own |= {"expert_grades": "integer", "expert_mean": "number", "expert_comments": "text", "correction": "text"}
        columns |= {f"{model.key}.{name}": kind for name, kind in own.items()}
    return columns


def _metrics(grid: Grid) -> list[str]:
    figures = grid.run.summary[ALL]["figures"].values() if grid.run.summary else ()
    aliases = {alias for by_alias in figures for alias in by_alias}
    return [alias for alias in in_order(aliases) if isinstance(metrics.get(alias), RowMetric)]


def _records(grid: Grid, columns: dict[str, str]) -> Iterator[Record]:
    run, viewer = grid.run, grid.viewer
    ids: list[UUID] = list(grid.ordered.values_list("id", flat=True))
    for part in parts(ids, PART):
        # While a file is sent, the request's tenant and transaction are over.
        with tenant_scope(run.tenant_id), transaction.atomic():
            found = EvaluationItem.objects.in_bulk(part)
            items = [found[item_id] for item_id in part if item_id in found]
            answers, grades = answers_of(run, items), grades_of(run, items, viewer)
        for item in items:
            record = _record(item, answers[item.id], grades)
            yield {name: record.get(name) for name in columns}


def _record(item: EvaluationItem, given: Iterable[GradedAnswer], grades: GradesByAnswer) -> Record:
    record: Record = {
        "row": item.position,
        "slice": item.slice,
        "prompt": _prompt(item),
        "expected": item.reference,
        **{f"{METADATA}{name}": value for name, value in item.metadata.items()},
        "training_likeness": item.likeness,
    }
    for one in given:
        answer, grade = one.answer, one.grade
        own = {
            **answer.scores,
            "answer": answer.text,
            "right": answer.is_right,
            "judge_grade": grade.score if grade else None,
            "judge_reason": grade.reason if grade else None,
            "confidence": exp(min(answer.log_probability, 0.0)) if answer.log_probability is not None else None,
            "prompt_tokens": answer.prompt_tokens,
            "tokens": answer.completion_tokens,
            "seconds": answer.seconds,
            **_experts(grades.get(answer.id, NONE)),
        }
        record |= {f"{one.model.key}.{name}": value for name, value in own.items()}
    return record


def _experts(grades: AnswerGrades) -> Record:
    given = [review.grade for review in grades.shown if review.grade is not None]
    return {
        "expert_grades": len(given),
        "expert_mean": fmean(given) if given else None,
        "expert_comments": "\n\n".join(review.comment for review in grades.shown if review.comment),
        "correction": next((review.correction for review in reversed(grades.shown) if review.correction), ""),
    }


def _prompt(item: EvaluationItem) -> str:
    """A single turn as it is, or several turns, each after its role."""
    turns = item.turns
    return turns[0].text if len(turns) == 1 else "\n\n".join(f"{turn.role.capitalize()}: {turn.text}" for turn in turns)


def _csv(columns: dict[str, str], records: Iterable[Record]) -> Iterator[bytes]:
    line = io.StringIO()
    writer = csv.writer(line)
    line.write(BYTE_ORDER_MARK)
    writer.writerow([safe_cell(name) for name in columns])
    for part in parts(records, PART):
        for record in part:
            writer.writerow(map(_cell, record.values()))
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()
    yield line.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return safe_cell(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _jsonl(columns: dict[str, str], records: Iterable[Record]) -> Iterator[bytes]:
    for part in parts(records, PART):
        yield "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in part).encode()


def _parquet(columns: dict[str, str], records: Iterable[Record]) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64(), "yes/no": pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema) as writer:
        for part in parts(records, 4 * PART):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What has been written since it was last taken."""

    def __init__(self) -> None:
        self._written = bytearray()
        self._before = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def tell(self) -> int:
        return self._before + len(self._written)

    def taken(self) -> bytes:
        piece = bytes(self._written)
        self._before += len(piece)
        self._written.clear()
        return piece


WRITERS: dict[FileType, Callable[[dict[str, str], Iterable[Record]], Iterator[bytes]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}
