"""What a router's form holds: a document that may not be valid yet, and the buttons that change its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, cast

from rest.errors import PortalError
from serving.routing.document import RouterDocument, RuleDraft, Target

T = TypeVar("T")


class Sent(Protocol):
    """A form's fields, as Django's QueryDict."""

    def getlist(self, key: str) -> list[str]: ...


def rules_of(sent: Sent) -> tuple[RuleDraft, ...]:
    """The rows of rules; each has one of these fields. A row without texts and target is left out."""
    names = ("rule_id", "rule_kind", "rule_texts", "rule_target")
    rows = _rows([sent.getlist(name) for name in names])
    drafts = (
        RuleDraft(
            id=id_,
            kind="pattern" if kind == "pattern" else "keyword",
            texts=lines_of(texts),
            target=target.strip(),
        )
        for id_, kind, texts, target in rows
    )
    return tuple(draft for draft in drafts if draft.texts or draft.target)


def targets_of(sent: Sent) -> tuple[Target, ...]:
    """The rows of models to choose from. An empty row is left out."""
    names = ("target_name", "target_description", "target_examples")
    rows = _rows([sent.getlist(name) for name in names])
    targets = (
        Target(name=name.strip(), description=description.strip(), examples=lines_of(examples))
        for name, description, examples in rows
    )
    return tuple(target for target in targets if target.name or target.description or target.examples)


def lines_of(text: str) -> tuple[str, ...]:
    """One text for each line that has one."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


@dataclass(frozen=True)
class Step:
    """What a button of a row does: `up`, `down` or `remove`, and to which row, of `rules` or `targets`."""

    action: str
    part: str
    place: int


def step_of(text: str) -> Step | None:
    """As in `up rules 3`, counted from 0; None for any other text."""
    action, _, rest = text.partition(" ")
    part, _, place = rest.partition(" ")
    is_known = action in ("up", "down", "remove") and part in ("rules", "targets") and place.isascii()
    return Step(action, part, int(place)) if is_known and place.isdecimal() and len(place) < 6 else None


def stepped(document: RouterDocument, step: Step) -> RouterDocument:
    """The document after the button. A row that is not there, or can't move further, changes nothing."""
    if step.part == "rules":
        return replace(document, rules=_stepped(document.rules, step))
    return replace(document, targets=_stepped(document.targets, step))


def _stepped(rows: tuple[T, ...], step: Step) -> tuple[T, ...]:
    left = list(rows)
    other = {"up": step.place - 1, "down": step.place + 1, "remove": step.place}[step.action]
    if not (0 <= step.place < len(left) and 0 <= other < len(left)):
        return rows
    row = left.pop(step.place)
    if step.action != "remove":
        left.insert(other, row)
    return tuple(left)


def _rows(columns: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    if len({len(column) for column in columns}) > 1:
        raise PortalError("The form is incomplete. Reload the page.", code="router:invalid")
    return list(zip(*columns, strict=True))


def place_of(field: str | None, part: str) -> int | None:
    """The row at fault: 3 for `rules.3`."""
    name, _, place = (field or "").partition(".")
    return int(place) if name == part and place.isdecimal() else None


def document_from(sent: Sent, values: Mapping[str, object]) -> RouterDocument:
    """The form's document. Raises PortalError for a form that a browser did not send."""
    return RouterDocument(
        rules=rules_of(sent),
        targets=targets_of(sent),
        default=str(values.get("default") or ""),
        classifier=str(values.get("classifier") or ""),
        judge=str(values.get("judge") or ""),
        floor=cast(float, values.get("floor") if values.get("floor") is not None else RouterDocument.floor),
    )
