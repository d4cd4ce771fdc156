"""Renders conversations with the chat template of a base model, and refuses what the template would leave out."""

from typing import TYPE_CHECKING

from jinja2 import TemplateError

from lorakit.chat_templates import read_by
from lorakit.errors import RunError
from lorakit.rows import ChatRow, Message, Tool

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class Chat:
    """The chat template of a tokenizer; errors get codes that begin with `area`."""

    def __init__(self, tokenizer: "PreTrainedTokenizerFast", *, area: str) -> None:
        self.tokenizer = tokenizer
        self.area = area

    def render(self, messages: list[Message], tools: list[Tool], *, prompt: bool) -> str:
        """The text of these messages; with `prompt`, up to where the assistant's next answer begins.

        Raises RunError if the template refuses them.
        """
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    messages,
                    tools=tools or None,  # type: ignore[arg-type]
                    tokenize=False,
                    add_generation_prompt=prompt,
                )
            )
        except (TemplateError, TypeError) as error:
            text = f"The base model's chat template can't render a conversation: {error}"
            raise RunError(f"{self.area}:template_refused", text) from None

    def unread(self, row: ChatRow) -> set[str]:
        """What of the row's needs (`needs_of`) the template would leave out."""
        needed = needs_of(row)
        return needed - read_by(self.tokenizer.get_chat_template(tools=row.tools or None)) if needed else set()

    def check(self, row: ChatRow) -> None:
        """Raise RunError if the row has tools or reasoning and the template would leave them out."""
        missing = self.unread(row)
        if "reasoning" in missing:
            text = (
                f"Row {row.id} has reasoning, and the base model's chat template does not read it. "
                "Import the dataset again and drop reasoning."
            )
            raise RunError(f"{self.area}:template_without_reasoning", text)
        if missing:
            text = (
                f"Row {row.id} uses tools, and the base model's chat template does not read {min(missing)}. "
                "Choose a base model made for tools, or a dataset without them."
            )
            raise RunError(f"{self.area}:template_without_tools", text)


def needs_of(row: ChatRow) -> set[str]:
    """What a template must read so that nothing of the row is lost, in words: names, roles or "reasoning"."""
    needs = {"tools"} if row.tools else set()
    for message in row.messages:
        if "tool_calls" in message:
            needs.add("tool_calls")
        if message["role"] == "tool":
            needs.add("tool turns")
        if "reasoning_content" in message:
            needs.add("reasoning")
    return needs
