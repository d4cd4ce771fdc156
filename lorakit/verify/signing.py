"""Signatures of evidence packs: Ed25519 over the bytes of the manifest."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key as base64 of its 32 bytes."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def signature_text(key: Ed25519PrivateKey, manifest: bytes) -> str:
    """The signature as base64."""
    return base64.b64encode(key.sign(manifest)).decode()


def is_signed(manifest: bytes, signature: str, public: str) -> bool:
    """Whether the holder of the key signed the manifest; False for what is no key or no signature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), manifest)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
