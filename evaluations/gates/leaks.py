"""Test rows whose prompts a version was trained on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from corpora.ingest.texts.near import NearTexts
from corpora.models import DatasetVersion
from evaluations.models import EvaluationItem, EvaluationRun
from lorakit.rows import parse_row
from storage.errors import ObjectMissing
from storage.objects import open_object

MOST_COMPARED = 20_000
"""Training rows that are compared by likeness; equal prompts are found among all of them."""
AT_ONCE = 2_000


def leaked_rows(run: EvaluationRun) -> list[int] | None:
    """Positions of the run's rows whose prompt is a training row's of its version, or much like one.

    None where the training rows are no longer stored. Reads them, so call it outside transactions.
    """
    rows = list(EvaluationItem.objects.filter(run=run).values_list("position", "messages"))
    trained_on = run.version.run.dataset_version
    if not trained_on.train_key:
        return []
    prompts = [_prompt(messages) for _, messages in rows]
    tests = NearTexts(prompts)
    known = set(prompts) - {""}
    equal: set[str] = set()
    compared = 0
    try:
        training = _prompts(trained_on)
        while part := list(islice(training, AT_ONCE)):
            equal |= known.intersection(part)
            if compared < MOST_COMPARED:
                tests.look_up(part)
                compared += len(part)
    except (ObjectMissing, FileNotFoundError):
        return None
    near = {number for number, found in enumerate(tests.found.tolist()) if found}
    return [position for number, (position, _) in enumerate(rows) if number in near or prompts[number] in equal]


def _prompts(version: DatasetVersion) -> Iterator[str]:
    with open_object(version.train_key) as file:
        for line in file:
            stored = json.loads(line)
            yield _prompt(parse_row(stored, stored["id"]).messages[:-1])


def _prompt(messages: Sequence[Mapping[str, Any]]) -> str:
    """What the user says, as the check of a dataset compares it."""
    return "\n".join(str(message.get("content") or "") for message in messages if message["role"] == "user")
