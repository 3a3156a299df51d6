"""The daily segregation report as people read it: the same sections as text and as a page, from its document alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

from exports.canonical import parse_canonical_object
from exports.errors import RecordInvalid
from exports.pages import page
from exports.reserve.items import item
from exports.reserve.money import dollars_grouped

REPORT_FORMAT: Final = "custody-daily-report/1"
REPORT_TYPE: Final = "application/vnd.custody-verifier.daily-report+json"
"""Type of the signed payload: a signature over another kind of document never counts."""
TEMPLATE: Final = "daily_report.html.j2"
UNKNOWN: Final = "not verified"
TEXT_COLUMNS: Final = 116
"""Width of the text; a table that is wider is written row by row."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads; columns named in `numbers` stand to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    texts: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()

    @property
    def filled(self) -> tuple[Table, ...]:
        """The tables that have rows."""
        return tuple(each for each in self.tables if each.rows)


def read_report(document: bytes) -> dict[str, Any]:
    """The report's value; raises `RecordInvalid` when the bytes are no such report."""
    value: dict[str, Any] = parse_canonical_object(document)
    if value.get("format") != REPORT_FORMAT:
        raise RecordInvalid(f"this is no report of the format {REPORT_FORMAT}")
    return value


def report_page(document: bytes) -> bytes:
    """The report as one page without script or link, that prints; raises `ReportLibraryMissing` without Jinja2."""
    value = read_report(document)
    sections = list(_sections(value, hashlib.sha256(document).hexdigest()))
    statuses = value["status"]["statuses"]
    verdict_class = "good" if statuses == ["compliant"] else "open" if statuses == ["unverified"] else "bad"
    return page(
        TEMPLATE, title=_title(value), verdict=_joined(statuses), verdict_class=verdict_class, sections=sections
    )


def report_text(document: bytes) -> str:
    """The report as plain text."""
    value = read_report(document)
    title = _title(value)
    return (
        "\n".join([title, "=" * len(title), *_text_lines(_sections(value, hashlib.sha256(document).hexdigest()))])
        + "\n"
    )


def _title(value: Mapping[str, Any]) -> str:
    return f"Daily segregation report of {value['firm']} as of {value['as_of']}"


def _text_lines(sections: Iterator[Section]) -> Iterator[str]:
    for section in sections:
        yield from ("", section.title, "-" * len(section.title))
        yield from (f"!! {alert}" for alert in section.alerts)
        width = max((len(name) for name, _ in section.facts), default=0)
        yield from (f"{name:<{width}}  {value}" for name, value in section.facts)
        for each in section.filled:
            yield from _text_table(each)
        yield from (f"- {text}" for text in section.texts)


