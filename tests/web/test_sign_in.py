"""Signing in with a password and a second factor, setting that up with a one-time code, and how a session ends."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.web.people import OPERATOR, PASSWORD, RealSite, digits, enrol, form_token, sign_in
from verifier.accounts import attempts, enrolment, passwords, signing_in
from verifier.accounts.roles import Role
from verifier.errors import InputError
from verifier.store.journal_view import newest_entries

SESSION = "custody-session"


@pytest.mark.fault("F9")
def test_the_first_administrator_comes_by_a_one_time_code(real: RealSite) -> None:
    browser = real.browser()
    code = real.first_code()
    answer, _ = enrol(real, browser, code, login="first", person_id="ops.first", name="First One")
    assert answer.status_code == 200, answer.text
    assert len(re.findall(r"<li><code>[a-z0-9-]{14}</code>", answer.text)) == 10
    (person,) = real.store.people()
    assert (person.person_id, person.roles) == ("ops.first", frozenset({Role.ADMINISTRATOR}))
    assert real.who(browser) == "ops.first"
    with pytest.raises(InputError, match="administrator already"):
        real.first_code()


@pytest.mark.fault("F9")
def test_nobody_is_there_by_default_and_a_code_serves_once(real: RealSite) -> None:
    assert real.store.people() == []
    for name in ("admin", "administrator", "root"):
        fields = {"login": name, "password": name, "code": "000000"}
        assert sign_in(real.browser(), fields).status_code == 401
    code = real.first_code()
    who = {"login": "first", "person_id": "ops.first", "name": "First"}
    assert enrol(real, real.browser(), code, **who)[0].status_code == 200
    again, _ = enrol(real, real.browser(), code, **(who | {"login": "second", "person_id": "ops.second"}))
    assert again.status_code == 422
    assert [each.person_id for each in real.store.people()] == ["ops.first"]


@pytest.mark.fault("F9")
def test_an_old_code_and_a_replaced_one_are_refused(real: RealSite) -> None:
    who = {"login": "first", "person_id": "ops.first", "name": "First"}
    replaced = real.first_code()
    old = real.first_code()
    assert enrol(real, real.browser(), replaced, **who)[0].status_code == 422
    real.wait(hours=24)
    assert enrol(real, real.browser(), old, **who)[0].status_code == 422
    assert real.store.people() == []


def test_two_steps_of_two_browsers_with_one_code_make_one_administrator(real: RealSite) -> None:
    code = real.first_code()
    begun = [
        enrolment.begin(real.store, enrolment.Chosen(code, PASSWORD, name, name, name), name, real.time)
        for name in ("ops.one", "ops.two")
    ]
    where = signing_in.Where("192.0.2.1", "", timedelta(hours=1))
    shown = [digits(each.totp_secret, real.time) for each in begun]
    enrolment.finish(real.store, begun[0].ticket, shown[0], "ops.one", where, real.time)
    with pytest.raises(signing_in.SignInRefused):
        enrolment.finish(real.store, begun[1].ticket, shown[1], "ops.two", where, real.time)
    with pytest.raises(signing_in.SignInRefused):  # another browser's ticket
        enrolment.again(real.store, begun[1].ticket, "ops.one", real.time)
    assert [each.person_id for each in real.store.people()] == ["ops.one"]


def test_wrong_digits_show_the_picture_again(real: RealSite) -> None:
    browser, code = real.browser(), real.add("ops.maker", Role.OPERATOR)
    token = form_token(browser, "/welcome")
    typed = {"code": code, "password": PASSWORD, "repeated": PASSWORD, "csrf_token": token}
    first = browser.post("/welcome", data=typed)
    ticket = re.search(r'name="ticket" value="([\w-]{43})"', first.text)
    assert ticket is not None
    again = browser.post("/welcome/finish", data={"csrf_token": token, "ticket": ticket[1], "digits": "000000"})
    assert (again.status_code, ticket[1] in again.text) == (422, True)
    assert real.who(browser) == ""


@pytest.mark.fault("F7")
def test_signing_in_gives_a_new_token_and_signing_out_ends_it(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    browser = real.browser()
    browser.cookies.set(SESSION, "A" * 43, domain="localhost.local")  # one that somebody else planted
    real.wait(minutes=1)
    answer = person.sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    secret = cookie.split(f"{SESSION}=")[1].split(";")[0]
    assert secret != "A" * 43
    held = real.browser()
    held.cookies.set(SESSION, secret, domain="localhost.local")
    assert real.who(held) == "ops.maker"
    token = form_token(held, "/account")
    assert held.post("/sign-out", data={"csrf_token": token}).status_code == 303
    stolen = real.browser()
    stolen.cookies.set(SESSION, secret, domain="localhost.local")
    assert real.who(stolen) == ""


@pytest.mark.fault("F7")
def test_a_session_that_lies_idle_or_lasts_too_long_is_over(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    real.wait(minutes=29)
    assert real.who(person.browser) == "ops.maker"
    real.wait(minutes=29)
    assert real.who(person.browser) == "ops.maker", "it was used a moment ago"
    real.wait(minutes=30)
    assert real.who(person.browser) == ""
    other = real.browser()
    assert person.sign_in(other).status_code == 303
    for _ in range(71):
        real.wait(minutes=10)
        assert real.who(other) == "ops.maker"
    real.wait(minutes=10)
    assert real.who(other) == "", "twelve hours are over"


@pytest.mark.fault("F7")
def test_the_database_holds_no_secret_of_a_session(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    secret = next(each.value for each in person.browser.cookies.jar if each.name == SESSION)
    path = Path(real.settings.database.url.get_secret_value().removeprefix("sqlite:///"))
    content = path.read_bytes() + path.with_name(f"{path.name}-wal").read_bytes()
    assert secret is not None
    assert secret.encode() not in content
    assert PASSWORD.encode() not in content
    assert b"ops.maker" in content


@pytest.mark.fault("F3")
def test_a_person_who_is_shut_out_is_refused_with_the_next_request(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    assert person.browser.get("/tried/read").status_code == 200
    real.store.change_person("ops.maker", OPERATOR, real.time, is_disabled=True)
    answer = person.browser.get("/tried/read")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Ftried%2Fread")
    real.wait(minutes=1)
    assert person.sign_in(real.browser()).status_code == 401
    real.store.change_person("ops.maker", OPERATOR, real.time, is_disabled=False)
    assert real.who(person.browser) == "", "the session does not come back"
    real.wait(minutes=1)
    assert person.sign_in(real.browser()).status_code == 303


@pytest.mark.fault("F3")
def test_a_role_that_is_taken_away_is_gone_with_the_next_request(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    token = {"x-csrf-token": form_token(person.browser, "/account")}
    assert person.browser.post("/tried/make", headers=token).status_code == 200
    real.store.change_person("ops.maker", OPERATOR, real.time, roles=frozenset({Role.AUDITOR}))
    assert person.browser.post("/tried/make", headers=token).status_code == 401
    real.wait(minutes=1)
    assert person.sign_in(person.browser).status_code == 303
    token = {"x-csrf-token": form_token(person.browser, "/account")}
    assert person.browser.post("/tried/make", headers=token).status_code == 403
    assert person.browser.get("/tried/read").status_code == 200


@pytest.mark.fault("F8")
@pytest.mark.parametrize("wrong", [{"login": "nobody"}, {"password": "another password here"}, {"code": "000000"}])
def test_whatever_is_wrong_the_answer_is_the_same(real: RealSite, wrong: dict[str, str]) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    real.wait(minutes=1)
    browser = real.browser()
    answer = person.sign_in(browser, **wrong)
    assert answer.status_code == 401
    assert "This does not sign anybody in" in answer.text
    assert SESSION not in answer.headers.get("set-cookie", "")
    shown = answer.text.replace(wrong.get("login", "ops.maker"), "NAME")
    assert re.sub(r"[0-9a-f]{64}", "TOKEN", shown).count("NAME") == 1
    (entry,) = newest_entries(real.store, 1)
    assert entry.kind == "sign_in.refused"
    assert ("nobody" in entry.payload, PASSWORD in entry.payload) == (False, False)


@pytest.mark.fault("F8")
def test_as_much_is_hashed_for_a_name_that_nobody_has(real: RealSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is not measured: a busy machine would decide. Who takes as long does the same work."""
    person = real.person("ops.maker", Role.OPERATOR)
    asked: list[bool] = []
    real_check = passwords.matches

    def counted(stored: str, given: str) -> bool:
        asked.append(bool(stored))
        return real_check(stored, given)

    monkeypatch.setattr(passwords, "matches", counted)
    person.sign_in(real.browser(), login="nobody")
    person.sign_in(real.browser(), password="another password here")
    assert asked == [False, True]
    hashed = passwords.hashed(PASSWORD)
    assert hashed.startswith("$argon2id$")
    nobody = passwords._nobody()
    assert hashed.split("$")[2:4] == nobody.split("$")[2:4], "with the same parameters"


