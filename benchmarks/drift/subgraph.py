"""Cut a part out of a ``.tflite`` file: a model of some of its operators.

A ``.tflite`` file is a FlatBuffer: tables whose fields are found by number in a list of offsets.
Formats: https://flatbuffers.dev/internals/ and TensorFlow's ``lite/schema/schema.fbs``, where a
field never changes its number. Only the lists of operators, inputs and outputs are rewritten.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_SUBGRAPHS = 2
_INPUTS, _OUTPUTS, _OPERATORS = 1, 2, 3


def cut(
    content: bytes, operators: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]
) -> bytes:
    """Make a model file that runs some operators of another file's first subgraph.

    Args:
        content: a ``.tflite`` file that a runtime has loaded; it is not validated again.
        operators: numbers of the operators to run, rising.
        inputs: numbers of the tensors that these operators need, without constants and without
            those that they compute themselves.
        outputs: numbers of the tensors to return, any that these operators compute.
    """
    buffer = bytearray(content)
    subgraphs = follow(buffer, field(buffer, follow(buffer, 0), _SUBGRAPHS))
    subgraph = follow(buffer, subgraphs + 4)
    _keep(buffer, follow(buffer, field(buffer, subgraph, _OPERATORS)), operators)
    _append(buffer, field(buffer, subgraph, _INPUTS), inputs)
    _append(buffer, field(buffer, subgraph, _OUTPUTS), outputs)
    return bytes(buffer)


def field(buffer: bytes | bytearray, table: int, number: int) -> int:
    """The position of a field of the table at ``table``; the field must exist."""
    (back,) = struct.unpack_from("<i", buffer, table)
    (offset,) = struct.unpack_from("<H", buffer, table - back + 4 + 2 * number)
    return int(table + offset)


def follow(buffer: bytes | bytearray, place: int) -> int:
    """The position that the offset at ``place`` points to."""
    (offset,) = struct.unpack_from("<I", buffer, place)
    return int(place + offset)


def _keep(buffer: bytearray, entries: int, numbers: Sequence[int]) -> None:
    """Shorten a list of tables in place: offsets only point forward, so it cannot move."""
    tables = [follow(buffer, entries + 4 * (1 + number)) for number in numbers]
    struct.pack_into("<I", buffer, entries, len(tables))
    for index, table in enumerate(tables):
        place = entries + 4 * (1 + index)
        struct.pack_into("<I", buffer, place, table - place)


def _append(buffer: bytearray, place: int, numbers: Sequence[int]) -> None:
    """Append a new list to the file and let the field at ``place`` point to it."""
    buffer += bytes(-len(buffer) % 4)
    struct.pack_into("<I", buffer, place, len(buffer) - place)
    buffer += struct.pack(f"<I{len(numbers)}i", len(numbers), *numbers)
