"""The canonical form of a row, and its hashes."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from xxhash import xxh3_64_digest, xxh3_128_digest

from corpora.ingest.contracts import Message, Turn

_encode = msgspec.json.Encoder().encode


class Digest(NamedTuple):
    """`conversation` is the canonical JSON of the messages, with the tools behind it if there are some.

    `row` is 16 bytes of its XXH3, `prompt` 8 of the prompt's. They tell rows apart within one customer's file, and need
    not withstand anybody who wants two rows to be the same. What a version consists of is told by SHA-256 of its files.
    """

    conversation: bytes
    row: bytes
    prompt: bytes


def digest(messages: Sequence[Message], tools: bytes = b"") -> Digest:
    """Two messages at least; the last is the answer. `tools` is a JSON list, or empty."""
    prompt = _encode(messages[:-1])[:-1]
    conversation = b"%b,%b]" % (prompt, _encode(messages[-1]))
    if tools:
        conversation = b'%b,"tools":%b' % (conversation, tools)
        prompt += tools
    row = xxh3_128_digest(conversation)
    if not any(map(_says_something, messages[:-1])):
        # Nothing was asked, so rows do not ask the same.
        return Digest(conversation, row, row[:8])
    return Digest(conversation, row, xxh3_64_digest(prompt))


def _says_something(message: Message) -> bool:
    return bool(message.content) or (isinstance(message, Turn) and bool(message.tool_calls))


def row_id(messages: Sequence[Message], tools: bytes = b"") -> str:
    """The ID of a conversation, 32 hexadecimal digits."""
    return digest(messages, tools).row.hex()


def mark_hash(value: str) -> bytes:
    """Eight bytes of a group's hash."""
    return xxh3_64_digest(value.encode())
