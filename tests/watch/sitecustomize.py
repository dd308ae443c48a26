"""With this folder on PYTHONPATH a program contacts no other machine, and what it tries is noted.

Python imports this module at its start. The file that $CONTACTS names gets a line for each try.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any


def note(line: str) -> None:
    with Path(os.environ["CONTACTS"]).open("a", encoding="utf-8") as contacts:
        contacts.write(line + "\n")


def stays_here(host: object) -> bool:
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(
            host.decode() if isinstance(host, bytes) else str(host)
        ).is_loopback
    except ValueError:
        return False


def watch_socket(name: str, position: int) -> None:
    """Watch a method of sockets whose argument at a position is an address."""
    original = getattr(socket.socket, name)

    def watched(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[position]
        if self.family in {socket.AF_INET, socket.AF_INET6} and not stays_here(address[0]):
            note(f"{name} {address}")
            raise OSError(f"{address} is another machine.")
        return original(self, *arguments)

    setattr(socket.socket, name, watched)


def watch_look_up(name: str) -> None:
    """Watch a function of the socket module whose first argument is a name."""
    original: Callable[..., Any] = getattr(socket, name)

    def watched(host: Any, *arguments: Any, **options: Any) -> Any:
        if not stays_here(host):
            note(f"{name} {host}")
            raise socket.gaierror(f"{host} may be another machine.")
        return original(host, *arguments, **options)

    setattr(socket, name, watched)


note("watching")
watch_socket("connect", 0)
watch_socket("connect_ex", 0)
watch_socket("sendto", -1)
watch_look_up("getaddrinfo")
watch_look_up("gethostbyname")
watch_look_up("gethostbyname_ex")
