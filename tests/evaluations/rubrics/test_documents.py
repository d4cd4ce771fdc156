"""A rubric is read strictly, from YAML and JSON alike, and comes back as it was."""

import json
from typing import Any

import pytest
import yaml

from evaluations.rubrics.document import WrongRubric, from_yaml, parsed
from evaluations.rubrics.preview import prompts
from evaluations.rubrics.starting import starters
from rest.errors import PortalError

GOOD: dict[str, Any] = {"name": "Mine", "criteria": [{"name": "Correct", "description": "Is it right?"}]}


def changed(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "criteria": [{**GOOD["criteria"][0], **changes}]}


def test_there_are_five_to_start_from() -> None:
    assert sorted(starters()) == ["classification", "dialogue", "extraction", "legal-clause", "summarisation"]


@pytest.mark.parametrize("name", sorted(starters()))
def test_it_comes_back_as_it_was(name: str) -> None:
    document = starters()[name]
    assert from_yaml(document.to_yaml()) == document
    assert parsed(json.loads(json.dumps(document.to_dict()))) == document
    assert from_yaml(document.to_yaml()).sha256 == document.sha256


def test_defaults() -> None:
    one = parsed(GOOD).criteria[0]
    assert (one.weight, one.required, one.criterion.lowest, one.criterion.highest) == (1.0, True, 1, 5)


def test_the_hash_is_of_what_is_graded() -> None:
    document = parsed(GOOD)
    assert parsed({**GOOD, "name": "Other"}).sha256 == document.sha256
    assert parsed({**GOOD, "instructions": "Strictly"}).sha256 != document.sha256
    assert parsed(changed(weight=2)).sha256 != document.sha256


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (None, "must have fields"),
        ([], "must have fields"),
        ({"name": "Mine"}, "“criteria” is missing"),
        ({**GOOD, "criteria": []}, "1 to 20"),
        ({**GOOD, "criteria": GOOD["criteria"] * 2}, "same name"),
        ({**GOOD, "criteria": ["Correct"]}, "Criterion 1 must have fields"),
        ({**GOOD, "judge": "x"}, "“judge” is not a known field"),
        ({**GOOD, "name": 5}, "not a text"),
        ({**GOOD, "name": " "}, "empty"),
        ({**GOOD, "name": "a\nb"}, "line break"),
        ({**GOOD, "instructions": "x" * 8001}, "longer"),
        ({**GOOD, "instructions": "\ud800"}, "invalid character"),
        (changed(description=True), "not a text"),
        (changed(scale=[5, 1]), "lowest first"),
        (changed(scale=[1, 11]), "within 0 and 10"),
        (changed(scale=[1, 2.5]), "such as \\[1, 5\\]"),
        (changed(scale="1-5"), "such as"),
        (changed(anchors={6: "x"}), "not a grade"),
        (changed(anchors={"a": "x"}), "not a grade"),
        (changed(anchors={"1": "x", 1: "y"}), "two anchors"),
        (changed(anchors=["x"]), "gives a text"),
        (changed(weight=0), "above 0"),
        (changed(weight=float("nan")), "above 0"),
        (changed(weight=True), "above 0"),
        (changed(required="no"), "true or false"),
    ],
)
def test_what_is_wrong_is_named(document: Any, text: str) -> None:
    with pytest.raises(PortalError, match=text):
        parsed(document)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name: [", "Line 1: This is not valid YAML"),
        ("name: a\nname: b", "a key occurs twice"),
        ("name: &a x\ninstructions: *a", "aliases are not allowed"),
        ("name: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
        ("? {a: b}\n: c", "not valid YAML"),
        ("name: 2026-99-99", "not valid YAML"),
        ("x: " + "y" * 70_000, "larger than 64 KiB"),
        ("name: yes\ncriteria: [{name: a, description: b}]", "Put it in quotes"),
        ("", "must have fields"),
        ("name: a\x00b", "not valid YAML"),
    ],
    ids=lambda value: value[:20],
)
def test_hostile_yaml_is_refused_with_a_reason(text: str, found: str) -> None:
    with pytest.raises(WrongRubric, match=found):
        from_yaml(text)


def test_yaml_keeps_grades_as_numbers() -> None:
    text = starters()["classification"].to_yaml()
    assert yaml.safe_load(text)["criteria"][0]["anchors"][0] == "Another class, several classes, or none."
    assert "scale: [0, 1]" in text
    assert "instructions: |" in starters()["legal-clause"].to_yaml()


def test_the_preview_is_the_prompt_of_each_criterion() -> None:
    document = starters()["legal-clause"]
    found = prompts(document)
    assert [name for name, _ in found] == ["Legal effect", "Completeness", "Terms"]
    for _, prompt in found:
        assert document.instructions in prompt.system
        assert "60 days" in prompt.user
    assert (found[2][1].lowest, found[2][1].highest) == (1, 3)
