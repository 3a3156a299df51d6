"""Channels before real servers on this machine: what is refused before anything is sent, and what arrives."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr, ValidationError

from tests.verifier.alerts.receiver import Receiver, receiver
from tests.verifier.statement_sources.server import Authority
from verifier.alerts import chat, mail, webhook, wording
from verifier.alerts.channel import NotSent
from verifier.alerts.records import Alert, AlertEvent, Message, NewAlert, Severity
from verifier.errors import ConfigError
from verifier.settings.alerts import AlertSettings

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
CANARY = "canary5d1f7a"
EVIL = "CASE-1 <b>\r\nBcc: thief@example.com\x1b[31m\u202e &"


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as kept:
        yield kept


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ALERT_SECRET", "whsec_" + base64.b64encode(bytes(32)).decode())
    return "ALERT_SECRET"


def hook(url: str, secret: str, **more: Any) -> AlertSettings:
    given: dict[str, Any] = {"name": "ops", "kind": "webhook", "url": SecretStr(url), "secret_env": secret}
    return AlertSettings(**{**given, "hosts": ["127.0.0.1"], "seconds_max": 5.0, **more})


def message(title: str = "CASE-1 shortfall") -> Message:
    new = NewAlert(AlertEvent.CASE_OPENED, Severity.BREACH, title, "of client C-1001", "CASE-1", "eip155:1")
    return Message("msg_1", "ops", (Alert(1, 7, NOW, new),))


@pytest.mark.fault("F13")
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/in",
        "ftp://127.0.0.1/in",
        "file:///etc/passwd",
        "https://other.example/in",
        "https://127.0.0.1.other.example/in",
        "https://127.0.0.1@other.example/in",
        "https://[::1/in",
    ],
)
def test_a_url_off_the_list_is_refused_before_anything_is_sent(url: str, secret: str) -> None:
    with pytest.raises(ConfigError) as refused:
        webhook.send(hook(url, secret, inside=True, hosts=["127.0.0.1", "hooks.example"]), "msg_1", b"{}", NOW)
    assert url not in str(refused.value)


@pytest.mark.fault("F13")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_a_host_that_is_this_machine_is_refused_unless_it_may_be(there: Receiver, secret: str, host: str) -> None:
    port = there.url.rpartition(":")[2]
    names = ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1"]
    with pytest.raises(NotSent) as refused:
        webhook.send(hook(f"https://{host}:{port}/in", secret, hosts=names), "msg_1", b"{}", NOW)
    assert refused.value.code in ("address", "connection")
    assert not there.posts


@pytest.mark.fault("F13")
def test_the_same_host_is_asked_where_it_may_be(there: Receiver, secret: str) -> None:
    webhook.send(hook(f"{there.url}/in", secret, inside=True), "msg_1", b"{}", NOW)
    assert there.ids == ["msg_1"]


@pytest.mark.fault("F13")
def test_a_redirect_is_not_followed(there: Receiver, secret: str) -> None:
    there.answers = [307]
    with pytest.raises(NotSent, match="redirect"):
        webhook.send(hook(f"{there.url}/in", secret, inside=True), "msg_1", b"{}", NOW)
    assert len(there.posts) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 500])
def test_only_a_status_of_success_is_sent(there: Receiver, secret: str, status: int) -> None:
    there.answers = [status]
    with pytest.raises(NotSent):
        webhook.send(hook(f"{there.url}/in", secret, inside=True), "msg_1", b"{}", NOW)


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the specification's reference libraries."""
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    said = webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(ConfigError):
        webhook.signature("whsec_c2hvcnQ=", "msg_1", at, b"")


@pytest.mark.fault("F12")
def test_text_from_outside_stays_text() -> None:
    evil = message(EVIL)
    [line] = wording.lines(evil, "https://custody.example", details=False)
    for text in (line, wording.subject(evil, "Example LLC")):
        assert text.isprintable()
        assert "\n" not in text
    assert "C-1001" not in line
    assert "C-1001" in wording.lines(evil, "", details=True)[0]


def test_a_long_message_says_how_many_it_left_out() -> None:
    many = Message("msg_1", "ops", message().alerts * 60)
    found = wording.lines(many, "", details=False)
    assert len(found) == wording.SHOWN_MAX + 1
    assert found[-1].startswith("and 10 more")
    assert wording.subject(many, "Example LLC").endswith("and 59 more")


class Box:
    """Keeps the mails a server accepted."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        return "250 kept"


class AnyPort(Controller):
    """On a port that the system chose."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.new("Authority of the tests")


