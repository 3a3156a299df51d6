"""`custody users`: who signs in to the pages, from the command line."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import Firm


@pytest.mark.fault("F9")
def test_nobody_is_there_until_a_code_was_used(firm: Firm) -> None:
    assert firm("users", "list", "--json").json == {"people": []}
    first = firm("users", "first-code", "--json").json
    assert len(first["code"]) == 29
    assert first["address"] == "http://localhost:8000/welcome"
    assert firm("users", "first-code", "--json").json["code"] != first["code"]
    assert first["code"] not in json.dumps(firm("journal", "show", "--json").json)
    assert firm("users", "list", "--json").json == {"people": []}


def test_a_person_from_adding_to_shutting_out(firm: Firm) -> None:
    added = firm("users", "add", "ops.maker", "--name", "Maker", "--role", "operator", "--actor", "it", "--json")
    assert (added.code, len(added.json["code"])) == (0, 29)
    again = firm("users", "add", "ops.maker", "--name", "Maker", "--role", "operator", "--json")
    assert (again.code, again.error) == (2, "bad-input")
    firm("users", "role", "ops.maker", "--role", "operator", "--role", "reviewer", "--actor", "it")
    (person,) = firm("users", "list", "--json").json["people"]
    assert (person["roles"], person["logins"], person["second_factors"]) == (
        ["operator", "reviewer"],
        ["ops.maker"],
        [],
    )
    both = firm("users", "role", "ops.maker", "--role", "operator", "--role", "administrator", "--json")
    assert (both.code, both.error) == (2, "bad-input")
    gone = firm("users", "disable", "ops.maker", "--reason", "left", "--actor", "it", "--json").json
    assert gone["is_disabled"] is True
    assert "disabled" in firm("users", "list").out
    back = firm("users", "disable", "ops.maker", "--undo", "--json").json
    assert back["is_disabled"] is False
    assert firm("users", "disable", "nobody", "--json").error == "bad-input"
    assert firm("journal", "verify").code == 0
    journal = firm("journal", "show", "--json").json["entries"]
    acts = [(each["actor"], each["payload"].get("reason")) for each in journal if each["kind"] == "person.changed"]
    assert ("it", "left") in acts
    assert all(each["payload"]["from"] == "command line" for each in journal if each["kind"].startswith("person"))


def test_tokens_are_shown_once_and_revoked(firm: Firm) -> None:
    firm("users", "add", "ops.feed", "--name", "Feed", "--role", "operator")
    made = firm("users", "token", "ops.feed", "--label", "feed", "--scope", "make", "--days", 30, "--json").json
    assert made["token"].startswith("cvt_")
    shown = firm("users", "list", "--json")
    assert made["token"] not in shown.out
    (token,) = shown.json["people"][0]["tokens"]
    assert (token["label"], token["scope"]) == ("feed", ["make"])
    for scope in ("check", "everything"):
        refused = firm("users", "token", "ops.feed", "--label", "x", "--scope", scope, "--json")
        assert (refused.code, refused.error) == (2, "bad-input")
    assert firm("users", "revoke", "ops.feed", token["number"]).code == 0
    assert firm("users", "list", "--json").json["people"][0]["tokens"] == []
    assert firm("users", "revoke", "ops.feed", token["number"], "--json").error == "bad-input"


def test_another_way_to_sign_in_is_for_a_configured_provider(firm: Firm) -> None:
    firm("users", "add", "ops.maker", "--name", "Maker", "--role", "operator")
    bound = ["users", "bind", "ops.maker", "--issuer", "https://id.example.com", "--subject", "00u1", "--json"]
    assert firm(*bound).error == "bad-input"
    assert firm("users", "bind", "ops.maker", "--json").error == "bad-input"
    config = firm.folder / "custody.toml"
    text = config.read_text() + (
        '[web]\npublic_url = "https://custody.example.com"\n'
        '[[web.oidc]]\nissuer = "https://id.example.com"\nlabel = "Example ID"\nclient_id = "custody"\n'
    )
    config.write_text(text)
    assert firm(*bound).json["logins"] == ["ops.maker", "00u1 at https://id.example.com"]
    other = firm("users", "bind", "ops.maker", "--login", "maker.two", "--json").json
    assert other["address"] == "https://custody.example.com/welcome"
    reset = firm("users", "reset", "ops.maker", "--json").json
    assert reset["code"] != other["code"]
