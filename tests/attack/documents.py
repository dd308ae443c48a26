"""Documents: JSON that is wrong in its values, and text that is wrong as JSON."""

from __future__ import annotations

import json
from random import Random
from typing import Any

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**300, 0.5, 1e308, float("nan")),
    *(float("inf"), "", "0", "int8", "INT8", "__class__", "constructor", "../../etc/passwd"),
    *("\0", "\ud800", "é\u202e", "a" * 5000, "%s%n", [], {}, [[]], [None] * 500, {"": {}}),
    *({"data": {"data": []}}, {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}),
    *({"__type__": "update"}, [[[1, 2]]], "data:image/png;base64,", "http://127.0.0.1:1/"),
)


def mutated(random: Random, document: Any) -> bytes:
    """A document with one to three values replaced, or its text damaged."""
    for _ in range(random.randint(1, 3)):
        document = _replaced(random, document)
    text = json.dumps(document).encode()
    return _damaged(random, text) if random.random() < 0.4 else text


def _replaced(random: Random, value: Any) -> Any:
    """Walk down at random and put something odd there."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(list(value))
        rest = {name: each for name, each in value.items() if name != key}
        choice = random.random()
        if choice < 0.1:
            return rest
        if choice < 0.2:
            return {**rest, random.choice(["", "data", "named", "\0", "\ud800", "fn_name"]): 1}
        return {**value, key: _replaced(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.8:
        place = random.randrange(len(value))
        kept = random.choice([[], [value[place]] * 2, [_replaced(random, value[place])]])
        return [*value[:place], *kept, *value[place + 1 :]]
    return random.choice(_ODD)


def _damaged(random: Random, text: bytes) -> bytes:
    place = random.randrange(len(text) + 1)
    return random.choice(
        (
            lambda: text[:place],
            lambda: text[:place] + bytes([random.randrange(256)]) + text[place + 1 :],
            lambda: text[:place] + random.randbytes(random.randint(1, 20)) + text[place:],
            lambda: text.replace(b'"data":', b'"data":1,"data":', 1),
            lambda: nested(random),
            lambda: b"\xef\xbb\xbf" + text,
            lambda: text.decode().encode("utf-16"),
            lambda: text + random.choice([b"\0", b"{}", b"]", b" " * 1000, b"\n//", b"\x1a"]),
            lambda: random.choice([b"", b"{}", b"[]", b"null", b"0", b'"', b"\0", b"{", b"\xff"]),
            lambda: text.replace(
                b"1", random.choice([b"1e9999", b"01", b"0x1", b"-", b"1" * 4000])
            ),
        )
    )()


def nested(random: Random) -> bytes:
    """Something deep, closed or not."""
    depth = random.choice([50, 500, 1000, 5000, 30_000])
    opened, closed = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    depth = min(depth, 60_000 // (len(opened) + 1))
    inner = opened * depth + b"1" + closed * random.choice([depth, depth, 0])
    frames = (b"%b", b'{"data":%b}', b'{"data":[%b]}', b'{"data":[null,%b]}', b'{"fn_name":%b}')
    return random.choice(frames) % inner
