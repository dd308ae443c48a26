"""Hosts: the names and addresses by which a browser may address this device.

A page on the internet can make its own name resolve to this device's address, and a visitor's
browser then takes the device for that website (DNS rebinding; C. Jackson et al., "Protecting
browsers from DNS rebinding attacks", ACM CCS 2007). The request still carries the website's name.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache

from edge_app.errors import UserError

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")
_AUTHORITY = re.compile(
    r"([a-z+.-]+://)?(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_.-]+))(:(?P<port>[0-9]{1,5}))?"
)


class HostError(UserError):
    """A host that cannot be allowed."""


class Hosts:
    """The hosts that requests may name.

    These are ``localhost``, this device's hostname alone and with ``.local``, the address at which
    the request arrived, and others that are given.

    Args:
        others: more names or addresses, such as a reverse proxy's, without a port.

    Raises:
        HostError: one of the others is neither a name nor an address.
    """

    def __init__(self, others: Iterable[str] = ()) -> None:
        own = socket.gethostname().lower().partition(".")[0]
        self._names = {"localhost", own, f"{own}.local", socket.gethostname().lower()}
        for other in others:
            name = other.lower().strip("[]")
            if not _NAME.fullmatch(name) and _address(name) is None:
                raise HostError(
                    f"The host {other!r:.80} is not a name or an address; expected something like "
                    "--allow-host digits.example.org, without http:// and without a port."
                )
            self._names.add(name)

    def allow(self, host: str | None, server: str | None) -> bool:
        """Whether a request may name a host.

        Args:
            host: as :func:`hostname` gives it.
            server: the device's own address at which the request arrived.
        """
        if host is None or host in self._names:
            return host is not None
        address = _address(host)
        return address is not None and (address.is_loopback or address == _address(server or ""))


@lru_cache(256)  # Nearly every request has the same.
def hostname(text: bytes) -> str | None:
    """The host in a ``Host`` or an ``Origin`` header, in lower case; None if it is malformed."""
    match = _AUTHORITY.fullmatch(text.decode("latin-1").lower())
    if not match or int(match["port"] or 0) > 65_535:
        return None
    return match["address"] or match["name"].removesuffix(".")


@lru_cache(256)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])  # Without a network interface.
    except ValueError:
        return None
    # A socket for IPv4 and IPv6 gives ::ffff:192.168.1.20.
    return getattr(address, "ipv4_mapped", None) or address
