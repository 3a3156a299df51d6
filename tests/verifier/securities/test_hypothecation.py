"""8c-1, 15c2-1 and 15c3-3 on pledges, loans and accounts: each breach, and its twin that is in order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chains.types import LocationId
from mapping.book import AllocationKey
from mapping.books_types import AccountType, HolderClass, LienKind, StockPlace
from mapping.custodian_types import CustodianAccount, HeldFor
from mapping.types import AccountClass
from tests.verifier.securities.make import (
    AAPL,
    ASSETS,
    BANK,
    DAY,
    MSFT,
    USD,
    account,
    books,
    lien,
    line,
    relation,
)
from verifier.records import Finding, FindingKind
from verifier.rules.hypothecation import books_findings, hypothecation_findings

LOAN = StockPlace.BANK_LOAN
CONSENT = {"hypothecation_consent_on": DAY}


def seen(found: list[Finding]) -> list[tuple[FindingKind, str, int | None]]:
    return [(each.kind, each.subject, each.base_units) for each in found]


def two_pledged(*relations: object) -> list[Finding]:
    """Two customers' margin securities under one lien of theirs, for less than they owe."""
    return hypothecation_findings(
        books(
            [account("A-1", debit=60_000), account("A-2", debit=40_000)],
            [
                line("L-1", LOAN, 10, account_id="A-1", reference="LIEN-1"),
                line("L-2", LOAN, 5, MSFT, account_id="A-2", reference="LIEN-1"),
            ],
            [lien("LIEN-1", 100_000)],
            list(relations),  # type: ignore[arg-type]
        )
    )


def test_customers_pledged_together_need_the_consent_of_each() -> None:
    both = [relation("A-1", **CONSENT), relation("A-2", **CONSENT)]
    assert two_pledged(*both) == []
    (finding,) = two_pledged(both[0])
    assert seen([finding]) == [(FindingKind.COMMINGLING, "A-2:consent", 5)]
    assert "8c-1(a)(1), 15c2-1(a)(1)" in finding.text
    assert finding.location_id == "lien:LIEN-1"
    assert len(two_pledged()) == 2


@pytest.mark.parametrize(("days", "count"), [(0, 0), (1, 1)])
def test_a_consent_counts_from_its_day(days: int, count: int) -> None:
    later = relation("A-2", hypothecation_consent_on=DAY + timedelta(days=days))
    assert len(two_pledged(relation("A-1", **CONSENT), later)) == count


def test_one_customer_alone_under_a_lien_needs_no_consent_to_commingling() -> None:
    owned_by_one = [account("A-1", debit=50_000, client="C-1"), account("A-2", debit=50_000, client="C-1")]
    lines = [line(f"L-{n}", LOAN, n, account_id=f"A-{n}", reference="LIEN-1") for n in (1, 2)]
    assert hypothecation_findings(books(owned_by_one, lines, [lien("LIEN-1", 100_000)])) == []


@pytest.mark.parametrize("other", [HolderClass.FIRM, HolderClass.NON_CUSTOMER])
def test_customers_under_one_lien_with_the_firm(other: HolderClass) -> None:
    accounts = [account("A-1", debit=50_000), account("A-F", other)]
    lines = [
        line("L-1", LOAN, 10, account_id="A-1", reference="LIEN-1"),
        line("L-2", LOAN, 90, account_id="A-F", reference="LIEN-1"),
    ]
    found = hypothecation_findings(books(accounts, lines, [lien("LIEN-1", 50_000)]))
    assert seen(found) == [(FindingKind.COMMINGLING, "A-1:lien", 10)]
    assert "8c-1(a)(2)" in found[0].text
    apart = [lines[0], line("L-2", LOAN, 90, account_id="A-F", reference="LIEN-2")]
    liens = [lien("LIEN-1", 50_000), lien("LIEN-2", 9, LienKind.FIRM)]
    assert hypothecation_findings(books(accounts, apart, liens)) == []


def test_customers_under_a_lien_for_the_firms_own_borrowing() -> None:
    lines = [line("L-1", LOAN, 10, account_id="A-1", reference="LIEN-1")]
    found = hypothecation_findings(books([account("A-1")], lines, [lien("LIEN-1", 1, LienKind.FIRM)]))
    assert seen(found) == [(FindingKind.COMMINGLING, "A-1:lien", 10)]
    assert hypothecation_findings(books([account("A-F", HolderClass.FIRM)], [], [lien("X", 1, LienKind.FIRM)])) == []


