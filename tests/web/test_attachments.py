"""Documents on a case's page: sent with its form, counted, cleaned, and given back to be saved."""

from __future__ import annotations

import hashlib
import re

import pytest
from httpx2 import Response

from tests.web.conftest import Site
from tests.web.test_dashboard import shown, store_of
from verifier.accounts.roles import Role
from verifier.rules.attachments import BYTES_MAX
from verifier.web.csrf import HEADER

pytestmark = pytest.mark.devnet
CASE = "CASE-000013"
PDF = b"%PDF-1.4 paid back"


@pytest.fixture(autouse=True)
def by_the_form(full: Site) -> None:
    """The token comes in the form alone, as a browser without a script of ours sends it."""
    del full.client.headers[HEADER]


def send(site: Site, name: str, data: bytes, case_id: str = CASE, **fields: str) -> Response:
    """Send the form of the page with a file."""
    page = shown(site, f"/cases/{case_id}")
    form = re.search(r'enctype="multipart/form-data">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    given = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', form[1])) | {"text": "The bank's answer."} | fields
    return site.client.post(f"/cases/{case_id}/attachments", data=given, files={"file": (name, data)})


@pytest.mark.fault("F18")
def test_a_document_is_attached_listed_and_saved_as_it_came(full: Site) -> None:
    assert send(full, "../../Antwort für uns.html", PDF).status_code == 303
    digest, page = hashlib.sha256(PDF).hexdigest(), shown(full, f"/cases/{CASE}")
    path = f"/cases/{CASE}/attachments/{digest}"
    for words in (f'href="{path}"', "Antwort für uns.html", "18 bytes", "application/pdf", "The bank&#39;s answer."):
        assert words in page, words
    got = full.client.get(path)
    assert (got.status_code, got.content) == (200, PDF)
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["x-content-type-options"] == "nosniff"
    said = got.headers["content-disposition"]
    assert said.startswith("attachment; filename=\"Antwort f_r uns.html.pdf\"; filename*=UTF-8''Antwort%20f%C3%BCr")
    assert full.client.get(f"/cases/CASE-000014/attachments/{digest}").status_code == 404, "another case has none"
    assert full.client.get(f"/cases/{CASE}/attachments/{'0' * 64}").status_code == 404
    full.sign_in(Role.AUDITOR, person="ann.auditor")
    assert full.client.get(path).status_code == 200
    full.sign_in(Role.ADMINISTRATOR)
    assert full.client.get(path).status_code == 403


def test_text_is_bytes_to_a_browser(full: Site) -> None:
    given = b'{"page": "<script>alert(1)</script>"}'
    assert send(full, "answer.json", given).status_code == 303
    got = full.client.get(f"/cases/{CASE}/attachments/{hashlib.sha256(given).hexdigest()}")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; ")


@pytest.mark.fault("F17", "F18")
def test_what_is_no_such_form_or_document_is_refused_and_nothing_is_attached(full: Site) -> None:
    for answer, status in (
        (send(full, "page.html", b"<html><script>alert(1)</script>"), 422),
        (send(full, "empty.pdf", b""), 422),
        (send(full, "a.pdf", PDF, actor="somebody.else"), 422),
        (send(full, "a.pdf", PDF, version="0"), 409),
        (send(full, "a.pdf", PDF, version="-1"), 422),
        (send(full, "a.pdf", PDF, text="x" * 1_001), 422),
        (send(full, "a.pdf", PDF, csrf_token="0" * 64), 403),
        (send(full, "big.pdf", b"%PDF-" + bytes(BYTES_MAX)), 413),
        (send(full, "huge.pdf", b"%PDF-" + bytes(BYTES_MAX + 128 * 1024)), 413),
    ):
        assert answer.status_code == status, answer.text
    full.sign_in(Role.AUDITOR, person="ann.auditor")
    sent = full.client.post(f"/cases/{CASE}/attachments", data={"version": "1"}, files={"file": ("a.pdf", PDF)})
    assert sent.status_code == 403
    store = store_of(full)
    assert store.case(CASE).attachments == ()
    store.close()
