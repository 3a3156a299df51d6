"""The newest journal entry that is known outside the database, so that an older copy put back is noticed.

Nothing in a database says that its newest entries are missing with all their rows. So every export and every backup
writes the journal's head into a small file apart from it, and what opens the database to work with it first looks
whether it still holds that entry. Where it does not, nothing goes on until an operator says why (`accept_restore`),
which is journalled. See docs/decisions/0032-the-head-is-known-outside.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chains.types import utc_text
from exports.canonical import canonical_json
from verifier.errors import HeadFileError, InputError, JournalRolledBack

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import JournalHead, Store

FORMAT: Final = "custody-known-head/1"
RESTORED: Final = "restore.accepted"
"""Kind of the journal entry with which an operator accepts that entries which were known are gone."""


@dataclass(frozen=True, slots=True)
class KnownHead:
    """A journal entry that stood in the database when this was written, and the newest bundle issued by then."""

    sequence: int
    entry_digest: str
    noted_at: datetime
    after: str
    """What it was written after: `export`, `backup`, `restore` or `record-head`."""
    firm: str
    """Whose database it was."""
    first_digest: str
    """Digest of the journal's first entry, which tells one database from another; a firm may change its name."""
    bundle_sequence: int = 0
    """Number of the newest bundle; 0 when none was issued."""
    bundle_digest: str = ""

    def to_bytes(self) -> bytes:
        """The file's content: one canonical JSON object and a line end."""
        fields = {**asdict(self), "format": FORMAT, "noted_at": utc_text(self.noted_at)}
        return canonical_json(fields) + b"\n"

    @staticmethod
    def from_bytes(data: bytes) -> KnownHead:
        """The inverse of `to_bytes`; raises `ValueError` for anything else."""
        fields = json.loads(data)
        if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
            raise ValueError("it is not of this format")
        try:
            found = KnownHead(**{**fields, "noted_at": datetime.fromisoformat(fields["noted_at"])})
        except (KeyError, TypeError) as error:
            raise ValueError("it has other fields") from error
        if found.to_bytes() != data:
            raise ValueError("it is written in another way")
        return found


@dataclass(frozen=True, slots=True)
class AcceptedRestore:
    """What an operator accepted: which entries are gone, and which bundle the database no longer knows."""

    head_sequence: int
    """The newest entry of the database as it was found."""
    known: KnownHead | None
    """What was known outside; None when nothing was."""
    lost_bundle: tuple[int, str] | None
    """Number and digest of a bundle that was issued and is not in the database; the next one follows it."""

    def payload(self, reason: str) -> Mapping[str, Any]:
        """For the journal."""
        number, digest = self.lost_bundle or (None, None)
        return {
            "head_sequence": self.head_sequence,
            "known_sequence": self.known.sequence if self.known else None,
            "known_digest": self.known.entry_digest if self.known else None,
            "bundle_sequence": number,
            "bundle_digest": digest,
            "reason": reason,
        }