@pytest.fixture
def box(authority: Authority, tmp_path: Path) -> Iterator[tuple[Box, int]]:
    """A mail server with STARTTLS that wants a login."""
    pem = authority.issue(tmp_path, "server")
    authority.file(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def login(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == CANARY.encode()
        return AuthResult(success=right, handled=False) if not right else AuthResult(success=True)

    kept = Box()
    controller = AnyPort(
        kept,
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        require_starttls=True,
        authenticator=login,
        auth_required=True,
    )
    controller.start()
    try:
        yield kept, controller.port
    finally:
        controller.stop()


def post(port: int, folder: Path, **more: Any) -> AlertSettings:
    word = folder / "word"
    word.write_text(more.pop("password", CANARY))
    given: dict[str, Any] = {
        "name": "mail",
        "kind": "email",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_user": "custody",
        "smtp_password_file": word,
        "sender": "custody@example.com",
        "recipients": ["ops@example.com", "cco@example.com"],
        "ca_file": folder / "authority.pem",
    }
    return AlertSettings(**{**given, **more})


def test_a_mail_arrives_encrypted_and_signed_in(box: tuple[Box, int], tmp_path: Path) -> None:
    kept, port = box
    title = wording.subject(message(EVIL), "Example LLC")
    lines = wording.lines(message(EVIL), "https://custody.example", details=False)
    mail.send(post(port, tmp_path), "msg_1", title, lines, NOW)
    [arrived] = kept.mails
    text = arrived.original_content or b""
    assert sorted(arrived.rcpt_tos) == ["cco@example.com", "ops@example.com"]
    assert b"Message-ID: <msg_1@example.com>" in text
    assert b"\nBcc:" not in text


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    ("more", "code"),
    [({"password": f"{CANARY}-wrong"}, "smtp-login"), ({"ca_file": None}, "certificate")],
)
def test_a_mail_is_not_sent_to_who_is_not_believed(
    box: tuple[Box, int], tmp_path: Path, more: dict[str, Any], code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    kept, port = box
    with pytest.raises(NotSent) as refused:
        mail.send(post(port, tmp_path, **more), "msg_1", "title", ["line"], NOW)
    assert refused.value.code == code
    assert not kept.mails
    assert CANARY not in "".join(capfd.readouterr())


def talk(url: str, **more: Any) -> AlertSettings:
    given: dict[str, Any] = {"name": "room", "kind": "chat", "url": SecretStr(url), "hosts": ["127.0.0.1"]}
    return AlertSettings(**{**given, "seconds_max": 5.0, **more})


def test_a_chat_is_posted_through_its_library(there: Receiver) -> None:
    url = there.url.replace("http://", "json://")
    chat.send(talk(f"{url}/{CANARY}", inside=True), "title", ["line one", "line two"])
    [(_, body)] = there.posts
    assert b"line two" in body


@pytest.mark.fault("F13")
def test_a_chats_redirect_is_not_followed(there: Receiver) -> None:
    there.answers = [307]
    with pytest.raises(NotSent):
        chat.send(talk(there.url.replace("http://", "json://"), inside=True), "title", ["line"])
    assert len(there.posts) == 1


@pytest.mark.fault("F13")
@pytest.mark.parametrize("url", ["jsons://127.0.0.1/in", "jsons://[::ffff:127.0.0.1]/in", "jsons://169.254.169.254/"])
def test_a_chats_host_inside_is_refused(url: str) -> None:
    with pytest.raises(NotSent, match="address"):
        chat.send(talk(url, hosts=["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254"]), "title", ["line"])


@pytest.mark.fault("F13", "F14")
@pytest.mark.parametrize("scheme", ["json", "jsons", "syslog", "dbus", "mailto", "windows", "https"])
def test_a_chat_that_is_not_on_the_list_is_refused(scheme: str) -> None:
    with pytest.raises(ConfigError) as refused:
        chat.send(talk(f"{scheme}://other.example/{CANARY}"), "title", ["line"])
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "webhook", "url": "https://a.example", "hosts": ["a.example"]},
        {"kind": "webhook", "secret_env": "S", "hosts": ["a.example"]},
        {"kind": "webhook", "url": "https://a.example", "secret_env": "S"},
        {"kind": "chat"},
        {"kind": "email", "smtp_host": "a.example", "sender": "a@a.example"},
        {"kind": "email", "smtp_host": "a.example", "sender": "a@a", "recipients": ["b@b"], "smtp_security": "none"},
        {"kind": "email", "smtp_host": "a.example", "sender": "a@a", "recipients": ["b@b\r\nBcc: c@c"]},
        {"kind": "email", "smtp_host": "a.example", "sender": "a@a", "recipients": ["b@b"], "smtp_user": "u"},
        {"kind": "chat", "url": "slack://a/b/c", "quiet_from": "22:00"},
    ],
)
def test_a_section_that_cannot_work_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AlertSettings(name="ops", **given)
