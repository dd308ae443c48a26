"""The names and addresses by which browsers may address the device."""

from __future__ import annotations

import socket

import pytest

from edge_app.server.access.hosts import HostError, Hosts, hostname


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (b"Pi.Local:7860", "pi.local"),
        (b"pi.local.", "pi.local"),
        (b"192.168.1.20", "192.168.1.20"),
        (b"[FD00::20]:7860", "fd00::20"),
        (b"https://digits.example:8443", "digits.example"),
        (b"null", "null"),  # The origin of a page in a sandbox; no host has this name.
        *((text, None) for text in (b"", b"[", b"a@b", b"a:99999", b"a/b", b"a b", b"\xff")),
    ],
)
def test_a_header_names_a_host_or_nothing(text: bytes, host: str | None) -> None:
    assert hostname(text) == host


def test_the_device_s_own_names_and_addresses_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Kitchen.home.arpa")
    hosts = Hosts(["Digits.example", "[fd00::1]"])
    for host in (
        *("localhost", "127.0.0.1", "127.1.2.3", "::1", "192.168.1.20"),
        *("kitchen", "kitchen.local", "kitchen.home.arpa", "digits.example", "fd00::1"),
    ):
        assert hosts.allow(host, "192.168.1.20"), host
    for other in (None, "", "evil.example", "kitchen.evil.example", "192.168.1.21", "fd00::2"):
        assert not hosts.allow(other, "192.168.1.20"), other
    assert hosts.allow("192.168.1.20", "::ffff:192.168.1.20")
    assert hosts.allow("fe80::1", "fe80::1%eth0")
    assert not hosts.allow("192.168.1.20", None)


@pytest.mark.parametrize("name", ["http://digits.example", "digits.example:443", "", "*", "a b"])
def test_what_is_not_a_host_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(HostError, match=r"is not a name or an address; expected something like"):
        Hosts([name])
