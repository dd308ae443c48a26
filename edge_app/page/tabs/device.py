"""The sheet of the device: what it is, how it does now, and how the next phone gets here."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from edge_app.device.addresses import is_here
from edge_app.device.description import Condition, Device, describe_device, read_condition
from edge_app.device.qr import TooLongError, encode, to_svg
from edge_app.page.tabs.content import Section, Sheet, size


def device_sheet(addresses: Callable[[], list[str]]) -> Sheet:
    """Describe the device as it is now.

    Args:
        addresses: gives those to open in a browser, the surest one first.
    """
    return Sheet(
        title="Device",
        text="Read when this was opened.",
        warnings=[],
        sections=[
            _open_section(addresses()),
            Section(title="Now", facts=condition_facts(read_condition())),
            Section(title="What it is", facts=device_facts(describe_device())),
        ],
    )


def device_facts(device: Device) -> list[tuple[str, str]]:
    """What is known of a device, with its name."""
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
    """What is known of how a device does."""
    facts = [
        ("CPU temperature", _known(condition.cpu_celsius, "{:.0f} °C".format)),
        (
            "Load, 1/5/15 min",
            condition.load and " · ".join(f"{each:.2f}" for each in condition.load),
        ),
        ("This app's memory", _known(condition.resident_bytes, size)),
        ("Memory available", _known(condition.available_bytes, size)),
        ("Up for", _known(condition.uptime_s, _duration)),
    ]
    return [(name, value) for name, value in facts if value]


def _open_section(addresses: list[str]) -> Section:
    title, (first, *_) = "On the next phone", addresses
    if is_here(first):
        return Section(
            title=title,
            text="The app listens on this device only, where no phone can open it. Started without "
            "--host 127.0.0.1, it has an address here, and its QR code.",
        )
    section = Section(title=title, text="\n".join(addresses))
    picture = _picture(first)
    return {**section, "picture": picture} if picture else section


@lru_cache(maxsize=8)
def _picture(address: str) -> str | None:
    try:
        return to_svg(encode(address))
    except TooLongError:  # No phone's camera would like it either.
        return None


def _known(value: float | None, shown: Callable[[float], str]) -> str | None:
    return None if value is None else shown(value)


def _duration(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"
