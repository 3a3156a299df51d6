"""Books in few words: accounts, lines and evidence of one close."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from chains.types import Asset, AssetId, LocationId, cusip_check_digit
from exports.possession.review import Review, compute
from exports.possession.types import Move
from exports.reserve.policies import Policy, review_policies_at
from mapping.books import Books
from mapping.books_types import (
    CONTRACTED,
    AccountBalance,
    AccountRelation,
    AccountType,
    ControlLocation,
    ControlParagraph,
    HolderClass,
    SecurityFact,
    StockLine,
    StockPlace,
    StockSide,
)
from mapping.types import AssetRecord, LegalClass
from verifier.possession.clocks import settlement_calendar
from verifier.possession.inputs import ChainFacts, review_inputs

AS_OF = date(2026, 10, 2)
"""A Friday."""
DTC, BANK = LocationId("dtc:0123"), LocationId("bank:CUSTODY")


def cusip(number: int) -> AssetId:
    """A valid CUSIP for a number."""
    base = f"{number:08d}"
    return AssetId(f"cusip:{base}{cusip_check_digit(base)}")


A, B, C = cusip(1), cusip(2), cusip(3)
TOKEN = AssetId("eip155:1/erc20:0x00000000000000000000000000000000000000aa")
WALLET = LocationId("eip155:1:0x0000000000000000000000000000000000000b01")


def account(
    account_id: str,
    kind: AccountType = AccountType.CASH,
    *,
    client: str = "",
    holder: HolderClass = HolderClass.CUSTOMER,
    debit: int = 0,
    credit: int = 0,
) -> AccountBalance:
    """An account of a customer of the same name, unless another is named."""
    owner = "" if holder is HolderClass.FIRM else client or f"C-{account_id}"
    return AccountBalance(AS_OF, account_id, owner, holder, kind, credit, debit)


class Record:
    """A stock record under way: each call adds a line."""

    def __init__(self) -> None:
        self.lines: list[StockLine] = []
        self.prices: dict[AssetId, Decimal] = {}

    def line(
        self,
        place: StockPlace,
        units: int,
        security: AssetId = A,
        *,
        side: StockSide = StockSide.SHORT,
        days: int | None = None,
        location: LocationId | None = None,
        account_id: str = "",
        confirmed: date | None = None,
        name: str = "",
    ) -> StockLine:
        since = AS_OF - timedelta(days=days) if days is not None else None
        found = StockLine(
            AS_OF,
            name or f"L-{len(self.lines) + 1:04d}",
            security,
            place,
            side,
            units,
            self.prices.get(security, Decimal(10)),
            account_id=account_id,
            location_id=location,
            since=since,
            contract_value=0 if place in CONTRACTED else None,
            confirmed_on=confirmed,
        )
        self.lines.append(found)
        return found

    def owns(self, account_id: str, units: int, security: AssetId = A) -> None:
        self.line(StockPlace.ACCOUNT, units, security, side=StockSide.LONG, account_id=account_id)

    def in_dtc(self, units: int, security: AssetId = A) -> None:
        self.line(StockPlace.DEPOSITORY, units, security, location=DTC)


def evidence(
    location: LocationId = DTC,
    paragraph: ControlParagraph = ControlParagraph.C1,
    *,
    since: date = date(2025, 1, 2),
    until: date | None = None,
) -> ControlLocation:
    return ControlLocation(location, since, paragraph, since, "letter", until)


def books(
    record: Record,
    accounts: list[AccountBalance],
    *,
    relations: list[AccountRelation] | None = None,
    locations: list[ControlLocation] | None = None,
    classes: dict[AssetId, LegalClass] | None = None,
    exempted: list[AssetId] | None = None,
    decimals: int = 0,
) -> Books:
    """The books of the Friday; DTC is a good control location unless others are given."""
    ids = sorted({each.security_id for each in record.lines})
    assets = [
        AssetRecord(
            Asset(name, f"S{number}", 18 if "/" in name else decimals),
            (classes or {}).get(name, LegalClass.SECURITY),
            date(2025, 1, 2),
            "memo",
        )
        for number, name in enumerate(ids)
    ]
    return Books(
        as_of=AS_OF,
        accounts=tuple(accounts),
        relations=tuple(relations or ()),
        stock=tuple(record.lines),
        securities=tuple(SecurityFact(name, date(2025, 1, 2), True, "list") for name in exempted or ()),
        assets=tuple(assets),
        control_locations=tuple(locations if locations is not None else [evidence()]),
        clearing_margin=(),
        clearing_agencies=(),
        liens=(),
        other_amounts=(),
        pab_reliefs=(),
    )


def policy(name: str, value: str) -> Policy:
    return Policy(name, value, date(2026, 1, 1), "memo", "test")


def review(found: Books, *own: Policy, facts: ChainFacts | None = None, moves: list[Move] | None = None) -> Review:
    """The review of some books."""
    days = settlement_calendar().business_days_between
    return compute(review_inputs(found, review_policies_at(AS_OF, own), facts or ChainFacts(), moves or [], days))
