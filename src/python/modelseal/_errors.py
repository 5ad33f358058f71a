"""Errors: what a call could not do, and models that are not intact."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Dict, Type

if TYPE_CHECKING:
    from ._results import Report


class Error(Exception):
    """What is wrong, where and how much (`message`), and what may help (`hint`, may be empty)."""

    kind: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UsageError(Error, ValueError):
    """The arguments make no sense."""

    kind = "usage"


class UnreadableError(Error):
    """The operating system refused: missing file, no permission, no space, changed while it was read."""

    kind = "unreadable"


class MalformedError(Error, ValueError):
    """The bytes break the rules of their format."""

    kind = "malformed"


class UnsupportedError(Error):
    """The bytes may be fine, but the library does not handle them."""

    kind = "unsupported"


class MismatchError(Error):
    """Everything was readable, and it does not match: wrong key, wrong passphrase, forged."""

    kind = "mismatch"


class InternalError(Error):
    """A bug in the library."""

    kind = "internal"


class OutOfMemoryError(Error, MemoryError):
    """Not enough memory."""

    kind = "no-memory"


class NotIntactError(MismatchError):
    """A model that had to be intact is not: `report` has what was found."""

    def __init__(self, message: str, hint: str, report: Report) -> None:
        super().__init__(message, hint)
        self.report = report


class TamperedError(NotIntactError):
    """Changed since it was sealed or signed, forged, or not what was expected."""


class UnsealedError(NotIntactError):
    """No seal found under the given keys."""


# Those of modelseal_status in c.h.
BY_STATUS: Dict[int, Type[Error]] = {
    1: UsageError,
    2: UnreadableError,
    3: MalformedError,
    4: UnsupportedError,
    5: MismatchError,
    6: InternalError,
    7: OutOfMemoryError,
}
