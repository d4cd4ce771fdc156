"""API keys: `apk_<public id>_<secret>`. Pure functions, without the database."""

import hashlib
import hmac
import secrets
import string
from typing import NamedTuple

from django.conf import settings

PREFIX = "apk"
_ALPHABET = string.ascii_letters + string.digits


class NewKey(NamedTuple):
    """`token` is shown once; only the other two are stored."""

    token: str
    public_id: str
    secret_hash: str


def new_key() -> NewKey:
    """A key with 238 random bits."""
    public_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(40))
    return NewKey(f"{PREFIX}_{public_id}_{secret}", public_id, hash_secret(secret))


def hash_secret(secret: str) -> str:
    """Hash a secret, keyed with the site's SECRET_KEY, so that secrets cannot be guessed from a stolen table alone."""
    return hmac.new(settings.SECRET_KEY.encode(), b"api-key:" + secret.encode(), hashlib.sha256).hexdigest()


def split_token(token: str) -> tuple[str, str] | None:
    """The (public id, secret) of a well-formed token, otherwise None."""
    parts = token.split("_")
    if len(parts) != 3 or parts[0] != PREFIX or not (parts[1].isalnum() and parts[2].isalnum()):
        return None
    if not token.isascii() or len(token) > 128:
        return None
    return parts[1], parts[2]


def matches(secret: str, secret_hash: str) -> bool:
    """Whether the secret has this hash, compared in constant time."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)
