"""Secrets that organisations save, such as another service's key, encrypted at rest.

A sealed secret is bound to its tenant and to one host: it cannot be opened for another, so it is never sent anywhere
but where its owner meant it to go.
"""

import base64
import json
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

INFO = b"adapter-portal sealed secrets"


class SealBroken(Exception):
    """The secret was sealed for another tenant or host, or with a key that the site no longer has."""


def seal(secret: str, *, tenant_id: UUID, host: str) -> str:
    """The secret as text that only `unseal` with the same tenant and host reads."""
    content = json.dumps({"tenant": str(tenant_id), "host": host, "secret": secret})
    return _keys().encrypt(content.encode()).decode()


def unseal(sealed: str, *, tenant_id: UUID, host: str) -> str:
    """The secret. Raises SealBroken."""
    try:
        content = json.loads(_keys().decrypt(sealed.encode()))
    except InvalidToken:
        raise SealBroken from None
    if (content["tenant"], content["host"]) != (str(tenant_id), host):
        raise SealBroken
    secret: str = content["secret"]
    return secret


def _keys() -> MultiFernet:
    """The first key seals, all of them open: so a key can be replaced while old secrets are still read."""
    return MultiFernet([Fernet(_derived(key)) for key in settings.SECRETS_KEYS or [settings.SECRET_KEY]])


def _derived(key: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=INFO).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