@dataclass(frozen=True, slots=True)
class HeadFile:
    """The file, and the firm that the configuration names."""

    path: Path | None
    """None: no such file is kept."""
    firm: str

    @staticmethod
    def of(settings: Settings) -> HeadFile:
        """The file of a configuration."""
        return HeadFile(settings.database.head_file, settings.firm.name)

    def read(self) -> KnownHead | None:
        """What it says; None without a file. Raises `HeadFileError` when it cannot be read."""
        if self.path is None:
            return None
        try:
            return KnownHead.from_bytes(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HeadFileError(f"{self.path.name} cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise HeadFileError(f"{self.path.name} does not say which journal entry is known: {error}") from None

    def read_for(self, store: Store) -> KnownHead | None:
        """As `read`, for this database; raises `HeadFileError` too when it speaks of another firm's.

        A file of the same firm and another database is not refused here: it says that records are missing.
        """
        known = self.read()
        if known is None or known.firm == self.firm or known.first_digest == store.entry_digest(1):
            return known
        raise HeadFileError(
            f"the head file speaks of another database, that of {known.firm!r}, and this one is of {self.firm!r}",
            advice="Name this firm's own file in [database] head_file; the other firm's was not changed.",
        )


def require_ready(store: Store, settings: Settings) -> None:
    """Raise unless this program can go on with the database: schema, newest entry, and the head known outside.

    Raises `SchemaOutdated`, `JournalBroken`, `HeadFileError` or `JournalRolledBack`.
    """
    store.require_current()
    require_known_head(store, HeadFile.of(settings))


def require_known_head(store: Store, file: HeadFile) -> None:
    """Raise `JournalRolledBack` when the database lacks the entry that is known outside, or holds another there.

    Without a head file there is nothing to compare with. That is right for a database that never issued a bundle; one
    that did was put here without its file, and is refused too. Raises `HeadFileError` for another firm's file.
    """
    if file.path is not None and (problem := _problem(store, file.read_for(store), file.path)):
        raise JournalRolledBack(problem)


def _problem(store: Store, known: KnownHead | None, path: Path) -> str:
    if known is None:
        issued = store.newest_bundle()
        if issued is None:
            return ""
        return f"bundle {issued[0]} was issued, and {path.name}, which says how long the journal was then, is not there"
    found = store.entry_digest(known.sequence)
    if found == known.entry_digest:
        return ""
    when = f"entry {known.sequence}, known since {utc_text(known.noted_at)} (after {known.after})"
    if found is not None:
        return f"the journal has another {when}: it was continued from an older copy"
    head = store.head()
    return f"the journal ends at entry {head.sequence if head else 0} and lacks {when}: an older copy was put back"


def note_head(store: Store, file: HeadFile, after: str, now: datetime) -> KnownHead | None:
    """Write the newest entry into the head file; an older or another journal never replaces what is known.

    None when no file is kept or nothing was journalled. Raises `JournalRolledBack`, or `HeadFileError` when it cannot
    be written.
    """
    head = store.head()
    if file.path is None or head is None:
        return None
    known = file.read_for(store)
    if known is not None and (problem := _problem(store, known, file.path)):
        raise JournalRolledBack(problem)
    noted = _known(store, file, head, now, after)
    _write(file.path, noted)
    return noted


def accept_restore(
    store: Store, file: HeadFile, reason: str, actor: str, now: datetime, *, last_bundle: tuple[int, str] | None = None
) -> AcceptedRestore:
    """Record that an operator knows that the database is an older copy, and go on from it.

    `last_bundle` names the newest bundle that was issued where neither the database nor the head file knows it: the
    next bundle gets the number after it. Raises `InputError` without a reason, or when nothing is missing.
    """
    known = file.read_for(store)
    if file.path is None or not _problem(store, known, file.path):
        raise InputError("the database holds every entry that is known outside: there is nothing to accept")
    accepted = record_restore(store, known, reason, actor, now, last_bundle)
    renew_head(store, file, now)
    return accepted


def record_restore(
    store: Store,
    known: KnownHead | None,
    reason: str,
    actor: str,
    now: datetime,
    last_bundle: tuple[int, str] | None = None,
) -> AcceptedRestore:
    """The journal entry of a copy that was put back. Raises `InputError` without a reason."""
    if not reason.strip():
        raise InputError("say why an older copy was put back: --reason TEXT")
    head = store.head()
    issued = store.newest_bundle() or (0, "")
    lost = max((known.bundle_sequence, known.bundle_digest) if known else (0, ""), last_bundle or (0, ""))
    accepted = AcceptedRestore(head.sequence if head else 0, known, lost if lost[0] > issued[0] else None)
    with store.record(RESTORED, actor, accepted.payload(reason.strip()), now, payload_is_the_record=True):
        pass
    return accepted


def renew_head(store: Store, file: HeadFile, now: datetime) -> None:
    """Let the head file follow a journal that an operator accepted; what it said before stands in that journal."""
    head = store.head()
    if file.path is not None and head is not None:
        _write(file.path, _known(store, file, head, now, "restore"))


def _known(store: Store, file: HeadFile, head: JournalHead, now: datetime, after: str) -> KnownHead:
    number, digest = store.newest_bundle() or (0, "")
    first, noted_at = store.entry_digest(1) or "", now.replace(microsecond=0)
    return KnownHead(head.sequence, head.entry_digest, noted_at, after, file.firm, first, number, digest)


def _write(path: Path, known: KnownHead) -> None:
    """Replace the file in one step, so that there is always a whole one."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(known.to_bytes())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise HeadFileError(f"{path.name} cannot be written ({error.strerror}); what was asked for is done") from None


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder last; where folders cannot be synchronised the system does it by itself."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