@pytest.mark.parametrize(("owed", "excess"), [(100_000, 0), (99_999, 1)])
def test_liens_above_what_all_customers_owe(owed: int, excess: int) -> None:
    accounts = [account("A-1", debit=owed), account("A-2", HolderClass.PAB, debit=70_000)]
    lines = [line("L-1", LOAN, 10, account_id="A-1", reference="LIEN-1")]
    liens = [lien("LIEN-1", 60_000), lien("LIEN-2", 40_000), lien("LIEN-3", 10**9, LienKind.FIRM)]
    found = hypothecation_findings(books(accounts, lines, liens))
    assert [each.base_units for each in found] == ([excess] if excess else [])
    assert all(each.kind is FindingKind.HYPOTHECATION and "8c-1(a)(3)" in each.text for each in found)


def test_fully_paid_securities_are_never_pledged() -> None:
    def pledged(kind: AccountType) -> list[Finding]:
        lines = [line("L-1", LOAN, 10, account_id="A-1", reference="LIEN-1")]
        return hypothecation_findings(books([account("A-1", kind=kind, debit=9)], lines, [lien("LIEN-1", 9)]))

    assert pledged(AccountType.MARGIN) == []
    assert seen(pledged(AccountType.CASH)) == [(FindingKind.HYPOTHECATION, "A-1:fully_paid", 10)]


LENT, BORROWED = StockPlace.STOCK_LOAN, StockPlace.STOCK_BORROW
IN_TIME = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("place", "kind", "holder", "name", "subject"),
    [
        (LENT, AccountType.CASH, HolderClass.CUSTOMER, "fully_paid_lending_agreement_on", "agreement"),
        (BORROWED, AccountType.MARGIN, HolderClass.CUSTOMER, "fully_paid_lending_agreement_on", "agreement"),
        (LENT, AccountType.MARGIN, HolderClass.CUSTOMER, "lending_consent_on", "consent"),
        (LENT, AccountType.MARGIN, HolderClass.PAB, "pab_use_notice_on", "pab"),
    ],
)
def test_lending_needs_its_paper(
    place: StockPlace, kind: AccountType, holder: HolderClass, name: str, subject: str
) -> None:
    accounts, lines = [account("A-1", holder, kind)], [line("L-1", place, 10, account_id="A-1")]
    (finding,) = hypothecation_findings(books(accounts, lines))
    assert seen([finding]) == [(FindingKind.HYPOTHECATION, f"A-1:{subject}", 10)]
    assert hypothecation_findings(books(accounts, lines, relations=[relation("A-1", **{name: IN_TIME})])) == []
    late = relation("A-1", **{name: IN_TIME + timedelta(days=1)})
    assert len(hypothecation_findings(books(accounts, lines, relations=[late]))) == 1


def test_a_pab_accounts_securities_under_a_lien_need_its_notice() -> None:
    accounts = [account("A-1", HolderClass.PAB), account("A-2", debit=9)]
    lines = [line("L-1", LOAN, 10, account_id="A-1", reference="LIEN-1")]
    found = hypothecation_findings(books(accounts, lines, [lien("LIEN-1", 9)]))
    assert seen(found) == [(FindingKind.HYPOTHECATION, "A-1:pab", 10)]
    allowed = [relation("A-1", pab_use_notice_on=DAY)]
    assert hypothecation_findings(books(accounts, lines, [lien("LIEN-1", 9)], allowed)) == []


def test_what_nobody_is_known_to_own_is_unverified_and_never_in_order() -> None:
    lines = [line("L-1", LOAN, 10, reference="LIEN-1"), line("L-2", LENT, 3, account_id="A-9")]
    found = hypothecation_findings(books([], lines))
    assert [each.kind for each in found] == [FindingKind.UNVERIFIED] * 3
    assert {each.subject for each in found} == {"lien", "accounts", "A-9"}
    own = [line("L-2", LENT, 3)]  # of no account, and no customer has any
    assert hypothecation_findings(books([], own)) == []


