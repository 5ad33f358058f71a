"""Tensors from safetensors files, only from bytes that were checked.

    tensors = load_file("sealed.safetensors", pub="vendor.pub")

The file is read once, into memory that nothing can write to any more (a sealed memfd). That copy is checked, and that
copy is parsed: a file that is replaced or written to in between changes nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import math
import mmap
import os
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple

from . import Paths, _check
from . import _library as _c
from ._errors import Error, MalformedError, UnreadableError, UnsupportedError, UsageError

# By the name in the file: those of numpy and of torch; None: that library has no such type.
_DTYPES: Dict[str, Tuple[Optional[str], str]] = {
    "BOOL": ("bool", "bool"),
    "U8": ("uint8", "uint8"),
    "I8": ("int8", "int8"),
    "U16": ("uint16", "uint16"),
    "I16": ("int16", "int16"),
    "U32": ("uint32", "uint32"),
    "I32": ("int32", "int32"),
    "U64": ("uint64", "uint64"),
    "I64": ("int64", "int64"),
    "F16": ("float16", "float16"),
    "BF16": (None, "bfloat16"),
    "F32": ("float32", "float32"),
    "F64": ("float64", "float64"),
    "C64": ("complex64", "complex64"),
    "F8_E4M3": (None, "float8_e4m3fn"),
    "F8_E5M2": (None, "float8_e5m2"),
}

# <linux/fcntl.h>; the module fcntl has them by name from Python 3.8 on, where the C library had them when it was built.
_ADD_SEALS = getattr(fcntl, "F_ADD_SEALS", 1033)
_SEALS = 0x1 | 0x2 | 0x4 | 0x8  # the seals themselves, shrinking, growing, writing


class _Entry(NamedTuple):
    name: str
    dtype: str
    shape: Tuple[int, ...]
    begin: int  # in the file
    end: int


def load_file(
    path: _c.Path,
    *,
    pub: Paths = (),
    key: Paths = (),
    expect: Optional[Mapping[str, str]] = None,
    framework: str = "np",
    jobs: int = 0,
) -> Dict[str, Any]:
    """Returns the tensors of a sealed file by name: numpy arrays, or with framework="pt" tensors of PyTorch.

    Raises TamperedError or UnsealedError unless the seal is intact under `pub` or `key` and has what is expected, and
    an Error if the file cannot be checked or has an element type that the framework lacks. The tensors share one buffer,
    which is private to them: writing to them changes no file. It takes memory of the size of the file.
    """
    make = _maker(framework)
    shown = os.fspath(path)
    with _private_copy(shown) as fd:
        try:
            checked = f"/proc/self/fd/{fd}"
            _check(checked.encode(), shown, pub, key, expect=expect, jobs=jobs).require_intact()
        except Error as error:
            error.message = error.message.replace(checked, shown)
            error.hint = error.hint.replace(checked, shown)
            raise
        buffer = mmap.mmap(fd, 0, access=mmap.ACCESS_COPY)
    return {entry.name: make(shown, buffer, entry) for entry in _entries(shown, buffer)}


@contextlib.contextmanager
def _private_copy(path: str) -> Iterator[int]:
    """A descriptor of a copy in memory that cannot be written, grown or shrunk."""
    try:
        with contextlib.ExitStack() as stack:
            source = _closed_at_end(stack, os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
            fd = _closed_at_end(stack, os.memfd_create("modelseal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
            _copy(source, fd)
            fcntl.fcntl(fd, _ADD_SEALS, _SEALS)
            yield fd
    except OSError as error:
        raise UnreadableError(f"{path}: {os.strerror(error.errno or errno.EIO)}") from error


def _closed_at_end(stack: contextlib.ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _copy(source: int, to: int) -> None:
    """Reads until the end, wherever that is by then: a file that was cut or grew meanwhile fails the check."""
    copied = 0
    while count := os.sendfile(to, source, copied, 1 << 30):
        copied += count


def _entries(path: str, buffer: mmap.mmap) -> Iterator[_Entry]:
    """The header; the C library has checked that places lie in the file and fit types and shapes."""
    size = int.from_bytes(buffer[:8], "little")
    header = json.loads(buffer[8 : 8 + size].decode("utf-8"))
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        if not 0 <= begin <= end <= len(buffer) - 8 - size:
            raise MalformedError(f"{path}: tensor '{name}' leaves the file")
        yield _Entry(name, entry["dtype"], tuple(entry["shape"]), 8 + size + begin, 8 + size + end)


def _unsupported(path: str, entry: _Entry, framework: str) -> Error:
    hint = "PyTorch has it: framework='pt'" if framework == "numpy" and entry.dtype in _DTYPES else ""
    message = f"{path}: tensor '{entry.name}': {framework} has no element type {entry.dtype}"
    return UnsupportedError(message, hint)


def _maker(framework: str) -> Callable[[str, mmap.mmap, _Entry], Any]:
    if framework == "np":
        return _numpy_maker()
    if framework == "pt":
        return _torch_maker()
    raise UsageError(f"framework '{framework}' is neither 'np' nor 'pt'")


def _numpy_maker() -> Callable[[str, mmap.mmap, _Entry], Any]:
    import numpy

    def make(path: str, buffer: mmap.mmap, entry: _Entry) -> Any:
        name = _DTYPES.get(entry.dtype, (None, ""))[0]
        if name is None:
            raise _unsupported(path, entry, "numpy")
        dtype = numpy.dtype(name).newbyteorder("<")
        flat = numpy.frombuffer(buffer, dtype=dtype, count=math.prod(entry.shape), offset=entry.begin)
        return flat.reshape(entry.shape)

    return make


def _torch_maker() -> Callable[[str, mmap.mmap, _Entry], Any]:
    import torch

    def make(path: str, buffer: mmap.mmap, entry: _Entry) -> Any:
        dtype = getattr(torch, _DTYPES.get(entry.dtype, (None, ""))[1], None)
        if dtype is None:
            raise _unsupported(path, entry, "torch")
        count = math.prod(entry.shape)
        if count == 0:
            return torch.empty(entry.shape, dtype=dtype)
        # Through bytes: a tensor need not begin at a multiple of its element's size.
        raw = torch.frombuffer(buffer, dtype=torch.uint8, count=entry.end - entry.begin, offset=entry.begin)
        if entry.begin % 16 != 0:
            raw = raw.clone()
        return raw.view(dtype).reshape(entry.shape)

    return make
