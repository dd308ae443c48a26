"""Access: who may open the page, under which name, and whether what is sent is encrypted."""

from __future__ import annotations

from typing import NamedTuple

from edge_app.server.access.certificate import Certificate
from edge_app.server.access.hosts import Hosts


class Access(NamedTuple):
    """How the server may be reached."""

    hosts: Hosts
    """The hosts that requests may name."""
    credentials: list[tuple[str, str]] | None = None
    """Users and their passwords; None lets everyone in."""
    certificate: Certificate | None = None
    """For https; None for http."""
