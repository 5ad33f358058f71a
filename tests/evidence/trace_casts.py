"""Casts of networks for trace.py, written as safetensors or GGUF files.

A file is described by its spec: a list of Tensor, which says where the values lie. The GGUF types are quantized by
ggml's own ggml_quantize_chunk, from the library that the package pywhispercpp brings, without an importance matrix.
"""
import ctypes
import dataclasses
import importlib.util
import json
import pathlib
import struct

import numpy as np

# name: (number in a GGUF file, elements of a group, bytes of a group)
GGUF = {
    "q4_0": (2, 32, 18), "q4_1": (3, 32, 20), "q5_0": (6, 32, 22), "q5_1": (7, 32, 24), "q8_0": (8, 32, 34),
    "q2_k": (10, 256, 84), "q3_k": (11, 256, 110), "q4_k": (12, 256, 144), "q5_k": (13, 256, 176),
    "q6_k": (14, 256, 210),
}
FLOATS = ["f32", "f16", "bf16", "f32_f16", "f32_bf16", "f16_bf16", "fake_row", "fake_tensor"]
INTEGERS = ["i8_row", "i8_tensor", "u8_tensor"]
TYPES = FLOATS + INTEGERS + list(GGUF)


@dataclasses.dataclass
class Tensor:
    name: str
    type: str  # of the elements: f32, f16, bf16, i8, u8 or a GGUF type
    shape: tuple
    offset: int = 0
    bytes: int = 0


def to_bf16(values):
    """The upper halves of float32, rounded to nearest, ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(halves):
    return (halves.astype(np.uint32) << 16).view(np.float32)


def scales(values, per_row):
    """Absmax scales to +-127, one for each row or one for all."""
    rows = values.reshape(values.shape[0], -1) if per_row else values.reshape(1, -1)
    peak = np.abs(rows).max(axis=1, keepdims=True)
    return rows, np.where(peak > 0, peak / np.float32(127), np.float32(1)).astype(np.float32)


def quantize_i8(values, per_row):
    rows, scale = scales(values, per_row)
    codes = np.clip(np.rint(rows / scale), -127, 127).astype(np.int8)
    return codes.reshape(values.shape), scale


def fake_quantize(values, per_row):
    codes, scale = quantize_i8(values, per_row)
    return (codes.reshape(scale.shape[0], -1).astype(np.float32) * scale).reshape(values.shape)


def quantize_u8(values):
    low, high = min(values.min(), 0), max(values.max(), 0)
    scale = (high - low) / 255 or 1
    return np.clip(np.rint(values / scale) + np.rint(-low / scale), 0, 255).astype(np.uint8)


def is_weight(values):
    return values.ndim >= 2 and values.size >= 384


def ggml():
    """libggml-base, loaded once. The package itself is not imported: it would load a speech model's library."""
    if not hasattr(ggml, "library"):
        site = pathlib.Path(importlib.util.find_spec("pywhispercpp").origin).parent.parent
        library = ctypes.CDLL(str(sorted(site.glob("libggml-base.so*"))[0]))
        library.ggml_quantize_chunk.restype = ctypes.c_size_t
        library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64,
                                                ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
        ggml.library = library
    return ggml.library


def quantize_gguf(values, kind):
    number, group, length = GGUF[kind]
    rows, columns = values.shape
    out = np.empty(rows * columns // group * length, np.uint8)
    values = np.ascontiguousarray(values, np.float32)
    size = ggml().ggml_quantize_chunk(number, values.ctypes.data, out.ctypes.data, 0, rows, columns, None)
    if size != out.size:
        raise RuntimeError(f"ggml wrote {size} bytes of {kind}, not {out.size}")
    return out


def in_rows_of_256(values):
    """Rows of a multiple of 256, as every GGUF type takes them; what does not fit is dropped."""
    flat = values.reshape(values.shape[0], -1)
    if flat.shape[1] % 256 == 0:
        return flat
    flat = flat.reshape(-1)
    return flat[:flat.size // 256 * 256].reshape(-1, 256)


def cast_float(values, kind):
    """(type of the elements, array) of one of FLOATS."""
    if kind == "f32":
        return "f32", values
    if kind == "f16":
        return "f16", values.astype(np.float16)
    if kind == "bf16":
        return "bf16", to_bf16(values)
    if kind == "f32_f16":
        return "f32", values.astype(np.float16).astype(np.float32)
    if kind == "f32_bf16":
        return "f32", from_bf16(to_bf16(values))
    if kind == "f16_bf16":
        return "f16", from_bf16(to_bf16(values)).astype(np.float16)
    return "f32", fake_quantize(values, kind == "fake_row") if is_weight(values) else values


def cast(net, kind):
    """A list of (Tensor, bytes). Files of integers and GGUF types hold the weights alone: the seal must be in them."""
    made = []
    for name, values in net.tensors:
        if kind in FLOATS:
            element, array = cast_float(values, kind)
            made.append((Tensor(name, element, values.shape), array.tobytes()))
        elif not is_weight(values):
            continue
        elif kind in INTEGERS:
            array = quantize_u8(values) if kind == "u8_tensor" else quantize_i8(values, kind == "i8_row")[0]
            made.append((Tensor(name, kind[:2], values.shape), array.tobytes()))
        elif values.size >= 512:
            rows = in_rows_of_256(values)
            made.append((Tensor(name, kind, rows.shape), quantize_gguf(rows, kind).tobytes()))
    return made


def write_safetensors(path, made):
    names = {"f32": "F32", "f16": "F16", "bf16": "BF16", "i8": "I8", "u8": "U8"}
    header, place = {}, 0
    for tensor, data in made:
        header[tensor.name] = {"dtype": names[tensor.type], "shape": list(tensor.shape),
                               "data_offsets": [place, place + len(data)]}
        tensor.offset, tensor.bytes = place, len(data)
        place += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    for tensor, _ in made:
        tensor.offset += 8 + len(text)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in made))


def write_gguf(path, made):
    def text(value):
        return struct.pack("<Q", len(value.encode())) + value.encode()

    head = struct.pack("<IIQQ", 0x46554747, 3, len(made), 1)
    head += text("general.architecture") + struct.pack("<I", 8) + text("net")
    place = 0
    for tensor, data in made:
        head += text(tensor.name) + struct.pack("<I2Q", 2, *reversed(tensor.shape))
        head += struct.pack("<IQ", GGUF[tensor.type][0], place)
        tensor.offset, tensor.bytes = place, len(data)
        place += len(data) + -len(data) % 32
    head += bytes(-len(head) % 32)
    for tensor, _ in made:
        tensor.offset += len(head)
    path.write_bytes(head + b"".join(data + bytes(-len(data) % 32) for _, data in made))


def write(net, kind, folder):
    """Writes NET of the type to a file in the folder; returns (path, spec)."""
    made = cast(net, kind)
    path = pathlib.Path(folder) / f"{net.name}.{'gguf' if kind in GGUF else 'safetensors'}"
    (write_gguf if kind in GGUF else write_safetensors)(path, made)
    return path, [tensor for tensor, _ in made]
