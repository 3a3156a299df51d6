"""`custody statement` as an operator uses it: import, refuse, list, and the message as it came."""

from __future__ import annotations

import hashlib

import pytest

from tests.cli.clock import turned_clock
from tests.cli.command import Firm
from tests.cli.custodians import CUSIP_APPLE, MONDAY, dtc_statement, keep_books, write
from tests.verifier.custodians.write import APPLE, Line, Page, mt535, semt002


@pytest.fixture
def booked(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm with its books, on a Monday."""
    turned_clock(monkeypatch, MONDAY)
    keep_books(firm)
    return firm


def test_a_statement_is_stored_whole_with_its_message(booked: Firm) -> None:
    path = dtc_statement(booked)
    dry = booked("statement", "import", path, "--dry-run", "--json")
    assert (dry.code, dry.json["stored"], booked("statement", "list").code) == (0, False, 2)
    answer = booked("statement", "import", path, "--as-of", "2026-11-20", "--json")
    assert answer.code == 0, answer.out
    (found,) = answer.json["statements"]
    assert (found["statement_id"], found["stated_by"]) == ("dtc:0123:2026-11-20:086", "DTC")
    assert found["as_of"] == "2026-11-20T23:00:00.000000Z"  # six in the evening in New York
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found["messages"] == [{"name": path.name, "sha256": digest, "reference": "P086-1"}]
    again = booked("statement", "import", path, "--json")
    assert (again.code, again.json["stored"], again.json["known"]) == (0, False, [path.name])
    assert booked("journal", "verify").code == 0
    listed = booked("statement", "list")
    assert listed.code == 0
    assert "dtc:0123" in listed.out


def test_the_message_comes_back_as_it_came(booked: Firm) -> None:
    path = dtc_statement(booked)
    assert booked("statement", "import", path).code == 0
    from verifier.config import load_settings
    from verifier.store import open_store

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    store = open_store(load_settings(booked.path("custody.toml")).database.url.get_secret_value())
    try:
        assert store.custodian_messages([digest])[digest].encode() == path.read_bytes()
    finally:
        store.close()
    told = booked("statement", "message", digest, "--json").json
    assert (told["sha256"], told["message"].encode()) == (digest, path.read_bytes())
    assert booked("statement", "message", "0" * 64).code == 2


def test_the_pages_of_several_files_are_one_statement(booked: Firm) -> None:
    first = write(booked, "1.fin", mt535(Page([Line(APPLE, "1000")], number=1, word="MORE")))
    other = Page([Line("US5949181045", "250")], number=2, word="LAST")
    assert booked("post", "assets", "asset_id=cusip:594918104", "symbol=MSFT", "decimals=0", "legal_class=security",
                  "legal_class_from=2026-01-02", "legal_class_reference=Memo").code == 0  # fmt: skip
    last = write(booked, "2.fin", mt535(other))
    alone = booked("statement", "import", first, "--json")
    assert alone.code == 2
    assert "last page is missing" in alone.json["problems"][0]["reason"]
    assert booked("statement", "list").code == 2
    both = booked("statement", "import", first, last, "--json")
    assert both.code == 0, both.out
    assert both.json["statements"][0]["holdings"] == 2


REFUSED = (
    (Page(account="0124"), "97a SAFE", "another participant"),
    (Page(day="20261119"), "98a STAT", "one of 2026-11-20 is wanted"),
    (Page([Line(APPLE, "1"), Line(APPLE, "2")]), "35B", "stated twice"),
    (Page([Line(APPLE, "1", "FAMT", currency="EUR")]), "11A DENO", "kept in USD"),
    (Page([Line(APPLE, "1.5")]), "quantity", "decimals"),
    (Page([Line("US5949181045", "1")]), "asset_id", "add it to assets.csv first"),
    (Page([Line(APPLE, "-5")]), "", "less than nothing"),
)


@pytest.mark.parametrize("form", ["mt535", "semt002"])
@pytest.mark.fault("B17")
def test_a_statement_of_something_else_is_refused_whole(booked: Firm, form: str) -> None:
    for number, (page, field, words) in enumerate(REFUSED):
        path = write(booked, f"{number}.txt", mt535(page) if form == "mt535" else semt002(page))
        answer = booked("statement", "import", path, "--as-of", "2026-11-20", "--format", form, "--json")
        assert answer.code == 2
        problem = answer.json["problems"][0]
        assert words in problem["reason"]
        assert problem["file"] == path.name
        assert problem["line"] > 0
        assert not field or problem["field"] == field
    assert booked("statement", "list").code == 2
    shown = booked("statement", "import", path, "--as-of", "2026-11-20")
    assert "nothing was stored" in shown.out


@pytest.mark.fault("B17")
def test_a_day_that_has_not_come_is_refused(booked: Firm) -> None:
    answer = booked("statement", "import", dtc_statement(booked, day="20261124"), "--json")
    assert "has not come yet" in answer.json["problems"][0]["reason"]


def test_another_statement_of_the_same_number_is_refused(booked: Firm) -> None:
    assert booked("statement", "import", dtc_statement(booked)).code == 0
    changed = write(booked, "changed.fin", mt535(Page([Line(APPLE, "1249")])))
    answer = booked("statement", "import", changed, "--json")
    assert answer.code == 2
    assert answer.json["problems"]
    same = write(booked, "same.fin", mt535(Page([Line(APPLE, "1250")]), sender="DTCYUS33BXXX"))
    again = booked("statement", "import", same, "--json")
    assert (again.code, again.json["known"]) == (0, ["dtc:0123:2026-11-20:086"])
    corrected = dtc_statement(booked, "1249", number="087")
    assert booked("statement", "import", corrected).code == 0


def test_a_csv_file_is_a_whole_statement_of_the_accounts_it_names(booked: Firm) -> None:
    header = "location,asset_id,quantity,as_of,source,stated_by,statement_id\n"
    good = f"dtc:0123,{CUSIP_APPLE},1250,2026-11-20T23:00:00Z,dtc,DTC,DTC-1\n"
    answer = booked("statement", "import", write(booked, "positions-dtc.csv", header + good), "--json")
    assert answer.code == 0, answer.out
    assert answer.json["statements"][0]["locations"] == ["dtc:0123"]
    other = good.replace("dtc:0123", "dtc:0999").replace("DTC-1", "DTC-2")
    refused = booked("statement", "import", write(booked, "other.csv", header + other), "--json")
    assert refused.code == 2
    assert "no such account of DTC" in refused.json["problems"][0]["reason"]
    bad = good.replace("1250", "-1250").replace("DTC-1", "DTC-3")
    refused = booked("statement", "import", write(booked, "bad.csv", header + bad), "--json")
    assert (refused.code, refused.json["problems"][0]["line"]) == (2, 2)


def test_messages_of_two_forms_are_not_mixed(booked: Firm) -> None:
    xml = write(booked, "bank.xml", semt002(Page(account="77-1")))
    answer = booked("statement", "import", dtc_statement(booked), xml, "--json")
    assert (answer.code, answer.error) == (2, "bad-input")
    assert booked("statement", "import", booked.path("missing.fin"), "--json").error == "bad-input"
    assert booked("statement", "import", xml, "--format", "pdf", "--json").error == "bad-input"


def test_a_file_that_is_nothing_known_is_refused(booked: Firm) -> None:
    noise = booked.path("noise.bin")
    noise.write_bytes(b"{1:\x00\xff")
    answer = booked("statement", "import", noise, "--json")
    assert (answer.code, answer.json["problems"][0]["line"]) == (2, 1)


def test_an_account_at_a_custodian_names_a_statement_of_nothing(booked: Firm) -> None:
    path = write(booked, "empty.fin", mt535(Page([])))
    answer = booked("statement", "import", path, "--json")
    assert answer.code == 0, answer.out
    assert (answer.json["stored"], answer.json["statements"][0]["holdings"]) == (True, 0)
