"""clearing_agencies, clearing_margin, liens, other_amounts and pab_reliefs: the rest of what the formula takes."""

from __future__ import annotations

from typing import Final

from mapping.books_types import (
    ClearingAgency,
    ClearingMargin,
    Lien,
    LienKind,
    MarginAgency,
    MarginHeldAs,
    OtherAmount,
    OtherNature,
    PabRelief,
    PabReliefKind,
)
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import parse_time
from mapping.tables.books import flag_column, id_column, name_column, word_column
from mapping.tables.books_facts import ACCOUNT_RULE
from mapping.tables.shared import (
    TIME_RULE,
    client_column,
    computation_column,
    day_column,
    dollars_column,
    plain,
    reference_column,
    texts,
)

_AGENCY: Final = "an agency of clearing_agencies.csv"


def _build_agency(row: Row) -> ClearingAgency:
    return ClearingAgency(
        row["agency"],
        row["effective_from"],
        row["agency_kind"],
        row["determined_on"],
        row["security_deposits"],
        row["assessment_power"],
        row["margin_deposits"],
        row["exempted_by_commission"],
        row["no_lien_letter"],
        row["safeguards"],
        row["undertaking"],
        row["rules_approved_on"],
        row["notice_published_on"],
        row["notice_withdrawn_on"],
        row["conditions_on"],
    )


CLEARING_AGENCIES: Final = Table(
    name="clearing_agencies",
    meaning="What the firm found about a clearing organization, from a day on: Notes G and H of Exhibit A.",
    record_type=ClearingAgency,
    columns=(
        id_column("agency", "The firm's id of the clearing organization."),
        day_column("effective_from", "First day on which the row holds."),
        word_column("agency_kind", "Item 13 (`options`), 14 (`futures`) or 15 (`treasuries`).", MarginAgency),
        day_column("determined_on", "Day of the firm's yearly determination, Note G.", required=False),
        dollars_column("security_deposits", "Security deposits of its members, Note G.", required=False, default=0),
        dollars_column("assessment_power", "Its power to assess its members, Note G.", required=False, default=0),
        dollars_column("margin_deposits", "Margin deposited with it, Note G.", required=False, default=0),
        flag_column("exempted_by_commission", "Whether the Commission exempted it, Note G.", required=False),
        flag_column("no_lien_letter", "Whether its bank's no-lien letter is on file, Note G.", required=False),
        flag_column(
            "safeguards", "Whether its safeguards, bond and examinations are evidenced, Note G.", required=False
        ),
        flag_column("undertaking", "Whether its undertaking is on file, Note G.", required=False),
        day_column("rules_approved_on", "Day its rules were approved, Note H(b)(3).", required=False),
        day_column("notice_published_on", "Day the Commission's notice was published, Note H(b)(3).", required=False),
        day_column("notice_withdrawn_on", "Day that notice was withdrawn.", required=False),
        day_column("conditions_on", "From when all conditions of Note H(b)(2) are evidenced.", required=False),
    ),
    build=_build_agency,
    key_columns=("agency", "effective_from"),
    key=lambda row: texts(row.agency, row.effective_from),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("OCC", "2026-01-02", "options", "", "", "", "", "", "", "", "", "", "", "", ""),
        (
            "FICC-GSD",
            "2026-01-02",
            "treasuries",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "2024-11-21",
            "2024-11-29",
            "",
            "2025-02-03",
        ),
    ),
)


_FORMS: Final = (
    MarginHeldAs.CASH,
    MarginHeldAs.PROPRIETARY_QUALIFIED_SECURITIES,
    MarginHeldAs.LETTER_OF_CREDIT_ON_CUSTOMER_SECURITIES,
    MarginHeldAs.CUSTOMER_SECURITIES,
    MarginHeldAs.OTHER,
)
"""What a deposit for items 13 and 14 can be, Notes F and G; the first three count."""
_TREASURY_FORMS: Final = (
    MarginHeldAs.CUSTOMER_CASH,
    MarginHeldAs.CUSTOMER_SECURITIES,
    MarginHeldAs.FIRM_TREASURIES,
    MarginHeldAs.FIRM_CASH,
    MarginHeldAs.OTHER,
)
"""What a deposit for item 15 can be, Note H; the last two never count."""


def _build_margin(row: Row) -> ClearingMargin:
    if (row["agency_kind"] is MarginAgency.TREASURIES) != bool(row["client_id"]):
        raise ColumnProblem("client_id", "item 15 is measured customer by customer, items 13 and 14 are not")
    forms = _TREASURY_FORMS if row["agency_kind"] is MarginAgency.TREASURIES else _FORMS
    if row["held_as"] not in forms:  # the firm's own cash at an options exchange is a debit, at a Treasury agency never
        raise ColumnProblem(
            "held_as",
            f"margin for {row['agency_kind']} is held as {', '.join(forms)}; not as {row['held_as']}",
        )
    return ClearingMargin(
        row["as_of"],
        row["margin_id"],
        row["computation"],
        row["agency_kind"],
        row["agency"],
        row["client_id"],
        row["required"],
        row["on_deposit"],
        row["held_as"],
        row["customer_only"],
        row["arose_on"],
        row["customer_was_short"],
        row["called_on"],
        row["delivered_on"],
    )


