"""The triggers that refuse every change of a row, and a decision on one's own proposal or instruction."""

from __future__ import annotations

from typing import Final

from verifier.store.tables import METADATA

_DECISION = (
    "NEW.act IN ('approved', 'endorsed', 'returned') AND (NOT EXISTS (SELECT 1 FROM case_event AS proposal "
    "WHERE proposal.record_id = NEW.proposal_key AND proposal.case_key = NEW.case_key "
    "AND proposal.act = 'proposed' AND proposal.actor = NEW.maker "
    "AND COALESCE(proposal.person_id, '') = COALESCE(NEW.maker_person, '') "
    "AND (NEW.act = 'returned' OR proposal.facts_digest = NEW.facts_digest)) "
    "OR EXISTS (SELECT 1 FROM case_event AS later WHERE later.case_key = NEW.case_key "
    "AND later.record_id > NEW.proposal_key AND later.act IN ('proposed', 'approved', 'returned', 'reopened')) "
    "OR (NEW.act <> 'returned' AND EXISTS (SELECT 1 FROM case_event AS other WHERE other.proposal_key = "
    "NEW.proposal_key AND other.act = 'endorsed' AND (other.actor = NEW.actor OR other.person_id = NEW.person_id))))"
)
_DECISION_REFUSED = "a decision answers the proposal that stands, as it was made, once, by another person than before"
_INSTRUCTED = (
    "NOT EXISTS (SELECT 1 FROM reserve_instruction AS instruction WHERE instruction.record_id = NEW.instruction_key "
    "AND instruction.actor = NEW.maker AND (NEW.act <> 'approved' OR instruction.direction <> 'withdrawal' "
    "OR (NEW.computation_key IS NOT NULL AND NEW.remaining IS NOT NULL)))"
)
_INSTRUCTED_REFUSED = "a decision names who made the instruction, and for a withdrawal the computation relied on"

_CONTROL_MAKER = (
    "NOT EXISTS (SELECT 1 FROM cure_act WHERE cure_act.record_id = NEW.act_key AND cure_act.maker = NEW.maker) "
    "AND NOT EXISTS (SELECT 1 FROM substitution WHERE substitution.record_id = NEW.substitution_key "
    "AND substitution.maker = NEW.maker)"
)
_CONTROL_MAKER_REFUSED = "a decision names who recorded the act or substitution"

_CHANGE_MAKER = (
    "NOT EXISTS (SELECT 1 FROM change_proposal AS proposal WHERE proposal.record_id = NEW.proposal_key "
    "AND proposal.maker = NEW.maker AND proposal.digest = NEW.digest AND proposal.needs_approval = {yes} "
    "AND COALESCE(proposal.maker_person, '') = COALESCE(NEW.maker_person, ''))"
)
_CHANGE_MAKER_REFUSED = "a decision names who proposed the change, and its digest"


CHANGING: Final = frozenset(
    {
        "account_secret",
        "alert",
        "alert_channel",
        "alert_delivery",
        "api_request",
        "web_session",
        "web_ticket",
        "work_lease",
    }
)
"""Tables whose rows change and go: who works on what, who is signed in, what a sign-in is checked with, and what is to
be sent."""


def table_names() -> list[str]:
    """Every table of records, in an order in which each comes after those it refers to."""
    return [each.name for each in METADATA.sorted_tables if each.name not in CHANGING]


def trigger_statements(dialect_name: str) -> list[str]:
    """The statements that create all triggers."""
    return _sqlite() if dialect_name == "sqlite" else _postgresql()


def _sqlite() -> list[str]:
    statements = [
        f"CREATE TRIGGER {name}_refuse_{act.lower()} BEFORE {act} ON {name}\n"
        f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are added, never changed'); END"
        for name in table_names()
        for act in ("UPDATE", "DELETE")
    ]
    statements.append(
        f"CREATE TRIGGER case_event_decision BEFORE INSERT ON case_event\nWHEN {_DECISION}\n"
        f"BEGIN SELECT RAISE(ABORT, '{_DECISION_REFUSED}'); END"
    )
    statements.append(
        f"CREATE TRIGGER reserve_decision_maker BEFORE INSERT ON reserve_decision\nWHEN {_INSTRUCTED}\n"
        f"BEGIN SELECT RAISE(ABORT, '{_INSTRUCTED_REFUSED}'); END"
    )
    statements.append(
        f"CREATE TRIGGER control_decision_maker BEFORE INSERT ON control_decision\nWHEN {_CONTROL_MAKER}\n"
        f"BEGIN SELECT RAISE(ABORT, '{_CONTROL_MAKER_REFUSED}'); END"
    )
    statements.append(
        f"CREATE TRIGGER change_decision_maker BEFORE INSERT ON change_decision\nWHEN {_CHANGE_MAKER.format(yes=1)}\n"
        f"BEGIN SELECT RAISE(ABORT, '{_CHANGE_MAKER_REFUSED}'); END"
    )
    return statements


def _postgresql() -> list[str]:
    refuse = _function(
        "custody_refuse_change", "RAISE EXCEPTION 'rows are added, never changed' USING TABLE = TG_TABLE_NAME;"
    )
    decide = _function(
        "custody_check_decision",
        f"IF {_DECISION} THEN RAISE EXCEPTION '{_DECISION_REFUSED}'; END IF; RETURN NEW;",
    )
    instruct = _function(
        "custody_check_instruction",
        f"IF {_INSTRUCTED} THEN RAISE EXCEPTION '{_INSTRUCTED_REFUSED}'; END IF; RETURN NEW;",
    )
    control = _function(
        "custody_check_control_decision",
        f"IF {_CONTROL_MAKER} THEN RAISE EXCEPTION '{_CONTROL_MAKER_REFUSED}'; END IF; RETURN NEW;",
    )
    change = _function(
        "custody_check_change_decision",
        f"IF {_CHANGE_MAKER.format(yes='true')} THEN RAISE EXCEPTION '{_CHANGE_MAKER_REFUSED}'; END IF; RETURN NEW;",
    )
    statements = [refuse, decide, instruct, control, change]
    for name in table_names():
        statements.append(
            f"CREATE TRIGGER {name}_refuse_change BEFORE UPDATE OR DELETE ON {name}\n"
            "FOR EACH ROW EXECUTE FUNCTION custody_refuse_change()"
        )
        statements.append(
            f"CREATE TRIGGER {name}_refuse_truncate BEFORE TRUNCATE ON {name}\n"
            "FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse_change()"
        )
    statements.append(
        "CREATE TRIGGER case_event_decision BEFORE INSERT ON case_event\n"
        "FOR EACH ROW EXECUTE FUNCTION custody_check_decision()"
    )
    statements.append(
        "CREATE TRIGGER reserve_decision_maker BEFORE INSERT ON reserve_decision\n"
        "FOR EACH ROW EXECUTE FUNCTION custody_check_instruction()"
    )
    statements.append(
        "CREATE TRIGGER control_decision_maker BEFORE INSERT ON control_decision\n"
        "FOR EACH ROW EXECUTE FUNCTION custody_check_control_decision()"
    )
    statements.append(
        "CREATE TRIGGER change_decision_maker BEFORE INSERT ON change_decision\n"
        "FOR EACH ROW EXECUTE FUNCTION custody_check_change_decision()"
    )
    return statements


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN {body} END\n$$"
