"""Items 13 to 15 of both computations from the margin at clearing organizations, with the credits that go with them.

Customers' securities at a Treasury clearing agency are a credit of item 2 at market (Note B, last sentence), also where
they give no debit. Customers' cash there stays a credit of item 1: it is in the owner's account already, and only what
the owner's accounts do not show is added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from typing import Final

from exports.reserve.items import ReserveClass
from exports.reserve.policies import PolicySet
from mapping.books import Books
from mapping.books_types import ClearingAgency, ClearingMargin, MarginAgency, MarginHeldAs
from verifier.reserve.allocation_balances import HOLDERS
from verifier.reserve.allocation_rows import DerivedRow, Excluded
from verifier.reserve.calendar import BankCalendar
from verifier.reserve.clearing import (
    AgencyCondition,
    Item15,
    MarginCall,
    MarginForm,
    NoteGDetermination,
    TreasuryAgency,
    TreasuryDeposit,
    TreasuryForm,
    item_13,
    item_14,
    item_15,
    note_g_problems,
)

_FORMS: Final = {
    MarginHeldAs.CASH: MarginForm.CASH,
    MarginHeldAs.PROPRIETARY_QUALIFIED_SECURITIES: MarginForm.PROPRIETARY_QUALIFIED_SECURITIES,
    MarginHeldAs.LETTER_OF_CREDIT_ON_CUSTOMER_SECURITIES: MarginForm.LETTER_OF_CREDIT_ON_CUSTOMER_SECURITIES,
    MarginHeldAs.CUSTOMER_SECURITIES: MarginForm.CUSTOMER_SECURITIES,
}
"""Forms of Notes F and G; any other is none of the three that count."""
_COUNTED: Final = frozenset(_FORMS) - {MarginHeldAs.CUSTOMER_SECURITIES}
_TREASURY_FORMS: Final = {
    MarginHeldAs.CUSTOMER_CASH: TreasuryForm.CUSTOMER_CASH,
    MarginHeldAs.CUSTOMER_SECURITIES: TreasuryForm.CUSTOMER_SECURITIES,
    MarginHeldAs.FIRM_TREASURIES: TreasuryForm.FIRM_TREASURIES,
}
"""Forms of Note H; any other is the firm's own, which never counts."""
_ITEMS: Final = {MarginAgency.OPTIONS: 13, MarginAgency.FUTURES: 14, MarginAgency.TREASURIES: 15}

AtAgency = Mapping[tuple[ReserveClass, str], int]
"""Market value of securities on deposit by the stock record, in cents, by computation and agency."""


def margin_rows(
    books: Books, policies: PolicySet, calendar: BankCalendar, at_agency: AtAgency, problems: list[str]
) -> tuple[list[DerivedRow], list[Excluded]]:
    """Items 13 to 15, and the parts of items 1 and 2 that belong to item 15."""
    agencies = {each.agency: each for each in books.clearing_agencies}
    groups: dict[tuple[ReserveClass, MarginAgency, str], list[ClearingMargin]] = defaultdict(list)
    for each in books.clearing_margin:
        groups[ReserveClass(each.computation.value), each.agency_kind, each.agency].append(each)
    for whose, name in at_agency:  # securities that lie at a Treasury agency without a row of margin are a credit too
        agency = agencies.get(name)
        if agency is None:
            problems.append(f"there is no clearing agency {name or 'named'}, where securities are on deposit")
        elif agency.agency_kind is MarginAgency.TREASURIES:
            groups.setdefault((whose, MarginAgency.TREASURIES, name), [])
    rows: list[DerivedRow] = []
    excluded: list[Excluded] = []
    for (whose, kind, name), own in sorted(groups.items()):
        required = _required(own, problems)
        if kind is MarginAgency.TREASURIES:
            made = _treasuries(name, own, required, agencies.get(name), books, calendar)
            rows += _treasury_rows(books, whose, name, own, made, at_agency.get((whose, name), 0))
            if made.problems:
                excluded.append(Excluded(whose, 15, name, f"Note H: {'; '.join(made.problems)}", _deposited(own)))
            else:
                excluded += _in_no_form(whose, 15, "Note H", own, _TREASURY_FORMS)
            continue
        cents, why = _futures_or_options(kind, own, required, agencies.get(name), books, policies)
        if why:
            excluded.append(Excluded(whose, 14, name, f"Note G: {'; '.join(why)}", _deposited(own)))
        else:
            note = "Note F" if kind is MarginAgency.OPTIONS else "Note G"
            excluded += _in_no_form(whose, _ITEMS[kind], note, own, _COUNTED)
        if cents:
            note = "item 13, Note F" if kind is MarginAgency.OPTIONS else "item 14, Note G"
            source = f"clearing_margin {books.as_of} {name}: required and on deposit; {note}"
            rows.append(DerivedRow(whose, _ITEMS[kind], "clearing_margin", f"margin:{name}/{whose}", cents, source))
    return rows, excluded


