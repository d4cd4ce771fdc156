"""The case of a decision as an evidence pack holds it: its head, its rows and its reviews."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from lorakit.gates.case import Case, Control, Given, Item, Licence, Role, Round, Row, Scored

APART = ("rows", "round")


def head_of(case: Case) -> dict[str, Any]:
    """Everything of a case but its rows and the items of its round."""
    head = {name: value for name, value in asdict(case).items() if name not in APART}
    found = case.round
    head["round"] = found and {
        "number": found.number,
        "shape": found.shape,
        "against": found.against,
        "reviewers_per_item": found.reviewers_per_item,
        "seconds": found.seconds,
    }
    return head


def case_from(head: Mapping[str, Any], rows: Iterable[Row], items: Iterable[Item]) -> Case:
    """The case again. Raises TypeError, KeyError or ValueError for what is none."""
    values = dict(head)
    found, control, licence = values.pop("round"), values.pop("control"), values.pop("licence")
    return Case(
        **{**values, "scales": {alias: (low, high) for alias, (low, high) in values["scales"].items()}},
        rows=list(rows),
        round=Round(**found, items=list(items)) if found else None,
        control=Control(weight=control["weight"], scores=tuple(control["scores"]), grades=tuple(control["grades"]))
        if control
        else None,
        licence=Licence(**licence) if licence else None,
    )


def row_of(line: Mapping[str, Any]) -> Row:
    """The numbers of a line of `rows.jsonl.gz`."""
    answers: dict[Role, Scored] = {
        role: Scored(
            scores=answer["scores"],
            judge=answer["judge"]["score"] if answer["judge"] else None,
            seconds=answer["seconds"],
            usd=answer["usd"],
        )
        for role, answer in line["answers"].items()
    }
    return Row(number=line["number"], prompt=line["prompt_sha256"], answers=answers, leaked=line["leaked"])


def item_of(line: Mapping[str, Any]) -> Item:
    """The verdicts of a line of `reviews.jsonl.gz`."""
    return Item(
        position=line["position"],
        part=line["part"],
        row=line["row"],
        role=line["role"],
        state=line["state"],
        value=line["value"],
        given=tuple(Given(review["reviewer"], review["value"]) for review in line["reviews"] if review["counts"]),
    )
