"""The binary result of --result_file_path (fields: benchmark_result.proto of LiteRT, proto2)."""

import struct

WIRE_FLOAT = 5
WIRE_BYTES = 2


def encode(
    name: str, latency_ms: tuple[float, ...], memory: tuple[int, int, float], counts: tuple[float, int, int]
) -> bytes:
    """BenchmarkResult bytes.

    `latency_ms`: avg, min, max, std, median, p5, p95, init, first, warm-up average. `memory`: init and overall in
    kB, peak in MB. `counts`: model size in MB, runs, warm-up runs.
    """
    latency = b"".join(_float(number, value) for number, value in enumerate(latency_ms, 1))
    memory_message = integer(1, memory[0]) + integer(2, memory[1]) + _float(3, memory[2])
    misc = _float(1, counts[0]) + integer(2, counts[1]) + integer(3, counts[2])
    head = message(1, name.encode()) if name else b""
    return head + message(2, latency) + message(3, memory_message) + message(4, misc)


def _float(number: int, value: float) -> bytes:
    return bytes([number << 3 | WIRE_FLOAT]) + struct.pack("<f", value)


def integer(number: int, value: int) -> bytes:
    """A field of a whole number."""
    return bytes([number << 3]) + varint(value)


def message(number: int, content: bytes) -> bytes:
    """A field of bytes: a text, a message, or packed numbers."""
    return bytes([number << 3 | WIRE_BYTES]) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """A number as the wire has it."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
