"""Generation runs over a few questions, and what they wrote."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from lorakit.contracts import GenerateSpec, Prediction
from lorakit.package import PACKAGE
from lorakit.rundir import Run

QUESTIONS = ["Who are you?", "What is your name?", "Repeat the text.\nOrder AB-77 is late."]


def question(number: int, text: str, **more: object) -> dict[str, object]:
    """A row with the id q0, q1 and so on."""
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "?"}]
    return {"id": f"q{number}", "messages": messages, **more}


def prepare(
    directory: Path,
    base: Path,
    packages: Mapping[str, Path] | None = None,
    rows: list[dict[str, object]] | None = None,
    **fields: object,
) -> Run[GenerateSpec]:
    """A generation run that asks `rows`, else the questions, with the packages of its targets."""
    spec = GenerateSpec(base_model=str(base), **({"max_new_tokens": 24} | fields))  # type: ignore[arg-type]
    (directory / "inputs" / "prompts").mkdir(parents=True)
    asked = rows or [question(number, text) for number, text in enumerate(QUESTIONS)]
    lines = "".join(json.dumps(row) + "\n" for row in asked)
    (directory / "inputs" / "prompts" / "rows.jsonl").write_text(lines)
    for target, package in (packages or {}).items():
        (directory / "inputs" / target).mkdir()
        shutil.copy(package, directory / "inputs" / target / PACKAGE)
    (directory / "spec.json").write_text(spec.to_json())
    return Run(directory, spec, area="generation")


def predictions(output: Path) -> list[Prediction]:
    """The answers in an output folder."""
    lines = (output / "predictions.jsonl").read_text().splitlines()
    return [Prediction.from_json(line) for line in lines]


def texts(output: Path) -> dict[tuple[str, str], str]:
    """The text of each answer by row and target."""
    return {(prediction.id, prediction.target): prediction.text for prediction in predictions(output)}
