"""The files of a broker-dealer's day, made anew and always the same, and what must be computed from them.

Figures are added up while rows are written, from the numbers that made the rows: nothing of the project computes them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from chains.types import cusip_check_digit

AS_OF: Final = date(2026, 10, 2)
"""A Friday."""
FACTS: Final = ("clients", "assets", "firm_capital", "focus_history", "control_locations")
"""What a firm has before the day, by file."""
DAY: Final = (
    "accounts", "stock_record", "liens", "clearing_margin", "other_amounts", "books_close", "account_relations",
)  # fmt: skip
"""The books of the day, and what is known of accounts that are new on it."""
LENDERS: Final = 20
HEADERS: Final = {
    "clients": "client_id,name,opened_on",
    "assets": "asset_id,symbol,decimals,legal_class,legal_class_from,legal_class_reference,dust_limit",
    "firm_capital": "as_of,method,net_capital,tentative_net_capital,aggregate_indebtedness,reference",
    "focus_history": "month_end,customer_credits,pab_credits,filed_on,reference",
    "control_locations": "location,effective_from,paragraph,evidence_on,reference",
    "account_relations": "account_id,effective_from,unsecured_or_doubtful",
    "accounts": "as_of,account_id,client_id,holder_class,account_type,credit_balance,debit_balance",
    "stock_record": (
        "as_of,line_id,security_id,place,side,quantity,price,account_id,location,counterparty,reference,since,"
        "contract_value,collateral"
    ),
    "liens": "as_of,lien_id,lender,kind,amount",
    "clearing_margin": "as_of,margin_id,computation,agency_kind,agency,required,on_deposit,held_as",
    "other_amounts": "as_of,amount_id,computation,nature,amount,reference",
    "books_close": "as_of,file,rows,total,reference",
}


@dataclass(slots=True)
class Figures:
    """What all sides must find. Amounts in US cents, quantities in base units."""

    customer: dict[int, int] = field(default_factory=lambda: dict.fromkeys((1, 2, 3, 4, 10, 12), 0))
    """Lines of the customer computation by item; all others are zero."""
    pab: dict[int, int] = field(default_factory=lambda: dict.fromkeys((1, 10), 0))
    deficits: dict[str, int] = field(default_factory=dict)
    """Possession or control: what is missing, by security."""

    @property
    def customer_required(self) -> int:
        """Item 16 by the basic method: 1 percent of item 10 is no debit, a part of a cent against the firm."""
        lines = self.customer
        debits = lines[10] - -(-lines[10] // 100) + lines[12]
        return max(0, sum(lines[item] for item in (1, 2, 3, 4)) - debits)

    @property
    def pab_required(self) -> int:
        """Of the PAB computation."""
        return max(0, self.pab[1] - self.pab[10])


@dataclass(slots=True)
class Security:
    """One issue, and what the accounts have of it in base units."""

    number: int
    longs: int = 0
    customers: int = 0
    required: int = 0

    @property
    def asset_id(self) -> str:
        """In the order of the numbers."""
        base = f"{self.number:08}"
        return f"cusip:{base}{cusip_check_digit(base)}"

    @property
    def cents(self) -> int:
        """Price of one whole unit."""
        return 10_00 + self.number * 3_701 % 390_00

    @property
    def per_unit(self) -> int:
        """Base units of one whole unit: shares, of every third issue ten-thousandths."""
        return 10_000 if self.number % 3 == 0 else 1

    def market(self, base_units: int, *, up: bool = False) -> int:
        """Cents, rounded down or up."""
        value = base_units * self.cents
        return -(-value // self.per_unit) if up else value // self.per_unit


@dataclass(frozen=True, slots=True)
class Made:
    """The files in their folder, and what must come of them."""

    folder: Path
    accounts: int
    lines: int
    figures: Figures

    def paths(self, names: tuple[str, ...]) -> list[Path]:
        """The files of these names."""
        return [self.folder / f"{name}.csv" for name in names]


def make(folder: Path, accounts: int) -> Made:
    """Write the files of a firm with so many accounts, and twice as many lines of the stock record."""
    securities = [Security(number) for number in range(min(5_000, max(20, accounts // 100)))]
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for name in (*FACTS, *DAY):
            file = stack.enter_context((folder / f"{name}.csv").open("w", encoding="utf-8", newline=""))
            files[name] = csv.writer(file, lineterminator="\n")
            files[name].writerow(HEADERS[name].split(","))
        _facts(files, securities, accounts)
        figures = _books(files, securities, accounts)
    return Made(folder, accounts, 2 * accounts, figures)


def _facts(files: dict[str, Any], securities: list[Security], accounts: int) -> None:
    files["clients"].writerows((f"C-{client:07}", f"Client {client}", "2025-01-02") for client in range(accounts // 2))
    for each in securities:
        decimals = 4 if each.per_unit > 1 else 0
        row = (each.asset_id, f"S{each.number}", decimals, "security", "2025-01-02", "LEGAL-1", "")
        files["assets"].writerow(row)
    files["firm_capital"].writerow((AS_OF, "basic", *[dollars(10**14)] * 3, "Net capital"))
    files["control_locations"].writerow(("dtc:0123", "2025-01-02", "c1", "2025-01-02", "Agreement"))
    end = date(2026, 8, 31)
    for _ in range(12):
        files["focus_history"].writerow((end, "1000.00", "0.00", end + timedelta(days=20), "FOCUS"))
        end = end.replace(day=1) - timedelta(days=1)
    files["account_relations"].writerows(
        (f"A-{number:07}", "2025-01-02", "yes") for number in range(1, accounts, 2) if _is_doubtful(number)
    )


def _books(files: dict[str, Any], securities: list[Security], accounts: int) -> Figures:
    figures = Figures()
    lines_per_place = 5 * len(securities)
    second_until = accounts - lines_per_place
    total_cents = line = 0
    whole, parts = 0, 0
    for number in range(accounts):
        client = number // 2
        holder = _holder(client)
        positions = _positions(securities, number, 2 if number < second_until else 1)
        value = sum(units * each.cents * 10_000 // each.per_unit for each, units in positions)
        credit, debit = _balance(number, value)
        total_cents += credit + debit
        files["accounts"].writerow(
            (AS_OF, f"A-{number:07}", "" if holder == "firm" else f"C-{client:07}", holder,
             "margin" if number % 2 else "cash", dollars(credit), dollars(debit))
        )  # fmt: skip
        if holder in ("customer", "pab"):
            lines = figures.customer if holder == "customer" else figures.pab
            lines[1] += credit
            lines[10] += 0 if _is_doubtful(number) else debit
            for each, units in _locked(positions, debit, value):
                each.required += units
        for each, units in positions:
            files["stock_record"].writerow(
                (AS_OF, f"L-{line:07}", each.asset_id, "account", "long", quantity(each, units), dollars(each.cents),
                 f"A-{number:07}", "", "", "", "", "", "")
            )  # fmt: skip
            line += 1
            each.longs += units
            each.customers += units if holder == "customer" else 0
    loans = [0] * LENDERS
    for each in securities:
        for row in _places(each, figures, loans):
            place, side, units, *rest = row
            price = dollars(each.cents)
            files["stock_record"].writerow(
                (AS_OF, f"L-{line:07}", each.asset_id, place, side, quantity(each, units), price, *rest)
            )
            line += 1
            whole, parts = whole + units // each.per_unit, parts + units % each.per_unit * (10_000 // each.per_unit)
        whole, parts = whole + each.longs // each.per_unit, parts + each.longs % each.per_unit
    assert line == 2 * accounts
    lent = [cents * 8 // 10 for cents in loans]
    files["liens"].writerows(
        (AS_OF, f"LOAN-{number}", f"Bank {number}", "customers", dollars(cents)) for number, cents in enumerate(lent)
    )
    figures.customer[2] = sum(lent)
    units_text = f"{whole + parts // 10_000}.{parts % 10_000:04}"
    for name, rows, total in (
        ("accounts", accounts, dollars(total_cents)),
        ("stock_record", line, units_text),
        ("liens", LENDERS, dollars(sum(lent))),
        ("clearing_margin", 0, "0.00"),
        ("other_amounts", 0, "0.00"),
    ):
        files["books_close"].writerow((AS_OF, name, rows, total, "Close"))
    return figures


def _holder(client: int) -> str:
    if client % 1009 == 13:
        return "firm"
    if client % 97 == 11:
        return "non_customer"
    return "pab" if client % 50 == 7 else "customer"


def _is_doubtful(number: int) -> bool:
    return number % 2 == 1 and number % 199 == 1


def _positions(securities: list[Security], number: int, count: int) -> list[tuple[Security, int]]:
    """Securities of an account in the order of their ids, with base units."""
    found = []
    spread = number * 2_654_435_761 >> 8  # else all accounts of a security would be of one class
    for which in range(count):
        each = securities[(spread + 17 * which) % len(securities)]
        parts = number % 10_000 if each.per_unit > 1 else 0
        found.append((each, (1 + (number + 7 * which) * 13 % 20) * each.per_unit + parts))
    return sorted(found, key=lambda pair: pair[0].number)


def _balance(number: int, value: int) -> tuple[int, int]:
    """Credit and debit in cents: cash accounts have credits, of margin accounts three in four a debit.

    One in three of those owes 60 percent of its securities, so that some are excess margin; the others 90 percent.
    """
    if number % 2 == 0 or number // 2 % 4 == 0:
        return 100 + number * 7_919 % 10_000_00, 0
    return 0, value * (60 if number // 2 % 4 == 1 else 90) // 100 // 10_000


def _locked(positions: list[tuple[Security, int]], debit: int, value: int) -> Iterator[tuple[Security, int]]:
    """What must be in possession or control: all without a debit, else what is worth more than 140 percent of it."""
    if not debit:
        yield from positions
        return
    above = value * 100 - debit * 140 * 10_000
    for each, units in positions:
        if above <= 0:
            return
        one = each.cents * 10_000 // each.per_unit * 100
        taken = min(units, -(-above // one))
        above -= taken * one
        yield each, taken


def _places(each: Security, figures: Figures, loans: list[int]) -> Iterator[tuple[Any, ...]]:
    """What answers for an issue: a bank loan, a stock loan, a fail to receive, the depository; and a fail to deliver.

    Place, side, base units, account, location, counterparty, reference, since, contract value, collateral.
    """
    number, lines = each.number, figures.customer
    free = each.longs - each.required
    bank = received = max(1, free // 4)
    delivered = 5 * each.per_unit
    lent = max(1, free // 4)
    if number % 97 == 5:  # more is lent than is free: a deficit
        lent = free - bank - received + delivered + each.required // 10 + 1
    rest = each.longs + delivered - bank - lent - received
    assert bank + lent + received <= each.customers, "what is lent must be customers' for the figures to hold"
    if each.required > rest:
        figures.deficits[each.asset_id] = each.required - rest
    yield "bank_loan", "short", bank, "", "", "Bank", f"LOAN-{number % LENDERS}", AS_OF - timedelta(days=9), "", ""
    loans[number % LENDERS] += each.market(bank)

    contract = each.market(lent) * 102 // 100
    collateral = each.market(lent) * 9 // 10 if number % 10 == 3 else contract
    lines[3] += contract + max(0, each.market(lent, up=True) - collateral)
    text = dollars(collateral) if collateral != contract else ""
    yield ("stock_loan", "short", lent, "", "", "Borrower", "", AS_OF - timedelta(days=9), dollars(contract), text)

    contract = each.market(received) * 95 // 100
    is_old = number % 5 == 0
    lines[4] += max(contract, each.market(received, up=True)) if is_old else contract
    since = AS_OF - timedelta(days=31 if is_old else 30)
    yield "fail_to_receive", "short", received, "", "", "Street", f"T-R{number}", since, dollars(contract), ""

    contract = each.market(delivered) * 99 // 100
    is_old = number % 7 == 0
    lines[12] += 0 if is_old else contract
    since = AS_OF - timedelta(days=31 if is_old else 30)
    yield (
        "fail_to_deliver", "long", delivered, "A-0000000", "", "Street", f"T-D{number}", since, dollars(contract), "",
    )  # fmt: skip

    yield "depository", "short", rest, "", "dtc:0123", "", "", "", "", ""


def dollars(cents: int) -> str:
    """As the files have it."""
    return f"{cents // 100}.{cents % 100:02}"


def quantity(security: Security, base_units: int) -> str:
    """Whole units, as the files have it."""
    if security.per_unit == 1:
        return str(base_units)
    return f"{base_units // 10_000}.{base_units % 10_000:04}"
