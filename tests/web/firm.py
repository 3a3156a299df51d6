"""A firm with something on every page: two sweeps of a real chain, books, a reserve that is short, a control deficit,
custodians' statements that differ, cases that people work on, and a bundle. All of it on one day that never changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chains.devnet.anvil import AnvilProcess
from chains.devnet.node import AnvilNode
from tests.cli.command import Answer, Firm, custody
from tests.cli.custodians import dtc_statement
from tests.cli.test_reserve import FILES as RESERVE_FILES
from tests.cli.test_reserve import month_ends
from verifier.demo import books
from verifier.demo.world import World, build_world, tbx, usdx

AT = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
"""Monday noon in New York: what is as of Friday is due."""
CHAIN_BEGINS = AT - timedelta(minutes=12)
DAY = "2026-10-02"
A, B = "cusip:037833100", "cusip:594918104"
EVIL = "<script>alert(1)</script>\"'&{{7*7}}"
"""A name that is text and nothing else (rows F11 and F12)."""

STOCK_HEAD = (
    "as_of,line_id,security_id,place,side,quantity,price,account_id,location,counterparty,reference,since,"
    "contract_value,collateral,confirmed_on,closed\n"
)
STOCK = (
    f"{DAY},L-1,{A},account,long,1000,200.00,A-1,,,,,,,,\n"
    f"{DAY},L-2,{A},account,long,500,200.00,M-1,,,,,,,,\n"
    f"{DAY},L-3,{B},account,long,500,400.00,M-1,,,,,,,,\n"
    f"{DAY},L-4,{A},depository,short,800,200.00,,dtc:0123,DTC,,,,,,\n"
    f"{DAY},L-5,{A},stock_loan,short,650,200.00,,,Borrower,,2026-09-30,130000.00,,,\n"
    f"{DAY},L-6,{A},bank_loan,short,50,200.00,,,,LIEN,2026-09-30,,,,\n"
    f"{DAY},L-7,{B},depository,short,500,400.00,,dtc:0123,DTC,,,,,,\n"
)
FILES = RESERVE_FILES | {
    "focus_history.csv": month_ends(),
    "clients.csv": f'client_id,name,opened_on,closed_on\nC-1,"{EVIL.replace(chr(34), chr(34) * 2)}",2025-01-02,\n'
    "C-2,Introducing broker Two,2025-01-02,\n",
    "assets.csv": (
        "asset_id,symbol,decimals,legal_class,legal_class_from,legal_class_reference,dust_limit\n"
        f"{A},AAPL,0,security,2025-01-02,LEGAL-1,\n{B},MSFT,0,security,2025-01-02,LEGAL-1,\n"
    ),
    "control_locations.csv": (
        "location,effective_from,paragraph,evidence_on,reference,valid_until\n"
        "dtc:0123,2025-01-02,c1,2025-01-02,Participant agreement,\n"
    ),
    "custodian_accounts.csv": (
        "location,effective_from,custodian,account,held_for,titling,currency,statement_due,reference\n"
        "dtc:0123,2026-01-02,DTC,0123,both,The firm,USD,08:00,Agreement\n"
    ),
    "allocations.csv": (
        "client_id,account_class,location,asset_id,quantity,as_of\n"
        f"C-1,customer,dtc:0123,{A},800,2026-10-02T20:00:00Z\n"
        f"C-1,customer,dtc:0123,{B},500,2026-10-02T20:00:00Z\n"
    ),
    "accounts.csv": (
        "as_of,account_id,client_id,holder_class,account_type,credit_balance,debit_balance\n"
        f"{DAY},A-1,C-1,customer,cash,1250000.00,0.00\n"
        f"{DAY},A-2,C-1,customer,margin,0.00,420000.00\n"
        f"{DAY},M-1,C-1,customer,margin,0.00,50000.00\n"
        f"{DAY},A-P,C-2,pab,cash,80000.00,0.00\n"
        f"{DAY},A-F,,firm,cash,0.00,0.00\n"
    ),
    "liens.csv": f"as_of,lien_id,lender,kind,amount\n{DAY},LIEN,Bank,firm,5000.00\n",
    "stock_record.csv": STOCK_HEAD + STOCK,
    "books_close.csv": (
        "as_of,file,rows,total,reference\n"
        f"{DAY},accounts,5,1800000.00,Close\n{DAY},stock_record,7,4000,Close\n{DAY},clearing_margin,0,0,Close\n"
        f"{DAY},liens,1,5000.00,Close\n{DAY},other_amounts,0,0,Close\n"
    ),
}


@dataclass(frozen=True)
class Template:
    """The firm as it was built once, to be copied."""

    folder: Path
    time: datetime
    """When everything was done."""
    wallet: str
    """Page of the wallet of many clients."""


class Clock:
    """The commands' clock; each look at it is a second later, so that nothing happens at the same moment."""

    def __init__(self) -> None:
        self.time = AT

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@contextmanager
def at_that_time() -> Iterator[Clock]:
    """Every command reads this clock."""
    custody("--help")  # every command's module is loaded
    clock = Clock()
    with pytest.MonkeyPatch.context() as patched:
        for name, module in list(sys.modules.items()):
            if name.startswith("verifier.cli") and hasattr(module, "now"):
                patched.setattr(module, "now", clock)
        yield clock


