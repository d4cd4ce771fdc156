"""Reads damaged blocks by a library built to notice any access beside its memory: python native_damage.py LIBRARY.

Run by `test_native.py`. Arrays are as large as what is in them, so that one byte more is noticed.
"""

import ctypes
import random
import sys

import msgspec
import numpy as np

from corpora.ingest import native
from corpora.ingest.contracts import Row

native.library = lambda: ctypes.CDLL(sys.argv[1])  # type: ignore[assignment]

from corpora.ingest import plain, seen  # noqa: E402
from tests.corpora.corpus import writing  # noqa: E402
from tests.corpora.corpus.good_files import TRICKY  # noqa: E402

BLOCKS = 20_000
DECODER = msgspec.json.Decoder(Row)
PIECES = (
    b'"', b"\\", b"\\u", b"\\ud83d\\ude00", b"\\ud83d", b"\\u0000", b"\\u12", b"\n", b"\r\n", b"{", b"}", b"[", b"]",
    b":", b'"role"', b'"content": ', b"null", b",", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x99", b"\xff", b"\xed\xa0\x80",
    b"\x00", b"x" * 40, "é".encode() * 20, "漢".encode() * 9,
)  # fmt: skip


def damaged(rng: random.Random, block: bytes) -> bytes:
    """The block with some pieces put in, taken out or changed, and perhaps its end cut off."""
    data = bytearray(block)
    for _ in range(rng.randint(0, 4)):
        at = rng.randint(0, len(data))
        data[at : at + rng.choice((0, 0, 1, 7))] = rng.choice((*PIECES, bytes([rng.randrange(256)])))
    return bytes(data[: rng.randint(1, len(data))] if rng.random() < 0.3 else data)


def main() -> None:
    """Read many blocks, in each layout, with room for all rows and with little."""
    rng = random.Random(20_261_125)
    for layout, name in (("chat", "chat"), ("prompt", "prompt and completion"), ("instruction", "instruction")):
        rows = writing.rows(rng, layout, 200)
        for row in rows[::3]:
            turn = row["messages"][0] if layout == "chat" else row
            turn[next(key for key in turn if key != "role")] = rng.choice(TRICKY) * rng.choice((1, 5))
        lines = [writing.line(row) for row in rows]
        for _ in range(BLOCKS // 3):
            block = np.frombuffer(
                damaged(rng, b"".join(rng.choices(lines, k=rng.randint(1, 4)))), dtype=np.uint8
            ).copy()
            reader = plain.PlainReader(name, max_row_bytes=rng.choice((200, 1 << 20)))
            room = np.empty(rng.choice((0, 100, 400, 4 * len(block))), dtype=np.uint8).data
            found = reader.read(block.data, room)
            plain.write_ids(found.text, found.ends, np.zeros(len(found.ends), dtype="V16"))
            assert len(DECODER.decode_lines(bytes(found.text))) == len(found.ends)
    keys = np.arange(1, 5_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    slots = np.zeros(1 << 13, dtype=np.uint64)
    earlier = np.empty(len(keys), dtype=np.int8)
    flags = np.ones(len(keys), dtype=np.int8)
    places = (keys.ctypes.data, flags.ctypes.data, len(keys), earlier.ctypes.data)
    assert seen._add_hashes(slots.ctypes.data, 13, *places) == len(keys)
    assert seen._add_hashes(slots.ctypes.data, 13, *places) == 0
    assert (earlier == 1).all()


if __name__ == "__main__":
    main()
