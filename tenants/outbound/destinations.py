"""Where a request may go.

An address that a customer enters must not reach what only this site can: its own machine, its network, or a cloud's
metadata service. A name is resolved here, every address behind it is checked, and the request goes to a checked
address and not to the name, whose answer might be another a moment later.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from tenants.outbound.errors import Forbidden, Unreachable

Address = IPv4Address | IPv6Address

TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway translates to the IPv4 address in their last four bytes."""
METADATA = frozenset({ip_address("fd00:ec2::254"), ip_address("fd20:ce::254"), ip_address("100.100.100.200")})


class Reach(Enum):
    """ANY: the operator chose the address. LOCAL: a customer of an embedded site did, whose models may run beside it.
    PUBLIC: a customer of a hosted site did."""

    ANY = "any"
    LOCAL = "local"
    PUBLIC = "public"


@dataclass(frozen=True, kw_only=True)
class Destination:
    """`url` names an address in place of a host; `host` is for the Host header, `server_name` for the certificate."""

    url: str
    host: str
    server_name: str


def destinations(url: str, reach: Reach) -> list[Destination]:
    """Where to send a request for `url`, to be tried in order.

    Raises Forbidden if any address behind its name is refused, Unreachable for an unknown name.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise Forbidden("The address is not an http or https address.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = resolve(parts.hostname, port)
    refused = [address for address in addresses if not allowed(address, reach)]
    if refused:
        raise Forbidden("The address leads into a private network. Use one that is reachable from the internet.")
    return [
        Destination(
            url=urlunsplit((parts.scheme, f"{_literal(address)}:{port}", parts.path, parts.query, "")),
            host=parts.netloc,
            server_name=parts.hostname,
        )
        for address in addresses
    ]


def resolve(host: str, port: int) -> list[Address]:
    """Every address of a name, without repeats, in the resolver's order. Raises Unreachable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("The address has no server: its name is unknown.") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return list(dict.fromkeys(addresses))


def reach_of(url: str, private_hosts: Iterable[str]) -> Reach:
    """How far a request to a customer's address may go. `private_hosts` (`host`, `host:port`) are the operator's."""
    parts = urlsplit(url)
    if {parts.hostname, parts.netloc.lower()} & set(private_hosts):
        return Reach.ANY
    return Reach.LOCAL if settings.EMBEDDED else Reach.PUBLIC


def allowed(address: Address, reach: Reach) -> bool:
    """Whether a request may go to `address`."""
    if reach is Reach.ANY:
        return True
    meant = _meant(address)
    if meant in METADATA or meant.is_link_local or meant.is_multicast or meant.is_unspecified:
        return False
    return reach is Reach.LOCAL or meant.is_global


def _literal(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def _meant(address: Address) -> Address:
    """The address that is reached in the end: an IPv6 address may carry an IPv4 one."""
    if isinstance(address, IPv6Address):
        if address in TRANSLATED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