def build(binary: Path, folder: Path) -> Template:
    """The firm, on a chain of its own that is gone afterwards."""
    arguments = ["--timestamp", str(int(CHAIN_BEGINS.timestamp()))]
    with AnvilProcess(binary=binary, arguments=arguments) as process:
        return _build(process.node, folder)


def _build(node: AnvilNode, folder: Path) -> Template:
    with at_that_time() as clock:
        world = build_world(node)
        done(custody("init", "--dir", folder, "--devnet", node.url, "--firm", "Example Brokerage LLC"))
        firm = Firm(folder)
        books.write_books(world, folder / "books")
        done(firm("import", folder / "books"))
        (folder / "more").mkdir()
        for name, text in FILES.items():
            (folder / "more" / name).write_text(text, encoding="utf-8")
        done(firm("import", folder / "more"))
        world.confirm()
        done(firm("sweep", "--json"))
        done(firm("reserve", "compute", "--as-of", DAY, "--json"), 0, 1)
        done(firm("control", "review", "--as-of", DAY, "--json"), 0, 1)
        done(firm("statement", "import", dtc_statement(firm, "790", day="20261002")), 0, 1, 2)
        done(firm("reconcile", "--as-of", DAY, "--json"), 0, 1, 2)
        day_two(firm, world, folder)
        done(firm("export", "--out", firm.path("audit.zip"), "--json"))
        return Template(folder, clock.time, f"/wallets/{world.chain_id}/{world.omnibus}")


def day_two(firm: Firm, world: World, folder: Path) -> None:
    """What should not happen, and what people say of it."""
    world.pay(world.usdx, world.outside, world.omnibus, usdx("5000"))
    books.write_withdrawal_approval(world, folder / "day1")
    world.pay(world.usdx, world.omnibus, world.client_1001_own, usdx("50000"))
    books.write_movements(world, folder / "day1")
    done(firm("import", folder / "day1"))
    world.pay(world.usdx, world.omnibus, world.stranger, usdx("12345.678901"))
    world.pay(world.tbx, world.client_1005, world.treasury, tbx("2"))
    world.pay(world.tbx, world.outside, world.broker_2001, tbx("7500"))
    books.write_statement(world, folder / "day2")
    done(firm("import", folder / "day2"))
    world.confirm()
    found = done(firm("sweep", "--json"), 1)
    first, second, *_ = (case["case_id"] for case in firm("cases", "list", "--json").json["cases"])
    assert found.out
    said = (("comment", first, "ops.maker", f"Asked the desk. {EVIL}"), ("propose", first, "ops.maker", "Booked late."))
    for act, case_id, actor, text in (*said, ("explain", second, "ops.maker", "The lender returns it tomorrow.")):
        done(firm("cases", act, case_id, "--actor", actor, "--text", text))


def done(answer: Answer, *codes: int) -> Answer:
    """The answer, when its code is one of those expected."""
    assert answer.code in (codes or (0,)), answer.out + answer.err
    return answer
