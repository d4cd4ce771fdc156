"""Signed receipts: which version answered what, and when. They hold hashes, and no text of either side.

A receipt is a JSON object. `signature` is the site's Ed25519 signature of the canonical JSON of its other members.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lorakit.verify.jcs import canonical_json
from lorakit.verify.signing import is_signed, public_text, signature_text

SCHEMA = "adapter-portal/receipt/1"

NOT_HASHED = frozenset({"stream", "stream_options"})
"""Members that say how an answer travels, not what is asked."""


def request_sha256(body: Mapping[str, Any]) -> str:
    """Of a request's body as canonical JSON, without `stream` and `stream_options`. Raises ValueError."""
    return hashlib.sha256(
        canonical_json({name: value for name, value in body.items() if name not in NOT_HASHED})
    ).hexdigest()


def signed(content: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """A receipt of `content`, with schema, public key and signature."""
    receipt = {"schema": SCHEMA, **content, "key": public_text(key)}
    return {**receipt, "signature": signature_text(key, canonical_json(receipt))}


def is_genuine(receipt: Mapping[str, Any]) -> bool:
    """Whether the holder of the receipt's key signed it as it is."""
    content = {name: value for name, value in receipt.items() if name != "signature"}
    return is_signed(canonical_json(content), str(receipt.get("signature")), str(receipt.get("key")))
