"""ISO 15022 MT535, Statement of Holdings, to statement pages. Pure.

Field numbers follow the message's format specification in the ISO 15022 Data Field Dictionary (iso20022.org, MT535):
sequence A (GENL), B (SUBSAFE) with B1 (FIN), C (ADDINFO). What would make the figures something other than the settled
holdings of an account on a day is refused: a delta, a cancellation, a traded or contractual basis, a short balance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from chains.errors import InvalidValue
from verifier.custodians.fin import Field, FinMessage, Sequence15022, read_fin
from verifier.custodians.message import (
    Fault,
    MessageRefused,
    QuantityType,
    ReadMessages,
    StatedHolding,
    StatementFormat,
    StatementPage,
    SubBalance,
    read_pages,
)
from verifier.custodians.securities import cusip_of

_PAGE = re.compile(r"([0-9]{1,5})/(MORE|LAST|ONLY)", re.ASCII)
_QUANTITY = re.compile(r"(UNIT|FAMT|AMOR)/(N?)([0-9]{1,15}),([0-9]{0,14})", re.ASCII)
_SUB_BALANCE = re.compile(r"([A-Z]{4})/(AVAI|NAVL)/(N?)([0-9]{1,15}),([0-9]{0,14})", re.ASCII)
_DAY = re.compile(r"[0-9]{8}", re.ASCII)
_MOMENT = re.compile(r"([0-9]{8})([0-9]{6})(?:,[0-9]{1,3})?(?:/(N?)([0-9]{2})([0-9]{2})?)?", re.ASCII)
_ISIN = re.compile(r"ISIN ([A-Z0-9]{12})", re.ASCII)
_CUSIP_LINE = re.compile(r"/US/([0-9A-Z*@#]{9})", re.ASCII)
_SUB_FUNCTIONS = frozenset({"", "CODU", "COPY", "DUPL"})
_SIZE_MAX = 15
"""Characters of a quantity, its comma counted."""


def read_mt535(text: str) -> ReadMessages:
    """Every page of a file, or every fault found in it."""
    try:
        messages = read_fin(text)
    except MessageRefused as error:
        return ReadMessages((), (error.fault,))
    if not messages:
        return ReadMessages((), (Fault(0, "", "", "there is no message in this file"),))
    return read_pages(messages, _page)


@dataclass(frozen=True, slots=True)
class _General:
    """What sequence A says."""

    statement_number: str
    reference: str
    page: int
    is_last: bool
    stated_on: date
    stated_at: datetime | None
    account: str
    has_holdings: bool


def _page(message: FinMessage) -> tuple[StatementPage, list[Fault]]:
    if message.message_type not in ("", "535"):
        raise MessageRefused(message.line, "{2:}", message.message_type, "this is no MT535")
    found = message.body.sequences("GENL")
    if len(found) != 1:
        raise MessageRefused(message.line, "16R", "GENL", f"{len(found)} sequences GENL, one is expected")
    general = _general(found[0])
    faults: list[Fault] = []
    holdings: list[StatedHolding] = []
    accounts, empty = {general.account}, set()
    blocks = message.body.sequences("SUBSAFE")
    if len(blocks) < len(message.body.inner) - 1 - len(message.body.sequences("ADDINFO")):
        strange = next(e for e in message.body.inner if e.name not in ("GENL", "SUBSAFE", "ADDINFO"))
        raise MessageRefused(strange.line, "16R", strange.name, "a sequence that an MT535 does not have here")
    if not general.has_holdings:
        empty.add(general.account)
        if blocks:
            raise MessageRefused(blocks[0].line, "17B ACTI", "N", "nothing to report is stated, and holdings follow")
    for block in blocks:
        try:
            account = _account(block) or general.account
            accounts.add(account)
            activity = _flag(block, "ACTI")
            lines = block.sequences("FIN")
            if activity is False:
                empty.add(account)
                if lines:
                    raise MessageRefused(lines[0].line, "17B ACTI", "N", "nothing is stated, and holdings follow")
            elif not lines:
                raise MessageRefused(block.line, "16R", "FIN", "no holdings, and no flag that says there are none")
        except MessageRefused as error:
            faults.append(error.fault)
            continue
        for line in lines:
            try:
                holdings.append(_holding(line, account))
            except MessageRefused as error:
                faults.append(error.fault)
    if general.has_holdings and not blocks:
        raise MessageRefused(message.line, "17B ACTI", "Y", "holdings are announced, and none follow")
    page = StatementPage(
        StatementFormat.MT535,
        general.statement_number,
        general.reference,
        general.page,
        general.is_last,
        general.stated_on,
        general.stated_at,
        general.account,
        tuple(sorted(accounts)),
        tuple(sorted(empty)),
        tuple(holdings),
        message.line,
    )
    return page, faults


def _general(block: Sequence15022) -> _General:
    paging = block.one("28E")
    match = _PAGE.fullmatch(paging.value)
    if match is None or not int(match[1]):
        raise paging.refused("a page number and MORE, LAST or ONLY are expected, such as 1/ONLY")
    page, word = int(match[1]), match[2]
    if word == "ONLY" and page != 1:
        raise paging.refused("a statement of one page has the page number 1")
    function = block.one("23G")
    name, _, sub = function.value.partition("/")
    if name != "NEWM" or sub not in _SUB_FUNCTIONS:
        raise function.refused(
            "only a new statement (NEWM) is read; a cancellation is followed by a statement of its own"
        )
    words = {each.qualifier: each.data() for each in block.all("22F")}
    _expect(block, words, "STBA", ("SETT",), "only settled balances can be compared with a location")
    _expect(block, words, "STTY", ("CUST", "ACCT"), "a custody or accounting statement is expected")
    if "CODE" in words:
        _expect(block, words, "CODE", ("COMP",), "only a complete statement is read, no delta")
    number = block.maybe("13A", "STAT") or block.maybe("13J", "STAT")
    reference = block.one("20C", "SEME").data()
    stated_on, stated_at = _moment(block.one("98", "STAT"))
    account = _account(block)
    if not account:
        raise MessageRefused(block.line, "97A SAFE", "", "the safekeeping account is missing")
    activity = _flag(block, "ACTI")
    if activity is None:
        raise MessageRefused(block.line, "17B ACTI", "", "the activity flag is missing")
    if number is None and word != "ONLY":
        raise MessageRefused(block.line, "13A STAT", "", "a statement of several pages needs its statement number")
    joined = number.data() if number is not None else reference
    return _General(joined, reference, page, word != "MORE", stated_on, stated_at, account, activity)


def _expect(block: Sequence15022, words: dict[str, str], qualifier: str, allowed: tuple[str, ...], reason: str) -> None:
    if qualifier not in words:
        raise MessageRefused(block.line, f"22F {qualifier}", "", f"22F {qualifier} is missing in {block.name}")
    if words[qualifier] not in allowed:
        line = block.one("22F", qualifier).line
        raise MessageRefused(line, f"22F {qualifier}", words[qualifier], reason)


def _account(block: Sequence15022) -> str:
    """Safekeeping account of a sequence; empty when it names none."""
    found = block.maybe("97", "SAFE")
    if found is None:
        return ""
    if found.tag not in ("97A", "97B"):
        raise found.refused("an account number is expected")
    text = found.data() if found.tag == "97A" else found.value.rpartition("/")[2]
    if not text or len(text) > 35:
        raise found.refused("an account has 1 to 35 characters")
    return text


def _flag(block: Sequence15022, qualifier: str) -> bool | None:
    found = block.maybe("17B", qualifier)
    if found is None:
        return None
    if found.data() not in ("Y", "N"):
        raise found.refused("Y or N is expected")
    return found.data() == "Y"


def _moment(found: Field) -> tuple[date, datetime | None]:
    """The day, and the moment where there is one: in UTC when its offset is given, else without a zone."""
    text = found.data()
    try:
        if found.tag == "98A" and _DAY.fullmatch(text):
            return datetime.strptime(text, "%Y%m%d").date(), None  # noqa: DTZ007 - a civil date
        match = _MOMENT.fullmatch(text)
        if found.tag in ("98C", "98E") and match is not None and (found.tag == "98E" or match[4] is None):
            at = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 - the zone is the servicer's
            if match[4] is None:
                return at.date(), at
            offset = timedelta(hours=int(match[4]), minutes=int(match[5] or 0)) * (-1 if match[3] else 1)
            return at.date(), (at - offset).replace(tzinfo=UTC)  # the day is that of the local time, which is written
    except ValueError:
        raise found.refused("there is no such day or time") from None
    raise found.refused("a day YYYYMMDD (98A), or a moment (98C, 98E) is expected")


def _holding(block: Sequence15022, account: str) -> StatedHolding:
    named = block.one("35B")
    isin, cusip = _security(named)
    aggregate = block.all("93B", "AGGR")
    if len(aggregate) != 1:
        raise MessageRefused(block.line, "93B AGGR", "", f"{len(aggregate)} aggregate balances, one is expected")
    kind, quantity = _quantity(aggregate[0])
    available = _part(block, "AVAI", kind)
    not_available = _part(block, "NAVL", kind)
    parts = tuple(_parts(block, kind))
    for code, stated in (("AVAI", available), ("NAVL", not_available)):
        wanted = [each.quantity for each in parts if each.available is (code == "AVAI")]
        if stated is not None and wanted and sum(wanted) > stated:
            raise MessageRefused(block.line, f"93C {code}", str(sum(wanted)), "sub-balances are more than their sum")
    if available is not None and not_available is not None and available + not_available != quantity:
        reason = f"available {available} and not available {not_available} do not add up to {quantity}"
        raise aggregate[0].refused(reason)
    if max(available or 0, not_available or 0) > quantity:
        raise aggregate[0].refused("a part of the balance is more than the balance")
    return StatedHolding(
        account,
        cusip,
        isin,
        quantity,
        kind,
        available,
        not_available,
        parts,
        _currency(block),
        block.line,
    )


def _security(named: Field) -> tuple[str, str]:
    lines = named.value.split("\n")
    match = _ISIN.fullmatch(lines[0])
    isin = match[1] if match else ""
    if lines[0].startswith("ISIN") and not isin:
        raise named.refused("an ISIN of twelve characters is expected behind ISIN")
    stated = [found[1] for line in lines if (found := _CUSIP_LINE.fullmatch(line))]
    if len(stated) > 1:
        raise named.refused("two CUSIPs are named")
    try:
        return isin, cusip_of(isin, stated[0] if stated else "")
    except InvalidValue as error:
        raise named.refused(str(error)) from None


def _quantity(found: Field) -> tuple[QuantityType, Decimal]:
    match = _QUANTITY.fullmatch(found.data())
    if match is None or len(match[3]) + len(match[4]) + 1 > _SIZE_MAX:
        raise found.refused("a quantity such as UNIT/1250, is expected, with its decimal comma")
    if match[1] == "AMOR":
        raise found.refused("an amortised amount is no quantity that the books keep; units or face amount are read")
    return QuantityType(match[1]), _decimal(found, match[2], match[3], match[4])


def _decimal(found: Field, sign: str, whole: str, fraction: str) -> Decimal:
    value = Decimal(f"{whole}.{fraction or '0'}")
    if sign and value:
        raise found.refused("a short balance: nobody keeps less than nothing for the firm")
    return value


def _part(block: Sequence15022, qualifier: str, kind: QuantityType) -> Decimal | None:
    found = block.maybe("93B", qualifier)
    if found is None:
        return None
    other, value = _quantity(found)
    if other is not kind:
        raise found.refused(f"counted in {other}, the aggregate balance in {kind}")
    return value


def _parts(block: Sequence15022, kind: QuantityType) -> Iterator[SubBalance]:
    """Sub-balances: `93C` says whether they are available, `93B` of another qualifier does not."""
    for inner in block.sequences("SUBBAL"):
        for found in inner.all("93"):
            if found.tag == "93C":
                match = _SUB_BALANCE.fullmatch(found.data())
                if match is None or match[1] != kind.value:
                    raise found.refused(f"a sub-balance such as {kind}/AVAI/100, is expected")
                value = _decimal(found, match[3], match[4], match[5])
                yield SubBalance(found.qualifier, match[2] == "AVAI", value)
            else:
                other, value = _quantity(found)
                if other is not kind:
                    raise found.refused(f"counted in {other}, the aggregate balance in {kind}")
                yield SubBalance(found.qualifier, None, value)


def _currency(block: Sequence15022) -> str:
    for inner in block.sequences("FIA"):
        if (found := inner.maybe("11A", "DENO")) is not None:
            return found.data()
    return ""
