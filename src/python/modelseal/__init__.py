"""Seal neural-network model files, and check whether they are still what was shipped.

    import modelseal
    modelseal.seal("net.safetensors", "sealed.safetensors", key="vendor.key", passphrase="...")
    report = modelseal.check("sealed.safetensors", pub="vendor.pub")
    print(report.verdict, report.text)
    report.require_intact()

    from modelseal.safetensors import load_file
    tensors = load_file("sealed.safetensors", pub="vendor.pub")     # only from bytes that were checked

Calls may run in several threads at once, and release the interpreter lock while they work. Whatever could not be
done is a modelseal.Error; its subclasses are named for what a caller would do next.
"""

from __future__ import annotations

import contextlib
import ctypes
import json as _json
import os
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Union

from . import _library as _c
from ._errors import (
    Error,
    InternalError,
    MalformedError,
    MismatchError,
    NotIntactError,
    OutOfMemoryError,
    TamperedError,
    UnreadableError,
    UnsealedError,
    UnsupportedError,
    UsageError,
)
from ._results import (
    ChangedTensor,
    Inspection,
    Report,
    Seal,
    Sealed,
    Signature,
    SignedFile,
    TensorInfo,
    Verdict,
)

Path = _c.Path
Paths = Union[Path, Iterable[Path]]
# A passphrase, or a function that is given the file's name and returns one.
Passphrase = Union[str, bytes, Callable[[str], Union[str, bytes]]]
Progress = _c.Progress

__version__: str = _c.text_of(_c.function("version")())


def check(
    path: Path,
    *,
    pub: Paths = (),
    key: Paths = (),
    expect: Optional[Mapping[str, str]] = None,
    weights_only: bool = False,
    all: bool = False,
    jobs: int = 0,
    progress: Optional[Progress] = None,
) -> Report:
    """Checks the seal of a model file or folder under the vendor's public keys (`pub`) and check keys (`key`).

    `expect`: facts that the seal's stamp must have. `weights_only`: a changed frame around intact weights passes.
    `all`: list intact tensors as well. `jobs`: threads; 0 is one for each processor. `progress` is called with bytes
    done and in total, from other threads, never from two at once.

    A model that was tampered with, or carries no seal, is a report, not an exception: look at its verdict, or call
    require_intact(). An Error says that the model could not be checked.
    """
    return _check(_c.path_of(path), str(path), pub, key, expect, weights_only, all, jobs, progress)


def _check(
    path: bytes,
    shown: str,
    pub: Paths,
    key: Paths,
    expect: Optional[Mapping[str, str]] = None,
    weights_only: bool = False,
    all: bool = False,
    jobs: int = 0,
    progress: Optional[Progress] = None,
) -> Report:
    with contextlib.ExitStack() as stack:
        options = _c.CheckOptions(struct_size=ctypes.sizeof(_c.CheckOptions), weights_only=weights_only, all=all)
        options.keys, options.key_count = _c.handles(_check_keys(stack, pub, key))
        options.expect, options.expect_count = _c.facts((expect or {}).items())
        options.jobs = jobs
        options.progress = stack.enter_context(_c.progress_callback(progress))
        return _report(stack, "check", path, ctypes.byref(options), shown=shown)


def verify(
    path: Path,
    *,
    signature: Path,
    pub: Paths = (),
    anchors: Paths = (),
    subject: Optional[str] = None,
    trusted_root: Optional[Path] = None,
    identity: Optional[str] = None,
    issuer: Optional[str] = None,
    ignore_unsigned_files: bool = False,
    jobs: int = 0,
    progress: Optional[Progress] = None,
) -> Report:
    """Verifies the OpenSSF model signature of a model file or folder.

    Whom to trust is one of: public keys (`pub`), one of which must have signed; self-signed certificates (`anchors`)
    with, if given, the `subject` of the signer's certificate; Sigstore's `trusted_root` with `identity` and `issuer`.
    """
    with contextlib.ExitStack() as stack:
        options = _c.VerifyOptions(struct_size=ctypes.sizeof(_c.VerifyOptions))
        signers = [_opened_public_key(stack, each) for each in _paths(pub)]
        options.signers, options.signer_count = _c.handles(signers)
        files = [_c.path_of(each) for each in _paths(anchors)]
        options.anchors, options.anchor_count = (ctypes.c_char_p * len(files))(*files), len(files)
        options.subject = _c.optional_text(subject)
        options.trusted_root = _c.optional_path(trusted_root)
        options.identity, options.issuer = _c.optional_text(identity), _c.optional_text(issuer)
        options.ignore_unsigned_files = ignore_unsigned_files
        options.jobs = jobs
        options.progress = stack.enter_context(_c.progress_callback(progress))
        arguments = (_c.path_of(path), _c.path_of(signature), ctypes.byref(options))
        return _report(stack, "verify", *arguments, shown=str(path))


