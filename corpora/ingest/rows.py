"""The canonical form of a row, and the names that follow from it."""

import hashlib
from typing import NamedTuple

import msgspec

from corpora.ingest.contracts import Message

_encode = msgspec.json.Encoder().encode


class Digest(NamedTuple):
    """`conversation` is the canonical JSON of the messages; `row` its SHA-256, `prompt` that of all but the answer."""

    conversation: bytes
    row: bytes
    prompt: bytes


def digest(messages: list[Message]) -> Digest:
    """Two messages at least; the last is the answer."""
    prompt = _encode(messages[:-1])[:-1]
    answer = b"," + _encode(messages[-1]) + b"]"
    running = hashlib.sha256(prompt)
    prompt_digest = running.digest()
    running.update(answer)
    return Digest(prompt + answer, running.digest(), prompt_digest)


def row_id(messages: list[Message]) -> str:
    """32 hexadecimal digits that name a conversation."""
    return digest(messages).row[:16].hex()


def mark_hash(value: str) -> bytes:
    """Eight bytes that stand for a group's name."""
    return hashlib.sha256(value.encode()).digest()[:8]