def _required(own: Iterable[ClearingMargin], problems: list[str]) -> dict[str, int]:
    """What is required by client; the rows of one requirement say the same, one for each form of deposit."""
    found: dict[str, int] = {}
    problems += (
        f"margin {each.margin_id}: another row says that {each.agency} requires another amount"
        for each in own
        if found.setdefault(each.client_id, each.required) != each.required
    )
    return found


def _in_no_form(
    whose: ReserveClass, item: int, note: str, own: Iterable[ClearingMargin], counted: Container[MarginHeldAs]
) -> Iterable[Excluded]:
    """Deposits in a form that never is a debit, each named: what counts nothing is not left out in silence."""
    for each in own:
        if each.held_as not in counted and each.on_deposit:
            words = str(each.held_as).replace("_", " ")
            yield Excluded(whose, item, each.margin_id, f"{note}: held as {words}", each.on_deposit)


def _deposited(own: Iterable[ClearingMargin]) -> int:
    return sum(each.on_deposit for each in own)


def _futures_or_options(
    kind: MarginAgency,
    own: Iterable[ClearingMargin],
    required: Mapping[str, int],
    agency: ClearingAgency | None,
    books: Books,
    policies: PolicySet,
) -> tuple[int, list[str]]:
    deposits = [(_FORMS.get(each.held_as, MarginForm.OTHER), each.on_deposit) for each in own]
    needed = required.get("", 0)
    if kind is MarginAgency.OPTIONS:
        return item_13(needed, deposits), []
    if agency is None or agency.determined_on is None:
        return 0, ["the yearly determination is missing or old"]
    determination = NoteGDetermination(
        agency.determined_on,
        agency.security_deposits,
        agency.assessment_power,
        agency.margin_deposits,
        agency.exempted_by_commission,
        agency.no_lien_letter,
        agency.safeguards,
        agency.undertaking,
    )
    why = note_g_problems(determination, books.as_of, policies)
    return item_14(needed, deposits, determination, books.as_of, policies), why


def _treasuries(
    name: str,
    own: Iterable[ClearingMargin],
    required: Mapping[str, int],
    agency: ClearingAgency | None,
    books: Books,
    calendar: BankCalendar,
) -> Item15:
    met = agency.conditions_on if agency is not None else None
    evidence = tuple((condition, met) for condition in AgencyCondition) if met is not None else ()
    of_record = TreasuryAgency(
        name,
        agency.rules_approved_on if agency is not None else None,
        agency.notice_published_on if agency is not None else None,
        agency.notice_withdrawn_on if agency is not None else None,
        evidence,
    )
    deposits = [
        TreasuryDeposit(
            each.client_id,
            _TREASURY_FORMS.get(each.held_as, TreasuryForm.FIRM_CASH),
            each.on_deposit,
            each.customer_only,
            MarginCall(each.arose_on, each.customer_was_short, each.called_on, each.delivered_on)
            if each.arose_on is not None
            else None,
        )
        for each in own
    ]
    return item_15(sorted(required.items()), deposits, of_record, books.as_of, calendar)


def _treasury_rows(
    books: Books, whose: ReserveClass, name: str, own: Iterable[ClearingMargin], made: Item15, by_stock_record: int
) -> Iterable[DerivedRow]:
    where = f"clearing_margin {books.as_of} {name}"
    for client, cents in made.debits:
        if cents:
            source = f"{where} {client}: required and on deposit; item 15, Note H"
            yield DerivedRow(whose, 15, "clearing_margin", f"margin:{name}/{whose}/{client}", cents, source)
    securities = max(made.customer_securities, by_stock_record)
    if securities:
        source = f"{where}: customers' securities on deposit at market; item 2, Note B"
        yield DerivedRow(whose, 2, "clearing_margin", f"margin:{name}/{whose}/securities", securities, source)
    cash: dict[str, int] = defaultdict(int)
    for each in own:
        if each.held_as is MarginHeldAs.CUSTOMER_CASH:
            cash[each.client_id] += each.on_deposit
    for client in sorted(cash):
        shown = sum(
            each.credit_balance
            for each in books.accounts
            if each.client_id == client and HOLDERS.get(each.holder_class) is whose
        )
        if cash[client] > shown:
            source = f"{where} {client}: customer's cash on deposit beyond the balances of accounts; item 1, Note H"
            row_id = f"margin:{name}/{whose}/{client}/cash"
            yield DerivedRow(whose, 1, "clearing_margin", row_id, cash[client] - shown, source)
