"""An evaluation's rows and answers as a judging reads them."""

from collections.abc import Iterator

from evaluations.judging.plan import CORRECTNESS, Plan, Row
from evaluations.models import ALTERNATIVES, Answer, EvaluationItem, EvaluationRun, Judging
from evaluations.rubrics.document import parsed

ROWS_AT_ONCE = 200


def rows_from(run: EvaluationRun, number: int = 0) -> Iterator[Row]:
    """The rows from place `number` on, the first being 0, with the answers that there are; a few are held at once.

    Alternatives to training are not judged: their scores are there, and grades would cost as much as the others'.
    """
    items = EvaluationItem.objects.filter(run=run).order_by("position")
    while chunk := list(items[number : number + ROWS_AT_ONCE]):
        found: dict[object, dict[str, str]] = {item.id: {} for item in chunk}
        answers = Answer.objects.filter(item__in=chunk).exclude(model__kind__in=ALTERNATIVES)
        answers = answers.order_by("model__position")
        for item_id, key, text in answers.values_list("item_id", "model__key", "text"):
            found[item_id][key] = text
        for item in chunk:
            yield Row(
                id=str(item.position),
                messages=item.messages,
                reference=item.reference,
                answers=found[item.id],
                prompt=item.prompt_sha256,
            )
        number += len(chunk)


def plan_of(judging: Judging) -> Plan:
    """What the judging asks: its rubric, and in pairs the evaluation’s own model against each other one."""
    version = judging.rubric_version
    rubric = parsed({**version.document, "name": version.rubric.name}) if version else CORRECTNESS
    own = judging.run.own_key
    others = [model.key for model in judging.run.contenders if model.key != own]
    return Plan(rubric=rubric, pairs=tuple((own, other) for other in others) if judging.is_pairwise else ())
