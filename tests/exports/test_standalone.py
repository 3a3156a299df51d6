"""An auditor installs and runs this part alone: no database, scheduler or web part, and no network code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exports.sample import Firm, make_firm, sample_bundle, write

PROGRAM = """
import json, sys
BLOCKED = sys.argv[3].split(",")
for name in BLOCKED:
    sys.modules[name] = None
from datetime import datetime, UTC
from pathlib import Path
from exports.keys import load_trusted_keys
from exports.report import report_text
from exports.verify import verify_bundle
report = verify_bundle(Path(sys.argv[1]), load_trusted_keys(Path(sys.argv[2])), now=datetime(2026, 2, 2, tzinfo=UTC))
loaded = sorted({name.partition(".")[0] for name, module in sys.modules.items() if module is not None})
print(json.dumps({"report": report.to_dict(), "text": report_text(report), "loaded": loaded}))
"""
SERVER = "sqlmodel,sqlalchemy,alembic,apscheduler,psycopg,fastapi,starlette,uvicorn"
ABSENT = SERVER + ",web3,httpx,httpx2,bitcoinlib,verifier,mapping"


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


@pytest.mark.fault("E19")
def test_a_bundle_verifies_where_server_parts_are_absent(tmp_path: Path, firm: Firm) -> None:
    bundle, keys = write(tmp_path, firm, sample_bundle()), tmp_path / "keys.json"
    keys.write_bytes(firm.trusted.to_bytes())
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(bundle), str(keys), ABSENT],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["report"]["exit_code"] == 0, answer["text"]  # the installed chain adapter judged the spelling
    assert not set(answer["loaded"]) & {*ABSENT.split(","), "pytest", "hypothesis"}


def test_the_block_on_absent_parts_is_a_real_one() -> None:
    source = "import sys; sys.modules['sqlmodel'] = None; import sqlmodel"
    assert subprocess.run([sys.executable, "-c", source], capture_output=True).returncode == 1
