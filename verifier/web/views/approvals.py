"""What waits for a second person, each with everything that a decision is about and the digest it is bound to."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from chains.types import utc_text
from exports.canonical import canonical_json
from verifier.case_view import amount_text
from verifier.control_acts import issue_of
from verifier.control_cases import quantity
from verifier.persons import same_person
from verifier.policies import changed_values
from verifier.store.records import ChangeKind
from verifier.waiting_approvals import WaitingApproval, waiting_of
from verifier.web.errors import NotFound
from verifier.web.views.home import dollars
from verifier.web.views.tones import age_words

if TYPE_CHECKING:
    from verifier.store import Store
    from verifier.store.proposal_store import StoredChange
    from verifier.web.live import Remembered
    from verifier.web.visitor import Visitor

Facts = list[tuple[str, str]]
ROWS_SHOWN: Final = 10
"""Rows of a change in the list of all that waits; its own page has all of them, some at a time."""


@dataclass(frozen=True, slots=True)
class RowsShown:
    """Some rows of what a change says."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first: int
    """Number of the first of them, from 1."""
    total: int

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return self.first + len(self.rows) - 1


@dataclass(frozen=True, slots=True)
class Subject:
    """What is decided, without who looks."""

    facts: Facts
    digest: str
    tables: tuple[RowsShown, ...] = ()
    version: int | None = None
    """Of a case: refused as well when anything was said meanwhile."""
    href: str = ""
    """Page of what it is about; empty where there is none."""


@dataclass(frozen=True, slots=True)
class WaitingShown:
    """One thing that waits."""

    subject_id: str
    what: str
    maker: str
    since: datetime
    age: str
    text: str
    facts: Facts
    tables: tuple[RowsShown, ...]
    href: str
    digest: str
    """SHA-256 of what is shown here: a decision is bound to it."""
    version: int | None
    is_own: bool
    """Whether whoever looks made it: they do not decide it."""

    @property
    def has_more(self) -> bool:
        """Whether there are rows that are not shown here."""
        return any(each.first > 1 or each.last < each.total for each in self.tables)


def waiting_now(store: Store, now: datetime, remembered: Remembered) -> list[WaitingApproval]:
    """What waits, the longest first; looked up once for each state of the journal."""
    return remembered.recall("waiting", store, now, lambda: waiting_of(store))


def waiting_with(store: Store, subject_id: str) -> WaitingApproval:
    """What waits under this id. Raises `NotFound` for nothing and for what was decided, in the same words."""
    for each in waiting_of(store):
        if each.subject_id == subject_id:
            return each
    raise NotFound("nothing waits under this id; somebody may have decided it meanwhile")


def shown(
    store: Store, waiting: WaitingApproval, visitor: Visitor, now: datetime, *, first: int = 1, rows: int = ROWS_SHOWN
) -> WaitingShown:
    """One of them with what it is about; of long changes the rows from `first` on, at most `rows` of each table."""
    subject = subject_of(store, waiting, first, rows)
    return WaitingShown(
        waiting.subject_id,
        waiting.what,
        waiting.maker,
        waiting.since,
        age_words(int((now - waiting.since).total_seconds())),
        waiting.text,
        subject.facts,
        subject.tables,
        subject.href,
        subject.digest,
        subject.version,
        same_person(waiting.maker, visitor.person_id),
    )


def subject_of(store: Store, waiting: WaitingApproval, first: int = 1, rows: int = ROWS_SHOWN) -> Subject:
    """What is decided, as it is now, with its digest."""
    if waiting.what in (ChangeKind.MAPPING, ChangeKind.POLICIES):
        return _change(store, waiting.subject_id, first, rows)
    kinds: dict[str, Callable[[Store, WaitingApproval], Subject]] = {
        "case": _case,
        "reserve instruction": _instruction,
        "control act": _act,
        "substitution": _substitution,
    }
    return kinds[waiting.what](store, waiting)


