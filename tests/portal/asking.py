"""Asks an address of the site as it is known in `addresses.py`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from tests.portal.addresses import ADDRESSES, PATTERNS, World


def url_of(name: str, world: World) -> str:
    """The address for the world's row."""
    parameters = next(pattern.parameters for pattern in PATTERNS if pattern.name == name)
    address = ADDRESSES[name]
    ids = dict.fromkeys(parameters, world[address.row].pk if address.row else "unknown")
    return reverse(name, kwargs=ids | address.also)


def filled(sent: Any, world: World) -> Any:
    """`Address.sent` with the ids of the world's rows, and files that can be read once."""
    if isinstance(sent, type):
        return str(world[sent].pk)
    if isinstance(sent, bytes):
        return SimpleUploadedFile("rows.jsonl", sent)
    if isinstance(sent, dict):
        return {name: filled(value, world) for name, value in sent.items()}
    return [filled(value, world) for value in sent] if isinstance(sent, list) else sent


@contextmanager
def undone() -> Iterator[None]:
    """What is written within is rolled back, so that the next address finds the world as it was made."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def newly_come(client: Client) -> Client:
    """Signed in as `client` is; what it does to its session is not known to others."""
    other = Client()
    other.cookies = SimpleCookie({name: morsel.value for name, morsel in client.cookies.items()})
    return other


def names_a_row(sent: Any) -> bool:
    """Whether `Address.sent` holds an id."""
    if isinstance(sent, dict | list):
        return any(names_a_row(value) for value in (sent.values() if isinstance(sent, dict) else sent))
    return isinstance(sent, type)


def ask(client: Client, method: str, url: str, sent: dict[str, Any]) -> Any:
    """The site's answer: a query by GET, JSON to REST, else a form."""
    if method == "GET":
        return client.get(url, sent)
    has_file = any(isinstance(value, SimpleUploadedFile) for value in sent.values())
    if url.startswith("/api/") and not has_file:
        return client.generic(method, url, json.dumps(sent), content_type="application/json")
    return client.generic(method, url, encode_multipart(BOUNDARY, sent), content_type=MULTIPART_CONTENT)