@pytest.mark.fault("F8")
def test_who_guesses_is_held_up_by_name_and_by_address(real: RealSite, monkeypatch: pytest.MonkeyPatch) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    monkeypatch.setattr(passwords, "matches", lambda stored, given: given == PASSWORD)
    browser = real.browser()
    statuses = [person.sign_in(browser, password="guess").status_code for _ in range(attempts.PER_NAME + 1)]
    assert statuses == [401] * attempts.PER_NAME + [429]
    real.wait(minutes=1)
    assert person.sign_in(browser).status_code == 429, "the right password does not end the pause"
    limits = attempts.Attempts()
    for number in range(attempts.PER_ADDRESS):
        limits.count("192.0.2.7", f"name{number}")
    with pytest.raises(attempts.TooManyAttempts):
        limits.count("192.0.2.7", "another")
    limits.count("192.0.2.8", "another")


@pytest.mark.fault("F8")
def test_six_digits_and_a_recovery_code_serve_once(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    assert person.sign_in(real.browser()).status_code == 401, "the digits were used to enrol"
    real.wait(seconds=60)
    assert person.sign_in(real.browser()).status_code == 303
    assert person.sign_in(real.browser()).status_code == 401
    code = person.codes[3].upper().replace("-", " ")
    assert person.sign_in(real.browser(), code=code).status_code == 303
    assert person.sign_in(real.browser(), code=code).status_code == 401


def test_a_hash_that_was_put_in_the_place_of_another_signs_nobody_in(real: RealSite) -> None:
    person = real.person("ops.maker", Role.OPERATOR)
    real.wait(minutes=1)
    mine = passwords.hashed("a password of my own")
    with real.app.state.engine.begin() as connection:
        changed = connection.exec_driver_sql(
            "UPDATE account_secret SET secret = ? WHERE secret LIKE '$argon2id%'", (mine,)
        )
        assert changed.rowcount == 1
    assert person.sign_in(real.browser(), password="a password of my own").status_code == 401


@pytest.mark.parametrize(
    "weak",
    [
        "short",
        "password2026!",
        "aaaaaaaaaaaaaaaa",
        "12345678901234",
        "Summer2026!!!",
        "ops.maker1234",
        "p4ssw0rdp4ssw0rd",
    ],
)
def test_what_is_guessed_early_is_no_password(weak: str) -> None:
    with pytest.raises(InputError):
        passwords.require_good(weak, ("ops.maker",))


@pytest.mark.parametrize("good", [PASSWORD, "vier Wörter im Garten", "Tr0ub4dor&3-longer", "long enough " * 10])
def test_what_is_not_is_one(good: str) -> None:
    passwords.require_good(good, ("ops.maker",))


def test_a_password_is_kept_as_its_argon2_hash() -> None:
    stored = passwords.hashed(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(stored, PASSWORD + " ")
