"""What calls to an endpoint trust."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The authorities that httpx trusts by default, read once in a process: it would read the file for each call."""
    return httpx.create_ssl_context(trust_env=False)
