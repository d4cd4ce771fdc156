"""An address that a customer enters reaches nothing that only the site can."""

import socket
from ipaddress import ip_address

import pytest

from tenants.outbound.destinations import Reach, allowed, destinations
from tenants.outbound.errors import Forbidden, Unreachable

NEVER = ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fe80::1", "0.0.0.0", "224.0.0.1", "::",
         "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "100.100.100.200"]  # fmt: skip
ONLY_LOCAL = ["127.0.0.1", "::1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "100.64.0.1", "fc00::1", "::ffff:127.0.0.1",
              "64:ff9b::7f00:1", "2002:7f00:1::1"]  # fmt: skip
ANYWHERE = ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_link_local_are_out_of_reach(address: str) -> None:
    assert not allowed(ip_address(address), Reach.PUBLIC)
    assert not allowed(ip_address(address), Reach.LOCAL)


@pytest.mark.parametrize("address", ONLY_LOCAL)
def test_a_hosted_sites_own_network_is_out_of_reach(address: str) -> None:
    assert not allowed(ip_address(address), Reach.PUBLIC)
    assert allowed(ip_address(address), Reach.LOCAL)


@pytest.mark.parametrize("address", ANYWHERE)
def test_the_internet_is_in_reach(address: str) -> None:
    assert allowed(ip_address(address), Reach.PUBLIC)


@pytest.mark.parametrize(
    "url",
    ["http://127.1/v1", "http://2130706433/v1", "http://0x7f.1/v1", "http://localhost/v1", "http://[::1]:8000/v1"],
)
def test_other_spellings_of_this_machine_are_seen_through(url: str) -> None:
    with pytest.raises(Forbidden, match="private network"):
        destinations(url, Reach.PUBLIC)


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "http://", "http://user:pass@1.1.1.1/"])
def test_only_plain_web_addresses_are_taken(url: str) -> None:
    with pytest.raises(Forbidden):
        destinations(url, Reach.ANY)


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)


def test_one_private_address_behind_a_name_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "1.1.1.1", "10.0.0.1")
    with pytest.raises(Forbidden):
        destinations("https://somewhere.example/v1", Reach.PUBLIC)


def test_the_request_goes_to_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may resolve to another address a moment later."""
    resolving(monkeypatch, "1.1.1.1", "1.0.0.1")
    first, second = destinations("https://somewhere.example:8443/v1?a=b", Reach.PUBLIC)
    assert first.url == "https://1.1.1.1:8443/v1?a=b"
    assert second.url == "https://1.0.0.1:8443/v1?a=b"
    assert (first.host, first.server_name) == ("somewhere.example:8443", "somewhere.example")


def test_an_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable):
        destinations("https://somewhere.example/v1", Reach.PUBLIC)
