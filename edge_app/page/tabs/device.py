"""The Device tab: what the device is, how it is doing, and how to open the app on a phone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import segno

from edge_app.device.addresses import is_here
from edge_app.device.description import Condition, Device, describe_device, read_condition
from edge_app.device.history import History
from edge_app.device.invitation import QUIET
from edge_app.device.throttling import HOT_C, named
from edge_app.page.charts import sparkline
from edge_app.page.tabs.content import NOTHING, Drawing, Section, Sheet, size


def device_sheet(addresses: Callable[[], list[str]], history: History) -> Sheet:
    """Describe the device as it is now, and how it has been since the app started.

    Args:
        addresses: returns the app's addresses for a browser, the most reliable first.
        history: the device's temperature and load.
    """
    condition = read_condition()
    return Sheet(
        title="Device",
        text="Measured when you opened this tab.",
        warnings=[*_slow(condition)],
        sections=[
            open_section(addresses()),
            Section(title="Now", facts=condition_facts(condition)),
            *_past(history),
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
        ("Slowed down", _known(condition.throttled, _throttling)),
    ]
    return [(name, value) for name, value in facts if value]


def _slow(condition: Condition) -> Iterator[str]:
    now, _ = named(condition.throttled or 0)
    if now:
        yield (
            f"The device is slowed down now ({', '.join(now)}); check its power supply and cooling."
        )


def _throttling(bits: float) -> str:
    now, earlier = named(int(bits))
    parts = [f"now: {', '.join(now)}"] if now else []
    parts += [f"earlier: {', '.join(earlier)}"] if earlier else []
    return "\n".join(parts) or "not since it was switched on"


def _past(history: History) -> Iterator[Section]:
    """Temperature and load as lines, as far as they are known."""
    samples = history.samples()
    temperatures = [sample.celsius for sample in samples]
    drawings = [
        *_line("CPU temperature", temperatures, "{:.0f} °C".format, (40, 60), HOT_C),
        *_line("Load", [sample.load for sample in samples], "{:.2f}".format, (0, 1)),
    ]
    if drawings:
        text = f"The last {_duration(max(60, history.seconds()))}."
        if any(degrees is not None and degrees >= HOT_C for degrees in temperatures):
            text += f" Marked below the line: {HOT_C:.0f} °C or more, where it may slow down."
        yield Section(title="Since the app started", text=text, drawings=drawings)


def _line(
    name: str,
    values: list[float | None],
    shown: Callable[[float], str],
    usual: tuple[float, float],
    limit: float = math.inf,
) -> Iterator[Drawing]:
    known = [value for value in values if value is not None]
    if known:
        now = NOTHING if values[-1] is None else shown(values[-1])
        caption = f"{name}: {now} now, {shown(min(known))} to {shown(max(known))}"
        yield Drawing(svg=sparkline(values, caption, usual, limit), caption=caption)


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
