"""What a source of statements is: a plugin of the entry point group `custody_verifier.statements`.

    class Depository:                                        [project.entry-points."custody_verifier.statements"]
        name = "depository"                                  depository = "example.statements:plugin"

        def open(self, settings, hosts): ...                 gives a `StatementSource`, which is closed after a pull

A source brings bytes and nothing else: what they say is read, checked and recorded as if a person had given the file to
`custody statement import`. It runs in a thread of its own and may take its time within its limits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

from verifier.errors import VerifierError

if TYPE_CHECKING:
    from verifier.config import SourceSettings

ADVICE = {
    "address": "Check the name's address; `inside = true` allows one of this machine or of a network inside.",
    "broken": "Report it to whoever made the plugin.",
    "certificate": "Check the server's certificate, its name and its authority (`ca_file`); nothing was sent to it.",
    "config": "Correct the source's section in custody.toml.",
    "connection": "Check that the server runs and is reachable.",
    "cut": "Nothing of the file was used; the next pull fetches it again.",
    "digest": "Nothing of the file was used; ask the custodian.",
    "encoding": "Ask the custodian to send the file as it is, or compressed by gzip.",
    "name": "Ask whoever made the plugin for plain file names.",
    "own-certificate": "Give the certificate that the custodian asked for (`certificate_file`), or a newer one.",
    "redirect": "Configure the address that it leads to, if that is the custodian's; redirects are never followed.",
    "refused": "Check token, user and path with the custodian.",
    "status": "Wait; the next pull asks again.",
    "timeout": "Wait, or allow more time (`seconds_max`).",
    "too-large": "Check the file with the custodian, or allow more (`bytes_max`).",
}
"""What a person can do about each fault; the code of an error is `source-` and the fault."""


class SourceFailed(VerifierError):
    """A source, or one file of it, gave nothing. The text names the source and never its URL."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message, advice=ADVICE.get(fault, ADVICE["connection"]))
        self.code = f"source-{fault}"


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What is wanted of a source."""

    business_dates: Sequence[date]
    """The days whose statements are wanted, the oldest first, at least one."""
    known: Mapping[str, str]
    """Name of each file that was taken before, to the source's own name for its content (an HTTP ETag)."""

    @property
    def since(self) -> date:
        """The oldest day wanted."""
        return self.business_dates[0]


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """One file, whole."""

    name: str
    """1 to 100 of letters, digits, `.`, `_`, `-`, the first a letter or digit."""
    data: bytes = field(repr=False)
    digest: str
    """SHA-256 in hex, as the source states it: checked against the bytes."""
    validator: str = ""
    """The source's own name for this content; empty when it has none."""

    @staticmethod
    def of(name: str, data: bytes, validator: str = "") -> FetchedFile:
        """A file of a source that states no digest of its own."""
        return FetchedFile(name, data, hashlib.sha256(data).hexdigest(), validator)


@dataclass(frozen=True, slots=True)
class NotFetched:
    """One file that gave nothing new."""

    name: str
    error: SourceFailed | None = None
    """Why; None for a file that is as it was, or is not there yet."""
    text: str = ""
    """Of a file without an error, what is to be said of it; empty when it is as it was."""


class StatementSource(Protocol):
    """Gives files. Used by one thread."""

    def fetch(self, request: SourceRequest) -> Iterator[FetchedFile | NotFetched]:
        """The files of the days wanted, one after the other; one that fails does not end the others.

        Raises `SourceFailed` when the source as a whole gives nothing.
        """

    def close(self) -> None:
        """Give connections back."""


class StatementPlugin(Protocol):
    """Opens sources of one kind."""

    @property
    def name(self) -> str:
        """Its name in the entry point group."""

    def open(self, settings: SourceSettings, hosts: Sequence[str]) -> StatementSource:
        """A source as configured, which may talk to these hosts and to no other.

        Raises `SourceFailed` (`config`) for settings that cannot work. Nothing is asked yet.
        """
