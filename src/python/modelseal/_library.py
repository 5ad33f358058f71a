"""The C library (modelseal/c.h), through ctypes: handles that free themselves, statuses that become exceptions."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any, Callable, Iterable, Iterator, List, Optional, Tuple, Union

from ._errors import BY_STATUS, InternalError

Path = Union[str, "os.PathLike[str]"]
Progress = Callable[[int, int], None]

PASSPHRASE_FN = ctypes.CFUNCTYPE(c_int, c_char_p, c_void_p, c_size_t, c_void_p)
PROGRESS_FN = ctypes.CFUNCTYPE(None, c_uint64, c_uint64, c_void_p)


class Fact(ctypes.Structure):
    _fields_ = [("key", c_char_p), ("value", c_char_p)]


class SealOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("check_key", c_void_p),
        ("stamp", POINTER(Fact)),
        ("stamp_count", c_size_t),
        ("parent", c_char_p),
        ("receipt", c_char_p),
        ("reseal", c_int),
        ("jobs", c_uint),
        ("progress", PROGRESS_FN),
        ("progress_user", c_void_p),
    ]


class CheckOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("keys", POINTER(c_void_p)),
        ("key_count", c_size_t),
        ("expect", POINTER(Fact)),
        ("expect_count", c_size_t),
        ("weights_only", c_int),
        ("all", c_int),
        ("jobs", c_uint),
        ("progress", PROGRESS_FN),
        ("progress_user", c_void_p),
    ]


class VerifyOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("signers", POINTER(c_void_p)),
        ("signer_count", c_size_t),
        ("anchors", POINTER(c_char_p)),
        ("anchor_count", c_size_t),
        ("subject", c_char_p),
        ("trusted_root", c_char_p),
        ("identity", c_char_p),
        ("issuer", c_char_p),
        ("ignore_unsigned_files", c_int),
        ("jobs", c_uint),
        ("progress", PROGRESS_FN),
        ("progress_user", c_void_p),
    ]


# Name: type of the result, types of the parameters.
_FUNCTIONS = {
    "version": (c_char_p, []),
    "error_message": (c_char_p, [c_void_p]),
    "error_hint": (c_char_p, [c_void_p]),
    "error_free": (None, [c_void_p]),
    "public_key_open": (c_int, [c_char_p, POINTER(c_void_p), POINTER(c_void_p)]),
    "public_key_free": (None, [c_void_p]),
    "signing_key_open": (c_int, [c_char_p, PASSPHRASE_FN, c_void_p, POINTER(c_void_p), POINTER(c_void_p)]),
    "signing_key_free": (None, [c_void_p]),
    "check_key_open": (c_int, [c_char_p, POINTER(c_void_p), POINTER(c_void_p)]),
    "check_key_public": (c_int, [c_void_p, POINTER(c_void_p), POINTER(c_void_p)]),
    "check_key_free": (None, [c_void_p]),
    "seal": (
        c_int,
        [c_char_p, c_char_p, c_void_p, POINTER(SealOptions), POINTER(c_void_p), POINTER(c_void_p)],
    ),
    "check": (c_int, [c_char_p, POINTER(CheckOptions), POINTER(c_void_p), POINTER(c_void_p)]),
    "verify": (c_int, [c_char_p, c_char_p, POINTER(VerifyOptions), POINTER(c_void_p), POINTER(c_void_p)]),
    "inspect": (c_int, [c_char_p, POINTER(c_void_p), c_size_t, POINTER(c_void_p), POINTER(c_void_p)]),
    "report_verdict": (c_int, [c_void_p]),
    "report_json": (c_char_p, [c_void_p]),
    "report_text": (c_char_p, [c_void_p]),
    "report_free": (None, [c_void_p]),
    "string_free": (None, [c_void_p]),
}


def _load() -> ctypes.CDLL:
    """The library of this package; without one (as in a source tree), the one that MODELSEAL_C_LIBRARY names."""
    bundled = pathlib.Path(__file__).with_name("libmodelseal_c.so.1")
    name = str(bundled) if bundled.exists() else os.environ.get("MODELSEAL_C_LIBRARY", "libmodelseal_c.so.1")
    loaded = ctypes.CDLL(name)
    for function, (result, parameters) in _FUNCTIONS.items():
        symbol = getattr(loaded, f"modelseal_{function}")
        symbol.restype = result
        symbol.argtypes = parameters
    return loaded


_library = _load()


def function(name: str) -> Callable[..., Any]:
    symbol: Callable[..., Any] = getattr(_library, f"modelseal_{name}")
    return symbol


def text_of(value: Optional[bytes]) -> str:
    return (value or b"").decode("utf-8", "backslashreplace")


def call(name: str, *arguments: Any) -> None:
    """Calls a function whose last parameter is the error; raises what it reports."""
    error = c_void_p()
    status = function(name)(*arguments, byref(error))
    if status == 0:
        return
    try:
        message, hint = (text_of(function(f"error_{part}")(error)) for part in ("message", "hint"))
    finally:
        function("error_free")(error)
    raise BY_STATUS.get(status, InternalError)(message, hint)


@contextlib.contextmanager
def opened(kind: str, name: str, *arguments: Any) -> Iterator[c_void_p]:
    """What `name` hands out, an object of type `kind`, until the end of the block."""
    handle = c_void_p()
    try:
        call(name, *arguments, byref(handle))
        yield handle
    finally:
        function(f"{kind}_free")(handle)


def opened_text(name: str, *arguments: Any) -> str:
    """A text that `name` hands out."""
    with opened("string", name, *arguments) as handle:
        return ctypes.string_at(handle.value or 0).decode("ascii")


def path_of(path: Path) -> bytes:
    return os.fsencode(path)


def optional_path(path: Optional[Path]) -> Optional[bytes]:
    return None if path is None else os.fsencode(path)


def optional_text(text: Optional[str]) -> Optional[bytes]:
    return None if text is None else text.encode()


def facts(given: Optional[Iterable[Tuple[str, str]]]) -> Tuple[Any, int]:
    pairs = [Fact(key.encode(), value.encode()) for key, value in given or ()]
    return (Fact * len(pairs))(*pairs), len(pairs)


def handles(given: Iterable[c_void_p]) -> Tuple[Any, int]:
    values = [handle.value for handle in given]
    return (c_void_p * len(values))(*values), len(values)


@contextlib.contextmanager
def progress_callback(progress: Optional[Progress]) -> Iterator[Any]:
    """A callback for the library. What `progress` raises is raised at the end of the block: a job runs to its end."""
    if progress is None:
        yield PROGRESS_FN()
        return
    raised: List[BaseException] = []

    def report(done: int, total: int, _user: Optional[int]) -> None:
        try:
            if not raised:
                progress(done, total)
        except BaseException as exception:  # noqa: BLE001: nothing may pass through the library
            raised.append(exception)

    yield PROGRESS_FN(report)
    if raised:
        raise raised[0]


def passphrase_callback(passphrase: Union[None, str, bytes, Callable[[str], Union[str, bytes]]]) -> Any:
    """Writes the passphrase, or what the function returns for the name of the file, where the library wants it."""

    def answer(file: bytes, buffer: int, size: int, _user: Optional[int]) -> int:
        try:
            given = passphrase(os.fsdecode(file)) if callable(passphrase) else passphrase
        except Exception:  # noqa: BLE001: nothing may pass through the library
            return -1
        if given is None:
            return -1
        secret = given.encode() if isinstance(given, str) else bytes(given)
        if len(secret) > size:
            return len(secret)
        ctypes.memmove(buffer, secret, len(secret))
        return len(secret)

    return PASSPHRASE_FN(answer) if passphrase is not None else PASSPHRASE_FN()
