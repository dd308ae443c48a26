"""Drawings: real ones moved and scaled, and what only looks like one."""

from __future__ import annotations

import json
from functools import cache
from random import Random
from typing import Any

from app import ROOT

VARIANTS = ("float32", "float16", "dynamic", "int8")
MAX_BODY = 64 * 1024


@cache
def _real() -> tuple[dict[str, Any], ...]:
    lines = (ROOT / "tests" / "data" / "page-drawings.jsonl").read_text(encoding="utf-8")
    return tuple(map(json.loads, lines.splitlines()))


def valid(random: Random) -> dict[str, Any]:
    """A digit drawn in the page, elsewhere and in another size: its strokes and its label."""
    real = random.choice(_real())
    scale, x, y = random.uniform(0.2, 2), random.randrange(-200, 200), random.randrange(-200, 200)
    strokes = [[[int(a * scale) + x, int(b * scale) + y] for a, b in s] for s in real["strokes"]]
    return {"label": real["label"], "strokes": strokes}


def hostile(random: Random) -> str:
    """Strokes in JSON, at the limits and beyond them."""
    return random.choice(_HOSTILE)(random)


def _repeated(item: str, random: Random) -> str:
    """A list of one item, often as long as a request may be."""
    most = (MAX_BODY - 400) // (len(item) + 1)
    count = random.choice([most, most, 10_000, 10_001, random.randint(1, 300)])
    return f"[{','.join([item] * min(count, most))}]"


def _dots(random: Random) -> str:
    return _repeated(f"[[{random.randrange(10)},{random.randrange(10)}]]", random)


def _empty(random: Random) -> str:
    return _repeated(random.choice(["[]", "[[]]", "[[],[]]", "null"]), random)


def _long(random: Random) -> str:
    """One stroke to and fro."""
    far = random.choice(["9", "99", "1e6", "-1e6"])
    item = f"[0,{random.randrange(9)}],[{far},{random.randrange(9)}]"
    return f"[{_repeated(item, random)}]"


def _lines(random: Random) -> str:
    """Many strokes across the whole drawing."""
    return _repeated(f"[[0,{random.randrange(9)}],[999,{random.randrange(999)}]]", random)


def _scattered(random: Random) -> str:
    points = [
        [random.randrange(1000), random.randrange(1000)] for _ in range(random.choice([40, 2000]))
    ]
    return json.dumps([[point] for point in points] if random.random() < 0.5 else [points])


def _odd_numbers(random: Random) -> str:
    numbers = [
        *("0", "-0.0", "1e6", "1000000.0000001", "-1e6", "1e7", "1e308", "1e309", "-1e400"),
        *("5e-324", "9223372036854775807", "-9223372036854775808", "18446744073709551616"),
        *("1" * 400, "0." + "3" * 400, "NaN", "Infinity", "true", "null", '"1"', "[]", "{}"),
    ]
    pairs = [f"[{random.choice(numbers)},{random.choice(numbers)}]" for _ in range(3)]
    return f"[[{','.join(pairs)}]]"


def _odd_shapes(random: Random) -> str:
    shapes = ["[1]", "[1,2,3]", "[[1,2]]", "[]", "1", '"a"', "{}", "null", "[1,[2]]", "[1,2]"]
    return f"[[{','.join(random.choices(shapes, k=random.randint(1, 5)))}]]"


_HOSTILE = (_dots, _empty, _long, _lines, _scattered, *[_odd_numbers] * 10, *[_odd_shapes] * 10)
"""The first five can be large, and are rarer."""
