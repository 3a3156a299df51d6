"""Without the consensus library nothing here can run: skipped and said so, or failed where a build must not skip."""

from __future__ import annotations

import importlib.util
import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def library() -> None:
    if importlib.util.find_spec("pbk") is None:
        text = "the consensus library (extra bitcoin) is not installed"
        if os.environ.get("CI", "").lower() not in ("", "0", "false", "no"):
            pytest.fail(text, pytrace=False)
        pytest.skip(text)
