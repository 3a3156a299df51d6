"""A bundle is verified from its page: every check is shown, one bundle at a time, and only the file that was issued."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.web.conftest import Site
from tests.web.test_dashboard import shown, store_of
from verifier.accounts.roles import Role
from verifier.web.api import bundles

pytestmark = pytest.mark.devnet
PATH = "/bundles/1/verify"


def test_the_page_shows_every_check_that_the_api_reports(full: Site) -> None:
    assert f'action="{PATH}"' in shown(full, "/bundles")
    report = full.client.get("/api/v1/bundles/1/verification").json()
    answer = full.client.post(PATH)
    assert answer.status_code == 200, answer.text
    numbers = [int(each) for each in re.findall(r'data-name="Number">([0-9]+)<', answer.text)]
    assert numbers == [each["number"] for each in report["checks"]]
    assert len(numbers) > 10
    assert report["verified"] is True
    assert "Bundle 1: verified" in answer.text
    assert answer.text.count("<span>passed</span>") == sum(each["status"] == "passed" for each in report["checks"])


@pytest.mark.fault("F21")
def test_one_at_a_time_and_only_by_whom_may_export(full: Site) -> None:
    with bundles._VERIFYING:
        assert full.client.post(PATH).status_code == 503
    assert full.client.post("/bundles/2/verify").status_code == 404
    full.sign_in(Role.ADMINISTRATOR)
    assert full.client.post(PATH).status_code == 403
    full.sign_in(Role.AUDITOR, person="ann.auditor")
    assert full.client.post(PATH).status_code == 200
    del full.client.headers["X-CSRF-Token"]
    assert full.client.post(PATH).status_code == 403


def test_a_file_that_is_not_the_one_that_was_issued_is_not_called_verified(full: Site) -> None:
    store = store_of(full)
    path = Path(store.bundles()[0].path)
    store.close()
    given = path.read_bytes()
    try:
        path.write_bytes(given[:-1])
        answer = full.client.post(PATH)
    finally:
        path.write_bytes(given)
    assert answer.status_code == 404
    assert "not where it was written" in answer.text
    assert full.client.post(PATH).status_code == 200
