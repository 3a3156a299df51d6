"""A broker-dealer with accounts at a depository, a bank and a prime broker, to try the custodian commands at."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.cli.command import Firm
from tests.verifier.custodians.write import APPLE, TREASURY, Line, Page, mt535

MONDAY: Final = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""Ten in the morning in New York; Friday's statements were due at eight."""

CUSIP_APPLE, CUSIP_TREASURY = f"cusip:{APPLE[2:11]}", f"cusip:{TREASURY[2:11]}"
BOOKS: Final = {
    "clients.csv": "client_id,name,opened_on\nC-1,Client One,2026-01-02\nC-2,Client Two,2026-01-02\n"
    "FIRM,The firm,2026-01-02\n",
    "assets.csv": "asset_id,symbol,decimals,legal_class,legal_class_from,legal_class_reference\n"
    f"{CUSIP_APPLE},AAPL,0,security,2026-01-02,Memo\n{CUSIP_TREASURY},T-BOND,2,security,2026-01-02,Memo\n"
    "iso4217:USD,USD,2,undetermined,2026-01-02,Memo\n",
    "custodian_accounts.csv": "location,effective_from,custodian,account,held_for,titling,currency,statement_due,"
    "reference\n"
    "dtc:0123,2026-01-02,DTC,0123,both,The firm,USD,08:00,Agreement\n"
    "bank:SAFE,2026-01-02,Example Bank,77-1,clients,For the exclusive benefit of customers,USD,08:00,Agreement\n",
    "allocations.csv": "client_id,account_class,location,asset_id,quantity,as_of\n"
    f"C-1,customer,dtc:0123,{CUSIP_APPLE},1000,2026-11-20T22:00:00Z\n"
    f"C-2,customer,dtc:0123,{CUSIP_APPLE},250,2026-11-20T22:00:00Z\n"
    f"C-2,customer,bank:SAFE,{CUSIP_TREASURY},5000.00,2026-11-20T22:00:00Z\n",
}


def keep_books(firm: Firm, **changes: str) -> None:
    """Import the books, some files changed (`allocations="..."`)."""
    folder = firm.path("books")
    folder.mkdir(exist_ok=True)
    for name, text in BOOKS.items():
        (folder / name).write_text(changes.get(name.removesuffix(".csv"), text))
    answer = firm("import", folder, "--json")
    assert answer.code == 0, answer.out


def write(firm: Firm, name: str, text: str) -> Path:
    """A file beside the books, byte for byte."""
    path = firm.path(name)
    path.write_bytes(text.encode())
    return path


def dtc_statement(firm: Firm, quantity: str = "1250", day: str = "20261120", number: str = "086") -> Path:
    """DTC's statement of the participant account."""
    return write(firm, f"dtc-{day}-{number}.fin", mt535(Page([Line(APPLE, quantity)], day=day, statement=number)))


def bank_statement(firm: Firm, quantity: str = "5000", day: str = "20261120", number: str = "011") -> Path:
    """The bank's statement of the custody account."""
    page = Page([Line(TREASURY, quantity, "FAMT", currency="USD")], account="77-1", day=day, statement=number)
    return write(firm, f"bank-{day}-{number}.fin", mt535(page))
