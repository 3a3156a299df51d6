"""Custodians' statements from files into the store: whole and placed at locations of ours, or nothing of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from chains.errors import InvalidValue
from chains.types import AssetId, utc_text
from mapping.csvfile import CsvLimits
from mapping.custodian_types import CustodianAccount
from mapping.fields import shown
from mapping.importer import FileDigest, ImportOptions, ImportResult, Plugins, read_rows, read_table
from mapping.types import Origin, Position, PositionSource, Problem
from verifier.custodians.assemble import Assembled, Clock, MessageFile, accounts_in_effect, assemble
from verifier.custodians.document import Holding, Statement, in_base_units, plain
from verifier.custodians.message import BYTES_MAX, Fault, ReadMessages, StatementFormat
from verifier.custodians.mt535 import read_mt535
from verifier.custodians.semt002 import read_semt002
from verifier.errors import InputError

if TYPE_CHECKING:
    from mapping.known import KnownBook
    from verifier.config import Settings
    from verifier.store import Store

SOURCES: Final = {"dtc": PositionSource.DTC, "bank": PositionSource.BANK, "prime": PositionSource.PRIME_BROKER}
"""Who states what is at a location, by its prefix."""


@dataclass(frozen=True, slots=True)
class StatementImport:
    """What the files gave."""

    statements: tuple[Statement, ...]
    """New ones, stored unless it was a dry run; none when there is any problem."""
    problems: tuple[Problem, ...]
    known: tuple[str, ...]
    """Files that were imported before, and statements that are recorded in the same words."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was read."""

    path: Path
    data: bytes
    digest: str
    format: StatementFormat


def statement_clock(settings: Settings) -> Clock:
    """When a custodian's day closes, in the zone of the firm's banks."""
    return Clock(time.fromisoformat(settings.custodians.closes), ZoneInfo(settings.reserve.bank_zone))


def import_statements(
    store: Store,
    settings: Settings,
    paths: Sequence[Path],
    wanted: StatementFormat | None,
    only_day: date | None,
    plugins: Plugins,
    actor: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> StatementImport:
    """Read files of one format (told by their first characters when None) and store their statements, all or nothing.

    Raises `InputError` for a file that cannot be read at all; what is wrong inside is listed.
    """
    files = [_read(path, wanted) for path in paths]
    if len({each.format for each in files}) != 1:
        raise InputError("give files of one format at a time")
    known_at = store.book_time(now)
    imported = store.known_files([each.digest for each in files])
    known = [each.path.name for each in files if each.digest in imported]
    files = [each for each in files if each.digest not in imported]
    if not files:
        return StatementImport((), (), tuple(known))
    if len({each.digest for each in files}) != len(files):
        raise InputError("one file is given twice")
    limits = CsvLimits(bytes_max=settings.imports.file_bytes_max, rows_max=settings.imports.file_rows_max)
    options = ImportOptions(limits=limits, now=now)
    clock = statement_clock(settings)
    accounts = store.custodian_accounts(known_at)
    with store.known() as book:
        if files[0].format is StatementFormat.CSV:
            statements, result, problems = _from_csv(files, book, options, plugins)
            problems += _unexpected(statements, files, accounts, clock, only_day)
        else:
            assembled = _assembled(files, lambda read: assemble(read, accounts, clock, only_day))
            statements, result, problems = _from_messages(assembled, files, book, options, plugins)
    new: list[Statement] = []
    for each in statements:
        stored = store.custodian_statement(each.stated_by, each.statement_id)
        before = stored.statement if stored is not None else None
        if before is None:
            new.append(each)
        elif (before.as_of, before.locations, before.holdings) == (each.as_of, each.locations, each.holdings):
            known.append(each.statement_id)
        else:
            reason = "this statement is recorded with other holdings; a new statement has a new number"
            problems.append(Problem(each.messages[0][0], 0, "statement_id", shown(each.statement_id), reason))
    if problems:
        return StatementImport((), tuple(problems), tuple(known))
    if new and not dry_run:
        assert result is not None
        messages = {each.digest: each.data.decode("utf-8") for each in files}
        store.add_statements(new, result, messages, actor, now)
    return StatementImport(tuple(new), (), tuple(known))


def _read(path: Path, wanted: StatementFormat | None) -> _File:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise InputError(f"{path.name} is larger than {BYTES_MAX} bytes")
        with path.open("rb") as stream:
            data = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from None
    if len(data) > BYTES_MAX:
        raise InputError(f"{path.name} is larger than {BYTES_MAX} bytes")
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:4]
    told = (
        StatementFormat.SEMT002
        if start.startswith(b"<")
        else StatementFormat.MT535
        if start.startswith((b"{1:", b":16R"))
        else StatementFormat.CSV
    )
    return _File(path, data, hashlib.sha256(data).hexdigest(), wanted or told)


