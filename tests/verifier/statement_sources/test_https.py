"""The source `https` before a real HTTPS server: what it takes, and what it refuses by which code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.verifier.statement_sources import server
from tests.verifier.statement_sources.server import Authority, Files, https_server
from verifier.config import HttpsSettings, SourceSettings
from verifier.statement_sources.https import plugin
from verifier.statement_sources.types import FetchedFile, NotFetched, SourceFailed, SourceRequest

CANARY = "canary81cc03"
DAYS = (date(2026, 11, 19), date(2026, 11, 20))
HOSTS = ["127.0.0.1"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.new("Authority of the tests")


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Iterator[Files]:
    with https_server(authority.issue(tmp_path, "server")) as serving:
        authority.file(tmp_path)
        yield serving


def settings(files: Files, folder: Path, path: str = "/dtc-{date}.fin", **changes: Any) -> SourceSettings:
    own = {name: changes.pop(name) for name in ("seconds_max", "bytes_max") if name in changes}
    given: dict[str, Any] = {
        "ca_file": folder / "authority.pem",
        "inside": True,
        "file_name": "dtc-{date}.fin",
    } | changes
    given.setdefault("url", SecretStr(f"https://127.0.0.1:{files.port}{path}?key={CANARY}"))
    return SourceSettings(name="dtc", https=HttpsSettings(**given), **own)


def fetched(section: SourceSettings, known: dict[str, str] | None = None) -> list[FetchedFile | NotFetched]:
    source = plugin.open(section, HOSTS)
    try:
        return list(source.fetch(SourceRequest(DAYS, known or {})))
    finally:
        source.close()


def failure(section: SourceSettings) -> SourceFailed:
    """The error of the newest day."""
    found = fetched(section)[-1]
    assert isinstance(found, NotFetched)
    assert found.error is not None
    assert CANARY not in f"{found!r} {found.error} {found.error!r} {found.error.advice}"
    assert "127.0.0.1" not in str(found.error)
    assert found.error.__cause__ is None
    return found.error


def test_a_file_for_each_business_date(files: Files, tmp_path: Path) -> None:
    files.contents = {f"/dtc-{day}.fin": f"of {day}".encode() for day in DAYS}
    old, new = fetched(settings(files, tmp_path))
    assert isinstance(old, FetchedFile)
    assert isinstance(new, FetchedFile)
    assert [(each.name, each.data) for each in (old, new)] == [
        ("dtc-2026-11-19.fin", b"of 2026-11-19"),
        ("dtc-2026-11-20.fin", b"of 2026-11-20"),
    ]
    assert [path for path, _ in files.asked] == [f"/dtc-{day}.fin?key={CANARY}" for day in DAYS]


def test_a_file_that_is_as_it_was_is_not_sent_again(files: Files, tmp_path: Path) -> None:
    files.contents = {"/today.fin": b"first"}
    section = settings(files, tmp_path, "/today.fin", file_name="today.fin")
    (first,) = fetched(section)
    assert isinstance(first, FetchedFile)
    assert first.validator
    assert fetched(section, {"today.fin": first.validator}) == [NotFetched("today.fin")]
    assert files.asked[-1][1] == first.validator
    files.contents = {"/today.fin": b"second"}
    (second,) = fetched(section, {"today.fin": first.validator})
    assert isinstance(second, FetchedFile)
    assert second.data == b"second"


def test_only_the_newest_and_what_was_taken_may_be_absent(files: Files, tmp_path: Path) -> None:
    section = settings(files, tmp_path)
    old, new = fetched(section)
    assert isinstance(old, NotFetched)
    assert old.error is not None
    assert (old.error.code, new) == ("source-refused", NotFetched("dtc-2026-11-20.fin", text="is not there"))
    assert fetched(section, {old.name: "x"})[0] == NotFetched(old.name)
    undated = settings(files, tmp_path, "/today.fin")
    assert failure(undated).code == "source-refused"


def test_an_answer_304_that_nobody_asked_for_is_refused(files: Files, tmp_path: Path) -> None:
    def unchanged(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(304)
        handler.end_headers()
        return True

    files.misbehave = unchanged
    assert failure(settings(files, tmp_path)).code == "source-redirect"


@pytest.mark.parametrize(
    ("misbehave", "limits", "code"),
    [
        (server.cut, {}, "source-cut"),
        (server.large, {"bytes_max": 50_000}, "source-too-large"),
        (server.redirect, {}, "source-redirect"),
        (server.slow, {"seconds_max": 0.4}, "source-timeout"),
        (server.overloaded, {"seconds_max": 9.0}, "source-status"),
        (server.forbidden, {}, "source-refused"),
    ],
)
def test_what_is_not_a_whole_file_is_refused_by_its_code(
    files: Files,
    tmp_path: Path,
    misbehave: Callable[[BaseHTTPRequestHandler], bool],
    limits: dict[str, Any],
    code: str,
) -> None:
    files.misbehave = misbehave
    assert failure(settings(files, tmp_path, **limits)).code == code
    assert all(path.startswith("/dtc-") for path, _ in files.asked), "no redirect was followed"


def test_an_answer_as_large_as_allowed_is_taken(files: Files, tmp_path: Path) -> None:
    files.misbehave = server.large
    assert all(isinstance(each, FetchedFile) for each in fetched(settings(files, tmp_path, bytes_max=100_000)))


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ({"days": (-10, -1)}, "has expired"),
        ({"days": (5, 10)}, "is not valid yet"),
        ({"host": "192.0.2.7"}, "is for another name"),
        ({"host": "statements.example"}, "is for another name"),
    ],
)
def test_a_certificate_that_is_not_the_servers_is_refused(
    authority: Authority, tmp_path: Path, certificate: dict[str, Any], said: str
) -> None:
    with https_server(authority.issue(tmp_path, "server", **certificate)) as files:
        authority.file(tmp_path)
        error = failure(settings(files, tmp_path))
        assert (error.code, files.asked) == ("source-certificate", [])
        assert said in str(error)


def test_a_certificate_of_another_authority_is_refused(files: Files, tmp_path: Path) -> None:
    Authority.new("Somebody else").file(tmp_path)
    assert failure(settings(files, tmp_path)).code == "source-certificate"
    assert failure(settings(files, tmp_path, ca_file=None)).code == "source-certificate", "the system knows it not"
    assert files.asked == []


def test_a_server_that_wants_a_certificate_gets_ours(authority: Authority, tmp_path: Path) -> None:
    ours = authority.issue(tmp_path, "ours")
    trusted = authority.file(tmp_path)
    with https_server(authority.issue(tmp_path, "server"), clients=trusted) as files:
        files.contents = {f"/dtc-{day}.fin": b"x" for day in DAYS}
        refused = ("source-own-certificate", "source-cut")  # the alert may be lost when the server hangs up
        assert failure(settings(files, tmp_path)).code in refused
        assert files.asked == []
        assert isinstance(fetched(settings(files, tmp_path, certificate_file=ours))[0], FetchedFile)
        other = Authority.new("Somebody else").issue(tmp_path, "other")
        assert failure(settings(files, tmp_path, certificate_file=other)).code in refused


@pytest.mark.fault("F13")
def test_an_address_inside_is_refused_unless_configured(files: Files, tmp_path: Path) -> None:
    files.contents = {f"/dtc-{day}.fin": b"x" for day in DAYS}
    assert failure(settings(files, tmp_path, inside=False)).code == "source-address"
    assert files.asked == []
    assert isinstance(fetched(settings(files, tmp_path, inside=True))[0], FetchedFile)


@pytest.mark.fault("F13")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http+insecure://127.0.0.1/x",
        "https://elsewhere.example/x",
        "https://127.0.0.1.elsewhere.example/x",
        "https://127.0.0.1@elsewhere.example/x",
        "https://{date}.example/x",
        "https://[::1",
        "file:///etc/hostname",
        "",
    ],
)
def test_only_https_to_a_host_on_the_list(url: str) -> None:
    section = SourceSettings(name="dtc", https=HttpsSettings(url=SecretStr(f"{url}{CANARY}" if url else "")))
    with pytest.raises(SourceFailed) as refused:
        plugin.open(section, HOSTS)
    assert refused.value.code == "source-config"
    assert CANARY not in str(refused.value)
    assert "elsewhere" not in str(refused.value)


@pytest.mark.fault("F14")
def test_secrets_come_from_variables_and_files_and_are_shown_nowhere(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.contents = {"/today.fin": b"x"}
    url = f"https://127.0.0.1:{files.port}/today.fin?key={CANARY}"
    monkeypatch.setenv("DTC_URL", url)
    monkeypatch.setenv("DTC_TOKEN", CANARY)
    (tmp_path / "url.txt").write_text(f"{url}\n")
    (tmp_path / "token.txt").write_text(f"{CANARY}\n")
    for given in ({"url_env": "DTC_URL", "token_env": "DTC_TOKEN"}, {"url_file": tmp_path / "url.txt"}):
        section = settings(files, tmp_path, **{"url": None, "token_file": None} | given)
        assert isinstance(fetched(section)[0], FetchedFile)
        assert CANARY not in f"{section!r} {plugin.open(section, HOSTS)!r}"
    section = settings(files, tmp_path, url=None, url_env="DTC_URL", token_file=tmp_path / "token.txt")
    assert isinstance(fetched(section)[0], FetchedFile)
    assert files.tokens == [f"Bearer {CANARY}", "", f"Bearer {CANARY}"]


def test_a_variable_or_file_that_is_not_there_says_which(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DTC_TOKEN", raising=False)
    for change, said in (
        ({"token_env": "DTC_TOKEN"}, "DTC_TOKEN"),
        ({"token_file": tmp_path / "none"}, "token_file"),
        ({"ca_file": tmp_path / "none"}, "ca_file"),
        ({"certificate_file": tmp_path / "none"}, "certificate_file"),
        ({"url": None, "url_file": tmp_path / "none"}, "url_file"),
    ):
        with pytest.raises(SourceFailed, match=said) as refused:
            plugin.open(settings(files, tmp_path, **change), HOSTS)
        assert refused.value.code == "source-config"
        assert str(tmp_path) not in str(refused.value)
