"""The pages over a firm with something on each of them: what they show, what they escape, what two people do there."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.web.conftest import Site
from tests.web.firm import EVIL, Template
from tests.web.people import RealSite
from verifier.accounts.roles import Role
from verifier.records import CaseState
from verifier.store import Store, open_store

pytestmark = pytest.mark.devnet
LISTS = (
    "/", "/cases", "/approvals", "/inventory", "/reserve", "/control", "/securities", "/map", "/chains", "/bundles",
    "/schedule", "/journal",
)  # fmt: skip
DETAILS = (
    "/cases/CASE-000001", "/cases/CASE-000013", "/approvals/CASE-000001", "/reserve/RC-000001",
    "/reserve/RC-000001/customer/1", "/chains/eip155:31337", "/cases?state=all&sort=kind&kind=shortfall",
    "/inventory?q=C-1001&sort=amount", "/journal?before=10",
)  # fmt: skip


def shown(site: Site, path: str) -> str:
    """A page, which is there."""
    answer = site.client.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.text


def store_of(site: Site) -> Store:
    """The database behind a site."""
    return open_store(site.settings.database.url.get_secret_value())


@pytest.mark.parametrize("path", LISTS)
def test_pages_of_a_firm_that_has_nothing_say_so_and_never_that_all_is_well(site: Site, path: str) -> None:
    site.sign_in(Role.AUDITOR)
    text = shown(site, path)
    assert ">Unverified<" in text
    assert ">Compliant<" not in text


@pytest.mark.fault("F11")
@pytest.mark.fault("F12")
def test_every_page_shows_what_was_given_as_text_and_never_as_a_page(full: Site, template: Template) -> None:
    seen = 0
    for path in (*LISTS, *DETAILS, template.wallet):
        text = shown(full, path)
        assert "<script>" not in text, path
        assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", text), path
        assert "&49" not in unescape(text), path
        assert text.count("<h1") == 1, path
        seen += EVIL in unescape(text)
    assert seen >= 2  # the inventory and the case that was commented with it


@pytest.mark.fault("F11")
@pytest.mark.parametrize("path", ["/inventory", "/cases", "/map", "/securities"])
def test_what_was_searched_for_comes_back_as_text(full: Site, path: str) -> None:
    answer = full.client.get(path, params={"q": '"><script>alert(1)</script>'})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def test_the_overview_tells_the_signal_the_reasons_the_deadline_and_every_rail(full: Site) -> None:
    text = shown(full, "/")
    for words in (
        "Segregation exception", "Under-funded", "Control deficit", "Short by $224,160.00", "$1,024,160.00",
        "21 h 59 min left", 'href="/cases?kind=unauthorized_transfer"', "8 of 12", "1 of 2",
    ):  # fmt: skip
        assert words in text, words


def test_the_reserve_adds_up_and_opens_to_its_rows(full: Site) -> None:
    text = shown(full, "/reserve")
    for amount in ("$1,250,000.00", "$130,000.00", "$1,385,000.00", "-$372,000.00", "$11,160.00", "$1,024,160.00"):
        assert amount in text, amount
    assert "account:A-1" in shown(full, "/reserve/RC-000001/customer/1")
    assert full.client.get("/reserve/RC-000001/customer/16").status_code == 422
    assert full.client.get("/reserve/RC-999999").status_code == 404


def test_a_wallet_tells_its_balance_over_time_and_what_moved(full: Site, template: Template) -> None:
    text = shown(full, template.wallet)
    for words in ("445,000.50 USDX", "5,000.00 USDX", "62,345.678901 USDX", "387,654.821099 USDX", "2 sweeps"):
        assert words in text, words
    assert full.client.get(template.wallet[:-1] + "0").status_code == 404


def test_rails_chains_bundles_and_the_journal_say_what_is_on_record(full: Site) -> None:
    for path, words in (
        ("/control", ("short", "200", "stock loan L-5 150")),
        ("/securities", ("790 AAPL (DTC)", "diverged")),
        ("/chains/eip155:31337", ("No gap", "confirmed(2)", "no disagreement")),
        ("/bundles", ("stands", "eip155:31337 17")),
        ("/journal", ("case.proposed", "bundle.issued")),
        ("/schedule", ("No clock runs", "reserve check")),
        ("/map", ("8 clients own something at 5 locations",)),
        ("/inventory?q=C-1002", ("125,000.50 USDX", "diverged")),
    ):
        text = shown(full, path)
        assert [each for each in words if each not in text] == [], path


@pytest.mark.fault("F10")
@pytest.mark.fault("F21")
@pytest.mark.parametrize(
    "path",
    [
        "/cases?sort=opened_at;DROP TABLE custody_case",
        "/cases?kind=' OR 1=1",
        "/inventory?sort=client--",
        "/inventory?page=0",
        "/cases?page=99999999999",
        "/journal?before=0",
        f"/inventory?q={'x' * 101}",
    ],
)
def test_what_no_list_offers_is_refused(full: Site, path: str) -> None:
    assert full.client.get(path).status_code == 422


def test_a_page_beyond_the_last_is_the_last(full: Site) -> None:
    assert "1 to 19 of 19" in shown(full, "/cases?page=7")


def test_who_may_not_read_sees_nothing_of_it(full: Site, template: Template) -> None:
    for path in (*LISTS, *DETAILS, template.wallet, "/events"):
        full.sign_in(Role.ADMINISTRATOR)
        assert full.client.get(path).status_code == 403, path
        full.visitor = None
        answer = full.client.get(path)
        assert (answer.status_code, answer.headers["location"].startswith("/sign-in")) == (303, True), path


@pytest.mark.fault("F3")
def test_a_page_that_is_left_open_keeps_nobody_signed_in(real: RealSite) -> None:
    for by_itself, lasts in (({"HX-Request": "true"}, False), ({}, True)):
        browser = real.person(f"ops.{'left' if by_itself else 'there'}", Role.OPERATOR).browser
        idle = real.settings.web.session_idle_minutes
        for _ in range(3):
            real.wait(minutes=idle // 2)
            last = browser.get("/cases", headers=by_itself)
        assert last.status_code == (200 if lasts else 204)
        assert ("HX-Redirect" in last.headers) is not lasts
        if not lasts:
            assert last.headers["HX-Redirect"] == "/sign-in?next=%2Fcases"


def said(site: Site, case_id: str, text: str) -> dict[str, str]:
    """The fields of a case's form as the page gives them, with a text."""
    page = shown(site, f"/cases/{case_id}")
    fields = {name: re.search(f'name="{name}" value="([^"]*)"', page) for name in ("version", "seen")}
    return {"text": text} | {name: found[1] for name, found in fields.items() if found is not None}


