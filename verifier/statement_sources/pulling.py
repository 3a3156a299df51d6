"""A pull: what a source gives goes the way of a file that a person imports, and each file leaves a row.

A file is taken once, by its digest. What was refused is asked for and tried again at every pull, and said every time:
what was missing for it, such as an account, may be there by then.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from verifier.schedule.folder import import_file
from verifier.schedule.records import PulledFile
from verifier.statement_sources.registry import statement_plugin
from verifier.statement_sources.types import FetchedFile, NotFetched, SourceFailed, SourceRequest, StatementSource

if TYPE_CHECKING:
    from verifier.config import Settings, SourceSettings
    from verifier.store import Store

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_VALIDATOR: Final = re.compile(r"[ -~]{1,200}", re.ASCII)
"""What is kept of a source's own name for a content, and sent back; another one is as none."""
TEXT_CHARACTERS_MAX: Final = 500
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PulledOne:
    """What became of one file."""

    name: str
    state: str
    """`taken`, `known`, `unchanged`, `absent`, `refused` (its content) or `failed` (nothing came)."""
    text: str
    code: str = ""
    """Stable code of a failure."""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """What a pull of one source gave."""

    source: str
    files: tuple[PulledOne, ...]

    @property
    def exit_code(self) -> int:
        """0; 2 where a file was refused or failed, or the source gave no answer at all."""
        return 2 if not self.files or any(each.state in ("refused", "failed") for each in self.files) else 0

    @property
    def text(self) -> str:
        """For a row of the clock: what is wrong first, then what is new."""
        told = [each for state in ("failed", "refused", "taken") for each in self.files if each.state == state]
        if told:
            return "; ".join(f"{each.name}: {f'[{each.code}] ' if each.code else ''}{each.text}" for each in told)
        absent = sum(each.state == "absent" for each in self.files)
        nothing = f"nothing new among {len(self.files)} files" if self.files else "the source gave no answer"
        return nothing + (f", {absent} of them not there" if absent else "")


def lease_of(source: str) -> str:
    """Of the clock and of people who pull by hand, one pulls a source at a time."""
    return f"statements:{source}"


def wanted_dates(store: Store, settings: Settings, source: SourceSettings, now: datetime) -> list[date]:
    """The business dates to ask for: the last few, and all since the last file that was taken, the oldest first."""
    from verifier.reserve_inputs import firm_calendar
    from verifier.securities_rail import newest_day
    from verifier.statement_import import statement_clock

    calendar, _ = firm_calendar(settings)
    clock = statement_clock(settings)
    taken = [clock.day(each.seen_at) for each in store.pulled_files(source.name) if each.accepted]
    dates = [newest_day(settings, now)]
    most = max(source.lookback_days, settings.schedule.catch_up_days)
    while len(dates) < source.lookback_days or (taken and dates[-1] >= taken[-1] and len(dates) < most):
        dates.append(calendar.on_or_before(dates[-1] - _DAY))
    return dates[::-1]


def pull(
    store: Store, settings: Settings, source: SourceSettings, actor: str, now: datetime, dates: list[date] | None = None
) -> Pull:
    """Fetch what is new of a source and import it.

    Raises `LeaseHeld` while another process pulls it. What fails at the source is in the result.
    """
    with store.leased(lease_of(source.name)):
        before = [each for each in store.pulled_files(source.name) if each.accepted]
        known = {each.name: each.validator for each in before}
        request = SourceRequest(tuple(dates or wanted_dates(store, settings, source, now)), known)
        taken = {(each.name, each.digest) for each in before}
        given = _given(source, settings.statements.hosts, request)
        files = tuple(_one(store, settings, source, each, taken, actor, now) for each in given)
    return Pull(source.name, files)


def _given(source: SourceSettings, hosts: Sequence[str], request: SourceRequest) -> Iterator[FetchedFile | NotFetched]:
    """What the source gives. A plugin of somebody else may raise anything, with secrets in its text."""
    opened: StatementSource | None = None
    try:
        opened = statement_plugin(source.plugin).open(source, hosts)
        for each in opened.fetch(request):
            if not isinstance(each, FetchedFile | NotFetched):
                raise TypeError
            yield each
    except SourceFailed as error:
        yield NotFetched(source.name, error)
    except Exception as error:  # noqa: BLE001 - see above
        yield NotFetched(source.name, SourceFailed("broken", f"the plugin broke: {type(error).__name__}"))
    finally:
        if opened is not None:
            with contextlib.suppress(Exception):
                opened.close()


def _one(
    store: Store,
    settings: Settings,
    source: SourceSettings,
    given: FetchedFile | NotFetched,
    taken: set[tuple[str, str]],
    actor: str,
    now: datetime,
) -> PulledOne:
    if _NAME.fullmatch(given.name) is None:
        return PulledOne(source.name, "failed", "a file whose name is not plain", "source-name")
    if isinstance(given, NotFetched):
        if given.error is not None:
            return PulledOne(given.name, "failed", _plain(str(given.error)), _plain(given.error.code))
        return PulledOne(given.name, "absent" if given.text else "unchanged", _plain(given.text))
    digest = hashlib.sha256(given.data).hexdigest()
    if digest != given.digest:
        return PulledOne(given.name, "failed", "its bytes are not those of the stated digest", "source-digest")
    if len(given.data) > source.bytes_max:
        return PulledOne(given.name, "failed", f"has more than {source.bytes_max} bytes", "source-too-large")
    if (given.name, digest) in taken:
        return PulledOne(given.name, "known", "taken before", digest=digest)
    with TemporaryDirectory(prefix="custody-") as folder:
        path = Path(folder) / given.name
        path.write_bytes(given.data)
        accepted, text = import_file(store, settings, path, actor, now)
    validator = given.validator if _VALIDATOR.fullmatch(given.validator) else ""
    store.add_pulled_file(PulledFile(source.name, given.name, digest, validator, accepted, text, now), actor)
    return PulledOne(given.name, "taken" if accepted else "refused", text, digest=digest)


def _plain(text: str) -> str:
    """What somebody else wrote, as one line that can be stored and shown."""
    cut = text if len(text) <= TEXT_CHARACTERS_MAX else f"{text[: TEXT_CHARACTERS_MAX - 1]}…"
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in cut)
