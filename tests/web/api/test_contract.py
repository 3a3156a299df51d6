"""The API keeps to its own document: schemathesis asks every operation what it may be asked, and what it may not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from tests.cli.command import custody
from tests.web.api.conftest import Api
from verifier.accounts.roles import Role
from verifier.web.api.openapi import document

EXAMPLES = 5
ENDLESS = {"/api/v1/events"}
"""Streams are tried in `test_events`."""
ALWAYS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
SENT = ("method", "url", "headers", "params", "json", "files", "data", "content")


@pytest.fixture(scope="module")
def everybody(shared_api: Api) -> Api:
    """The API before somebody who has every role."""
    shared_api.sign_in(*Role)
    return shared_api


def test_the_document_is_openapi_and_says_who_may_ask(everybody: Api) -> None:
    made = everybody.get("/openapi.json").json()
    assert made == json.loads(json.dumps(document()))
    assert made["openapi"].startswith("3.1")
    assert set(made["components"]["securitySchemes"]) == {"bearer", "session"}
    operations = [each for path in made["paths"].values() for each in path.values()]
    assert len(operations) > 60
    for each in operations:
        assert each["security"] == [{"bearer": []}, {"session": []}]
        assert each["x-access"] in each["description"]
        assert len(each["description"].split("\n\n")[0]) > 15, each["operationId"]
        assert each["responses"]["default"]["content"].keys() == {"application/problem+json"}
    assert len({each["operationId"] for each in operations}) == len(operations)


def test_every_change_names_itself(everybody: Api) -> None:
    for path, operations in document()["paths"].items():
        assert set(operations) <= {"get", "post"}, path
        for method, operation in operations.items():
            headers = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
            assert ("Idempotency-Key" in headers) == (method == "post"), path


def test_the_command_writes_the_document(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    assert custody("web", "--openapi", file).code == 0
    assert json.loads(file.read_text(encoding="utf-8")) == document()
    assert custody("web", "--openapi", file).code == 2, "what is there is not overwritten"


def operations() -> list[tuple[str, str]]:
    """Path and method of every operation that ends by itself."""
    return [(path, method) for path, found in document()["paths"].items() if path not in ENDLESS for method in found]


@pytest.fixture(scope="module")
def schema() -> Any:
    """What schemathesis makes of the document; who asks is not its business here."""
    made = copy.deepcopy(document())
    for found in made["paths"].values():
        for operation in found.values():
            operation.pop("security")
    return schemathesis.openapi.from_dict(made)


@pytest.mark.fault("F23")
@pytest.mark.parametrize(("path", "method"), operations())
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_every_operation_keeps_to_it(everybody: Api, schema: Any, path: str, method: str, mode: GenerationMode) -> None:
    names = (*ALWAYS, "negative_data_rejection") if mode is GenerationMode.NEGATIVE else ALWAYS
    checks, statuses = CHECKS.get_by_names(names), list[int]()

    @given(schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://localhost")
        if isinstance(sent.get("data"), (bytes, str)):
            sent["content"] = sent.pop("data")
        if sent.get("files"):
            sent["files"] = [(name, each if isinstance(each, tuple) else str(each)) for name, each in sent["files"]]
        given_ = {name: sent[name] for name in SENT if sent.get(name) is not None}
        request = everybody.client.build_request(**given_)
        request.read()
        response = everybody.client.send(request)
        statuses.append(response.status_code)
        case.validate_response(response, checks=checks)

    try:
        run()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing can be asked"
        assert "{" not in path, "there is nothing that it may not be asked"
        return
    assert statuses
    if mode is GenerationMode.NEGATIVE:
        assert max(statuses) < 500