def _text_table(table: Table) -> Iterator[str]:
    widths = [max(len(row[n]) for row in (table.columns, *table.rows)) for n in range(len(table.columns))]
    last = len(widths) - 1
    if sum(widths) + 2 * last > TEXT_COLUMNS:
        yield from _text_blocks(table)
        return
    for row in (table.columns, *table.rows):
        cells = [
            cell.rjust(width) if name in table.numbers else cell if n == last else cell.ljust(width)
            for n, (cell, name, width) in enumerate(zip(row, table.columns, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _text_blocks(table: Table) -> Iterator[str]:
    """A table that is too wide: each row as its first cell, and the others below it with their names."""
    for first, *rest in table.rows:
        yield first
        for name, cell in zip(table.columns[1:], rest, strict=True):
            if cell:
                yield from wrap(f"{name}: {cell}", TEXT_COLUMNS, initial_indent="  ", subsequent_indent="    ")


def _sections(value: Mapping[str, Any], digest: str) -> Iterator[Section]:
    yield _head(value, digest)
    yield from _reserve(value["reserve"])
    yield from _control(value["control"])
    yield from _reconciliations(value)
    yield _exceptions(value["exceptions"])
    gaps = value["not_verified"]
    yield Section("What was not verified", texts=tuple(gaps) or ("Nothing: everything above was compared.",))


def _head(value: Mapping[str, Any], digest: str) -> Section:
    status, replaces = value["status"], value["replaces"]
    rows = [
        ("report", f"{value['report_id']}, version {value['version']}"),
        ("status when made", _joined(status["statuses"])),
        ("day's close", _moment(value["open_at"])),
        (
            "made",
            f"{_moment(value['made_at'])} by {value['made_by']}, with everything known at {_moment(value['known_at'])}",
        ),
        ("SHA-256", digest),
    ]
    if replaces is not None:
        rows.insert(1, ("replaces", f"{replaces['report_id']} ({replaces['sha256']})"))
    if value["journal"] is not None:
        rows.append(("journal", f"entry {value['journal']['sequence']}, {value['journal']['entry_digest']}"))
    exceptions = value["exceptions"]
    alerts = []
    if exceptions["exceptions_unexplained"]:
        where = exceptions["wsp_section"] or "no section of the written supervisory procedures is configured"
        alerts.append(
            f"exceptions_unexplained: {exceptions['unexplained']} without an explanation and a maker; {where}"
        )
    return Section("Report", tuple(rows), texts=tuple(status["reasons"]), alerts=tuple(alerts))


def _reserve(value: Mapping[str, Any]) -> Iterator[Section]:
    if not value["in_use"]:
        yield Section("Reserve, 15c3-3(e)", texts=("Nothing is stated for the reserve.",))
        return
    for purpose, found in value["purposes"].items():
        title = f"{purpose.upper() if purpose == 'pab' else purpose.capitalize()} reserve computation, US dollars"
        if found is None:
            yield Section(title, alerts=("There is no computation of this day or before.",))
            continue
        made = found["computation"]
        shortfall = found["shortfall"]
        alerts = [] if shortfall in ("0", None) else [f"short by {_dollars(shortfall)}"]
        texts = () if found["of_this_day"] else ("It is the one in force: none is on record as of the day itself.",)
        rows = (
            (
                "computation",
                f"{made['computation_id']} as of {made['as_of']}, {made['method']}, {_words(made['frequency'])}",
            ),
            ("SHA-256", made["digest"]),
            ("total credits", _dollars(found["total_credits"])),
            ("total debits", _dollars(found["total_debits"])),
            ("required on deposit", _dollars(found["required"])),
            ("credits swept in time", _dollars(found["swept"])),
            ("held at its as-of", _dollars(found["held"])),
            ("shortfall", _dollars(shortfall)),
            ("moved until the deadline", _dollars(found["moved_until_deadline"])),
            ("deposit by", _moment(made["deposit_by"])),
        )
        lines = tuple((n, item(int(n)).side.value, _dollars(cents)) for n, cents in _by_number(found["lines"]))
        drivers = tuple(
            (str(each["item"]), each["row_id"], _dollars(each["cents"]), each["source"]) for each in found["drivers"]
        )
        yield Section(
            title,
            rows,
            (
                Table(("item", "side", "amount"), lines, ("amount",)),
                Table(("item", "largest rows", "amount", "from"), drivers, ("amount",)),
            ),
            texts=texts,
            alerts=tuple(alerts),
        )
    yield _note_h(value["note_h"])
    instructions = tuple(
        (
            each["instruction_id"],
            each["direction"],
            each["account_id"],
            _dollars(each["cents"]),
            _words(each["state"]),
            each["maker"],
            (each["decision"] or {}).get("actor", ""),
        )
        for each in value["instructions"]
    )
    columns = ("instruction", "direction", "account", "amount", "state", "maker", "decided by")
    compared = f"{value['movements_compared']} entries or pairs of statements compared with instructions"
    yield Section("Deposits and withdrawals", tables=(Table(columns, instructions, ("amount",)),), texts=(compared,))


def _note_h(value: Mapping[str, Any]) -> Section:
    rows = []
    tables = []
    for purpose, found in value.items():
        rows += [
            (f"{purpose}: debit of item 15", _dollars(found["debit"])),
            (f"{purpose}: conditions", found["tested"]),
            (f"{purpose}: first notice", found["notice_from"]),
        ]
        counted = tuple((each["row_id"], _dollars(each["cents"]), each["source"]) for each in found["rows"])
        left = tuple((each["what"], _dollars(each["cents"]), "not counted") for each in found["not_counted"])
        tables.append(Table((f"{purpose} rows", "amount", "from"), counted + left, ("amount",)))
    texts = () if value else ("No computation is on record, so there is no debit of item 15 to test.",)
    return Section("Note H: margin at Treasury clearing agencies", tuple(rows), tuple(tables), texts)


def _control(value: Mapping[str, Any]) -> Iterator[Section]:
    title = "Possession or control, 15c3-3(b) to (d)"
    review = value["review"]
    if review is None:
        yield Section(title, alerts=("There is no review of this day or before: unverified.",))
        return
    alerts = []
    if review["deficit_count"]:
        alerts.append(f"{review['deficit_count']} issues are in deficit; act by {review['act_by']}")
    if not review["of_this_day"]:
        alerts.append(f"the review in force is as of {review['as_of']}, not of this day")
    deficits = tuple(
        (each["security_id"], each["required"], each["in_control"], each["deficit"]) for each in review["deficits"]
    )
    acts = tuple(
        (
            each["act_id"],
            each["security_id"],
            _words(each["kind"]),
            each["base_units"],
            _words(each["state"]) + (" (overdue)" if each["overdue"] else ""),
            each["possession_by"] or "",
        )
        for each in value["acts"]
    )
    units = ("required", "in control", "deficit")
    yield Section(
        title,
        (
            ("review", f"{review['review_id']} as of {review['as_of']}, {review['rule_set']}"),
            ("SHA-256", review["digest"]),
            (
                "issues",
                f"{review['issues']}, {review['deficit_count']} in deficit, {review['unverified_count']} unverified",
            ),
            ("determined, act by", f"{review['determined_on']}, {review['act_by']}"),
        ),
        (
            Table(("issue, base units", *units), deficits, units),
            Table(("act", "issue", "kind", "base units", "state", "possession by"), acts, ("base units",)),
        ),
        alerts=tuple(alerts),
    )


def _reconciliations(value: Mapping[str, Any]) -> Iterator[Section]:
    chains: Sequence[Mapping[str, Any]] = value["digital"]
    counts = ("expected", "matched", "diverged", "unverified")
    swept = tuple(
        (
            each["name"],
            str(each["sweep"]["height"]),
            _moment(each["sweep"]["block_time"]),
            *(str(each["sweep"][n]) for n in counts),
        )
        for each in chains
        if each["sweep"] is not None
    )
    differences = tuple(
        (
            row["location"],
            row["asset_id"],
            row["status"],
            row["claimed"],
            row["observed"] or UNKNOWN,
            row["difference"] or "",
        )
        for each in chains
        for row in each["differences"]
    )
    missing = tuple(
        f"{each['chain_id']} was not reconciled at or before the close" for each in chains if not each["sweep"]
    )
    amounts = ("claimed", "observed", "difference")
    yield Section(
        "Reconciliation of the digital rail, base units",
        tables=(
            Table(("chain", "block", "time", *counts), swept, ("block", *counts)),
            Table(("location", "asset", "status", *amounts), differences, amounts),
        ),
        texts=() if chains else ("No chain is configured.",),
        alerts=missing,
    )
    run = value["securities"]["run"]
    title = "Reconciliation with the depository and other custodians"
    if run is None:
        yield Section(title, alerts=("There is no comparison of this day or before: unverified.",))
        return
    yield Section(
        title,
        (
            ("comparison", f"{run['run_id']} as of {run['as_of']}"),
            ("positions", ", ".join(f"{run[name]} {name}" for name in counts)),
            ("SHA-256", run["digest"]),
        ),
        alerts=(f"{run['diverged']} positions differ",) if run["diverged"] else (),
    )


def _exceptions(value: Mapping[str, Any]) -> Section:
    rows = tuple(
        (
            each["case_id"],
            _words(each["kind"]),
            each["quantity"] or "",
            each["text"],
            each["explanation"] or ("NOT EXPLAINED" if each["unexplained"] else ""),
            each["maker"] or "",
            each["state"],
        )
        for each in value["cases"]
    )
    columns = ("case", "kind", "amount", "found", "explanation", "maker", "now")
    since = tuple(f"{each['case_id']}, opened since: {each['text']}" for each in value["opened_since"])
    return Section(
        "Exceptions open at the close",
        (("listed", str(value["listed"])), ("not explained", str(value["unexplained"]))),
        (Table(columns, rows, ("amount",)),),
        since,
    )


def _by_number(lines: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(lines.items(), key=lambda pair: int(pair[0]))


def _dollars(cents: str | None) -> str:
    return UNKNOWN if cents is None else dollars_grouped(int(cents))


def _moment(text: str) -> str:
    """A canonical time as people read it, to the second."""
    return f"{text[:19].replace('T', ' ')} UTC"


def _joined(codes: Sequence[str]) -> str:
    return ", ".join(_words(each) for each in codes)


def _words(code: str) -> str:
    return code.replace("_", " ")
