"""The canonical form of a row, and its hashes."""

from typing import NamedTuple

import msgspec
from xxhash import xxh3_64_digest, xxh3_128_digest

from corpora.ingest.contracts import Message

_encode = msgspec.json.Encoder().encode


class Digest(NamedTuple):
    """`conversation` is the canonical JSON of the messages; `row` is 16 bytes of its XXH3, `prompt` 8 of the prompt's.

    They tell rows apart within one customer's file, and need not withstand anybody who wants two rows to be the same.
    What a version consists of is told by SHA-256 of its files.
    """

    conversation: bytes
    row: bytes
    prompt: bytes


def digest(messages: list[Message]) -> Digest:
    """Two messages at least; the last is the answer."""
    prompt = _encode(messages[:-1])[:-1]
    conversation = b"%b,%b]" % (prompt, _encode(messages[-1]))
    return Digest(conversation, xxh3_128_digest(conversation), xxh3_64_digest(prompt))


def row_id(messages: list[Message]) -> str:
    """The ID of a conversation, 32 hexadecimal digits."""
    return digest(messages).row.hex()


def mark_hash(value: str) -> bytes:
    """Eight bytes of a group's hash."""
    return xxh3_64_digest(value.encode())
