"""The invitation on the page: where others open it, in words and as a QR code."""

from __future__ import annotations

from collections.abc import Callable

from edge_app.page.tabs.content import Sheet
from edge_app.page.tabs.device import open_section


def invite_sheet(addresses: Callable[[], list[str]]) -> Sheet:
    """Describe where to open the app.

    Args:
        addresses: returns the app's addresses for a browser, the most reliable first.
    """
    return Sheet(title="Invite", text="", warnings=[], sections=[open_section(addresses())])
