"""A rubric as a document: strict about what it holds, the same as JSON and as YAML.

name: Clause summaries
instructions: |
  Markdown that judges and experts read.
criteria:
  - name: Correctness
    description: Does the answer say what the expected answer says?
    scale: [1, 5]
    anchors: {1: Wrong or empty., 5: As good as the expected answer.}
    weight: 2
    required: true
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from evaluations.judges.prompts import Criterion
from rest.errors import PortalError
from rest.names import check_name
from rest.yaml_documents import WrongYAML, read_yaml

MAX_BYTES = 64 * 1024
MAX_CRITERIA = 20
MAX_TEXT = 2_000
MAX_INSTRUCTIONS = 8_000
HIGHEST_GRADE = 10
HIGHEST_WEIGHT = 100


class WrongRubric(PortalError):
    """The document is no rubric; the text says where and why."""

    code = "rubric:wrong_document"

    def __init__(self, text: str) -> None:
        super().__init__(text, field="document")


@dataclass(frozen=True, kw_only=True)
class Weighted:
    """A criterion, its weight in the total, and whether every answer must be graded by it."""

    criterion: Criterion
    weight: float = 1.0
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class RubricDocument:
    name: str
    instructions: str
    criteria: tuple[Weighted, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `parsed` reads it back."""
        return {
            "name": self.name,
            "instructions": self.instructions,
            "criteria": [_criterion(one) for one in self.criteria],
        }

    @property
    def sha256(self) -> str:
        """Identifies what is graded and how; the name is no part of it."""
        content = {name: value for name, value in self.to_dict().items() if name != "name"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def to_yaml(self) -> str:
        """As people edit it."""
        content = self.to_dict()
        for criterion in content["criteria"]:
            criterion["anchors"] = {int(grade): text for grade, text in criterion["anchors"].items()}
        return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def from_yaml(text: str) -> RubricDocument:
    """The rubric in a YAML text. Raises WrongRubric."""
    try:
        document = read_yaml(text, what="The rubric", max_bytes=MAX_BYTES)
    except WrongYAML as error:
        raise WrongRubric(str(error)) from None
    return parsed(document)


def parsed(document: Any) -> RubricDocument:
    """The rubric in an object of JSON or YAML. Raises WrongRubric or InvalidName."""
    fields = _fields(document, "The rubric", needed={"name", "criteria"}, known={"name", "instructions", "criteria"})
    criteria = fields["criteria"]
    if not isinstance(criteria, list) or not 1 <= len(criteria) <= MAX_CRITERIA:
        raise WrongRubric(f"“criteria” is a list of 1 to {MAX_CRITERIA} criteria.")
    found = tuple(_weighted(one, f"Criterion {number}") for number, one in enumerate(criteria, 1))
    names = [one.criterion.name.casefold() for one in found]
    if len(set(names)) < len(names):
        raise WrongRubric("Two criteria have the same name.")
    return RubricDocument(
        name=check_name(_text(fields["name"], "The rubric’s name", 80), field="document"),
        instructions=_text(fields.get("instructions", ""), "“instructions”", MAX_INSTRUCTIONS, empty=True),
        criteria=found,
    )


def _weighted(value: Any, where: str) -> Weighted:
    known = {"name", "description", "scale", "anchors", "weight", "required"}
    fields = _fields(value, where, needed={"name", "description"}, known=known)
    scale = fields.get("scale", [1, 5])
    if not (isinstance(scale, list) and len(scale) == 2 and all(type(grade) is int for grade in scale)):
        raise WrongRubric(f"{where}: “scale” is the lowest and the highest grade, such as [1, 5].")
    lowest, highest = scale
    if not 0 <= lowest < highest <= HIGHEST_GRADE:
        raise WrongRubric(f"{where}: the scale lies within 0 and {HIGHEST_GRADE}, lowest first.")
    weight, required = fields.get("weight", 1), fields.get("required", True)
    if type(weight) not in (int, float) or not (math.isfinite(weight) and 0 < weight <= HIGHEST_WEIGHT):
        raise WrongRubric(f"{where}: “weight” is a number above 0, at most {HIGHEST_WEIGHT}.")
    if not isinstance(required, bool):
        raise WrongRubric(f"{where}: “required” is true or false.")
    criterion = Criterion(
        name=check_name(_text(fields["name"], f"{where}: “name”", 80), field="document"),
        description=_text(fields["description"], f"{where}: “description”", MAX_TEXT),
        lowest=lowest,
        highest=highest,
        anchors=_anchors(fields.get("anchors", {}), lowest, highest, where),
    )
    return Weighted(criterion=criterion, weight=float(weight), required=required)


def _anchors(value: Any, lowest: int, highest: int, where: str) -> dict[int, str]:
    if not isinstance(value, Mapping):
        raise WrongRubric(f"{where}: “anchors” gives a text for a grade, such as 1: Wrong.")
    found: dict[int, str] = {}
    for key, text in value.items():
        # JSON has no whole numbers as keys.
        grade = int(key) if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) <= 2 else key
        if type(grade) is not int or not lowest <= grade <= highest:
            raise WrongRubric(f"{where}: the anchor {str(key)[:20]} is not a grade from {lowest} to {highest}.")
        if grade in found:
            raise WrongRubric(f"{where}: two anchors for grade {grade}.")
        found[grade] = _text(text, f"{where}: the anchor of {grade}", MAX_TEXT)
    return dict(sorted(found.items()))


def _fields(value: Any, where: str, *, needed: set[str], known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongRubric(f"{where} must have fields such as “name:”.")
    missing, unknown = sorted(needed - value.keys()), sorted(str(key)[:40] for key in value.keys() - known)
    if missing:
        raise WrongRubric(f"{where}: “{missing[0]}” is missing.")
    if unknown:
        raise WrongRubric(f"{where}: “{unknown[0]}” is not a known field. Known: {', '.join(sorted(known))}.")
    return value


def _text(value: Any, where: str, limit: int, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise WrongRubric(f"{where} is not a text. Put it in quotes.")
    if any(0xD800 <= ord(char) <= 0xDFFF or char == "\x00" for char in value):
        raise WrongRubric(f"{where} contains an invalid character.")
    text = value.strip()
    if not text and not empty:
        raise WrongRubric(f"{where} is empty.")
    if len(text) > limit:
        raise WrongRubric(f"{where} is longer than {limit:,} characters.")
    return text


def _criterion(one: Weighted) -> dict[str, Any]:
    criterion = one.criterion
    return {
        "name": criterion.name,
        "description": criterion.description,
        "scale": [criterion.lowest, criterion.highest],
        "anchors": {str(grade): text for grade, text in criterion.anchors.items()},
        "weight": int(one.weight) if one.weight.is_integer() else one.weight,
        "required": one.required,
    }


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, lists of numbers on one line."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _list(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence(
        "tag:yaml.org,2002:seq", values, flow_style=all(isinstance(value, int) for value in values)
    )


_Dumper.add_representer(str, _block)
_Dumper.add_representer(list, _list)