def act(site: Site, case_id: str, name: str, fields: dict[str, str]) -> int:
    """Post a form; its status."""
    return int(site.client.post(f"/cases/{case_id}/{name}", data=fields).status_code)


def test_two_people_close_a_case_and_one_alone_does_not(full: Site) -> None:
    case_id = "CASE-000013"
    assert act(full, case_id, "propose", said(full, case_id, "Paid back by the desk.")) == 303
    full.sign_in(Role.OPERATOR)
    assert act(full, case_id, "approve", said(full, case_id, "Fine.")) == 403
    full.sign_in(Role.REVIEWER)  # the same person with another role
    assert act(full, case_id, "approve", said(full, case_id, "Fine.")) == 409
    full.sign_in(Role.AUDITOR, person="ann.auditor")
    assert "Act on it" not in shown(full, f"/cases/{case_id}")
    assert act(full, case_id, "comment", said(full, case_id, "No.") | {"version": "1"}) == 403
    full.sign_in(Role.REVIEWER, person="cora.checker")
    assert act(full, case_id, "approve", said(full, case_id, "Seen the transfer.")) == 303
    store = store_of(full)
    assert store.case(case_id).state is CaseState.CLOSED
    assert [event.actor for event in store.case_events(case_id)][-2:] == ["ops.maker", "cora.checker"]
    store.close()


@pytest.mark.fault("F1")
def test_what_changed_since_it_was_shown_cannot_be_approved(full: Site) -> None:
    case_id = "CASE-000014"
    assert act(full, case_id, "propose", said(full, case_id, "Returned.")) == 303
    full.sign_in(Role.REVIEWER, person="cora.checker")
    old = said(full, case_id, "Fine.")
    full.sign_in(Role.OPERATOR, person="otto.other")
    assert act(full, case_id, "comment", said(full, case_id, "Wait, look again.")) == 303
    full.sign_in(Role.REVIEWER, person="cora.checker")
    assert act(full, case_id, "approve", old) == 409
    assert act(full, case_id, "return", said(full, case_id, "Please look again.")) == 303


@pytest.mark.fault("F17")
def test_a_form_brings_nothing_that_it_does_not_have(full: Site) -> None:
    fields = said(full, "CASE-000013", "Hello.")
    assert act(full, "CASE-000013", "comment", fields | {"actor": "somebody.else"}) == 422
    assert act(full, "CASE-000013", "comment", fields | {"text": "  "}) == 422
    assert act(full, "CASE-000013", "assign", fields | {"assignee": "otto.other"}) == 303
    assert act(full, "CASE-000013", "cause", said(full, "CASE-000013", "Why") | {"cause": "booked_late"}) == 303
    page = shown(full, "/cases/CASE-000013")
    assert "otto.other" in page
    assert "booked late: Why" in page
    del full.client.headers["X-CSRF-Token"]
    assert act(full, "CASE-000013", "comment", fields) == 403
