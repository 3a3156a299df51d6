"""The auditor's machine has other paths, another language, clock zone and order of sets: the report is the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance_bundles.firm import READERS, TRUSTED
from tests.conformance_bundles.make import ORDER
from tests.conformance_bundles.recipe import RECIPES

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
from datetime import datetime, UTC
from pathlib import Path
from exports.trust import TrustedKeys
from exports.report import report_text
from exports.verify import verify_bundle
sys.stdout.reconfigure(encoding="utf-8")
keys, now = TrustedKeys.parse(Path(sys.argv[1]).read_bytes()), datetime(2026, 2, 2, tzinfo=UTC)
for bundle in sys.argv[2:]:
    report = verify_bundle(Path(bundle), keys, now=now, **CHANGES)
    print(json.dumps(report.to_dict()), report_text(report))
"""
NEEDED = "import exports.verify, exports.report"
BUNDLES = ("names-of-all-scripts", "balances-proven", "debt-netted", "expected-one-more", "grant-left-out", "truncated")
PLAIN = {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1"}
TURKISH = {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "4711"}
NO_UTF8 = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
MACHINES: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "another language, clock zone and order of sets": (TURKISH, "a", []),
    "no UTF-8 and other paths": (NO_UTF8, "Prüfung 2026 – Ordner mit Leerzeichen", []),
    "without assertions": ({}, "a", ["-O"]),
}


UNSPELT = PROGRAM.replace("**CHANGES", "spelling=lambda *asked: None")
"""The program where this project is not installed, and so no chain adapter is found."""


def told(
    folder: Path,
    environment: dict[str, str],
    options: list[str],
    program: str = PROGRAM.replace("**CHANGES", ""),
    python: str = sys.executable,
) -> bytes:
    """The reports on all bundles, made by a process of its own in another folder."""
    folder.mkdir(exist_ok=True)
    keys = folder / "keys.json"
    keys.write_bytes(READERS[TRUSTED].to_bytes())
    paths = [folder / f"{name}.zip" for name in BUNDLES]
    for name, path in zip(BUNDLES, paths, strict=True):
        path.write_bytes(RECIPES[name].make().data)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT")}
    run = subprocess.run(
        [python, "-W", "error", *options, "-c", program, str(keys), *map(str, paths)],
        capture_output=True,
        cwd=folder,
        env={**kept, **PLAIN, **environment, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr.decode("utf-8", "replace")
    return run.stdout


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return told(tmp_path_factory.mktemp("here"), {}, [])


@pytest.mark.fault("E21")
@pytest.mark.parametrize("name", MACHINES)
def test_the_report_is_the_same_to_the_byte(name: str, tmp_path: Path, here: bytes) -> None:
    environment, folder, options = MACHINES[name]
    assert told(tmp_path / folder, environment, options) == here
    assert here.count(b'"verified": true') == 2
    assert {recipe.name for recipe in ORDER} >= set(BUNDLES)


def others() -> list[str]:
    """Interpreters of other versions on this machine that have the few packages that verifying needs."""
    versions = [f"3.{minor}" for minor in range(11, 14) if (3, minor) != sys.version_info[:2]]
    found = [path for version in versions if (path := shutil.which(f"python{version}"))]
    asked = {**os.environ, "PYTHONPATH": str(ROOT)}
    return [
        path for path in found if subprocess.run([path, "-c", NEEDED], env=asked, capture_output=True).returncode == 0
    ]


@pytest.mark.fault("E21")
def test_another_version_of_python_reports_the_same_to_the_byte(tmp_path: Path) -> None:
    if not (pythons := others()):
        pytest.skip("no other Python with what verifying needs")
    expected = told(tmp_path / "here", {}, [], UNSPELT)
    for number, python in enumerate(pythons):
        assert told(tmp_path / str(number), {}, [], UNSPELT, python) == expected, python
    assert expected.count(b'"verified": true') == 2
