"""Reads the instructions for the model that stand in a field of their own."""

from collections.abc import Mapping

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.layout import Raw, text_of
from corpora.ingest.layouts.parts import read_parts

SYSTEM_NAMES = ("system_prompt", "system_message", "systeminstruction", "system_instruction")


def system_turns(raw: Raw) -> tuple[Turn, ...]:
    """The turn of the field "system", a text or parts of text, or none if it is empty. Raises RowProblem."""
    system = raw.get("system")
    if isinstance(system, Mapping):
        # Gemini's is a turn.
        system = system.get("parts", system)
    if isinstance(system, list):
        system = read_parts(system, "system").text
    return () if system in (None, "") else (Turn("system", text_of(system, "system")),)
