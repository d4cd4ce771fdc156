"""The key that the site signs evidence packs and receipts with. Derived from its secret, so nothing is stored."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

INFO = b"adapter-portal signing key"


def signing_key() -> Ed25519PrivateKey:
    """The same on every start, as long as the first of SECRETS_KEYS, or else SECRET_KEY, is."""
    secret = (settings.SECRETS_KEYS or [settings.SECRET_KEY])[0]
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=INFO).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(derived)
