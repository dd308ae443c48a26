"""Colours on the page, and how well they can be told apart."""

from __future__ import annotations

from playwright.sync_api import Locator


def ground(locator: Locator) -> tuple[float, ...]:
    """The background colour that an element is seen on."""
    return rgb(
        locator.evaluate(
            """element => {
                const colour = () => getComputedStyle(element).backgroundColor;
                while (/rgba\\(.*, 0\\)/.test(colour())) element = element.parentElement;
                return colour();
            }"""
        )
    )


def rgb(colour: str) -> tuple[float, ...]:
    """Three numbers, 0 to 255, from "rgb(1, 2, 3)"."""
    assert colour.startswith("rgb("), colour
    return tuple(map(float, colour[4:-1].split(",")))


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [value / 255 for value in colour]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Contrast ratio, 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
