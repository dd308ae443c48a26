"""Colours on the page, and how well they can be told apart."""

from __future__ import annotations

from playwright.sync_api import Locator

Colour = tuple[float, ...]
"""Red, green and blue, 0 to 255."""


def readable(text: Locator) -> bool:
    """Whether a text has the contrast with its background that WCAG 2.2 AA asks for."""
    colour = text.evaluate("element => getComputedStyle(element).color")
    return contrast(parsed(colour), ground(text)) >= 4.5


def ground(locator: Locator) -> Colour:
    """The background colour that an element is seen on."""
    colour = locator.evaluate(
        """element => {
            const colour = () => getComputedStyle(element).backgroundColor;
            while (/rgba\\(.*, 0\\)/.test(colour())) element = element.parentElement;
            return colour();
        }"""
    )
    return parsed(colour)


def parsed(colour: str) -> Colour:
    """From "rgb(1, 2, 3)"."""
    return tuple(map(float, colour.removeprefix("rgb(").removesuffix(")").split(",")))


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio, 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Colour) -> float:
    parts = [value / 255 for value in colour]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
