"""A part of a ``.tflite`` file as a model of its own: some of its operators, and what they take.

A ``.tflite`` file is a FlatBuffer: tables, whose fields are found by number in a list of offsets.
Formats: https://flatbuffers.dev/internals/ and TensorFlow's ``lite/schema/schema.fbs``, in which a
field keeps its number for good. Only the lists of what runs are written anew; weights stay.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_SUBGRAPHS = 2
_INPUTS, _OUTPUTS, _OPERATORS = 1, 2, 3


def cut(
    content: bytes, operators: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]
) -> bytes:
    """The file of a model that runs some of the operators of another's first subgraph.

    Args:
        content: a ``.tflite`` file that a runtime has loaded; what it holds is not checked again.
        operators: numbers of the operators to run, rising, as the file counts them.
        inputs: numbers of the tensors to be given: all that these operators take and neither
            compute nor have as constants.
        outputs: numbers of the tensors to hand out, any that these operators compute.
    """
    buffer = bytearray(content)
    subgraphs = follow(buffer, field(buffer, follow(buffer, 0), _SUBGRAPHS))
    subgraph = follow(buffer, subgraphs + 4)
    _keep(buffer, follow(buffer, field(buffer, subgraph, _OPERATORS)), operators)
    _append(buffer, field(buffer, subgraph, _INPUTS), inputs)
    _append(buffer, field(buffer, subgraph, _OUTPUTS), outputs)
    return bytes(buffer)


def field(buffer: bytes | bytearray, table: int, number: int) -> int:
    """Where a field of the table at ``table`` lies; the field must be there."""
    (back,) = struct.unpack_from("<i", buffer, table)
    (offset,) = struct.unpack_from("<H", buffer, table - back + 4 + 2 * number)
    return int(table + offset)


def follow(buffer: bytes | bytearray, place: int) -> int:
    """Where the offset at ``place`` leads to."""
    (offset,) = struct.unpack_from("<I", buffer, place)
    return int(place + offset)


def _keep(buffer: bytearray, entries: int, numbers: Sequence[int]) -> None:
    """Shorten a list of tables in place: offsets lead forward only, so it cannot be appended."""
    tables = [follow(buffer, entries + 4 * (1 + number)) for number in numbers]
    struct.pack_into("<I", buffer, entries, len(tables))
    for index, table in enumerate(tables):
        place = entries + 4 * (1 + index)
        struct.pack_into("<I", buffer, place, table - place)


def _append(buffer: bytearray, place: int, numbers: Sequence[int]) -> None:
    """Let the field at ``place`` lead to a new list, at the end of the file."""
    buffer += bytes(-len(buffer) % 4)
    struct.pack_into("<I", buffer, place, len(buffer) - place)
    buffer += struct.pack(f"<I{len(numbers)}i", len(numbers), *numbers)
