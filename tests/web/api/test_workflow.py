"""The workflow over the API: two people for every decision, bound to what was seen, one of two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.web.api.conftest import Api, new_key
from tests.web.conftest import visitor
from tests.web.firm import A
from verifier.accounts.roles import Role
from verifier.config import Settings
from verifier.store import Store
from verifier.web.visitor import Visitor


@pytest.fixture
def case_id(api: Api) -> str:
    """A case of the firm, with an operator in front of it."""
    api.sign_in(Role.OPERATOR)
    found = api.items("/cases")
    assert len(found) >= 2
    return str(found[0]["case_id"])


def seen(api: Api, case_id: str) -> str:
    """What a checker is shown."""
    return str(api.get(f"/cases/{case_id}").json()["seen_digest"])


def test_a_case_from_comment_to_closed(api: Api, case_id: str, firm_store: Store) -> None:
    for act, body in (
        ("comment", {"text": "Asked the desk."}),
        ("assign", {"assignee": "ops.maker", "text": "Yours."}),
        ("explain", {"text": "The bank booked it a day late."}),
        ("root-cause", {"cause": "booked_late", "text": "The bank's cut-off."}),
        ("propose", {"text": "Deposited since."}),
    ):
        bound = {"seen": seen(api, case_id)} if act == "propose" else {}
        done = api.post(f"/cases/{case_id}/{act}", body | bound)
        assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["maker"]) == ("proposed", "ops.maker")
    api.sign_in(Role.REVIEWER, person="cco")
    approved = api.post(f"/cases/{case_id}/approve", {"text": "Seen.", "seen": seen(api, case_id)})
    assert (approved.status_code, approved.json()["state"]) == (200, "closed"), approved.text
    acts = [(each["act"], each["actor"]) for each in approved.json()["events"]][-6:]
    names = ("commented", "assigned", "explained", "cause_named", "proposed")
    assert acts == [(name, "ops.maker") for name in names] + [("approved", "cco")]
    entry = api.items("/journal", limit=1)[0]
    assert (entry["kind"], entry["actor"]) == ("case.approved", "cco")
    assert api.get("/journal/verification").json()["intact"] is True


@pytest.mark.fault("F1")
def test_nobody_approves_their_own(api: Api, case_id: str, firm_store: Store) -> None:
    api.sign_in(Role.REVIEWER, person="cco")
    assert api.post(f"/cases/{case_id}/propose", {"text": "Nothing is missing."}).status_code == 200
    own = {"text": "Indeed.", "seen": seen(api, case_id)}
    for person in ("cco", "CCO", " cco "):
        api.sign_in(Role.REVIEWER, person=person)
        refused = api.post(f"/cases/{case_id}/approve", own)
        assert (refused.status_code, refused.json()["code"]) == (409, "case-conflict"), person
    assert firm_store.case(case_id).state == "proposed"


@pytest.mark.fault("F1")
def test_a_decision_is_bound_to_what_was_seen(api: Api, case_id: str, firm_store: Store) -> None:
    api.post(f"/cases/{case_id}/propose", {"text": "Booked late."})
    shown = seen(api, case_id)
    cause = {"cause": "booked_wrong", "text": "It is another amount."}
    assert api.post(f"/cases/{case_id}/root-cause", cause).status_code == 200
    api.sign_in(Role.REVIEWER, person="cco")
    stale = api.post(f"/cases/{case_id}/approve", {"text": "Seen.", "seen": shown})
    assert (stale.status_code, stale.json()["code"]) == (409, "version-conflict")
    assert firm_store.case(case_id).state == "proposed"
    unbound = api.post(f"/cases/{case_id}/approve", {"text": "Seen."})
    assert (unbound.status_code, unbound.json()["fields"][0]["field"]) == (422, "seen")
    assert api.post(f"/cases/{case_id}/return", {"text": "Say more.", "seen": seen(api, case_id)}).status_code == 200


@pytest.mark.fault("F2")
def test_an_act_on_a_stale_page_is_refused(api: Api, case_id: str) -> None:
    version = api.get(f"/cases/{case_id}").json()["version"]
    first = api.post(f"/cases/{case_id}/comment", {"text": "One.", "expected_version": version})
    stale = api.post(f"/cases/{case_id}/comment", {"text": "Two.", "expected_version": version})
    assert (first.status_code, stale.status_code, stale.json()["code"]) == (200, 409, "version-conflict")


@pytest.mark.fault("F2")
def test_of_two_checkers_at_once_one_decides(firm_settings: Settings, firm_store: Store) -> None:
    def site(person: str) -> Api:
        made = Api(firm_settings)
        made.visitor = visitor(Role.REVIEWER, person=person)
        return made

    maker, checkers, gate = site("ops.maker"), [site("cco"), site("deputy")], Barrier(2)
    case_id = str(maker.items("/cases")[0]["case_id"])
    assert maker.post(f"/cases/{case_id}/propose", {"text": "Booked late."}).status_code == 200
    shown = seen(maker, case_id)
    assert [seen(each, case_id) for each in checkers] == [shown, shown]

    def decide(site: Api, act: str) -> int:
        gate.wait(30)
        return int(site.post(f"/cases/{case_id}/{act}", {"text": "Decided.", "seen": shown}).status_code)

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(decide, checkers, ("approve", "return")))
    assert statuses == [200, 409]
    events = [event.act.value for event in firm_store.case_events(case_id)]
    assert len([each for each in events if each in ("approved", "returned")]) == 1


@pytest.mark.fault("B16")
def test_the_mapping_changes_by_two_people(firm_settings: Settings, firm_store: Store) -> None:
    asks = firm_settings.approvals.model_copy(update={"mapping": True})
    api = Api(firm_settings.model_copy(update={"approvals": asks}))
    api.sign_in(Role.OPERATOR)
    row = {"row": {"client_id": "C-9", "name": "Nine", "opened_on": "2026-01-02"}}
    first, second = (api.post("/rows/clients", row, key="the-same-request") for _ in range(2))
    assert [(each.status_code, each.headers.get("Idempotency-Replayed")) for each in (first, second)] == [
        (202, None),
        (202, "true"),
    ]
    assert first.json() == second.json()
    posted = first.json()
    assert (posted["stored"], [each["id"] for each in api.items("/approvals")]) == (False, [posted["proposal_id"]])
    change = api.get(f"/changes/{posted['proposal_id']}").json()
    assert (change["state"], change["content"]["row"]) == ("waiting", row["row"])
    approve = f"/changes/{posted['proposal_id']}/approve"
    assert api.post(approve, {"seen": change["digest"]}).status_code == 403, "an operator approves nothing"
    api.sign_in(Role.REVIEWER)
    own = api.post(approve, {"seen": change["digest"]})
    assert (own.status_code, own.json()["code"]) == (409, "proposal-conflict")
    api.sign_in(Role.REVIEWER, person="cco")
    other = api.post(approve, {"seen": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "version-conflict")
    assert "C-9" not in {each.client_id for each in firm_store.clients(api.time)}
    done = api.post(approve, {"seen": change["digest"]})
    assert (done.status_code, done.json()["checker"]) == (200, "cco"), done.text
    assert "C-9" in {each.client_id for each in firm_store.clients(firm_store.book_time(api.time))}
    assert api.items("/approvals") == []
    late = api.post(f"/changes/{posted['proposal_id']}/return", {"text": "No."})
    assert (late.status_code, late.json()["code"]) == (409, "proposal-conflict")


def test_a_change_is_taken_back_by_its_maker_alone(firm_settings: Settings, firm_store: Store) -> None:
    asks = firm_settings.approvals.model_copy(update={"mapping": True})
    api = Api(firm_settings.model_copy(update={"approvals": asks}))
    api.sign_in(Role.OPERATOR)
    row = {"row": {"client_id": "C-9", "name": "Nine", "opened_on": "2026-01-02"}}
    path = f"/changes/{api.post('/rows/clients', row).json()['proposal_id']}/return"
    api.sign_in(Role.OPERATOR, person="ops.other")
    assert api.post(path, {"text": "Not yours."}).status_code == 403
    api.sign_in(Role.OPERATOR)
    assert api.post(path, {"text": "My mistake."}).json()["state"] == "refused"
    changed = [each["state"] for each in api.items("/changes") if each["kind"] == "mapping"]
    assert changed == ["refused"]


def test_money_moves_by_two_people(api: Api, firm_store: Store) -> None:
    api.sign_in(Role.OPERATOR)
    made = api.post("/reserve/instructions", {"direction": "deposit", "account_id": "SRA-C", "cents": "26200000"})
    path = f"/reserve/instructions/{made.json()['instruction_id']}"
    assert api.post(f"{path}/approve", {}).status_code == 403, "an operator approves nothing"
    api.sign_in(Role.REVIEWER)
    own = api.post(f"{path}/approve", {})
    assert (own.status_code, own.json()["code"]) == (409, "instruction-conflict"), "one's own"
    api.sign_in(Role.REVIEWER, person="cco")
    approved = api.post(f"{path}/approve", {"text": "Seen."})
    assert (approved.status_code, approved.json()["decision"]["actor"]) == (200, "cco")
    again = api.post(f"{path}/refuse", {"text": "No."})
    assert (again.status_code, again.json()["code"]) == (409, "instruction-conflict")
    assert [each["instruction_id"] for each in api.items("/reserve/instructions")] == [made.json()["instruction_id"]]


def test_a_withdrawal_that_the_rule_does_not_permit_is_refused(api: Api, firm_store: Store) -> None:
    api.sign_in(Role.OPERATOR)
    asked = {"direction": "withdrawal", "account_id": "SRA-C", "cents": "1"}
    refused = api.post("/reserve/instructions", asked)
    assert (refused.status_code, refused.json()["code"]) == (409, "withdrawal-refused")
    assert firm_store.reserve_instructions() == []
    assert api.get("/reserve/what-if/withdrawal", account_id="SRA-C", cents="1").json()["permitted"] is False


def test_only_who_checks_or_made_it_refuses(api: Api) -> None:
    api.sign_in(Role.OPERATOR)
    paths = []
    for _ in range(2):
        made = api.post("/reserve/instructions", {"direction": "deposit", "account_id": "SRA-C", "cents": "100"})
        paths.append(f"/reserve/instructions/{made.json()['instruction_id']}/refuse")
    api.sign_in(Role.OPERATOR, person="ops.other")
    other = api.post(paths[0], {"text": "No."})
    assert (other.status_code, other.json()["code"]) == (403, "forbidden")
    api.sign_in(Role.OPERATOR)
    assert api.post(paths[0], {"text": "My mistake."}).json()["state"] == "refused"
    api.sign_in(Role.REVIEWER, person="cco")
    assert api.post(paths[1], {"text": "Not now."}).json()["state"] == "refused"


def test_an_act_on_a_control_deficit(api: Api) -> None:
    api.sign_in(Role.OPERATOR)
    asked = {"security_id": A, "kind": "recall", "quantity": "100", "line_id": "L-5", "text": "Recalled."}
    made = api.post("/control/acts", asked)
    assert made.status_code == 201, made.text
    act_id = made.json()["act_id"]
    api.sign_in(Role.REVIEWER)
    own = api.post(f"/control/acts/{act_id}/approve", {})
    assert (own.status_code, own.json()["code"]) == (409, "instruction-conflict")
    api.sign_in(Role.REVIEWER, person="cco")
    assert api.post(f"/control/acts/{act_id}/approve", {}).json()["decision"] == "approved"
    (listed,) = api.items("/control/acts")
    assert (listed["act_id"], listed["checker"], listed["receipts"]) == (act_id, "cco", [])
    url, document = f"/api/v1/control/acts/{act_id}/receipts", {"file": ("st.pdf", b"%PDF-1.4 arrived")}
    shows = {"kind": "statement", "reference": "ST-9", "received_on": "2026-10-05"}
    sent = api.client.post(url, params=shows, files=document, headers=new_key())
    assert (sent.status_code, sent.json()["receipts"]) == (201, 1), sent.text
    early = api.client.post(url, params=shows | {"received_on": "2026-10-01"}, files=document, headers=new_key())
    assert (early.status_code, early.json()["code"]) == (422, "bad-input")
    (listed,) = api.items("/control/acts")
    assert [(each["reference"], each["actor"]) for each in listed["receipts"]] == [("ST-9", "cco")]


def test_a_substitution_that_does_not_help_is_refused(api: Api) -> None:
    api.sign_in(Role.OPERATOR)
    refused = api.post("/control/substitutions", {"from_id": A, "to_id": A})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-input")
    assert api.items("/control/substitutions") == []


@pytest.mark.fault("F17")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/cases/{case}/comment", {"text": "Said."}),
        ("/cases/{case}/propose", {"text": "Said."}),
        ("/cases/{case}/assign", {"assignee": "ops.maker"}),
        ("/reserve/instructions", {"direction": "deposit", "account_id": "SRA-C", "cents": "100"}),
        ("/control/acts", {"security_id": A, "kind": "recall", "quantity": "1", "line_id": "L-5"}),
        ("/control/substitutions", {"from_id": A}),
        ("/rows/clients", {"row": {"client_id": "C-9", "name": "Nine", "opened_on": "2026-01-02"}}),
        ("/bundles", {}),
    ],
)
def test_fields_that_a_form_does_not_have_are_refused(
    api: Api, case_id: str, firm_store: Store, path: str, body: dict[str, object]
) -> None:
    api.visitor = Visitor("cco", "cco", frozenset(Role))
    head, url = firm_store.head(), path.replace("{case}", case_id)
    for field, value in (("state", "closed"), ("checker", "cco"), ("maker", "x"), ("actor", "x"), ("person_id", "x")):
        refused = api.post(url, body | {field: value})
        assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, field), refused.text
    assert firm_store.head() == head
    if path != "/bundles":
        assert api.post(url, body).status_code in (200, 201, 409)
