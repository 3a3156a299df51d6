"""custodian_accounts: the accounts at depositories, banks and prime brokers."""

from __future__ import annotations

import re
from datetime import time
from typing import Final

from chains.errors import InvalidValue
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.context import OFF_CHAIN_PREFIXES
from mapping.custodian_types import CustodianAccount, HeldFor
from mapping.fields import one_of, parse_currency, parse_date, parse_name
from mapping.tables.shared import DATE_RULE, NAME_RULE, location_column, plain, texts

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9/?:().,'+ -]{0,34}", re.ASCII)


def _clock(text: str) -> object:
    if not _CLOCK.fullmatch(text):
        raise InvalidValue("a time of day is written hour:minute, such as 08:30")
    return time.fromisoformat(text)


def _account(text: str) -> object:
    if not _ACCOUNT.fullmatch(text):
        raise InvalidValue(
            "an account is 1 to 35 characters of the set that messages have, the first a letter or digit"
        )
    return text


def _build(row: Row) -> CustodianAccount:
    if row["location"].partition(":")[0] not in OFF_CHAIN_PREFIXES:
        raise ColumnProblem(
            "location", "wallets and pools have files of their own; an account here is outside any chain"
        )
    if row["closed_on"] is not None and row["closed_on"] < row["effective_from"]:
        raise ColumnProblem("closed_on", "the last day is before the first")
    return CustodianAccount(
        row["location"],
        row["effective_from"],
        row["custodian"],
        row["account"],
        row["held_for"],
        row["titling"],
        row["currency"],
        row["statement_due"],
        row["reference"],
        row["closed_on"],
    )


def _day(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, meaning, "date", DATE_RULE, plain(parse_date), required=required)


CUSTODIAN_ACCOUNTS = Table(
    name="custodian_accounts",
    meaning="Accounts at depositories, banks and prime brokers: title, for whom, and when statements are due.",
    record_type=CustodianAccount,
    columns=(
        location_column("The account as a location: `dtc:…`, `bank:…` or `prime:…`."),
        _day("effective_from", "First day on which the row holds."),
        Column(
            "custodian",
            "Who states what is in it, as `stated_by` in its statements.",
            "text",
            NAME_RULE,
            plain(parse_name),
        ),
        Column(
            "account",
            "The account as the custodian's messages write it.",
            "text",
            "1 to 35 characters of the set that messages have, compared to the letter",
            plain(_account),
        ),
        Column(
            "held_for",
            "Whose assets may be in it, by title and agreement.",
            "word",
            "`clients` (theirs alone), `firm` (an operating account) or `both` (where the rules allow it)",
            plain(one_of(HeldFor)),
        ),
        Column("titling", "The name the account stands in.", "text", NAME_RULE, plain(parse_name)),
        Column(
            "currency",
            "Currency of its cash, and of face amounts.",
            "ISO 4217",
            "three capital letters; `USD` when empty",
            plain(parse_currency),
            required=False,
            default="USD",
        ),
        Column(
            "statement_due",
            "Time of the next business day by which a day's statement is there; empty where none comes daily.",
            "hour:minute",
            "civil time of the banks' zone, 00:00 to 23:59",
            plain(_clock),
            required=False,
        ),
        Column("reference", "Where the agreement can be looked up.", "text", NAME_RULE, plain(parse_name)),
        _day("closed_on", "Last day of the account; empty while it is open.", required=False),
    ),
    build=_build,
    key_columns=("location", "effective_from"),
    key=lambda row: texts(row.location_id, row.effective_from),
    on_change=OnChange.NEW_VERSION,
    examples=(
        (
            "dtc:0123",
            "2026-01-02",
            "DTC",
            "0123",
            "both",
            "Example Broker, participant account",
            "",
            "08:00",
            "Participant agreement",
            "",
        ),
        (
            "bank:EXB-OPS",
            "2026-01-02",
            "Example Bank",
            "9900112233",
            "firm",
            "Example Broker, operating account",
            "USD",
            "",
            "Account opening form",
            "",
        ),
    ),
    notes=(
        "Of one location the row in effect on a day counts. One account of a custodian is one location.",
        "A client's asset at an account `firm`, or the firm's own at an account `clients`, is commingling.",
    ),
)
