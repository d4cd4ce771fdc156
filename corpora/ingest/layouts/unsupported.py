"""Public formats whose rows are no examples to learn from, told by their columns, and what to do with them."""

from collections.abc import Set
from typing import Any, NamedTuple


class Unsupported(NamedTuple):
    """A format whose rows have these `columns`, among others, and why they cannot be used."""

    columns: Set[str]
    text: str


_TREES = (
    "These are messages of OpenAssistant’s trees. Write each path from a question to an answer as one row with the "
    "list “messages”."
)
_NESTED = (
    "The questions are nested in paragraphs, as in SQuAD. Write one row for each question, with question, context and "
    "answer."
)
_SEGMENTS = (
    "The rows are segments of text, as in axolotl’s input_output. Write what the model reads into “prompt” and what it "
    "learns into “completion”."
)
_REQUESTS = (
    "These are requests of a batch, which have no answers. Write the messages of each request and its answer into one "
    "row with the list “messages”."
)
_COMPARED = "Each row compares two answers. Write the better one as a row of its own, with the list “messages”."

FORMATS = (
    Unsupported({"tree_state"}, _TREES),
    Unsupported({"parent_id", "role", "text"}, _TREES),
    Unsupported({"paragraphs"}, _NESTED),
    Unsupported({"segments"}, _SEGMENTS),
    Unsupported({"custom_id", "body"}, _REQUESTS),
    Unsupported({"conversation_a", "conversation_b"}, _COMPARED),
)


def unsupported(names: Set[Any]) -> str:
    """Why rows with columns of these names cannot be used, and what to do; empty if they are of no such format."""
    return next((known.text for known in FORMATS if known.columns <= names), "")
