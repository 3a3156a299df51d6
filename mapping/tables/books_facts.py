"""account_relations, securities and control_locations: what holds from a day on beside the balances of each day."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from chains.errors import InvalidValue
from mapping.books_types import AccountRelation, ControlLocation, ControlParagraph, OwnerRelation, SecurityFact
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.tables.books import flag_column, id_column, security_column, word_column
from mapping.tables.shared import day_column, dollars_column, location_column, plain, reference_column, texts

_DECIMAL: Final = re.compile(r"(?:0(?:\.[0-9]{1,12})?|1(?:\.0{1,12})?)", re.ASCII)
_FRACTION: Final = re.compile(r"([0-9]{1,6})/([1-9][0-9]{0,5})", re.ASCII)
ACCOUNT_RULE: Final = "an account_id of accounts.csv"


def parse_share(text: str) -> Fraction:
    """A share from 0 to 1, as a decimal such as `0.25` or a fraction such as `1/3`; exact."""
    match = _FRACTION.fullmatch(text)
    if match is None and not _DECIMAL.fullmatch(text):
        raise InvalidValue("a share is from 0 to 1, written as a decimal such as 0.25 or a fraction such as 1/3")
    share = Fraction(text)
    if share > 1:
        raise InvalidValue("a share is at most 1")
    return share


def _build_relation(row: Row) -> AccountRelation:
    return AccountRelation(
        row["account_id"],
        row["effective_from"],
        row["single_customer_id"],
        row["relation"],
        row["non_customer_share"],
        row["unsecured_or_doubtful"],
        row["related_to_credits"],
        row["omnibus_deficit"],
        row["recent_calls"],
        row["relief_excepted"],
        row["relief_requested_on"],
        row["hypothecation_consent_on"],
        row["lending_consent_on"],
        row["fully_paid_lending_agreement_on"],
        row["pab_use_notice_on"],
    )


def _optional_dollars(name: str, meaning: str) -> Column:
    return dollars_column(name, meaning, required=False, default=0)


ACCOUNT_RELATIONS: Final = Table(
    name="account_relations",
    meaning="What is known about an account from a day on: relations, Exhibit A Note E, and consents. All or none.",
    record_type=AccountRelation,
    columns=(
        id_column("account_id", "The account.", rule=ACCOUNT_RULE),
        day_column("effective_from", "First day on which the row holds."),
        id_column(
            "single_customer_id",
            "Shared by accounts that Note E(5) takes as one customer; empty: the owner alone.",
            required=False,
        ),
        word_column(
            "relation",
            "How the owner stands to the firm, Note E(4).",
            OwnerRelation,
            required=False,
            default=OwnerRelation.NONE,
        ),
        Column(
            "non_customer_share",
            "Part of a joint or fund account that belongs to non-customers, Note E(6).",
            "share",
            "0 to 1, as a decimal such as `0.25` or a fraction such as `1/3`",
            plain(parse_share),
            required=False,
            default=Fraction(0),
        ),
        flag_column("unsecured_or_doubtful", "Whether the debit is left out as such, item 10.", required=False),
        _optional_dollars(
            "related_to_credits", "Part of the debit directly related to credit items, Note E(4) to (6)."
        ),
        _optional_dollars("omnibus_deficit", "Deficit of a special omnibus account, Note E(2)."),
        _optional_dollars("recent_calls", "Called on it, outstanding five business days or less, Note E(2)."),
        _optional_dollars("relief_excepted", "What the examining authority excepted from Note E(5)."),
        day_column("relief_requested_on", "Day of the request for that exception.", required=False),
        day_column(
            "hypothecation_consent_on",
            "Written consent that margin securities be pledged together with other customers', 17 CFR 240.8c-1.",
            required=False,
        ),
        day_column("lending_consent_on", "Written consent that margin securities be lent.", required=False),
        day_column(
            "fully_paid_lending_agreement_on",
            "Written agreement to borrow the customer's fully paid securities, 15c3-3(b)(3).",
            required=False,
        ),
        day_column(
            "pab_use_notice_on",
            "Written notice to a PAB account that its securities may be used, 15c3-3(b)(5).",
            required=False,
        ),
    ),
    build=_build_relation,
    key_columns=("account_id", "effective_from"),
    key=lambda row: texts(row.account_id, row.effective_from),
    on_change=OnChange.NEW_VERSION,
    examples=(("A-1002", "2026-01-02", "", "none", "0", "no", "", "", "", "", "", "2025-12-01", "2025-12-01", "", ""),),
    notes=("An account without a row has the defaults: no relation, no consent. A later row replaces all of it.",),
)

SECURITIES: Final = Table(
    name="securities",
    meaning="Which securities are exempted, from a day on; one without a row is not.",
    record_type=SecurityFact,
    columns=(
        security_column("The security."),
        day_column("effective_from", "First day on which the row holds."),
        flag_column(
            "exempted", "Whether it is an exempted security, such as a Treasury: never concentrated, Note E(1)."
        ),
        reference_column("Where the decision can be looked up."),
    ),
    build=lambda row: SecurityFact(row["security_id"], row["effective_from"], row["exempted"], row["reference"]),
    key_columns=("security_id", "effective_from"),
    key=lambda row: texts(row.security_id, row.effective_from),
    on_change=OnChange.NEW_VERSION,
    examples=(("cusip:037833100", "2026-01-02", "no", "Memo 12"),),
)


def _build_location(row: Row) -> ControlLocation:
    if row["valid_until"] is not None and row["valid_until"] < row["effective_from"]:
        raise ColumnProblem("valid_until", "this is before effective_from")
    return ControlLocation(
        row["location"],
        row["effective_from"],
        row["paragraph"],
        row["evidence_on"],
        row["reference"],
        row["valid_until"],
    )


CONTROL_LOCATIONS: Final = Table(
    name="control_locations",
    meaning="The dated evidence that a location is a good control location, 15c3-3(b)(1) and (c).",
    record_type=ControlLocation,
    columns=(
        location_column("The location."),
        day_column("effective_from", "First day on which the row holds."),
        word_column("paragraph", "By which paragraph of 15c3-3 it is possession or control.", ControlParagraph),
        day_column("evidence_on", "Date of the acknowledgement, designation, instructions or policies."),
        reference_column("Where the evidence can be looked up."),
        day_column("valid_until", "Last day the evidence holds; empty while it has no end.", required=False),
    ),
    build=_build_location,
    key_columns=("location", "effective_from"),
    key=lambda row: texts(row.location_id, row.effective_from),
    on_change=OnChange.NEW_VERSION,
    examples=(("dtc:0123", "2026-01-02", "c1", "2025-11-20", "Participant agreement", ""),),
    notes=("A location without a row in effect is no good control location, whatever it is.",),
)
