"""Ed25519 signatures: of an evidence pack’s manifest, and of receipts."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key as base64 of its 32 bytes."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def signature_text(key: Ed25519PrivateKey, content: bytes) -> str:
    """The signature as base64."""
    return base64.b64encode(key.sign(content)).decode()


def is_signed(content: bytes, signature: str, public: str) -> bool:
    """Whether the holder of the key signed the content; False for what is no key or no signature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(_decoded(public))
        key.verify(_decoded(signature), content)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _decoded(text: str) -> bytes:
    """Raises ValueError, also for another spelling of the same bytes: the last character has bits to spare."""
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not the usual base64")
    return decoded
