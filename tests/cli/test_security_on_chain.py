"""A crypto asset security that is stolen, from a real chain to every rail, the one status, and the auditor's bundle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilProcess
from tests.cli.clock import turned_clock
from tests.cli.command import Firm
from tests.cli.custodians import CUSIP_APPLE
from tests.cli.scene import Scene
from tests.cli.test_reserve import FILES as RESERVE
from tests.cli.test_reserve import month_ends
from tests.verifier.custodians.write import APPLE, Line, Page, mt535
from verifier.demo.books import location, token_id
from verifier.demo.world import tbx

pytestmark = [pytest.mark.devnet]

DAY = "2026-10-02"
FRIDAY, MONDAY = datetime(2026, 10, 2, 18, 0, tzinfo=UTC), datetime(2026, 10, 5, 16, 0, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The clock of every command."""
    return turned_clock(monkeypatch, FRIDAY)


@pytest.fixture
def friday(
    anvil_binary: Path, tmp_path: Path, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    """The demonstration's firm on a chain of that Friday."""
    monkeypatch.chdir(tmp_path)
    begin = int(FRIDAY.timestamp()) - 300
    with AnvilProcess(binary=anvil_binary, arguments=["--timestamp", str(begin)]) as process:
        yield Scene.set_up(process.node, tmp_path / "firm")


def keep_books(scene: Scene) -> None:
    """Friday's books: 56.25 of the token and 100 shares, all fully paid; cash that the reserve accounts cover."""
    world, token = scene.world, token_id(scene.world, scene.world.tbx)
    omnibus, segregated = location(world, world.omnibus), location(world, world.client_1005)
    at = f"{DAY}T20:00:00Z"
    texts = RESERVE | {
        "focus_history.csv": month_ends(),
        "assets.csv": "asset_id,symbol,decimals,legal_class,legal_class_from,legal_class_reference,dust_limit\n"
        f"{CUSIP_APPLE},AAPL,0,security,2025-01-02,MEMO-1,\n",
        "custodian_accounts.csv": "location,effective_from,custodian,account,held_for,titling,currency,statement_due,"
        "reference\ndtc:0123,2026-01-02,DTC,0123,both,The firm,USD,08:00,Agreement\n",
        "allocations.csv": "client_id,account_class,location,asset_id,quantity,as_of\n"
        f"C-1001,customer,dtc:0123,{CUSIP_APPLE},100,{at}\n",
        "control_locations.csv": "location,effective_from,paragraph,evidence_on,reference,valid_until\n"
        + "".join(
            f"{place},2025-01-02,{paragraph},2025-01-02,Paper,\n"
            for place, paragraph in ((omnibus, "b1"), (segregated, "b1"), ("dtc:0123", "c1"))
        ),
        "accounts.csv": "as_of,account_id,client_id,holder_class,account_type,credit_balance,debit_balance\n"
        f"{DAY},A-1,C-1001,customer,cash,700000.00,0.00\n{DAY},A-5,C-1005,customer,cash,0.00,0.00\n"
        f"{DAY},A-P,B-2001,pab,cash,80000.00,0.00\n",
        "stock_record.csv": "as_of,line_id,security_id,place,side,quantity,price,account_id,location\n"
        f"{DAY},L-1,{token},account,long,14.25,100.00,A-1,\n{DAY},L-2,{token},account,long,42,100.00,A-5,\n"
        f"{DAY},L-3,{token},box,short,14.25,100.00,,{omnibus}\n{DAY},L-4,{token},box,short,42,100.00,,{segregated}\n"
        f"{DAY},L-5,{CUSIP_APPLE},account,long,100,200.00,A-1,\n"
        f"{DAY},L-6,{CUSIP_APPLE},depository,short,100,200.00,,dtc:0123\n",
        "books_close.csv": "as_of,file,rows,total,reference\n"
        f"{DAY},accounts,3,780000.00,Close\n{DAY},stock_record,6,312.5,Close\n"
        + "".join(f"{DAY},{name},0,0,Close\n" for name in ("clearing_margin", "liens", "other_amounts")),
    }
    folder = scene.firm.path("monday")
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    answer = scene.firm("import", folder)
    assert answer.code == 0, answer.out + answer.err
    statement = scene.firm.path("dtc.fin")
    statement.write_bytes(mt535(Page([Line(APPLE, "100")], day="20261002")).encode())
    assert scene.firm("statement", "import", statement, "--as-of", DAY).code == 0


def run_rails(firm: Firm) -> tuple[int, int, int]:
    """The exit codes of the comparison with custodians, of the reserve, and of the control review."""
    reconciled = firm("reconcile", "--as-of", DAY, "--json").code
    computed = firm("reserve", "compute", "--as-of", DAY, "--json").code
    return reconciled, computed, firm("control", "review", "--as-of", DAY, "--json").code


def forge(source: Path, target: Path, old: bytes, new: bytes) -> None:
    """The bundle with another figure in its reviews."""
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
        for member in before.infolist():
            data = before.read(member)
            after.writestr(member, data.replace(old, new) if "possession_reviews" in member.filename else data)


def test_a_stolen_security_is_a_control_deficit_and_in_the_bundle(friday: Scene, clock: list[datetime]) -> None:
    firm, world = friday.firm, friday.world
    token = token_id(world, world.tbx)
    world.pay(world.tbx, world.omnibus, world.stranger, tbx("5"))
    assert friday.sweep().code == 1
    clock[0] = MONDAY
    keep_books(friday)
    assert run_rails(firm) == (0, 0, 1)
    found = firm("control", "show", "--issue", token, "--json").json
    (issue,) = found["issues"]
    figures = [issue[name] for name in ("required", "control", "deficit")]
    assert figures == [str(tbx(each)) for each in ("56.25", "51.25", "5")]
    assert [(each["counted"], each["cause"]) for each in issue["lines"] if each["cause"]] == [
        (str(tbx("9.25")), "less_observed")
    ]
    shown = firm("status", "--json").json
    assert shown["statuses"] == ["segregation_exception", "control_deficit", "unverified"]
    assert shown["rails"] == ["digital", "securities", "cash", "control"]
    said = f"{issue['security_id']} is short of possession or control by 5"
    assert [each for each in shown["reasons"] if each.startswith(said)]
    path = friday.export()
    verified = friday.verify(path)
    assert verified.code == 0, verified.out
    compared = {each["number"]: each["compared"] for each in verified.json["checks"]}
    assert min(compared[number] for number in (23, 27, 28)) > 0
    with zipfile.ZipFile(path) as file:
        (record,) = map(json.loads, file.read("records/possession_reviews.jsonl").splitlines())
    assert record["review_id"] == "PR-000001"
    forged = firm.path("forged.zip")
    forge(path, forged, str(tbx("5")).encode(), str(tbx("4")).encode())
    refused = friday.verify(forged)
    assert refused.code == 1, refused.out


def test_without_the_theft_every_rail_agrees_once_today_is_seen(friday: Scene, clock: list[datetime]) -> None:
    firm = friday.firm
    clock[0] = MONDAY
    keep_books(friday)
    reviewed = firm("control", "review", "--as-of", DAY, "--json")
    token = reviewed.json["projected"]["unverified"]
    assert (reviewed.code, reviewed.json["last"]["unverified"], len(token)) == (2, [], 1)
    friday.world.node.rpc("evm_setNextBlockTimestamp", int(MONDAY.timestamp()) - 60)
    assert friday.sweep().code == 0
    assert run_rails(firm) == (0, 0, 0)
    assert firm("status", "--json").json["statuses"] == ["unverified"]  # what was open stays so until two people say
    opened = firm("cases", "list", "--json").json["cases"]
    assert {each["kind"] for each in opened} == {"unverified"}
    say = ("--text", "Run by now.")
    for each in opened:
        case = each["case_id"]
        assert firm("cases", "propose", case, *say, "--actor", "ops.maker").code == 0
        assert firm("cases", "approve", case, *say, "--actor", "ops.checker").code == 0
    shown = firm("status", "--json")
    assert (shown.code, shown.json["statuses"]) == (0, ["compliant"]), shown.json["reasons"]
    assert friday.verify(friday.export()).code == 0
