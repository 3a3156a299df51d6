"""The examples of docs/api.md are sent, one after the other, and what comes back holds what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.web.api.conftest import Api
from verifier.accounts.roles import Role
from verifier.store.request_store import KEPT
from verifier.web.api.asking import LIMIT_MAX
from verifier.web.api.openapi import document
from verifier.web.live import CLIENTS_MAX, STREAM_SECONDS

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```http\n(.*?)```(?:\n```json\n(.*?)```)?", TEXT, re.DOTALL)


def holds(told: Any, expected: Any) -> bool:
    """Whether everything that is expected is told; lists may be longer."""
    if isinstance(expected, dict):
        return isinstance(told, dict) and all(name in told and holds(told[name], expected[name]) for name in expected)
    if isinstance(expected, list):
        return isinstance(told, list) and all(holds(*each) for each in zip(told, expected, strict=False))
    return bool(told == expected)


def test_the_examples_are_answered_as_the_page_says(api: Api) -> None:
    api.sign_in(Role.OPERATOR)
    for request, answer in EXAMPLES:
        head, _, body = request.partition("\n\n")
        line, *headers = head.splitlines()
        method, url = line.split(" ", 1)
        told = api.client.request(
            method,
            url.strip(),
            headers=dict(each.split(": ", 1) for each in headers),
            json=json.loads(body) if body else None,
        )
        assert told.status_code < 500, request
        if answer:
            assert holds(told.json(), json.loads(answer)), (request, told.text)
    assert len(EXAMPLES) >= 6
    assert sum(bool(answer) for _, answer in EXAMPLES) >= 6


def test_that_something_else_would_be_noticed() -> None:
    assert holds({"a": 1, "b": [{"c": 2}]}, {"b": [{"c": 2}]})
    assert not holds({"a": 1}, {"a": 2})
    assert not holds({"b": [{"c": 3}]}, {"b": [{"c": 2}]})
    assert not holds({}, {"a": None})


def test_paths_and_figures_of_the_page() -> None:
    paths = {re.sub(r"{.*?}", "ID", path) for path in document()["paths"]}
    for named in re.findall(r"`(?:GET|POST) (/api/v1[^`\s?]*)", TEXT):
        assert named in paths | {"/api/v1/openapi.json"}, named
    assert f"a limit above {LIMIT_MAX}" in TEXT
    assert (KEPT.days, STREAM_SECONDS, CLIENTS_MAX) == (7, 300.0, 200)
