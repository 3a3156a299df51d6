"""`/approvals`: all that waits, what exactly it changes, and who decides it on what they saw."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html import unescape

import pytest

from tests.web.conftest import Site
from tests.web.test_dashboard import shown
from tests.web.waiting import MAKER, make_wait
from verifier.accounts.roles import Role
from verifier.records import CaseState
from verifier.store import Store, open_store
from verifier.store.records import ChangeKind
from verifier.waiting_approvals import waiting_of

pytestmark = pytest.mark.devnet
CHECKER = "cora.checker"


@pytest.fixture
def kept(full: Site) -> Iterator[Store]:
    """The database behind the site, with one thing of each kind that waits."""
    store = open_store(full.settings.database.url.get_secret_value())
    make_wait(store, full.settings, full.time)
    yield store
    store.close()


def seen_of(page: str) -> dict[str, str]:
    """The digest in each form of a page, by what it is of."""
    return dict(
        re.findall(
            r'action="/approvals/([^/"]+)/approve">\s*<input[^>]*>\s*<input[^>]*name="seen" value="([0-9a-f]{64})"',
            page,
        )
    )


def decide(site: Site, subject_id: str, act: str, seen: str, text: str = "Looked at it.", **more: str) -> int:
    """Post a form; its status."""
    data = {"text": text, "seen": seen} | more
    return int(site.client.post(f"/approvals/{subject_id}/{act}", data=data).status_code)


def version_of(page: str) -> str:
    """The version in the form of a case."""
    found = re.search(r'name="version" value="([0-9]+)"', page)
    assert found is not None
    return found[1]


def test_everything_that_waits_is_in_one_list_with_what_it_changes(full: Site, kept: Store) -> None:
    page = unescape(shown(full, "/approvals"))
    waiting = waiting_of(kept)
    kinds = {"case", "mapping", "policies", "reserve instruction", "control act", "substitution"}
    assert {each.what for each in waiting} == kinds
    for words in (
        *(each.subject_id for each in waiting), "<b>Nine</b>", "$224,160.00", "SRA-C", "firm.name", '"Another LLC"',
        '"Example Brokerage LLC"', "100 of cusip:037833100", "L-5", "50 of cusip:037833100", "cusip:594918104",
    ):  # fmt: skip
        assert words in page, words
    assert "<b>Nine" not in shown(full, "/approvals"), "what was given is text"
    assert f'id="waiting-count">({len(waiting)})<' in shown(full, "/cases")


@pytest.mark.fault("F1")
def test_each_is_decided_by_another_person_and_never_by_its_maker(full: Site, kept: Store) -> None:
    full.sign_in(Role.REVIEWER, person=CHECKER)
    forms = seen_of(shown(full, "/approvals"))
    waiting = {each.subject_id: each.what for each in waiting_of(kept)}
    assert forms.keys() == waiting.keys()
    full.sign_in(Role.REVIEWER, person=MAKER)
    assert seen_of(shown(full, "/approvals")) == {}, "nothing to press for their maker"
    assert {decide(full, each, "approve", seen) for each, seen in forms.items()} == {409}
    full.sign_in(Role.OPERATOR, person="otto.other")
    assert {decide(full, each, "approve", seen) for each, seen in forms.items()} == {403}
    assert {decide(full, each, "return", seen) for each, seen in forms.items()} == {403}
    assert len(waiting_of(kept)) == len(forms)
    full.sign_in(Role.REVIEWER, person=CHECKER)
    assert {decide(full, each, "approve", hashlib.sha256(b"else").hexdigest()) for each in forms} == {409}
    assert {decide(full, each, "approve", seen, "  ") for each, seen in forms.items()} == {422}
    assert len(waiting_of(kept)) == len(forms)
    acts = {each: "return" if what == "substitution" else "approve" for each, what in waiting.items()}
    statuses = {each: decide(full, each, acts[each], forms[each]) for each in forms}
    assert set(statuses.values()) == {303}, statuses
    assert waiting_of(kept) == []
    assert {decide(full, each, acts[each], seen) for each, seen in forms.items()} == {404}, "decided once"
    assert "C-9" in {each.client_id for each in kept.clients(kept.book_time(full.time))}
    assert [each.is_approved for each in kept.reserve_instructions()] == [True]
    assert [(each.checker, each.approved) for each in kept.cure_acts()] == [(CHECKER, True)]
    assert [(each.checker, each.approved) for each in kept.substitutions()] == [(CHECKER, False)]
    assert all(each.in_force for each in kept.changes(ChangeKind.POLICIES))
    (case_id,) = [each for each, what in waiting.items() if what == "case"]
    assert kept.case(case_id).state is CaseState.CLOSED
    assert "Nothing waits" in shown(full, "/approvals")


def test_a_case_that_changed_since_it_was_shown_is_not_approved_here_either(full: Site, kept: Store) -> None:
    (case_id,) = [each.subject_id for each in waiting_of(kept) if each.what == "case"]
    full.sign_in(Role.REVIEWER, person=CHECKER)
    page = shown(full, f"/approvals/{case_id}")
    kept.comment(case_id, "Wait, look again.", "otto.other", full.time)
    assert decide(full, case_id, "approve", seen_of(page)[case_id], version=version_of(page)) == 409
    page = shown(full, f"/approvals/{case_id}")
    assert decide(full, case_id, "approve", seen_of(page)[case_id], version=version_of(page)) == 303


def test_of_a_long_file_the_list_shows_some_rows_and_its_page_all_of_them(full: Site, kept: Store) -> None:
    given = ("client_id,name,opened_on\n" + "".join(f"L-{n:03},Long {n},2026-01-02\n" for n in range(1, 61))).encode()
    digest = hashlib.sha256(given).hexdigest()
    content = {"form": "files", "files": [{"table": "clients", "sha256": digest, "rows": 60}]}
    made = kept.add_change(
        ChangeKind.MAPPING, content, {digest: given}, "60 rows of clients", MAKER, full.time, needs_approval=True
    )
    full.sign_in(Role.REVIEWER, person=CHECKER)
    page = shown(full, "/approvals")
    assert [each for each in ("L-001", "L-010", "1 to 10 of 60") if each not in page] == []
    assert "L-011" not in page
    pages = [shown(full, f"/approvals/{made.proposal_id}?page={number}") for number in (1, 2)]
    found = [re.findall(r"<td>(L-[0-9]{3})</td>", each) for each in pages]
    assert [len(each) for each in found] == [50, 10]
    assert sorted({*found[0], *found[1]}) == [f"L-{n:03}" for n in range(1, 61)]
    assert decide(full, made.proposal_id, "approve", seen_of(pages[1])[made.proposal_id]) == 303
    assert "L-060" in {each.client_id for each in kept.clients(kept.book_time(full.time))}


def test_who_only_reads_sees_it_and_decides_nothing(full: Site, kept: Store) -> None:
    full.sign_in(Role.AUDITOR, person="ann.auditor")
    assert seen_of(shown(full, "/approvals")) == {}
    assert decide(full, waiting_of(kept)[0].subject_id, "return", "0" * 64) == 403
    assert full.client.get("/approvals/CP-999999").status_code == 404
