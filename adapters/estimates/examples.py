"""How many examples the rows of a dataset version become: more than one where a template rewrites earlier turns."""

from dataclasses import dataclass

from adapters.base_models.chat_templates import rewritten_by_template
from adapters.models import BaseModel
from corpora.models import DatasetVersion
from lorakit.contracts import Learn


@dataclass(frozen=True, kw_only=True)
class ExamplesPerRow:
    """On average: `examples` a row, which together have `tokens` times the tokens of their row."""

    examples: float = 1.0
    tokens: float = 1.0


def examples_per_row(version: DatasetVersion, base_model: BaseModel, learn: Learn) -> ExamplesPerRow:
    """An estimate from how many turns the training rows have.

    Of two turns, one is an answer. An example is the conversation up to its answer, so those of a row with `n` answers
    have (n + 1) / 2 times its tokens.
    """
    rewritten = rewritten_by_template(base_model) if learn == "every_answer" else frozenset()
    found = version.profile.get("turns", [])
    turns = [(int(count["name"]), count["train"]) for count in found if count["name"].isdigit()]
    rows, messages = sum(count for _, count in turns), sum(number * count for number, count in turns)
    if not rewritten or not rows:
        return ExamplesPerRow()
    share = 1.0 if "plain" in rewritten else _share_with_reasoning(version)
    answers = [(number, max(1, number // 2), count) for number, count in turns]
    examples = sum(several * count for _, several, count in answers) / rows
    tokens = sum(number * count * (several + 1) / 2 for number, several, count in answers) / messages
    return ExamplesPerRow(examples=1 + share * (examples - 1), tokens=1 + share * (tokens - 1))


def _share_with_reasoning(version: DatasetVersion) -> float:
    if version.options.get("reasoning") != "keep" or not version.row_count:
        return 0.0
    notices = version.profile.get("warnings", [])
    return min(1.0, sum(int(n["count"]) for n in notices if n["code"] == "dataset:reasoning") / version.row_count)
