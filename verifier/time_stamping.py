"""Asking a time-stamp authority (RFC 3161) for a stamp over a bundle's digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chains.reader import NodeConfig, ReadLimits
from chains.transport import HttpExchange
from exports.additions import add_members, read_manifest
from exports.errors import TimeStampInvalid
from exports.timestamps import STAMP_BYTES_MAX, accept_answer, stamp_name, stamp_request

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

AUTHORITY: Final = "time-stamp-authority"
"""What the authority is called in errors; its URL is in none."""
MEDIA: Final = ("application/timestamp-query", "application/timestamp-reply")
LIMITS: Final = ReadLimits(body_bytes_max=STAMP_BYTES_MAX, call_deadline_seconds=60.0, attempts_max=3)


@dataclass(frozen=True, slots=True)
class Stamped:
    """A stamp that was added to a bundle."""

    digest: str
    """Of the bundle: the same before and after."""
    moment: datetime
    """When the authority says the bundle existed, its inaccuracy added."""
    member: str


def stamp_bundle(path: Path, url: str, certificates: Sequence[Certificate], now: datetime) -> Stamped:
    """Ask the authority for a stamp, verify it as a reader would, and add it to the bundle.

    Raises `NodeUnavailable` and other read errors when it does not answer, `TimeStampInvalid` when what it answers
    is refused, and the errors of `exports.additions`; the file is as before then.
    """
    manifest = read_manifest(path)
    request = stamp_request(manifest)
    exchange = HttpExchange(NodeConfig(AUTHORITY, AUTHORITY, url), LIMITS)
    try:
        answer = exchange.post(request.body, MEDIA)
    finally:
        exchange.close()
    if answer.status != 200:
        raise TimeStampInvalid(f"the authority answered HTTP {answer.status}")
    moment = accept_answer(request, answer.body, certificates, now)
    name = stamp_name(answer.body)
    added = add_members(path, {name: answer.body}, request.digest)
    return Stamped(added.digest, moment, name)