def seal(
    model: Path,
    out: Path,
    *,
    key: Path,
    passphrase: Optional[Passphrase] = None,
    customer: Optional[Path] = None,
    stamp: Optional[Mapping[str, str]] = None,
    parent: Optional[Path] = None,
    receipt: Optional[Path] = None,
    reseal: bool = False,
    jobs: int = 0,
    progress: Optional[Progress] = None,
) -> Sealed:
    """Writes a sealed copy of `model` to `out`, complete or not at all.

    `key`: the vendor's secret key, or the PKCS#11 URI of one in a token. `customer`: file of the check key that alone
    finds the seal; default: everybody with the vendor's public key. `stamp`: facts to sign; "name" and "time" are filled
    in. `parent`: sealed model that this one derives from. `receipt`: where to keep what unsealing takes; secret.
    """
    with contextlib.ExitStack() as stack:
        asked = (_c.path_of(key), _c.passphrase_callback(passphrase), None)
        vendor = stack.enter_context(_c.opened("signing_key", "signing_key_open", *asked))
        options = _c.SealOptions(struct_size=ctypes.sizeof(_c.SealOptions), reseal=reseal, jobs=jobs)
        if customer is not None:
            options.check_key = _opened_check_key(stack, customer)
        options.stamp, options.stamp_count = _c.facts((stamp or {}).items())
        options.parent, options.receipt = _c.optional_path(parent), _c.optional_path(receipt)
        options.progress = stack.enter_context(_c.progress_callback(progress))
        arguments = (_c.path_of(model), _c.path_of(out), vendor, ctypes.byref(options))
        return Sealed.of(_json.loads(_c.opened_text("seal", *arguments)))


def inspect(path: Path, *, pub: Paths = (), key: Paths = ()) -> Inspection:
    """Says what a file or folder is and holds; executes nothing. Looks for a model's seal under the keys, if any."""
    with contextlib.ExitStack() as stack:
        keys, count = _c.handles(_check_keys(stack, pub, key))
        return Inspection.of(_json.loads(_c.opened_text("inspect", _c.path_of(path), keys, count)))


def _paths(given: Paths) -> Iterator[Path]:
    if isinstance(given, (str, os.PathLike)):
        yield given
    else:
        yield from given


def _opened_public_key(stack: contextlib.ExitStack, path: Path) -> ctypes.c_void_p:
    return stack.enter_context(_c.opened("public_key", "public_key_open", _c.path_of(path)))


def _opened_check_key(stack: contextlib.ExitStack, path: Path) -> ctypes.c_void_p:
    return stack.enter_context(_c.opened("check_key", "check_key_open", _c.path_of(path)))


def _check_keys(stack: contextlib.ExitStack, pub: Paths, key: Paths) -> List[ctypes.c_void_p]:
    """Customers' keys first, as the more likely ones."""
    keys = [_opened_check_key(stack, each) for each in _paths(key)]
    for each in _paths(pub):
        vendor = _opened_public_key(stack, each)
        keys.append(stack.enter_context(_c.opened("check_key", "check_key_public", vendor)))
    return keys


def _report(stack: contextlib.ExitStack, name: str, *arguments: Any, shown: str) -> Report:
    report = stack.enter_context(_c.opened("report", name, *arguments))
    found: Dict[str, Any] = _json.loads(_c.function("report_json")(report))
    text = _c.text_of(_c.function("report_text")(report)).replace(found["target"], shown)
    found["target"] = shown
    return Report.of(found, _c.function("report_verdict")(report), text, shown)


__all__ = [
    "ChangedTensor", "Error", "Inspection", "InternalError", "MalformedError", "MismatchError", "NotIntactError",
    "OutOfMemoryError", "Passphrase", "Path", "Paths", "Progress", "Report", "Seal", "Sealed", "Signature", "SignedFile",
    "TamperedError", "TensorInfo", "UnreadableError", "UnsealedError", "UnsupportedError", "UsageError", "Verdict",
    "check", "inspect", "seal", "verify",
]  # fmt: skip
