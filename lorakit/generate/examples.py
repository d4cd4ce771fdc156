"""Examples in a prompt: conversations with their answers before the question, as few-shot prompting has them."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerFast

from lorakit.chat import Chat
from lorakit.errors import RunError
from lorakit.rows import ChatRow, Message

MOST_TOKENS = 1_024
"""Of all examples of a prompt. More of them take longer to read than they help."""


def with_examples(
    tokenizer: PreTrainedTokenizerFast, row: ChatRow, examples: Sequence[ChatRow], *, room: int
) -> tuple[list[int], int]:
    """The token ids of a row's prompt with as many examples as fit, and their number.

    `examples` come most useful first, and the most useful stands last, next to the question. `room` is in tokens, of
    examples and question together. A prompt whose template takes no examples has none. Raises RunError for a row that
    cannot be asked without them either.
    """
    chat = Chat(tokenizer, area="generation")
    chat.check(row)
    plain = _ids(chat, row, [])
    room = min(room, len(plain) + MOST_TOKENS)
    shown = [example for example in examples if not chat.unread(_example(example, row))]
    while shown:
        try:
            ids = _ids(chat, row, shown)
        except RunError:
            break
        if len(ids) <= room:
            return ids, len(shown)
        shown = shown[:-1]
    return plain, 0


def _example(example: ChatRow, row: ChatRow) -> ChatRow:
    """The example as it stands in the row's prompt: with the row's tools and instructions, not with its own."""
    return ChatRow(example.id, [one for one in example.messages if one["role"] != "system"], row.tools)


def _ids(chat: Chat, row: ChatRow, examples: Sequence[ChatRow]) -> list[int]:
    asked = row.messages[:-1]
    start = next((place for place, one in enumerate(asked) if one["role"] != "system"), len(asked))
    before: list[Message] = [one for example in reversed(examples) for one in _example(example, row).messages]
    text = chat.render([*asked[:start], *before, *asked[start:]], row.tools, prompt=True)
    ids: list[int] = chat.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
