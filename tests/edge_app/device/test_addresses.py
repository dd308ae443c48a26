"""The addresses that are printed for people to open."""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from edge_app.device.addresses import _mentions, urls

INTERFACES = {
    b"lo": "127.0.0.1",
    b"eth0": "192.168.1.20",
    b"wlan0": "192.168.1.30",
    b"tun0": None,
    b"docker0": "172.17.0.1",
    b"br-12ab": "172.18.0.1",
    b"veth0": "172.19.0.1",
}


class Interfaces:
    """What the operating system says of its networks, and which way leads outside."""

    def __init__(self, addresses: dict[bytes, str | None], outward: str | None) -> None:
        self._addresses = addresses
        self._outward = outward

    def names(self) -> list[tuple[int, str]]:
        return [(number, name.decode()) for number, name in enumerate(self._addresses, start=1)]

    def address(self, _file: int, _request: int, asked: bytes) -> bytes:
        address = self._addresses[asked[:16].rstrip(b"\0")]
        if address is None:
            raise OSError("Cannot assign requested address")
        return struct.pack("16s4x4s232x", asked[:16], socket.inet_aton(address))

    def outward(self) -> str | None:
        return self._outward


def pretend(
    monkeypatch: pytest.MonkeyPatch, addresses: dict[bytes, str | None], outward: str | None = None
) -> None:
    interfaces = Interfaces(addresses, outward)
    monkeypatch.setattr(socket, "if_nameindex", interfaces.names)
    monkeypatch.setattr(fcntl, "ioctl", interfaces.address)
    monkeypatch.setattr("edge_app.device.addresses._outward_address", interfaces.outward)
    monkeypatch.setattr("edge_app.device.addresses._resolves", lambda _: False)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:7860"),
        ("192.168.1.20", "http://192.168.1.20:7860"),
        ("pi.local", "http://pi.local:7860"),
        ("::1", "http://[::1]:7860"),
        ("fd00::20", "http://[fd00::20]:7860"),
    ],
)
def test_an_address_that_was_asked_for_is_the_only_one(host: str, url: str) -> None:
    assert urls(host, 7860) == [url]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - Nothing is bound.
def test_every_address_that_is_found_is_one_of_this_device(host: str) -> None:
    names = [urlsplit(url).hostname or "" for url in urls(host, 7860)]
    found = [name for name in names if not name.endswith(".local")]
    assert found
    for address in found:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    if len(found) > 1:
        assert not any(address.startswith("127.") for address in found)


def test_the_address_towards_the_internet_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, INTERFACES, outward="192.168.1.30")
    assert urls("0.0.0.0", 80) == ["http://192.168.1.30:80", "http://192.168.1.20:80"]  # noqa: S104


def test_a_network_without_the_internet_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, INTERFACES)
    assert urls("0.0.0.0", 80) == ["http://192.168.1.20:80", "http://192.168.1.30:80"]  # noqa: S104


def test_without_a_network_this_device_itself_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, {b"lo": "127.0.0.1", b"docker0": "172.17.0.1"}, outward="172.17.0.1")
    assert urls("0.0.0.0", 80) == ["http://127.0.0.1:80"]  # noqa: S104


def test_a_name_that_this_device_resolves_itself_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = resolver(monkeypatch, mentioned=True, known=True)
    assert urls("0.0.0.0", 7860)[-1] == "http://raspberry.local:7860"  # noqa: S104
    assert asked == ["raspberry.local"]


@pytest.mark.parametrize(("mentioned", "questions"), [(True, ["raspberry.local"]), (False, [])])
def test_a_name_that_is_not_known_is_left_out_and_asked_of_no_other_machine(
    monkeypatch: pytest.MonkeyPatch, mentioned: bool, questions: list[str]
) -> None:
    asked = resolver(monkeypatch, mentioned=mentioned, known=False)
    assert not any(".local" in url for url in urls("0.0.0.0", 7860))  # noqa: S104
    assert asked == questions


def resolver(monkeypatch: pytest.MonkeyPatch, *, mentioned: bool, known: bool) -> list[str]:
    """A device "raspberry" that has multicast DNS or not; returns the names that are looked up."""
    asked: list[str] = []

    def look_up(name: str, _port: None) -> list[Any]:
        asked.append(name)
        if not known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    monkeypatch.setattr("edge_app.device.addresses._mentions", lambda *_: mentioned)
    monkeypatch.setattr(socket, "gethostname", lambda: "raspberry.example.org")
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_words_are_found_in_a_file_but_not_in_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "nsswitch.conf"
    file.write_text("# hosts: mdns\nhosts: files mdns4_minimal [NOTFOUND=return] dns # resolve\n")
    assert _mentions(str(file), {"mdns4_minimal"})
    assert not _mentions(str(file), {"mdns", "resolve", "mdns4"})
    assert not _mentions(str(tmp_path / "missing"), {"mdns"})


def test_nothing_is_sent_to_find_them(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[tuple[int, Any]] = []

    class Watched(socket.socket):
        def connect(self, address: Any) -> None:
            connected.append((self.type, address))
            super().connect(address)

        def send(self, *_: Any) -> int:
            raise AssertionError("Something is sent.")

        def sendto(self, *_: Any) -> int:
            raise AssertionError("Something is sent.")

    monkeypatch.setattr(socket, "socket", Watched)
    monkeypatch.setattr("edge_app.device.addresses._resolves", lambda _: False)
    assert urls("0.0.0.0", 7860)  # noqa: S104
    # Connecting with UDP only looks up the way that a packet would take.
    assert connected == [(socket.SOCK_DGRAM, ("192.0.2.1", 9))]