CLEARING_MARGIN: Final = Table(
    name="clearing_margin",
    meaning="Margin required and on deposit at clearing organizations at the close of a day, items 13 to 15.",
    record_type=ClearingMargin,
    columns=(
        day_column("as_of", "The row is of this day's close."),
        id_column("margin_id", "The firm's id of the deposit, unique within the day."),
        computation_column(),
        word_column("agency_kind", "Item 13 (`options`), 14 (`futures`) or 15 (`treasuries`).", MarginAgency),
        id_column("agency", "The clearing organization.", rule=_AGENCY),
        client_column("Whose positions, for item 15; empty for items 13 and 14.", required=False),
        dollars_column("required", "What the agency requires."),
        dollars_column("on_deposit", "What lies there in this form."),
        word_column(
            "held_as",
            "In what form. Items 13 and 14: `cash`, also the firm's own; its qualified securities; a letter of credit; "
            "`customer_securities`. Item 15: `customer_cash`, `customer_securities`, `firm_treasuries`, `firm_cash`.",
            MarginHeldAs,
        ),
        flag_column(
            "customer_only", "Held for this customer's positions and no other's, Note H(b)(1).", required=False
        ),
        day_column("arose_on", "Day the requirement arose, Note H(b)(1)(iii).", required=False),
        flag_column("customer_was_short", "Whether the customer then had too little collateral.", required=False),
        day_column("called_on", "Day the customer was called.", required=False),
        day_column("delivered_on", "Day the customer delivered.", required=False),
    ),
    build=_build_margin,
    key_columns=("as_of", "margin_id"),
    key=lambda row: texts(row.as_of, row.margin_id),
    on_change=OnChange.NEW_VERSION,
    examples=(
        ("2026-01-30", "M-1", "customer", "options", "OCC", "", "5000.00", "5000.00", "cash", "", "", "", "", ""),
    ),
)

LIENS: Final = Table(
    name="liens",
    meaning="Money borrowed from a lender on securities, at the close of a day; pledged lines name it.",
    record_type=Lien,
    columns=(
        day_column("as_of", "The row is of this day's close."),
        id_column("lien_id", "The firm's id of the loan."),
        name_column("lender", "Who lent."),
        word_column("kind", "For whose borrowing the lender has the lien.", LienKind),
        dollars_column("amount", "What is borrowed."),
    ),
    build=lambda row: Lien(row["as_of"], row["lien_id"], row["lender"], row["kind"], row["amount"]),
    key_columns=("as_of", "lien_id"),
    key=lambda row: texts(row.as_of, row.lien_id),
    on_change=OnChange.NEW_VERSION,
    examples=(("2026-01-30", "LOAN-1", "Example Bank", "customers", "15000.00"),),
)


def _build_other(row: Row) -> OtherAmount:
    if row["nature"] is OtherNature.SUSPENSE_CREDIT and row["since"] is None:
        raise ColumnProblem("since", "a suspense credit has an age: since is required")
    return OtherAmount(
        row["as_of"],
        row["amount_id"],
        row["computation"],
        row["nature"],
        row["amount"],
        row["reference"],
        row["since"],
    )


OTHER_AMOUNTS: Final = Table(
    name="other_amounts",
    meaning="Amounts of the formula that stand in no account and no line of the stock record, at the close of a day.",
    record_type=OtherAmount,
    columns=(
        day_column("as_of", "The row is of this day's close."),
        id_column("amount_id", "The firm's id of the amount, unique within the day."),
        computation_column(),
        word_column("nature", "What it is; this fixes the item of Exhibit A.", OtherNature),
        dollars_column("amount", "How much."),
        reference_column(),
        day_column("since", "From when its age counts; required for a suspense credit.", required=False),
    ),
    build=_build_other,
    key_columns=("as_of", "amount_id"),
    key=lambda row: texts(row.as_of, row.amount_id),
    on_change=OnChange.NEW_VERSION,
    examples=(("2026-01-30", "X-1", "customer", "draft", "250.00", "Drafts outstanding", ""),),
)


PAB_RELIEFS: Final = Table(
    name="pab_reliefs",
    meaning="Deposits before settlement and sweeps of PAB accounts, which Notes 7 and 8 take out of the computation.",
    record_type=PabRelief,
    columns=(
        id_column("relief_id", "The firm's id of the deposit or sweep."),
        word_column("kind", "Which note.", PabReliefKind),
        id_column("account_id", "The PAB account.", rule=ACCOUNT_RULE),
        dollars_column("amount", "How much."),
        day_column("on", "Note 7: the day it was received. Note 8: the as-of date whose credit it sweeps."),
        Column(
            "done_at",
            "When it reached the separate account, or was swept; empty while it has not.",
            "time",
            TIME_RULE,
            plain(parse_time),
            required=False,
        ),
        flag_column("free_of_lien", "Whether the firm has no lien on it, Note 8."),
    ),
    build=lambda row: PabRelief(
        row["relief_id"],
        row["kind"],
        row["account_id"],
        row["amount"],
        row["on"],
        row["done_at"],
        row["free_of_lien"],
    ),
    key_columns=("relief_id",),
    key=lambda row: texts(row.relief_id),
    on_change=OnChange.NEW_VERSION,
    examples=(("R-1", "sweep", "A-PAB", "400.00", "2026-01-30", "2026-02-02T14:30:00Z", "yes"),),
)
