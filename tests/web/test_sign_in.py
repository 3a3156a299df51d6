"""Signing in with a password and a second factor, and setting that up with a one-time code."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from starlette.testclient import TestClient

from tests.web.conftest import Site
from tests.web.people import PASSWORD, RealSite, digits, enrol, form_token


@pytest.mark.fault("F9")
def test_the_first_administrator_comes_by_a_one_time_code(real: RealSite) -> None:
    browser = real.browser()
    code = real.first_code()
    answer, secret = enrol(real, browser, code, login="first", person_id="ops.first", name="First One")
    assert answer.status_code == 200, answer.text
    assert len(re.findall(r"<li><code>[a-z0-9-]{14}</code>", answer.text)) == 10
    (person,) = real.store.people()
    assert (person.person_id, [role.value for role in person.roles]) == ("ops.first", ["administrator"])
    assert real.who(browser) == "ops.first"
    assert secret
