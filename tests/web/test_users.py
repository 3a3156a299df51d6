"""The users' page, one's own account, and API tokens."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from httpx2 import Response

from tests.web.people import OPERATOR, PASSWORD, Enrolled, RealSite, digits, enrol, form_token
from verifier.accounts import enrolment, tokens
from verifier.accounts.records import By, CredentialKind
from verifier.accounts.roles import Access, Role
from verifier.errors import InputError, StoreError
from verifier.journal import verify_journal
from verifier.store.journal_view import newest_entries
from verifier.web.routing import access_of, routes_of


def post(person: Enrolled, path: str, **fields: object) -> Response:
    """Send a form as the pages do."""
    token = form_token(person.browser, "/account")
    return person.browser.post(path, data={"csrf_token": token, **fields})


@pytest.fixture
def admin(real: RealSite) -> Enrolled:
    """An administrator who is signed in."""
    return real.person("ops.admin", Role.ADMINISTRATOR)


def test_an_administrator_adds_a_person_who_sets_up_their_sign_in(real: RealSite, admin: Enrolled) -> None:
    page = post(admin, "/users", person_id="ops.new", name="New One", roles=["operator", "reviewer"])
    code = re.search(r'class="key">([a-z0-9-]{29})<', page.text)
    assert code is not None, page.text
    browser = real.browser()
    answer, _ = enrol(real, browser, code[1])
    assert answer.status_code == 200
    assert real.who(browser) == "ops.new"
    entries = {each.kind: each for each in newest_entries(real.store, 20)}
    assert entries["person.added"].actor == "ops.admin"
    assert '"from":"testclient"' in entries["person.added"].payload
    assert entries["person.enrolled"].actor == "ops.new"
    assert code[1] not in "".join(each.payload for each in entries.values())
    assert verify_journal(real.store).ok


@pytest.mark.fault("F20")
def test_an_administrator_sees_no_finding_and_nobody_else_sees_users(real: RealSite, admin: Enrolled) -> None:
    reviewer = real.person("ops.checker", Role.REVIEWER)
    asked = 0
    for route in routes_of(real.app):
        access = access_of(route)
        if access in (None, Access.PUBLIC, Access.SIGNED_IN):
            continue
        path = route.path.replace("{", "").replace("}", "")
        method = next(iter(route.methods - {"HEAD"}))
        of_people = access is Access.ADMINISTER
        headers = {"x-csrf-token": form_token(admin.browser, "/account")}
        mine = admin.browser.request(method, path, headers=headers, json={})
        headers = {"x-csrf-token": form_token(reviewer.browser, "/account")}
        theirs = reviewer.browser.request(method, path, headers=headers, json={}) if of_people else None
        assert of_people or mine.status_code in (403, 422), (path, mine.status_code)
        assert theirs is None or theirs.status_code in (403, 422), path
        asked += 1
    assert asked > 5
    assert admin.browser.get("/tried/read").status_code == 403
    assert reviewer.browser.get("/users").status_code == 403
    assert admin.browser.get("/users").status_code == 200


@pytest.mark.fault("F20")
@pytest.mark.parametrize("more", [Role.OPERATOR, Role.REVIEWER, Role.AUDITOR])
def test_nobody_is_administrator_and_something_else(real: RealSite, admin: Enrolled, more: Role) -> None:
    page = post(admin, "/users", person_id="ops.both", name="Both", roles=["administrator", more.value])
    assert (page.status_code, real.store.person("ops.both")) == (422, None)
    real.add("ops.maker", Role.OPERATOR)
    both = post(admin, "/users/ops.maker/roles", roles=["administrator", more.value])
    assert both.status_code == 422
    person = real.store.person("ops.maker")
    assert person is not None
    assert person.roles == {Role.OPERATOR}
    own = post(admin, "/users/ops.admin/roles", roles=[more.value])
    assert (own.status_code, "their own roles" in own.text) == (422, True)


@pytest.mark.fault("F20")
def test_what_is_recorded_of_people_cannot_be_changed_and_is_sealed(real: RealSite, admin: Enrolled) -> None:
    for text in (
        "UPDATE person_state SET roles = '[\"reviewer\"]'",
        "DELETE FROM credential",
        "UPDATE credential SET digest = 'x'",
        "DELETE FROM credential_end",
        "DELETE FROM login",
        "DELETE FROM person",
        "UPDATE journal_entry SET actor = 'ops.other'",
    ):
        with (
            pytest.raises(sa.exc.DBAPIError, match="added, never changed"),
            real.app.state.engine.begin() as connection,
        ):
            connection.exec_driver_sql(text)
    assert verify_journal(real.store).ok
    with real.app.state.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER person_state_refuse_update")
        connection.exec_driver_sql("UPDATE person_state SET roles = '[\"reviewer\"]'")
    assert not verify_journal(real.store).ok


def test_the_last_administrator_stays(real: RealSite, admin: Enrolled) -> None:
    with pytest.raises(InputError, match="last administrator"):
        real.store.change_person("ops.admin", OPERATOR, real.time, is_disabled=True)
    with pytest.raises(InputError, match="last administrator"):
        real.store.change_person("ops.admin", OPERATOR, real.time, roles=frozenset({Role.AUDITOR}))
    real.person("ops.second", Role.ADMINISTRATOR)
    real.store.change_person("ops.admin", OPERATOR, real.time, is_disabled=True)
    assert real.who(admin.browser) == ""


@pytest.mark.fault("F1")
def test_one_person_with_two_logins_is_one_actor(real: RealSite, admin: Enrolled) -> None:
    person = real.person("ops.maker", Role.OPERATOR, Role.REVIEWER)
    page = post(admin, "/users/ops.maker/logins", login="second.name")
    code = re.search(r'class="key">([a-z0-9-]{29})<', page.text)
    assert code is not None, page.text
    other = real.browser()
    answer, secret = enrol(
        real, other, code[1], password="another horse, another staple", repeated="another horse, another staple"
    )
    assert answer.status_code == 200, answer.text
    assert real.who(other) == "ops.maker"
    real.wait(minutes=1)
    again = person.sign_in(real.browser(), code=digits(secret, real.time))
    assert again.status_code == 303, "the first password still works"
    crossed = person.sign_in(real.browser(), login="second.name", code=person.codes[0])
    assert crossed.status_code == 401, "but not under the other name"
    real.add("ops.other", Role.OPERATOR)
    taken = post(admin, "/users/ops.other/logins", login="second.name")
    assert (taken.status_code, "already" in taken.text) == (422, True)


@pytest.mark.fault("F3")
def test_reset_takes_everything_away(real: RealSite, admin: Enrolled) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    token = tokens.issue(real.store, "ops.maker", "feed", frozenset({Access.READ}), 30, 365, OPERATOR, real.time)
    page = post(admin, "/users/ops.maker/reset", login="ops.maker")
    assert page.status_code == 200
    assert real.who(person.browser) == ""
    assert real.browser(authorization=f"Bearer {token}").get("/tried/read").status_code == 303
    real.wait(minutes=1)
    assert person.sign_in(real.browser()).status_code == 401
    code = re.search(r'class="key">([a-z0-9-]{29})<', page.text)
    assert code is not None
    browser = real.browser()
    assert enrol(real, browser, code[1])[0].status_code == 200
    assert real.who(browser) == "ops.maker"


@pytest.mark.fault("F17")
def test_fields_that_the_form_does_not_have_are_refused(real: RealSite, admin: Enrolled) -> None:
    real.add("ops.maker", Role.OPERATOR)
    answer = post(admin, "/users/ops.maker/disable", is_disabled="true", actor="somebody")
    person = real.store.person("ops.maker")
    assert person is not None
    assert (answer.status_code, person.is_disabled) == (422, False)
    assert post(admin, "/users/ops.maker/disable", is_disabled="true").status_code == 303


def test_an_unattended_screen_changes_no_sign_in(real: RealSite, admin: Enrolled) -> None:
    real.wait(minutes=16)
    assert post(admin, "/users", person_id="ops.new", name="New", roles=["operator"]).status_code == 403
    assert post(admin, "/account/recovery-codes").status_code == 403
    assert real.store.person("ops.new") is None
    post(admin, "/sign-out")
    assert admin.sign_in(admin.browser).headers["location"] == "/users", "the overview is not for administrators"
    assert post(admin, "/users", person_id="ops.new", name="New", roles=["operator"]).status_code == 200


# One's own account ----------------------------------------------------------------------------------------------------


def test_a_changed_password_ends_every_other_session(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    real.wait(minutes=1)
    other = real.browser()
    person.sign_in(other)
    new = "entirely different words"
    fields = {"login": "ops.maker", "password": new, "repeated": new}
    wrong = post(person, "/account/password", current="not the one it is", **fields)
    assert (wrong.status_code, real.who(other)) == (422, "ops.maker")
    weak = {"password": "ops.maker2026", "repeated": "ops.maker2026"}
    assert post(person, "/account/password", current=PASSWORD, **(fields | weak)).status_code == 422
    assert post(person, "/account/password", current=PASSWORD, **fields).status_code == 303
    assert (real.who(person.browser), real.who(other)) == ("ops.maker", "")
    real.wait(minutes=1)
    assert person.sign_in(real.browser()).status_code == 401
    assert person.sign_in(real.browser(), password=new).status_code == 303


@pytest.mark.fault("F7")
def test_somebody_ends_their_other_sessions_but_nobody_elses(real: RealSite) -> None:
    person, stranger = real.person("ops.maker", Role.OPERATOR), real.person("ops.other", Role.OPERATOR)
    theirs = stranger.browser.get("/tried/who").json()["session"]
    assert post(person, "/account/sessions", session=theirs).status_code == 303
    assert real.who(stranger.browser) == "ops.other"
    real.wait(minutes=1)
    second = real.browser()
    person.sign_in(second)
    key = second.get("/tried/who").json()["session"]
    post(person, "/account/sessions", session=key)
    assert (real.who(second), real.who(person.browser)) == ("", "ops.maker")


def test_the_last_second_factor_stays_and_codes_are_renewed(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    (totp,) = real.store.credentials("ops.maker", CredentialKind.TOTP)
    kept = post(person, "/account/remove", key=totp.key)
    assert (kept.status_code, "last second factor" in kept.text) == (422, True)
    (stolen,) = real.store.credentials("ops.maker", CredentialKind.PASSWORD)
    assert post(person, "/account/remove", key=stolen.key).status_code == 422
    page = post(person, "/account/recovery-codes")
    codes = re.findall(r"<li><code>([a-z0-9-]{14})</code>", page.text)
    assert len(codes) == 10
    real.wait(minutes=1)
    assert person.sign_in(real.browser(), code=person.codes[0]).status_code == 401
    assert person.sign_in(real.browser(), code=codes[0]).status_code == 303


# API tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_may_what_its_scope_says_and_needs_no_form_token(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    page = post(person, "/account/tokens", label="feed", scope=["make"], days="30")
    found = re.search(r"cvt_[\w-]{43}", page.text)
    assert found is not None, page.text
    assert found[0] not in person.browser.get("/account").text
    program = real.browser(authorization=f"Bearer {found[0]}")
    assert program.post("/tried/make").json()["person_id"] == "ops.maker"
    assert program.get("/tried/read").status_code == 403
    with_cookie = real.browser(authorization="Bearer cvt_wrong")
    with_cookie.cookies.update(person.browser.cookies)
    assert with_cookie.post("/tried/make").status_code == 401, (
        "a header that is no token does not fall back to the cookie"
    )
    (token,) = real.store.credentials("ops.maker", CredentialKind.TOKEN)
    assert found[0] not in repr(token)
    post(person, "/account/remove", key=token.key)
    assert program.post("/tried/make").status_code == 401


@pytest.mark.fault("F3")
def test_a_token_ends_with_its_time_its_person_and_their_roles(real: RealSite) -> None:
    real.person("ops.maker", Role.OPERATOR)
    made = tokens.issue(real.store, "ops.maker", "feed", frozenset({Access.MAKE}), 30, 365, OPERATOR, real.time)
    program = real.browser(authorization=f"Bearer {made}")
    assert program.post("/tried/make").status_code == 200
    real.store.change_person("ops.maker", OPERATOR, real.time, roles=frozenset({Role.AUDITOR}))
    assert program.post("/tried/make").status_code == 403
    real.store.change_person("ops.maker", OPERATOR, real.time, roles=frozenset({Role.OPERATOR}), is_disabled=True)
    assert program.post("/tried/make").status_code == 401
    real.store.change_person("ops.maker", OPERATOR, real.time, is_disabled=False)
    assert program.post("/tried/make").status_code == 200
    real.time += timedelta(days=30)
    assert program.post("/tried/make").status_code == 401


@pytest.mark.parametrize(
    ("scope", "days"),
    [
        ({Access.CHECK}, 30),
        ({Access.ADMINISTER}, 30),
        ({Access.READ, Access.PUBLIC}, 30),
        (set(), 30),
        ({Access.READ}, 366),
        ({Access.READ}, 0),
    ],
)
def test_a_token_that_may_too_much_or_too_long_is_not_made(real: RealSite, scope: set[Access], days: int) -> None:
    real.add("ops.checker", Role.REVIEWER)
    with pytest.raises(InputError):
        tokens.issue(real.store, "ops.checker", "x", frozenset(scope), days, 365, OPERATOR, real.time)
    real.add("ops.auditor", Role.AUDITOR)
    with pytest.raises(InputError, match="do not give: make"):
        tokens.issue(real.store, "ops.auditor", "x", frozenset({Access.MAKE}), 30, 365, OPERATOR, real.time)


def test_two_invitations_do_not_count_at_once(real: RealSite) -> None:
    first = real.add("ops.maker", Role.OPERATOR)
    second = enrolment.invite(real.store, "ops.maker", "ops.maker", By("tests"), real.time)
    assert enrol(real, real.browser(), first)[0].status_code == 422
    assert enrol(real, real.browser(), second)[0].status_code == 200


def test_an_error_of_the_store_is_not_nobody(real: RealSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is a fault with an incident, and not a sign-in page that nobody gets past."""
    person = real.person("ops.maker", Role.OPERATOR)

    def broken(*_: object) -> None:
        raise StoreError("the database server cannot be reached")

    monkeypatch.setattr("verifier.store.session_store.SessionStore.session", broken)
    answer = person.browser.get("/tried/who")
    assert (answer.status_code, "incident" in answer.text) == (500, True)
    assert "database" not in answer.text
