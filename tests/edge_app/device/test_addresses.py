"""The addresses that are printed for people to open."""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from edge_app.device import addresses
from edge_app.device.addresses import is_here, urls

ANY = "0.0.0.0"  # noqa: S104 - Nothing is bound.
INTERFACES = {
    "lo": "127.0.0.1",
    "eth0": "192.168.1.20",
    "wlan0": "192.168.1.30",
    "tun0": None,
    "docker0": "172.17.0.1",
    "br-12ab": "172.18.0.1",
    "veth0": "172.19.0.1",
}


class Device:
    """Stands for the operating system: its interfaces, its way outside, its names and files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.interfaces: dict[str, str | None] = INTERFACES
        self.outward: str | None = None
        self.known = False
        self.nsswitch = ""
        self.asked: list[str] = []
        """The names that were looked up."""
        self._folder = folder
        monkeypatch.setattr(socket, "if_nameindex", lambda: enumerate(self.interfaces, 1))
        monkeypatch.setattr(fcntl, "ioctl", self._address)
        monkeypatch.setattr(socket, "socket", self._socket())
        monkeypatch.setattr(socket, "gethostname", lambda: "raspberry.example.org")
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr(addresses, "Path", self._path)

    def _address(self, _file: int, _request: int, asked: bytes) -> bytes:
        address = self.interfaces[asked[:16].rstrip(b"\0").decode()]
        if address is None:
            raise OSError("Cannot assign requested address")
        return struct.pack("16s4x4s232x", asked[:16], socket.inet_aton(address))

    def _socket(device) -> type[socket.socket]:  # noqa: N805
        class Socket(socket.socket):
            def connect(self, address: Any) -> None:
                # Connecting with UDP only looks up the way that a packet would take.
                assert (self.type, address) == (socket.SOCK_DGRAM, ("192.0.2.1", 9))
                if device.outward is None:
                    raise OSError("Network is unreachable")

            def getsockname(self) -> Any:
                return (device.outward, 0)

            def send(self, *_: Any) -> int:
                raise AssertionError("Something is sent.")

            sendto = send

        return Socket

    def _look_up(self, name: str, _port: None) -> list[Any]:
        self.asked.append(name)
        if not self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    def _path(self, path: str) -> Path:
        file = self._folder / Path(path).name
        if path == "/etc/nsswitch.conf":
            file.write_text(self.nsswitch)
        return file


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Device:
    return Device(monkeypatch, tmp_path)


def test_an_address_that_was_asked_for_is_the_only_one() -> None:
    assert urls("pi.local", 7860) == ["http://pi.local:7860"]
    assert urls("fd00::20", 7860) == ["http://[fd00::20]:7860"]


@pytest.mark.parametrize("host", [ANY, "::"])
def test_every_address_that_is_found_is_one_of_this_device(host: str) -> None:
    names = [urlsplit(url).hostname or "" for url in urls(host, 7860)]
    found = [name for name in names if not name.endswith(".local")]
    assert found
    for address in found:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))


def test_the_address_towards_the_internet_comes_first(device: Device) -> None:
    assert urls(ANY, 80) == ["http://192.168.1.20:80", "http://192.168.1.30:80"]
    device.outward = "192.168.1.30"
    assert urls(ANY, 80) == ["http://192.168.1.30:80", "http://192.168.1.20:80"]


def test_without_a_network_this_device_itself_remains(device: Device) -> None:
    device.interfaces = {"lo": "127.0.0.1", "docker0": "172.17.0.1"}
    device.outward = "172.17.0.1"
    assert urls(ANY, 80) == ["http://127.0.0.1:80"]


@pytest.mark.parametrize(
    ("nsswitch", "known", "asked"),
    [
        ("# hosts: mdns\nhosts: files mdns4_minimal [NOTFOUND=return] dns\n", True, True),
        ("hosts: files mdns4_minimal dns\n", False, True),
        ("hosts: files resolve\n", True, True),
        # The network's name server would be asked.
        ("hosts: files dns # mdns4_minimal\n", True, False),
    ],
)
def test_a_name_comes_last_if_this_device_resolves_it_itself(
    nsswitch: str, known: bool, asked: bool, device: Device
) -> None:
    device.nsswitch, device.known = nsswitch, known
    found = urls(ANY, 7860)
    assert ("http://raspberry.local:7860" in found[1:]) == (known and asked)
    assert found[-1].startswith("http://raspberry" if known and asked else "http://192")
    assert device.asked == ["raspberry.local"] * asked


def test_some_addresses_work_on_this_device_only() -> None:
    for url in ("http://127.0.0.2:80", "http://[::1]:7860", "http://localhost:7860"):
        assert is_here(url)
    for url in ("http://192.168.1.20:7860", "http://pi.local:7860"):
        assert not is_here(url)
