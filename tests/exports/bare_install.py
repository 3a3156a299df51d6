"""What an auditor installs: neither the verifier nor the mapping, no database, no web part, no network code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from exports.bundle import Bundle
from tests.exports.sample import Firm, write

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


def verified_alone(folder: Path, firm: Firm, bundle: Bundle, *absent: str) -> dict[str, Any]:
    """What such an install says of a bundle, and which modules it loaded; `absent` are more that are not there."""
    path, keys = write(folder, firm, bundle), folder / "keys.json"
    keys.write_bytes(firm.trusted.to_bytes())
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(path), str(keys), ",".join((ABSENT, *absent))],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def checked_alone(folder: Path, firm: Firm, bundle: Bundle, number: int) -> tuple[str, int]:
    """Status of one check and how much it compared, without a calendar of holidays too."""
    report = verified_alone(folder, firm, bundle, "holidays")["report"]
    (made,) = (each for each in report["checks"] if each["number"] == number)
    return made["status"], made["compared"]
