"""The journal as a file: everything that is changed, left out or added breaks it, without the database."""

from __future__ import annotations

import io
from collections.abc import Callable

import orjson
import pytest

from exports.canonical import canonical_json
from tests.verifier.store.story import import_story
from verifier.acting import terminal_origin, web_origin
from verifier.errors import InputError
from verifier.journal import verify_journal
from verifier.journal_file import check_file, export_lines
from verifier.store import Store
from verifier.store.journal_view import newest_entries


def exported(store: Store) -> list[bytes]:
    store.origin = "web 192.0.2.7 session s-1"
    import_story(store)
    return list(export_lines(store))


def checked(lines: list[bytes], known: dict[int, str] | None = None) -> str:
    return check_file(io.BytesIO(b"".join(lines)), known).problem


def test_an_exported_journal_checks_without_the_database(store: Store) -> None:
    lines = exported(store)
    report = check_file(io.BytesIO(b"".join(lines)))
    head = store.head()
    assert head is not None
    assert (report.ok, report.entries, report.head) == (True, len(lines) - 1, (head.sequence, head.entry_digest))
    assert verify_journal(store).ok
    assert newest_entries(store, 1)[0].origin == "web 192.0.2.7 session s-1"
    assert checked(lines, {2: orjson.loads(lines[2])["entry_digest"]}) == ""


def altered(**changes: object) -> Callable[[list[bytes]], list[bytes]]:
    """The second entry with other values, in canonical form."""
    return lambda lines: [*lines[:2], canonical_json(orjson.loads(lines[2]) | changes) + b"\n", *lines[3:]]


@pytest.mark.fault("C9")
@pytest.mark.parametrize(
    "change",
    [
        altered(actor="somebody"),
        altered(origin="elsewhere"),
        altered(kind="other"),
        altered(payload="{}"),
        altered(recorded_at="2026-03-02T12:00:30.000000Z"),
        altered(rows="{}"),
        altered(rows_digest="0" * 64),
        altered(entry_digest="0" * 64),
        altered(previous_digest="0" * 64),
        altered(sequence=7),
        altered(sequence=True),
        altered(actor=None),
        altered(more=1),
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines[:2], b" " + lines[2], *lines[3:]],
        lambda lines: [*lines[:2], b"nothing\n", *lines[3:]],
    ],
)
def test_whatever_is_changed_breaks_it(store: Store, change: Callable[[list[bytes]], list[bytes]]) -> None:
    assert checked(change(exported(store))).startswith("entry ")


@pytest.mark.fault("C9")
def test_a_missing_end_is_noticed_by_a_head_known_elsewhere(store: Store) -> None:
    lines = exported(store)
    head = orjson.loads(lines[-1])
    known = {int(head["sequence"]): str(head["entry_digest"])}
    assert checked(lines, known) == ""
    assert checked(lines[:-1]) == "", "by itself it looks whole"
    assert "missing" in checked(lines[:-1], known)
    assert "named elsewhere" in checked(lines, {1: "0" * 64})


def test_another_file_is_no_journal(store: Store) -> None:
    for content in (b"", b"{}\n", b"PK\x03\x04"):
        with pytest.raises(InputError, match="no journal file"):
            check_file(io.BytesIO(content))


def test_where_an_act_comes_from_is_one_clean_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.9 5000 192.0.2.1 22")
    assert terminal_origin().startswith("command line ")
    assert terminal_origin().endswith("from 192.0.2.9")
    assert web_origin("192.0.2.7\n", "key") == "web 192.0.2.7 session key"
    assert len(web_origin("x" * 999)) == 200