def _assembled(files: Sequence[_File], join: Callable[[list[MessageFile]], Assembled]) -> Assembled:
    """The statements of messages; problems of reading before problems of joining."""
    read: list[MessageFile] = []
    problems: list[Problem] = []
    for each in files:
        found = _messages(each)
        problems += [Problem(each.path.name, f.line, f.field, shown(f.value), f.reason) for f in found.faults]
        read.append(MessageFile(each.path.name, each.digest, found.pages))
    return Assembled((), tuple(problems)) if problems else join(read)


def _messages(file: _File) -> ReadMessages:
    if file.format is StatementFormat.SEMT002:
        return read_semt002(file.data)
    try:
        return read_mt535(file.data.decode("ascii"))
    except UnicodeDecodeError as error:
        line = file.data.count(b"\n", 0, error.start) + 1
        return ReadMessages((), (Fault(line, "", "", "a character that is in no FIN message"),))


def _from_messages(
    assembled: Assembled, files: Sequence[_File], book: KnownBook, options: ImportOptions, plugins: Plugins
) -> tuple[list[Statement], ImportResult | None, list[Problem]]:
    if assembled.problems:
        return [], None, list(assembled.problems)
    rows = [
        (
            Origin(each.file, each.digest, each.stated.line),
            {
                "location": str(each.location_id),
                "asset_id": str(each.asset_id),
                "quantity": plain(each.stated.quantity),
                "as_of": utc_text(whole.as_of),
                "source": SOURCES[each.location_id.partition(":")[0]].value,
                "stated_by": whole.stated_by,
                "statement_id": whole.statement_id,
            },
        )
        for whole in assembled.statements
        for each in whole.holdings
    ]
    counts = Counter(origin.digest for origin, _ in rows)
    digests = [
        FileDigest(each.path.name, "positions", each.digest, len(each.data), counts[each.digest]) for each in files
    ]
    result = read_rows("positions", rows, digests, book, options, plugins)
    if result.problems:
        return [], result, list(result.problems)
    assets = book.assets()
    problems: list[Problem] = []
    statements: list[Statement] = []
    for whole in assembled.statements:
        try:
            statements.append(in_base_units(whole, assets))
        except InvalidValue as error:
            problems.append(Problem(whole.messages[0][0], 0, "93a", "", f"a part of a balance: {error}"))
    return statements, result, problems


def _from_csv(
    files: Sequence[_File], book: KnownBook, options: ImportOptions, plugins: Plugins
) -> tuple[list[Statement], ImportResult | None, list[Problem]]:
    """One file of positions: every statement in it is whole, for each location that it names."""
    if len(files) != 1:
        raise InputError("give one CSV file at a time")
    file = files[0]
    result = read_table("positions", file.path, book, options, plugins)
    if result.problems:
        return [], result, list(result.problems)
    if [each.digest for each in result.files] != [file.digest]:
        raise InputError(f"{file.path.name} changed while it was read")
    groups: dict[tuple[str, str], list[Position]] = {}
    for sourced in result.records:
        if isinstance(sourced.record, Position):
            groups.setdefault((sourced.record.stated_by, sourced.record.statement_id), []).append(sourced.record)
    if not groups:
        return (
            [],
            result,
            [Problem(file.path.name, 0, "", "", "every row of this file is recorded already, or it has none")],
        )
    statements = [
        Statement(
            stated_by,
            statement_id,
            StatementFormat.CSV,
            rows[0].as_of,
            tuple(sorted({row.location_id for row in rows})),
            tuple(
                sorted(
                    (Holding(row.location_id, AssetId(row.asset_id), row.base_units, None) for row in rows),
                    key=lambda each: (each.location_id, each.asset_id),
                )
            ),
            ((file.path.name, file.digest, statement_id),),
        )
        for (stated_by, statement_id), rows in sorted(groups.items())
    ]
    return statements, result, []


def _unexpected(
    statements: Sequence[Statement],
    files: Sequence[_File],
    accounts: Sequence[CustodianAccount],
    clock: Clock,
    only_day: date | None,
) -> list[Problem]:
    """Locations of a CSV statement that are not this custodian's accounts, and days that are not wanted."""
    problems = []
    name = files[0].path.name
    for each in statements:
        day = clock.day(each.as_of)
        if only_day is not None and day != only_day:
            reason = f"the statement is of {day.isoformat()}, one of {only_day.isoformat()} is wanted"
            problems.append(Problem(name, 0, "as_of", day.isoformat(), reason))
        known = accounts_in_effect(accounts, day)
        for place in each.locations:
            if place.partition(":")[0] not in SOURCES:
                continue  # a digital custodian: wallets are mapped, and swept
            account = known.get(place)
            if account is None or account.custodian != each.stated_by:
                reason = f"custodian_accounts.csv has no such account of {each.stated_by} that day"
                problems.append(Problem(name, 0, "location", shown(place), reason))
    return problems
