"""AWS's event stream: binary frames with two check sums.

A frame is: total length and length of the headers (u32), CRC-32 of those 8 bytes, headers, payload, CRC-32 of all that
came before. Numbers are big-endian.
"""

import json
import struct
import zlib

TEXT = 7
"""The type of a header whose value is a string."""


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One frame."""
    block = b"".join(_header(name, value.encode()) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    checked = prelude + struct.pack(">I", zlib.crc32(prelude)) + block + payload
    return checked + struct.pack(">I", zlib.crc32(checked))


def part(payload: bytes) -> bytes:
    """A piece of a streamed answer."""
    kind = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
    return frame(kind, payload)


def fault(kind: str, message: str, code: str) -> bytes:
    """An error within a stream: `ModelStreamError` with its ErrorCode, or `InternalStreamFailure`."""
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return frame(headers, json.dumps({"Message": message, "ErrorCode": code}, separators=(",", ":")).encode())


def _header(name: str, value: bytes) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", TEXT, len(value)) + value
