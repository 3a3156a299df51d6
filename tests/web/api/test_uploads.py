"""Files that are sent: limits before reading, no path in a name, kept under their digest (row F18)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import Response

from tests.cli.command import Firm
from tests.cli.custodians import dtc_statement
from tests.web.api.conftest import PREFIX, Api, new_key
from verifier.accounts.roles import Role
from verifier.config import Settings
from verifier.store import Store
from verifier.web.api.uploads import safe_name


@pytest.fixture
def maker(api: Api) -> Api:
    """An operator asks."""
    api.sign_in(Role.OPERATOR)
    return api


@pytest.fixture
def message(firm_folder: Path) -> bytes:
    """A depository's statement of a later day."""
    return dtc_statement(Firm(firm_folder), "795", day="20261005").read_bytes()


def send(api: Api, *files: tuple[str, bytes], path: str = "/statements", field: str = "file", **query: str) -> Response:
    """Send files."""
    parts = [(field, (name, data)) for name, data in files]
    return api.client.post(PREFIX + path, files=parts, headers=new_key(), params=query)


def test_a_statement_is_stored_under_its_digest(maker: Api, message: bytes) -> None:
    before = maker.get("/statements").json()["total"]
    maker.time = maker.time.replace(day=6)
    answer = send(maker, ("DTC.fin", message), as_of="2026-10-05")
    assert (answer.status_code, answer.json()["stored"]) == (200, True), answer.text
    (stored,) = answer.json()["statements"]
    digest = hashlib.sha256(message).hexdigest()
    assert [(each["name"], each["sha256"]) for each in stored["messages"]] == [("DTC.fin", digest)]
    assert maker.get("/statements").json()["total"] == before + 1
    assert maker.get(f"/statements/messages/{digest}").json()["message"] == message.decode()
    again = send(maker, ("Renamed.fin", message))
    assert (again.json()["stored"], again.json()["known"]) == (False, ["Renamed.fin"])
    assert maker.items("/journal", limit=1)[0]["actor"] == "ops.maker"


def test_what_is_wrong_is_listed_and_nothing_stored(maker: Api, message: bytes, firm_store: Store) -> None:
    head = firm_store.head()
    for files, code in (
        ([("x.fin", message[:-200])], "files-refused"),
        ([("x.fin", message.replace(b":16R:GENL", b":16R:ELSE", 1))], "files-refused"),
        ([("x.csv", b"not a statement\n")], "files-refused"),
        ([("x.fin", message), ("y.csv", b"a,b\n")], "bad-input"),
        ([("x.fin", message), ("y.fin", message)], "bad-input"),
        ([("x.fin", b"")], "bad-input"),
        ([], "wrong-media-type"),
    ):
        refused = send(maker, *files)
        assert refused.json()["code"] == code, refused.text
        assert refused.status_code in (415, 422)
    assert send(maker, ("x.fin", message), field="document").status_code == 422
    assert send(maker, ("x.fin", message), as_of="2026-10-02").json()["code"] == "files-refused"
    assert firm_store.head() == head


@pytest.mark.fault("F18")
def test_more_than_the_limit_is_refused_before_it_is_read(firm_settings: Settings, message: bytes) -> None:
    web = firm_settings.web.model_copy(update={"body_bytes_max": 4_096})
    api = Api(firm_settings.model_copy(update={"web": web}))
    api.sign_in(Role.OPERATOR)
    with api.client:
        large = send(api, ("x.fin", message + b" " * 4_096))
        assert (large.status_code, large.json()["code"]) == (413, "too-large")
        assert send(api, ("x.csv", b"x\n")).status_code == 422, "a small one is read"


@pytest.mark.fault("F18")
def test_what_says_nothing_of_its_length_is_counted(firm_settings: Settings) -> None:
    web = firm_settings.web.model_copy(update={"body_bytes_max": 4_096})
    api = Api(firm_settings.model_copy(update={"web": web}))
    api.sign_in(Role.OPERATOR)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    given: list[int] = []

    async def chunks() -> AsyncIterator[bytes]:
        yield head
        for number in range(1_000):
            given.append(number)
            yield b"x" * 1_024

    status = asyncio.run(posted(api.app, chunks(), dict(api.client.headers), dict(api.client.cookies)))
    assert status == 413
    assert len(given) < 10, "it stops reading"


async def posted(app: FastAPI, chunks: AsyncIterator[bytes], headers: dict[str, str], cookies: dict[str, str]) -> int:
    """The status of an upload that comes piece by piece."""
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    sent = headers | {"host": "localhost", "cookie": cookie} | new_key()
    sent["content-type"] = "multipart/form-data; boundary=b"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": PREFIX + "/statements", "raw_path": b"", "query_string": b"", "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    statuses: list[int] = []

    async def receive() -> dict[str, object]:
        try:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}

    async def send_(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(int(str(message["status"])))

    await app(scope, receive, send_)  # type: ignore[arg-type]
    return statuses[0]


@pytest.mark.fault("F18")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system32\\x.csv", "x.csv"),
        ("..", "file"),
        ("", "file"),
        (".htaccess", "htaccess"),
        ("a\x00b\n<script>.csv", "a_b_script_.csv"),
        ("über/straße.csv", "stra_e.csv"),
        ("x" * 300 + ".fin", "x" * 76 + ".fin"),
    ],
)
def test_a_name_is_a_name_and_no_path(sent: str, kept: str) -> None:
    assert safe_name(sent, b"", set()) == kept


def test_two_files_of_one_name_have_two_names() -> None:
    taken = {"x.csv"}
    second = safe_name("x.csv", b"data", taken)
    assert second.endswith("-x.csv")
    assert safe_name("x.csv", b"data", taken | {second}) not in taken | {second}


@pytest.mark.fault("F18")
def test_documents_of_a_case(maker: Api) -> None:
    case_id = maker.items("/cases")[0]["case_id"]
    path = f"/cases/{case_id}/attachments"
    answer = send(maker, ("../answer.txt", b"The bank's answer."), path=path, text="What they said.")
    assert answer.status_code == 201, answer.text
    (kept,) = answer.json()["attachments"]
    assert (kept["name"], kept["sha256"]) == ("answer.txt", hashlib.sha256(b"The bank's answer.").hexdigest())
    got = maker.get(f"{path}/{kept['sha256']}")
    assert (got.content, got.headers["content-type"]) == (b"The bank's answer.", "application/octet-stream")
    assert got.headers["content-disposition"].startswith("attachment")
    for name, data in (("x.html", b"<script>alert(1)</script>"), ("x.exe", b"MZ\x00"), ("x.txt", b"\x00\x01")):
        assert send(maker, (name, data), path=path).status_code == 422, name
    assert send(maker, ("a.txt", b"a"), ("b.txt", b"b"), path=path).status_code == 422
    assert maker.get(f"{path}/{'0' * 64}").status_code == 404
