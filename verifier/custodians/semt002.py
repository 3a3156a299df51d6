"""ISO 20022 semt.002, SecuritiesBalanceCustodyReport, to statement pages. Pure.

Element names follow the message definition report of the securities settlement domain (iso20022.org). The versions read
are those in which an account's balances have one form: `BalForAcct` with `AggtBal/Qty/Qty/Qty`. What would make the
figures something other than the settled holdings of an account on a day is refused, as for MT535.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from chains.errors import InvalidValue
from mapping.fields import parse_time
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
from verifier.custodians.xml import Element, read_xml

VERSIONS = ("08", "09", "10", "11", "12")
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:semt\.002\.001\.([0-9]{2})", re.ASCII)
_QUANTITY = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]{1,17}))?", re.ASCII)
_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?", re.ASCII)


def read_semt002(data: bytes) -> ReadMessages:
    """Every page of a file, or every fault found in it."""
    try:
        documents = _documents(read_xml(data))
    except MessageRefused as error:
        return ReadMessages((), (error.fault,))
    return read_pages(documents, _page)


def _documents(root: Element) -> list[Element]:
    """The message itself, or those of a business message envelope."""
    found = [root] if root.name == "Document" else root.all("Document")
    if not found:
        raise root.refused("there is no Document in this file")
    for each in found:
        match = _NAMESPACE.fullmatch(each.namespace)
        if match is None:
            raise MessageRefused(each.line, "Document", each.namespace, "the namespace is not that of semt.002")
        if match[1] not in VERSIONS:
            read = ", ".join(VERSIONS)
            raise MessageRefused(each.line, "Document", each.namespace, f"versions read are semt.002.001.{read}")
        if strange := next((part for part in each.walk() if part.namespace != each.namespace), None):
            raise MessageRefused(strange.line, strange.name, strange.namespace, "an element of another namespace")
    return found


def _page(document: Element) -> tuple[StatementPage, list[Fault]]:
    report = document.one("SctiesBalCtdyRpt")
    general = report.one("StmtGnlDtls")
    _expect(general, "UpdTp", ("COMP",), "only a complete statement is read, no delta")
    _expect(general, "StmtBsis", ("SETT",), "only settled balances can be compared with a location")
    paging = report.one("Pgntn")
    number = paging.words("PgNb")
    if not re.fullmatch(r"[0-9]{1,5}", number, re.ASCII) or not int(number):
        raise paging.one("PgNb").refused("a page number from 1 is expected")
    has_holdings = _flag(general, "ActvtyInd")
    account = report.words("SfkpgAcct", "Id")
    faults: list[Fault] = []
    holdings: list[StatedHolding] = []
    accounts, empty = {account}, set()
    blocks = [(account, each) for each in report.all("BalForAcct")]
    for sub in report.all("SubAcctDtls"):
        sub_account = sub.words("SfkpgAcct", "Id")
        accounts.add(sub_account)
        own = sub.all("BalForSubAcct")
        if _flag(sub, "ActvtyInd") != bool(own):
            raise sub.refused("its activity indicator and its balances contradict each other")
        if not own:
            empty.add(sub_account)
        blocks += [(sub_account, each) for each in own]
    if has_holdings != bool(blocks):
        raise general.one("ActvtyInd").refused("the activity indicator and the balances contradict each other")
    if not has_holdings:
        empty.add(account)
    for name, block in blocks:
        try:
            holdings.append(_holding(block, name))
        except MessageRefused as error:
            faults.append(error.fault)
    stated_on, stated_at = _moment(general.one("StmtDtTm"))
    statement_id = general.words("StmtId")
    page = StatementPage(
        StatementFormat.SEMT002,
        statement_id,
        statement_id,
        int(number),
        _flag(paging, "LastPgInd"),
        stated_on,
        stated_at,
        account,
        tuple(sorted(accounts)),
        tuple(sorted(empty)),
        tuple(holdings),
        document.line,
    )
    return page, faults


def _expect(general: Element, name: str, allowed: tuple[str, ...], reason: str) -> None:
    word = general.words(name, "Cd")
    if word not in allowed:
        raise general.one(name, "Cd").refused(reason)


def _flag(parent: Element, name: str) -> bool:
    """An indicator; XML Schema spells it in two ways."""
    text = parent.words(name)
    if text not in ("true", "false", "1", "0"):
        raise parent.one(name).refused("true or false is expected")
    return text in ("true", "1")


def _moment(found: Element) -> tuple[date, datetime | None]:
    """The day, and the moment where there is one: in UTC when its offset is given, else without a zone."""
    day, moment = found.maybe("Dt"), found.maybe("DtTm")
    if (day is None) == (moment is None):
        raise found.refused("either Dt or DtTm is expected")
    try:
        if day is not None:
            return date.fromisoformat(day.text.strip()), None
        assert moment is not None
        text = moment.text.strip()
        if match := _LOCAL.fullmatch(text):
            local = datetime.fromisoformat(f"{match[1]}T{match[2]}{(match[3] or '.0').ljust(7, '0')}")
            return local.date(), local
        return date.fromisoformat(text[:10]), parse_time(text)
    except (ValueError, InvalidValue):
        raise found.refused("there is no such day or time") from None


def _holding(block: Element, account: str) -> StatedHolding:
    isin, cusip = _security(block.one("FinInstrmId"))
    aggregate = block.one("AggtBal")
    kind, quantity = _quantity(aggregate.one("Qty", "Qty", "Qty"))
    _long(aggregate, quantity)
    available = _part(block, "AvlblBal", kind)
    not_available = _part(block, "NotAvlblBal", kind)
    if available is not None and not_available is not None and available + not_available != quantity:
        reason = f"available {available} and not available {not_available} do not add up to {quantity}"
        raise aggregate.refused(reason)
    if max(available or 0, not_available or 0) > quantity:
        raise aggregate.refused("a part of the balance is more than the balance")
    currency = block.maybe("FinInstrmAttrbts", "DnmtnCcy")
    return StatedHolding(
        account,
        cusip,
        isin,
        quantity,
        kind,
        available,
        not_available,
        tuple(_parts(block, kind)),
        currency.text.strip() if currency is not None else "",
        block.line,
    )


def _long(balance: Element, quantity: Decimal) -> None:
    found = balance.maybe("ShrtLngInd")
    word = found.text.strip() if found is not None else "LONG"
    if word not in ("LONG", "SHOR"):
        raise balance.refused("LONG or SHOR is expected")
    if word == "SHOR" and quantity:
        raise balance.refused("a short balance: nobody keeps less than nothing for the firm")


def _security(named: Element) -> tuple[str, str]:
    isin = named.maybe("ISIN")
    cusips = [
        each.words("Id")
        for each in named.all("OthrId")
        if any(word.text.strip() in ("CUSP", "CUSIP") for word in (*each.all("Tp", "Cd"), *each.all("Tp", "Prtry")))
    ]
    if len(cusips) > 1:
        raise named.refused("two CUSIPs are named")
    isin_text = isin.text.strip() if isin is not None else ""
    try:
        return isin_text, cusip_of(isin_text, cusips[0] if cusips else "")
    except InvalidValue as error:
        raise MessageRefused(named.line, "FinInstrmId", isin_text or "".join(cusips), str(error)) from None


def _quantity(found: Element) -> tuple[QuantityType, Decimal]:
    """Units or face amount of a quantity choice."""
    kinds = {"Unit": QuantityType.UNIT, "FaceAmt": QuantityType.FACE_AMOUNT}
    if len(found.children) != 1 or found.children[0].name not in kinds:
        raise found.refused("units or a face amount are expected; an amortised amount is no quantity the books keep")
    value = found.children[0]
    match = _QUANTITY.fullmatch(value.text.strip())
    if match is None:
        raise value.refused("a plain decimal number is expected")
    number = Decimal(f"{match[2]}.{match[3] or '0'}")
    if match[1] == "-" and number:
        raise value.refused("a balance below zero: nobody keeps less than nothing for the firm")
    return kinds[value.name], number


def _part(block: Element, name: str, kind: QuantityType) -> Decimal | None:
    found = block.maybe(name)
    if found is None:
        return None
    other, value = _quantity(found.one("Qty"))
    if other is not kind:
        raise found.refused(f"counted in {other}, the aggregate balance in {kind}")
    _long(found, value)
    return value


def _parts(block: Element, kind: QuantityType) -> Iterator[SubBalance]:
    """Sub-balances by their code; which of them are available the message says in two sums only."""
    for found in block.all("BalBrkdwn"):
        quantity = found.one("Qty")
        inner = quantity.maybe("Qty") or quantity
        while len(inner.children) == 1 and inner.children[0].name == "Qty":
            inner = inner.children[0]
        other, value = _quantity(inner)
        if other is not kind:
            raise found.refused(f"counted in {other}, the aggregate balance in {kind}")
        code = found.maybe("SubBalTp", "Cd")
        yield SubBalance(code.text.strip() if code is not None else "OTHR", None, value)
