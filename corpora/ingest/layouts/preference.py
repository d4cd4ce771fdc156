"""Preference data of DPO: {"prompt", "chosen", "rejected"}, or OpenAI's input, preferred_output, non_preferred_output.

Only the chosen answers can be learnt here, and only where somebody asked for that.
"""

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.layout import Layout, Raw
from corpora.ingest.layouts.prompt_completion import pair
from corpora.ingest.layouts.system import SYSTEM_NAMES
from corpora.ingest.layouts.transcript import is_transcript, read_transcript
from corpora.ingest.layouts.turns import check_conversation, notation, read_turns
from corpora.ingest.problems import RowProblem


def _turns(raw: Raw) -> list[Turn]:
    if raw.get("prompt") is not None:
        return pair(raw, "prompt", "chosen")
    if notation(raw.get("chosen")):
        return check_conversation(read_turns(raw["chosen"], "chosen"), "chosen")
    if is_transcript(raw.get("chosen")):
        return check_conversation(read_transcript(raw["chosen"], "chosen"), "chosen")
    text = "“prompt” is missing. Put what was asked in a column of its own, or make “chosen” a list of turns."
    raise RowProblem("dataset:missing_field", "prompt", text)


PREFERENCE = Layout(
    "preference",
    required=("chosen", "rejected"),
    optional=("prompt", "system", "tools"),
    turns=_turns,
    aliases={
        "chosen": ("preferred_output", "chosen_response"),
        "rejected": ("non_preferred_output", "rejected_response"),
        "system": SYSTEM_NAMES,
        "prompt": ("input", "question", "instruction", "query", "messages", "conversations"),
    },
    by_column=False,
    is_preference=True,
)