def _case(store: Store, waiting: WaitingApproval) -> Subject:
    stands = store.case_standing(waiting.subject_id)
    finding, documents = stands.case.finding, ", ".join(each.name for each in stands.case.attachments)
    done = len(stands.case.proposal.approved_by) if stands.case.proposal is not None else 0
    facts = [
        ("kind", finding.kind.value.replace("_", " ")),
        ("found", finding.text),
        ("location", finding.location_id),
        ("amount", amount_text(finding)),
        ("documents", documents),
        ("approvals", f"{done} of {stands.approvals_needed}"),
    ]
    return Subject(
        [each for each in facts if each[1]],
        stands.seen_digest,
        version=stands.case.version,
        href=f"/cases/{waiting.subject_id}",
    )


def _change(store: Store, proposal_id: str, first: int, rows: int) -> Subject:
    change = store.change(proposal_id)
    if change.kind is ChangeKind.POLICIES:
        standing = [each for each in store.changes(ChangeKind.POLICIES) if each.in_force]
        before = standing[-1].content if standing else {}
        values = changed_values(before, change.content)
        facts = [("changes", standing[-1].proposal_id if standing else "nothing: they are the first")]
        tables = (_part("Policies", ("policy", "before", "after"), values, len(values), first, rows),)
        return Subject(facts, change.digest, tables)
    return Subject([], change.digest, tuple(_tables(store, change, first, rows)))


def _tables(store: Store, change: StoredChange, first: int, rows: int) -> Iterator[RowsShown]:
    content: dict[str, Any] = change.content
    if content["form"] == "row":
        cells = [(name, value) for name, value in content["row"].items() if value]
        yield _part(str(content["table"]), ("column", "value"), cells, len(cells), first, max(rows, len(cells)))
        return
    for file in content["files"]:
        _, given = store.attachment(file["sha256"])
        lines = csv.reader(io.StringIO(given.decode("utf-8-sig"), newline=""))
        columns = tuple(next(lines, []))
        filled = (line for line in lines if line)
        yield _part(str(file["table"]), columns, filled, int(file["rows"]), first, rows)


def _part(title: str, columns: Sequence[str], lines: Any, total: int, first: int, rows: int) -> RowsShown:
    taken = islice(iter(lines), first - 1, first - 1 + rows)
    return RowsShown(title, tuple(columns), tuple(tuple(line) for line in taken), first, total)


def _instruction(store: Store, waiting: WaitingApproval) -> Subject:
    made = store.reserve_instruction(waiting.subject_id)
    facts = [
        ("money", f"{made.direction.value.replace('_', ' ')} of {dollars(made.cents)}"),
        ("account", f"{made.account_id} ({made.purpose.value})"),
        ("good until", made.valid_until.isoformat()),
    ]
    if made.relied_on is not None:
        facts.append(("relies on", f"{made.relied_on.computation_id}: {_left(made.relied_on.remaining)}"))
    return _bound(waiting, facts, "/reserve")


def _left(cents: int) -> str:
    return f"{dollars(cents)} would count after it; checked again when it is approved"


def _act(store: Store, waiting: WaitingApproval) -> Subject:
    act = store.cure_act(waiting.subject_id)
    issue = issue_of(store.possession_review(act.review_id).review(), act.security_id)
    facts = [
        ("act", act.kind.value.replace("_", " ")),
        ("security", f"{quantity(issue, act.base_units)} of {act.security_id}"),
        ("short by", f"{quantity(issue, issue.deficit)} ({act.review_id})"),
        ("from line", act.line_id),
        ("instructed", utc_text(act.instructed_at)),
    ]
    return _bound(waiting, [each for each in facts if each[1]], "/control")


def _substitution(store: Store, waiting: WaitingApproval) -> Subject:
    made = store.substitution(waiting.subject_id)
    issue = issue_of(store.possession_review(made.review_id).review(), made.move.from_id)
    facts = [
        ("releases", f"{quantity(issue, made.move.base_units)} of {made.move.from_id}"),
        ("locks up", str(made.move.to_id)),
        ("of", made.move.holder_id or "any owner"),
        ("judged on", f"{made.review_id}; judged again when it is approved"),
    ]
    return _bound(waiting, facts, "/control")


def _bound(waiting: WaitingApproval, facts: Facts, href: str) -> Subject:
    """With a digest of everything that is shown of it."""
    told = [waiting.subject_id, waiting.what, waiting.maker, utc_text(waiting.since), waiting.text]
    body = canonical_json([*told, [list(each) for each in facts]])
    return Subject(facts, hashlib.sha256(body).hexdigest(), href=href)
