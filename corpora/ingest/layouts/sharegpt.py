"""Conversations in ShareGPT's format: {"conversations": [{"from", "value"}, …]}."""

from corpora.ingest.layouts.chat import NAMES, conversation
from corpora.ingest.layouts.layout import Layout, Raw
from corpora.ingest.layouts.system import SYSTEM_NAMES
from corpora.ingest.layouts.turns import notation


def _fits(raw: Raw) -> bool:
    return notation(raw["messages"]) == "ShareGPT"


SHAREGPT = Layout(
    "ShareGPT",
    required=("messages",),
    optional=("system", "tools"),
    turns=conversation,
    fits=_fits,
    aliases={"messages": NAMES, "system": SYSTEM_NAMES},
    turn_keys=("from", "value"),
)
