"""Addresses: the names and numbers by which the LAN reaches this device. Asks no other machine."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

_SIOCGIFADDR = 0x8915
"""Linux: the IPv4 address of a network interface (netdevice(7))."""
_VIRTUAL = ("docker", "br-", "veth", "virbr")
"""Interfaces of containers and virtual machines, where there are no phones."""


def urls(host: str, port: int, scheme: str = "http") -> list[str]:
    """The addresses to open in a browser if the app listens on ``host``, the best one first."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104 - Compared with, not bound to.
        return [f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"]
    names = _lan_addresses() or ["127.0.0.1"]
    mdns = f"{socket.gethostname().split('.')[0]}.local"
    if _resolves(mdns):
        names.append(mdns)
    return [f"{scheme}://{name}:{port}" for name in names]


def is_here(url: str) -> bool:
    """Whether an address works on this device only."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lan_addresses() -> list[str]:
    """This device's IPv4 addresses, the one on the way to the internet first."""
    addresses = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, interface in socket.if_nameindex():
            if interface.startswith(_VIRTUAL):
                continue
            request = struct.pack("256s", interface.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
            except OSError:  # The interface has no address.
                continue
            addresses.append(socket.inet_ntoa(answer[20:24]))
    outward = _outward_address()
    return sorted(
        {address for address in addresses if not address.startswith("127.")},
        key=lambda address: (address != outward, address),
    )


def _outward_address() -> str | None:
    """The address from which packets to the internet would leave; none is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # Reserved for documentation (RFC 5737).
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _resolves(name: str) -> bool:
    """Whether this device can resolve a ``.local`` name without asking another machine.

    Only multicast DNS on this device (nss-mdns or systemd-resolved, in nsswitch.conf) and
    /etc/hosts may answer. Without them the query would go to the network's DNS server.
    """
    if not _mentions("/etc/hosts", {name}) and not _mentions(
        "/etc/nsswitch.conf", {"mdns4_minimal", "mdns_minimal", "mdns4", "mdns", "resolve"}
    ):
        return False
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True


def _mentions(path: str, words: set[str]) -> bool:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(words & set(line.partition("#")[0].split()) for line in lines)
