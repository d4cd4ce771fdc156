"""Conversations in OpenAI's format: {"messages": [{"role", "content"}, …], "tools": […]}.

Amazon Bedrock's and Anthropic's differ in the parts of a content, Gemini's also in the names.
"""

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.layout import Layout, Raw
from corpora.ingest.layouts.system import SYSTEM_NAMES, system_turns
from corpora.ingest.layouts.turns import check_conversation, is_conversation, notation, read_turns

NAMES = ("conversations", "conversation", "dialogue", "dialog", "chat", "turns", "contents")


def conversation(raw: Raw) -> list[Turn]:
    """The turns of the field "messages", behind the instructions of a "system" column."""
    turns = read_turns(raw.get("messages"), "messages")
    if not any(turn.role == "system" for turn in turns):
        turns = [*system_turns(raw), *turns]
    return check_conversation(turns, "messages")


def _fits(raw: Raw) -> bool:
    return is_conversation(raw["messages"]) and notation(raw["messages"]) != "ShareGPT"


CHAT = Layout(
    "chat",
    required=("messages",),
    optional=("system", "tools"),
    turns=conversation,
    fits=_fits,
    aliases={"messages": NAMES, "tools": ("functions", "toolconfig"), "system": SYSTEM_NAMES},
)
