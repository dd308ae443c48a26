"""The Device tab: what the device is, how it is doing, and how to open the app on a phone."""

from __future__ import annotations

from collections.abc import Callable

import segno

from edge_app.device.addresses import is_here
from edge_app.device.description import Condition, Device, describe_device, read_condition
from edge_app.device.invitation import QUIET
from edge_app.page.tabs.content import Section, Sheet, size


def device_sheet(addresses: Callable[[], list[str]]) -> Sheet:
    """Describe the device as it is now.

    Args:
        addresses: returns the app's addresses for a browser, the most reliable first.
    """
    return Sheet(
        title="Device",
        text="Measured when you opened this tab.",
        warnings=[],
        sections=[
            open_section(addresses()),
            Section(title="Now", facts=condition_facts(read_condition())),
            Section(title="Hardware and software", facts=device_facts(describe_device())),
        ],
    )


def device_facts(device: Device) -> list[tuple[str, str]]:
    """What is known about a device, by name."""
    facts = [
        ("Runtime", device.runtime),
        ("Board", device.board),
        ("CPU", device.cpu),
        ("Cores", f"{device.cores}, {device.architecture}"),
        ("Memory", device.memory_bytes and size(device.memory_bytes)),
        ("System", device.system),
        ("Python", device.python),
        ("NumPy", device.numpy),
    ]
    return [(name, value) for name, value in facts if value]


def condition_facts(condition: Condition) -> list[tuple[str, str]]:
    """What is known about a device's condition, by name."""
    facts = [
        ("CPU temperature", _known(condition.cpu_celsius, "{:.0f} °C".format)),
        (
            "Load, 1/5/15 min",
            condition.load and " · ".join(f"{each:.2f}" for each in condition.load),
        ),
        ("This app's memory", _known(condition.resident_bytes, size)),
        ("Memory available", _known(condition.available_bytes, size)),
        ("Uptime", _known(condition.uptime_s, _duration)),
    ]
    return [(name, value) for name, value in facts if value]


def open_section(addresses: list[str]) -> Section:
    """How to open the app on a phone: addresses in words, and the first one as a QR code."""
    title, (first, *_) = "Open on another phone", addresses
    if is_here(first):
        return Section(
            title=title,
            text="Only this device can open the app (--host 127.0.0.1). Restart it without that "
            "option to show an address and a QR code for phones.",
        )
    return Section(title=title, text="\n".join(addresses), picture=_qr_code(first))


def _qr_code(address: str) -> str:
    """A QR code as an SVG element, black on white whatever surrounds it, one unit per module."""
    svg = segno.make_qr(address).svg_inline(
        border=QUIET, light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return str(svg).replace("<svg ", '<svg role="img" shape-rendering="crispEdges" ', 1)


def _known(value: float | None, shown: Callable[[float], str]) -> str | None:
    return None if value is None else shown(value)


def _duration(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"
