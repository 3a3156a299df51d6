"""Statements as messages: what is read, to the letter; what is refused, with line and field."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from tests.verifier.custodians.write import APPLE, GERMAN, TREASURY, Line, Page, mt535, semt002
from verifier.custodians.message import QuantityType, ReadMessages, StatementPage
from verifier.custodians.mt535 import read_mt535
from verifier.custodians.securities import cusip_of, isin_check_digit, parse_isin
from verifier.custodians.semt002 import read_semt002


class Reader(Protocol):
    def __call__(self, *pages: Page) -> ReadMessages: ...


def as_mt535(*pages: Page) -> ReadMessages:
    return read_mt535("\r\n".join(mt535(page) for page in pages))


def as_semt002(*pages: Page) -> ReadMessages:
    (page,) = pages
    return read_semt002(semt002(page).encode())


BOTH = pytest.mark.parametrize("read", [as_mt535, as_semt002])


def the_page(found: ReadMessages) -> StatementPage:
    assert found.faults == ()
    (page,) = found.pages
    return page


def the_fault(found: ReadMessages) -> tuple[int, str, str]:
    assert found.pages == ()
    (fault,) = found.faults
    return fault.line, fault.field, fault.reason


@BOTH
def test_a_page_is_read(read: Reader) -> None:
    lines = [
        Line(APPLE, "1250", available="1000", not_available="250", pledged="250"),
        Line(TREASURY, "100000.5", "FAMT", currency="USD"),
        Line(GERMAN, "7", cusip="803054204"),
    ]
    page = the_page(read(Page(lines, time="180000")))
    assert (page.accounts, page.empty_accounts, page.page, page.is_last) == (("0123",), (), 1, True)
    assert (page.statement_number, page.stated_on) == ("086", date(2026, 11, 20))
    assert page.stated_at == datetime(2026, 11, 20, 18)  # noqa: DTZ001 - the servicer's civil time
    apple, bond, german = page.holdings
    assert apple.cusip == "037833100"
    assert [apple.quantity, apple.available, apple.not_available] == [Decimal(1250), Decimal(1000), Decimal(250)]
    assert [(part.code, part.quantity) for part in apple.parts] == [("PLED", Decimal(250))]
    assert (bond.cusip, bond.quantity, bond.quantity_type) == (
        "912810TM0",
        Decimal("100000.5"),
        QuantityType.FACE_AMOUNT,
    )
    assert (german.isin, german.cusip) == (GERMAN, "803054204")


@BOTH
def test_a_statement_of_nothing_is_read_as_nothing(read: Reader) -> None:
    page = the_page(read(Page([])))
    assert (page.holdings, page.empty_accounts) == ((), ("0123",))


@BOTH
@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(update="DELT"), "only a complete statement"),
        (Page(basis="TRAD"), "only settled balances"),
        (Page(basis="CONT"), "only settled balances"),
        (Page([Line("US0378331006", "1")]), "check digit is wrong"),
        (Page([Line("", "1", cusip="037833101")]), "check digit is wrong"),
        (Page([Line(APPLE, "1", cusip="912810TM0")]), "is that of CUSIP 037833100"),
        (Page([Line(GERMAN, "1")]), "has no CUSIP in it"),
        (Page([Line(APPLE, "-1")]), "nobody keeps less than nothing"),
        (Page([Line(APPLE, "10", available="4", not_available="5")]), "do not add up"),
        (Page([Line(APPLE, "10", available="11")]), "more than the balance"),
        (Page([Line(APPLE, "1", "AMOR")]), "amortised"),
        (Page(number=0), "page number"),
        (Page(day="20261131"), "no such day"),
    ],
)
@pytest.mark.fault("B17")
def test_what_is_no_complete_settled_long_balance_is_refused(read: Reader, page: Page, words: str) -> None:
    line, field, reason = the_fault(read(page))
    assert words in reason
    assert line > 1
    assert field


@pytest.mark.parametrize(
    ("activity", "page"), [("N", Page(activity="N")), ("Y", Page([], activity="Y")), ("X", Page(activity="X"))]
)
def test_the_activity_flag_and_the_holdings_agree(activity: str, page: Page) -> None:
    assert read_mt535(mt535(page)).pages == ()
    word = {"Y": "true", "N": "false", "X": "perhaps"}[activity]
    assert read_semt002(semt002(Page(page.lines, activity=word)).encode()).pages == ()


def test_every_fault_of_a_message_is_listed_with_its_line() -> None:
    text = mt535(Page([Line(APPLE, "-1"), Line(APPLE, "5"), Line("US0378331006", "2")]))
    found = read_mt535(text).faults
    lines = text.split("\r\n")
    assert [lines[fault.line - 1] for fault in found] == [":93B::AGGR//UNIT/N1,", ":35B:ISIN US0378331006"]
    assert [fault.field for fault in found] == ["93B", "35B"]


def test_several_messages_in_one_file_with_headers_and_without() -> None:
    first, last = Page(number=1, word="MORE"), Page(number=2, word="LAST")
    assert [page.page for page in as_mt535(first, last).pages] == [1, 2]
    bare = mt535(first, envelope=False) + mt535(last, envelope=False)
    assert [page.is_last for page in read_mt535(bare).pages] == [False, True]
    assert the_page(read_mt535(bare[: len(bare) // 2].removesuffix("\r\n"))).page == 1


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("{2:O535", "{2:O536", "this is no MT535"),
        (":16S:FIN", ":16S:FIA", "is open"),
        (":16S:SUBSAFE\r\n", "", "is not closed"),
        ("\r\n-}", "", "has no end"),
        (":23G:NEWM", ":23G:CANC", "a cancellation"),
        (":22F::STBA//SETT\r\n", "", "22F STBA is missing"),
        (":97A::SAFE//0123\r\n:17B::ACTI", ":17B::ACTI", "safekeeping account is missing"),
        (":97A::SAFE//0123", ":97A::SAFE/DTCY/0123", "data source scheme"),
        ("UNIT/1250,", "UNIT/1250", "decimal comma"),
        ("UNIT/1250,", "UNIT/1,250,", "decimal comma"),
        ("UNIT/1250,", "UNIT/1234567890123456,", "decimal comma"),
        (":28E:1/ONLY", ":28E:2/ONLY", "has the page number 1"),
        (":28E:1/ONLY", ":28E:1/NONE", "MORE, LAST or ONLY"),
        ("A SECURITY", "A S\u00c9CURITY", "is in no FIN message"),
        ("A SECURITY", "", "no line is empty"),
        (":93B::AGGR//UNIT/1250,\r\n", "", "0 aggregate balances"),
        (":16R:FIN\r\n:35B", ":35B", "is open"),
        (":13A::STAT//086\r\n:20C", ":20C", ""),
    ],
)
def test_a_damaged_mt535_is_refused(before: str, after: str, words: str) -> None:
    text = mt535(Page())
    assert before in text
    found = read_mt535(text.replace(before, after, 1))
    if not words:  # one page needs no statement number
        assert the_page(found).statement_number == "P086-1"
        return
    assert words in the_fault(found)[2]


def test_several_pages_need_their_statement_number() -> None:
    text = mt535(Page(number=1, word="MORE")).replace(":13A::STAT//086\r\n", "")
    assert "needs its statement number" in the_fault(read_mt535(text))[2]


NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:semt.002.001"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (f"{NAMESPACE}.11", f"{NAMESPACE}.02", "versions read are"),
        (f"{NAMESPACE}.11", "urn:iso:std:iso:20022:tech:xsd:semt.003.001.11", "not that of semt.002"),
        (f' xmlns="{NAMESPACE}.11"', "", "not that of semt.002"),
        ("<AggtBal>", '<AggtBal xmlns="urn:other">', "another namespace"),
        ("</AggtBal>", "</AggtBa>", "no well-formed XML"),
        ("</Document>", "", "no well-formed XML"),
        ("<StmtId>086</StmtId>", "", "StmtId is missing"),
        ("<StmtId>086</StmtId>", "<StmtId></StmtId>", "is empty"),
        ("<StmtId>086</StmtId>", "<StmtId>086</StmtId><StmtId>087</StmtId>", "given 2 times"),
        ("<Unit>1250</Unit>", "<Unit>1e3</Unit>", "plain decimal"),
        ("<Unit>1250</Unit>", "<Unit>-5</Unit>", "less than nothing"),
        ("LONG", "BOTH", "LONG or SHOR"),
        ('encoding="UTF-8"?>', 'encoding="UTF-8"?><!DOCTYPE d SYSTEM "x.dtd">', "document type is not allowed"),
        ('encoding="UTF-8"?>', 'encoding="UTF-8"?><?do this?>', "processing instruction"),
        ("<Desc>A security", "<Desc>" + "x" * 5000, "characters of text"),
        ("<Desc>A security", "<Desc>" * 50 + "x", "deeper than"),
        ("<Dt>2026-11-20</Dt>", "<Dt>2026-11-20</Dt><DtTm>2026-11-20T18:00:00Z</DtTm>", "either Dt or DtTm"),
    ],
)
def test_a_damaged_or_hostile_semt002_is_refused(before: str, after: str, words: str) -> None:
    text = semt002(Page())
    assert before in text
    assert words in the_fault(read_semt002(text.replace(before, after, 1).encode()))[2]


def test_an_entity_is_never_expanded() -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    text = semt002(Page()).replace("\n<Document", f"\n{bomb}<Document", 1).replace("A security", "&b;")
    assert "document type is not allowed" in the_fault(read_semt002(text.encode()))[2]
    undeclared = semt002(Page()).replace("A security", "&b;")
    assert "no well-formed XML" in the_fault(read_semt002(undeclared.encode()))[2]


def test_other_encodings_are_refused() -> None:
    text = semt002(Page()).replace("UTF-8", "ISO-8859-1").replace("A security", "S\u00e9curit\u00e9")
    assert "no UTF-8" in the_fault(read_semt002(text.encode("latin-1")))[2]
    assert "no UTF-8" in the_fault(read_semt002(semt002(Page()).encode("utf-16")))[2]


def test_a_moment_with_its_offset_is_kept_in_utc() -> None:
    text = semt002(Page(time="180000")).replace("18:00:00</DtTm>", "18:00:00-05:00</DtTm>")
    page = the_page(read_semt002(text.encode()))
    assert (page.stated_on, page.stated_at) == (date(2026, 11, 20), datetime(2026, 11, 20, 23, tzinfo=UTC))
    fin = mt535(Page()).replace(":98A::STAT//20261120", ":98E::STAT//20261120180000/N05")
    page = the_page(read_mt535(fin))
    assert (page.stated_on, page.stated_at) == (date(2026, 11, 20), datetime(2026, 11, 20, 23, tzinfo=UTC))
    assert the_fault(read_mt535(mt535(Page()).replace(":98A::STAT//20261120", ":98C::STAT//20261120180000/N05")))


def test_an_envelope_with_its_header_holds_the_message() -> None:
    inner = semt002(Page()).partition("\n")[2]
    header = '<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><Fr>x</Fr></AppHdr>'
    wrapped = f'<BizMsgEnvlp xmlns="urn:iso:std:iso:20022:tech:xsd:nvlp.001.001.01">{header}{inner}</BizMsgEnvlp>'
    assert the_page(read_semt002(wrapped.encode())).statement_number == "086"
    assert "no Document" in the_fault(read_semt002(wrapped.replace("Document", "Dokument").encode()))[2]


def test_sub_accounts_of_a_semt002() -> None:
    text = semt002(Page([]))
    balance = semt002(Page()).partition("<BalForAcct>")[2].partition("</BalForAcct>")[0]
    sub = (
        "<SubAcctDtls><SfkpgAcct><Id>0123-A</Id></SfkpgAcct><ActvtyInd>true</ActvtyInd>"
        f"<BalForSubAcct>{balance}</BalForSubAcct></SubAcctDtls>"
    )
    whole = text.replace("<ActvtyInd>false", "<ActvtyInd>true").replace(
        "</SctiesBalCtdyRpt>", f"{sub}</SctiesBalCtdyRpt>"
    )
    page = the_page(read_semt002(whole.encode()))
    assert (page.accounts, [each.account for each in page.holdings]) == (("0123", "0123-A"), ["0123-A"])
    contradicts = whole.replace("<ActvtyInd>true</ActvtyInd><BalFor", "<ActvtyInd>false</ActvtyInd><BalFor")
    assert "contradict" in the_fault(read_semt002(contradicts.encode()))[2]


@pytest.mark.parametrize("isin", ["US0378331005", "US5949181045", "DE0007164600", "GB0002634946", "CA0679011084"])
def test_check_digits_of_securities_that_exist(isin: str) -> None:
    assert parse_isin(isin) == isin
    wrong = isin[:11] + str((int(isin[11]) + 1) % 10)
    with pytest.raises(InvalidValue, match="check digit"):
        parse_isin(wrong)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=9, max_size=9), st.integers(0, 8), st.integers(1, 9))
def test_one_changed_digit_is_always_noticed(nsin: str, place: int, by: int) -> None:
    base = f"US{nsin}"
    isin = base + str(isin_check_digit(base))
    assert parse_isin(isin) == isin
    if nsin[place].isdigit():
        changed = f"US{nsin[:place]}{(int(nsin[place]) + by) % 10}{nsin[place + 1 :]}{isin[11]}"
        with pytest.raises(InvalidValue):
            parse_isin(changed)


def test_a_cusip_inside_an_isin_of_another_country_is_not_guessed() -> None:
    assert cusip_of(APPLE) == "037833100"
    with pytest.raises(InvalidValue, match="neither"):
        cusip_of("")
