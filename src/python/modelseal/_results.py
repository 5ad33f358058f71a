"""What checks, seals and inspections return: plain data, from the JSON of the C library."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ._errors import TamperedError, UnsealedError


class Verdict(enum.IntEnum):
    """The numbers are those of modelseal_verdict in c.h."""

    INTACT = 0
    TAMPERED = 1
    UNSEALED = 2
    ERROR = 3
    UNEXPECTED = 4


@dataclass(frozen=True)
class ChangedTensor:
    """A tensor that is not as sealed, or any tensor if all were asked for."""

    name: str
    outcome: str  # "intact", "changed", "missing", "added"
    dtype: str
    shape: Tuple[int, ...]
    # Half-open ranges of element indices, row-major; empty for a changed tensor: somewhere in it.
    changed: Tuple[Tuple[int, int], ...]

    @staticmethod
    def of(json: Mapping[str, Any]) -> ChangedTensor:
        ranges = tuple((r["first"], r["first"] + r["count"]) for r in json.get("changed", ()))
        shape = tuple(json.get("shape", ()))
        return ChangedTensor(json["name"], json["outcome"], json.get("dtype", ""), shape, ranges)


@dataclass(frozen=True)
class Seal:
    """What was found of a seal."""

    outcome: str  # "intact", "tampered", "unexpected", "not-found", "error", "partial"
    detail: str  # one sentence
    stamp: Dict[str, str]  # signed facts; trust them only if `stamp_authentic`
    stamp_authentic: bool
    vendor_key: str  # key id, hex
    root: str  # hex; empty if no seal was found
    tensors: Tuple[ChangedTensor, ...]

    @staticmethod
    def of(json: Mapping[str, Any]) -> Seal:
        return Seal(
            outcome=json["outcome"],
            detail=json["detail"],
            stamp=dict(json["stamp"]),
            stamp_authentic=json.get("stamp_authentic", False),
            vendor_key=json["vendor_key"],
            root=json.get("root", ""),
            tensors=tuple(ChangedTensor.of(tensor) for tensor in json["tensors"]),
        )


@dataclass(frozen=True)
class SignedFile:
    """A file that is not as it was signed."""

    name: str
    outcome: str  # "changed", "missing", "added"
    tensors: Tuple[str, ...]  # in it that changed, if the signature lists tensors


@dataclass(frozen=True)
class Signature:
    """What was found of an OpenSSF model signature."""

    outcome: str  # "valid", "invalid", "error"
    detail: str
    signer: str
    files: Tuple[SignedFile, ...]

    @staticmethod
    def of(json: Mapping[str, Any]) -> Signature:
        files = tuple(
            SignedFile(f["name"], f["outcome"], tuple(t["name"] for t in f.get("tensors", ())))
            for f in json.get("files", ())
        )
        return Signature(json["outcome"], json["detail"], json.get("signer", ""), files)


@dataclass(frozen=True)
class Report:
    """A check or a verification that was made."""

    target: str
    verdict: Verdict
    exit_code: int  # of the program for this report
    seal: Optional[Seal]
    signature: Optional[Signature]
    warnings: Tuple[str, ...]
    text: str  # as the program prints it
    json: Dict[str, Any]  # all of it, schema modelseal-check/1

    @property
    def intact(self) -> bool:
        return self.verdict is Verdict.INTACT

    def require_intact(self) -> Report:
        """Returns the report, or raises TamperedError or UnsealedError with it."""
        if self.intact:
            return self
        found = self.seal or self.signature
        message = f"{self.target}: {found.detail if found else self.json.get('error', 'not intact')}"
        kind = UnsealedError if self.verdict is Verdict.UNSEALED else TamperedError
        raise kind(message, self.json.get("hint", ""), self)

    @staticmethod
    def of(json: Dict[str, Any], verdict: int, text: str, target: str) -> Report:
        checks = {check["kind"]: check for check in json["checks"]}
        return Report(
            target=target,
            verdict=Verdict(verdict),
            exit_code=json["exit_code"],
            seal=Seal.of(checks["seal"]) if "stamp" in checks.get("seal", {}) else None,
            signature=Signature.of(checks["signature"]) if "signature" in checks else None,
            warnings=tuple(json["warnings"]),
            text=text,
            json=json,
        )


@dataclass(frozen=True)
class Sealed:
    """A seal that was made."""

    output: str
    vendor_key: str  # key id, hex
    format: str
    files: int
    bytes: int
    tensors: int
    elements: int
    changed_elements: int  # weights that changed, in their lowest bits
    cells: int  # blocks of weights that carry the seal
    root: str  # hex; names this sealed model
    stamp: Dict[str, str]
    left_out: Dict[str, str]  # of a folder, what was not copied, and what it is
    warnings: Tuple[str, ...]

    @staticmethod
    def of(json: Mapping[str, Any]) -> Sealed:
        known = {name: json[name] for name in Sealed.__dataclass_fields__}
        left_out = {each["path"]: each["what"] for each in json["left_out"]}
        return Sealed(**{**known, "left_out": left_out, "warnings": tuple(json["warnings"])})


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as it lies in a file."""

    name: str
    dtype: str
    shape: Tuple[int, ...]
    file: str
    offset: int
    bytes: int


@dataclass(frozen=True)
class Inspection:
    """What a file or folder is and holds."""

    kind: str  # "model", "private-key", "public-key", "check-key", "certificate", "signature", ...
    files: Tuple[str, ...]
    format: str
    tensors: Tuple[TensorInfo, ...]  # of a model
    seal: Optional[Seal]  # of a model, if a key was given to look for it
    warnings: Tuple[str, ...]
    json: Dict[str, Any]  # all of it, schema modelseal-inspect/1

    @staticmethod
    def of(json: Dict[str, Any]) -> Inspection:
        tensors: List[TensorInfo] = []
        for tensor in json.get("tensors", ()):
            place = (tensor["file"], tensor["offset"], tensor["bytes"])
            tensors.append(TensorInfo(tensor["name"], tensor["dtype"], tuple(tensor["shape"]), *place))
        return Inspection(
            kind=json["kind"],
            files=tuple(json["files"]),
            format=json.get("format", ""),
            tensors=tuple(tensors),
            seal=Seal.of(json["seal"]) if "seal" in json else None,
            warnings=tuple(json["warnings"]),
            json=json,
        )