@pytest.mark.parametrize(
    ("lent", "papers", "beyond"),
    [
        (40, {}, None),  # the firm's 30 and what it borrowed
        (41, {}, 1),
        (90, {}, 50),  # no more than customers have
        (90, {"lending_consent_on": DAY}, 30),  # the margin account's 20 can be lent, the cash account's cannot
        (60, {"lending_consent_on": DAY}, None),
        (60, {"lending_consent_on": DAY + timedelta(days=1)}, 20),
    ],
)
def test_a_loan_of_no_account_is_customers_beyond_what_can_be_lent(
    lent: int, papers: dict[str, date], beyond: int | None
) -> None:
    accounts = [account("A-F", HolderClass.FIRM), account("A-1", kind=AccountType.CASH), account("A-2")]
    owned = [
        line("L-1", StockPlace.ACCOUNT, 30, account_id="A-F"),
        line("L-2", StockPlace.ACCOUNT, 30, account_id="A-1"),
        line("L-3", StockPlace.ACCOUNT, 20, account_id="A-2"),
        line("L-4", BORROWED, 10),
        line("L-5", StockPlace.ACCOUNT, 500, MSFT, account_id="A-F"),  # another security helps nobody
    ]
    found = hypothecation_findings(
        books(accounts, [*owned, line("L-6", LENT, lent)], relations=[relation("A-2", **papers)])
    )
    wanted = [] if beyond is None else [(FindingKind.HYPOTHECATION, "no_account", beyond)]
    assert seen(found) == wanted


def test_lines_of_one_account_and_security_are_one_finding() -> None:
    accounts, liens = [account("A-1", kind=AccountType.CASH, debit=9)], [lien("LIEN-1", 9)]
    lines = [line(f"L-{n}", LOAN, n, account_id="A-1", reference="LIEN-1") for n in (3, 4)]
    (finding,) = hypothecation_findings(books(accounts, lines, liens))
    assert finding.base_units == 7
    (turned,) = hypothecation_findings(books(accounts, lines[::-1], liens))
    assert turned.finding_key == finding.finding_key


def at(held_for: HeldFor, place: LocationId = BANK) -> dict[LocationId, CustodianAccount]:
    made = CustodianAccount(place, date(2026, 1, 2), "Example Bank", "77-1", held_for, "A title", "USD", None, "Form")
    return {place: made}


CLIENT_CASH = {AllocationKey("C-1", AccountClass.CUSTOMER, BANK, USD.asset_id): 125_00}
FIRM_SHARES = {AllocationKey("FIRM", AccountClass.PROPRIETARY, BANK, AAPL.asset_id): 40}


@pytest.mark.parametrize(
    ("allocations", "held_for", "seen_at"),
    [
        (CLIENT_CASH, HeldFor.CLIENTS, None),
        (CLIENT_CASH, HeldFor.BOTH, None),
        (CLIENT_CASH, HeldFor.FIRM, ("clients", 125_00)),
        (FIRM_SHARES, HeldFor.FIRM, None),
        (FIRM_SHARES, HeldFor.BOTH, None),
        (FIRM_SHARES, HeldFor.CLIENTS, ("firm", 40)),
    ],
)
def test_whose_assets_may_be_in_an_account(
    allocations: dict[AllocationKey, int], held_for: HeldFor, seen_at: tuple[str, int] | None
) -> None:
    found = books_findings(None, allocations, at(held_for), ASSETS)
    assert [(each.subject, each.base_units) for each, _ in found] == ([seen_at] if seen_at else [])
    assert all(each.kind is FindingKind.COMMINGLING and not each.tx_id for each, _ in found)


def test_client_cash_in_an_operating_account_names_the_rule() -> None:
    ((finding, covers),) = books_findings(None, CLIENT_CASH, at(HeldFor.FIRM), ASSETS)
    assert "125.00 USD of clients'" in finding.text
    assert "15c3-3(e)" in finding.text
    assert covers == ((BANK, USD.asset_id),)


def test_an_account_without_a_title_is_unverified() -> None:
    ((finding, _),) = books_findings(None, CLIENT_CASH, {}, ASSETS)
    assert (finding.kind, finding.subject) == (FindingKind.UNVERIFIED, "titling")
    assert books_findings(None, dict.fromkeys(CLIENT_CASH, 0), {}, ASSETS) == []
