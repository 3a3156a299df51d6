"""The API over a firm before a real chain: holdings, sweeps, and a bundle that is asked for, fetched and verified."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilProcess
from tests.cli.scene import Scene
from tests.web.api.conftest import PREFIX, Api
from verifier.accounts.roles import Role
from verifier.config import load_settings
from verifier.store import Store, open_store
from verifier.web.api.answers import Json

pytestmark = pytest.mark.devnet


@pytest.fixture(scope="module")
def scene(anvil_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A firm after its clean day, and a payment that nobody approved."""
    begin = int(time.time()) - 600
    with AnvilProcess(binary=anvil_binary, arguments=["--timestamp", str(begin)]) as process:
        made = Scene.set_up(process.node, tmp_path_factory.mktemp("chain") / "firm")
        made.steal()
        assert made.sweep().code == 1
        yield made


@pytest.fixture(scope="module")
def site(scene: Scene) -> Iterator[Api]:
    """The API over it, and somebody with every role."""
    api = Api(load_settings(scene.firm.path("custody.toml")))
    api.time = datetime.now(UTC)
    api.sign_in(*Role, person="cco")
    with api.client:
        yield api


@pytest.fixture(scope="module")
def bundle(site: Api) -> Json:
    """The firm's first bundle, as it was asked for."""
    made = site.post("/bundles", {}, key="the-one-bundle")
    assert made.status_code == 201, made.text
    assert site.post("/bundles", {}, key="the-one-bundle").json() == made.json(), "asked for twice, made once"
    found: Json = made.json()
    return found


@pytest.fixture
def store(scene: Scene) -> Iterator[Store]:
    """The store behind it."""
    opened = open_store(load_settings(scene.firm.path("custody.toml")).database.url.get_secret_value())
    yield opened
    opened.close()


def test_what_the_command_says(site: Api, scene: Scene) -> None:
    told, commanded = site.get("/status").json(), scene.firm("status", "--json").json
    for name in ("statuses", "reasons", "rails", "open_cases"):
        assert told[name] == commanded[name]
    listed = {each["case_id"]: each["kind"] for each in site.items("/cases")}
    assert listed == {each["case_id"]: each["kind"] for each in scene.firm("cases", "list", "--json").json["cases"]}
    assert "unauthorized_transfer" in listed.values()
    mapping = scene.firm("map", "show", "--json").json["rows"]
    assert sorted(map(str, site.items("/mapping", limit=500))) == sorted(map(str, mapping))


def test_every_holding_is_accounted_for(site: Api) -> None:
    (chain,) = site.items("/chains")
    sweeps = site.items("/sweeps")
    newest = sweeps[0]
    assert (newest["sweep_id"], len(sweeps)) == (chain["sweep_id"], 2)
    holdings = site.items("/holdings", limit=500)
    counts = {status: sum(each["status"] == status for each in holdings) for status in ("matched", "diverged")}
    assert (len(holdings), counts["matched"], counts["diverged"]) == (
        newest["expected"], newest["matched"], newest["diverged"],
    )  # fmt: skip
    assert counts["diverged"] >= 1
    for each in holdings:
        assert int(each["difference"]) == int(each["observed"]) - int(each["claimed"]) - int(each["gas_float_observed"])
    diverged = site.items("/holdings", status="diverged")
    assert [each["status"] for each in diverged] == ["diverged"] * counts["diverged"]
    assert site.items("/holdings", sweep_id=sweeps[1]["sweep_id"], limit=500) != holdings
    assert site.items("/holdings", chain_id="eip155:9") == []
    covered = site.get(f"/chains/{chain['chain_id']}/coverage").json()
    assert (covered["chain_id"], covered["gaps"]) == (chain["chain_id"], [])
    asked = site.get(f"/chains/{chain['chain_id']}/encumbrances").json()
    assert asked["encumbrances"]["height"] == newest["height"]
    assert site.get(f"/sweeps/{newest['sweep_id']}").json() == newest


@pytest.mark.fault("F21")
def test_one_bundle_is_made_at_a_time(site: Api, store: Store) -> None:
    before = store.bundles()
    with store.leased("web:export"):
        busy = site.post("/bundles", {})
    assert (busy.status_code, busy.json()["code"]) == (503, "lease-held")
    assert store.bundles() == before


def test_a_bundle_is_asked_for_fetched_and_verified(
    site: Api, bundle: Json, scene: Scene, store: Store, tmp_path: Path
) -> None:
    (listed,) = site.items("/bundles")
    assert (listed["sequence"], listed["superseded"]) == (1, False)
    assert listed["sha256_of_manifest"] == bundle["sha256_of_manifest"]
    assert site.get("/bundles/1").json()["is_here"] is True
    fetched = tmp_path / "audit.zip"
    answer = site.client.get(f"{PREFIX}/bundles/1/file")
    fetched.write_bytes(answer.content)
    assert answer.headers["content-type"] == "application/zip"
    verified = scene.verify(fetched)
    assert verified.json["verified"] is True, verified.out
    report = site.get("/bundles/1/verification").json()
    assert (report["verified"], len(report["checks"])) == (True, len(verified.json["checks"]))
    assert store.bundles()[0].digest == listed["sha256_of_manifest"]


def test_a_bundle_that_shows_less(site: Api, bundle: Json, scene: Scene, tmp_path: Path) -> None:
    assert bundle["profile"] == "full"
    assert site.get("/bundles/1/file", profile="pseudonymous").status_code == 404
    made = site.post("/bundles", {"profile": "pseudonymous"})
    assert (made.status_code, made.json()["profile"]) == (201, "pseudonymous"), made.text
    fetched = tmp_path / "less.zip"
    fetched.write_bytes(site.get("/bundles/1/file", profile="pseudonymous").content)
    assert scene.verify(fetched, "--profile", "pseudonymous").json["verified"] is True
    refused = site.post("/bundles", {"profile": "pseudonymous", "since": {"eip155:31337": 1}})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-input")
    assert site.post("/bundles", {"profile": "everybody"}).status_code == 422


def test_a_file_that_was_exchanged_is_not_given_out(site: Api, bundle: Json, store: Store) -> None:
    assert store.bundles()[0].bundle_id == bundle["bundle_id"]
    path = Path(store.bundles()[0].path)
    data = path.read_bytes()
    try:
        path.write_bytes(b"PK" + hashlib.sha256(data).digest())
        for what in ("file", "verification"):
            assert site.get(f"/bundles/1/{what}").status_code == 404
        assert site.get("/bundles/1").json()["is_here"] is False
    finally:
        path.write_bytes(data)
    assert site.get("/bundles/1/file").status_code == 200
