"""Texts to classify: {"text", "label"}."""

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.layout import Layout, Raw, text_of
from corpora.ingest.layouts.system import SYSTEM_NAMES, system_turns

TEXTS = ("sentence", "review", "document")
LABELS = ("sentiment", "category", "intent", "class", "topic", "labels")


def _turns(raw: Raw) -> list[Turn]:
    label = raw.get("label")
    answer = str(label) if isinstance(label, int) and not isinstance(label, bool) else label
    return [
        *system_turns(raw),
        Turn("user", text_of(raw.get("text"), "text")),
        Turn("assistant", text_of(answer, "label")),
    ]


CLASSIFICATION = Layout(
    "classification",
    required=("text", "label"),
    optional=("system",),
    turns=_turns,
    aliases={"text": TEXTS, "label": LABELS, "system": SYSTEM_NAMES},
    label_is_mark=False,
)
