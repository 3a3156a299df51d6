"""Writes statements of holdings as messages, by the public field definitions.

MT535 by the format specification of the ISO 15022 Data Field Dictionary (sequences A GENL, B SUBSAFE, B1 FIN, B1b
SUBBAL); semt.002 by the message definition SecuritiesBalanceCustodyReport of the ISO 20022 catalogue. Accounts and
quantities are made up; ISINs and CUSIPs have right check digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

APPLE, TREASURY, GERMAN = "US0378331005", "US912810TM09", "DE0007164600"
"""A share, a bond, and a security that has no CUSIP in its ISIN."""


@dataclass(frozen=True)
class Line:
    """One holding of a message."""

    isin: str
    quantity: str
    kind: str = "UNIT"
    cusip: str = ""
    available: str = ""
    not_available: str = ""
    pledged: str = ""
    currency: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a statement."""

    lines: Sequence[Line] = field(default_factory=lambda: [Line(APPLE, "1250")])
    account: str = "0123"
    day: str = "20261120"
    time: str = ""
    number: int = 1
    word: str = "ONLY"
    statement: str = "086"
    function: str = "NEWM"
    basis: str = "SETT"
    update: str = "COMP"
    activity: str = ""


def mt535(page: Page, *, envelope: bool = True, sender: str = "DTCYUS33AXXX") -> str:
    """One MT535, lines ended by CRLF."""
    moment = f":98C::STAT//{page.day}{page.time}" if page.time else f":98A::STAT//{page.day}"
    activity = page.activity or ("Y" if page.lines else "N")
    body = [
        ":16R:GENL",
        f":28E:{page.number}/{page.word}",
        f":13A::STAT//{page.statement}",
        f":20C::SEME//P{page.statement}-{page.number}",
        f":23G:{page.function}",
        moment,
        ":22F::SFRE//DAIL",
        f":22F::CODE//{page.update}",
        ":22F::STTY//CUST",
        f":22F::STBA//{page.basis}",
        f":97A::SAFE//{page.account}",
        f":17B::ACTI//{activity}",
        ":17B::CONS//N",
        ":16S:GENL",
    ]
    if page.lines:
        body += [":16R:SUBSAFE", f":97A::SAFE//{page.account}", ":17B::ACTI//Y"]
        for line in page.lines:
            body += _fin(line)
        body.append(":16S:SUBSAFE")
    text = "\r\n".join(body)
    if not envelope:
        return f"{text}\r\n-\r\n"
    header = f"{{1:F01FIRMUS33AXXX0000000000}}{{2:O5351800261120{sender}00000000002611201800N}}{{4:\r\n"
    return f"{header}{text}\r\n-}}{{5:{{CHK:000000000000}}}}"


def _comma(quantity: str) -> str:
    """A FIN number: a comma for the point, and always there; N for below zero."""
    sign, digits = ("N", quantity[1:]) if quantity.startswith("-") else ("", quantity)
    return sign + (digits.replace(".", ",") if "." in digits else f"{digits},")


def _fin(line: Line) -> list[str]:
    named = f"ISIN {line.isin}" if line.isin else ""
    lines = [named] if named else []
    lines += [f"/US/{line.cusip}"] if line.cusip else []
    lines.append("A SECURITY")
    fields = [":16R:FIN", ":35B:" + "\r\n".join(lines)]
    if line.currency:
        fields += [":16R:FIA", f":11A::DENO//{line.currency}", ":16S:FIA"]
    fields.append(f":93B::AGGR//{line.kind}/{_comma(line.quantity)}")
    if line.available:
        fields.append(f":93B::AVAI//{line.kind}/{_comma(line.available)}")
    if line.not_available:
        fields.append(f":93B::NAVL//{line.kind}/{_comma(line.not_available)}")
    if line.pledged:
        fields += [":16R:SUBBAL", f":93C::PLED//{line.kind}/NAVL/{_comma(line.pledged)}", ":16S:SUBBAL"]
    return [*fields, ":16S:FIN"]


def semt002(page: Page, *, version: str = "11") -> str:
    """One semt.002."""
    day = f"{page.day[:4]}-{page.day[4:6]}-{page.day[6:]}"
    clock = f"{page.time[:2]}:{page.time[2:4]}:{page.time[4:]}" if page.time else ""
    moment = f"<DtTm>{day}T{clock}</DtTm>" if clock else f"<Dt>{day}</Dt>"
    activity = page.activity or ("true" if page.lines else "false")
    last = "false" if page.word == "MORE" else "true"
    balances = "".join(_balance(line) for line in page.lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:semt.002.001.{version}">\n<SctiesBalCtdyRpt>\n'
        f"<Pgntn><PgNb>{page.number}</PgNb><LastPgInd>{last}</LastPgInd></Pgntn>\n"
        f"<StmtGnlDtls><StmtId>{page.statement}</StmtId><StmtDtTm>{moment}</StmtDtTm><Frqcy><Cd>DAIL</Cd></Frqcy>"
        f"<UpdTp><Cd>{page.update}</Cd></UpdTp><StmtBsis><Cd>{page.basis}</Cd></StmtBsis>"
        f"<ActvtyInd>{activity}</ActvtyInd><SubAcctInd>false</SubAcctInd></StmtGnlDtls>\n"
        f"<SfkpgAcct><Id>{page.account}</Id></SfkpgAcct>\n{balances}</SctiesBalCtdyRpt>\n</Document>\n"
    )


def _balance(line: Line) -> str:
    tag = {"UNIT": "Unit", "FAMT": "FaceAmt", "AMOR": "AmtsdVal"}[line.kind]
    side, digits = ("SHOR", line.quantity[1:]) if line.quantity.startswith("-") else ("LONG", line.quantity)

    def quantity(number: str) -> str:
        return f"<Qty><{tag}>{number}</{tag}></Qty>"

    named = f"<ISIN>{line.isin}</ISIN>" if line.isin else ""
    named += f"<OthrId><Id>{line.cusip}</Id><Tp><Cd>CUSP</Cd></Tp></OthrId>" if line.cusip else ""
    attributes = f"<FinInstrmAttrbts><DnmtnCcy>{line.currency}</DnmtnCcy></FinInstrmAttrbts>" if line.currency else ""
    available = f"<AvlblBal>{quantity(line.available)}</AvlblBal>" if line.available else ""
    not_available = f"<NotAvlblBal>{quantity(line.not_available)}</NotAvlblBal>" if line.not_available else ""
    pledged = (
        f"<BalBrkdwn><SubBalTp><Cd>PLED</Cd></SubBalTp><Qty>{quantity(line.pledged)}</Qty></BalBrkdwn>"
        if line.pledged
        else ""
    )
    return (
        f"<BalForAcct><FinInstrmId>{named}<Desc>A security</Desc></FinInstrmId>{attributes}"
        f"<AggtBal><ShrtLngInd>{side}</ShrtLngInd><Qty><Qty>{quantity(digits)}</Qty></Qty></AggtBal>"
        f"{available}{not_available}{pledged}</BalForAcct>\n"
    )
