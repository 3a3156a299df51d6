"""`custody reserve` as an operator uses it: state, compute, look, ask what if, and repeat byte for byte."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.clock import turned_clock
from tests.cli.command import Answer, Firm
from verifier import reserve_cases
from verifier.errors import StoreBusy

AT = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
"""Monday noon in New York; Friday's computation is made on this day."""
FILES = {
    "reserve_accounts.csv": (
        "account_id,effective_from,computation,bank_id,bank_affiliated,equity_capital,call_report_on,notified_on,"
        "no_lien_contract_on\n"
        "SRA-C,2026-01-02,customer,BANK-1,no,500000000.00,2026-06-30,2025-11-03,2025-11-03\n"
        "SRA-P,2026-01-02,pab,BANK-1,no,500000000.00,2026-06-30,2025-11-03,2025-11-03\n"
    ),
    "reserve_holdings.csv": (
        "account_id,as_of,holding,kind,market_value,priced_on,statement_id\n"
        "SRA-C,2026-10-02,cash,cash,600000.00,,ST-1\n"
        "SRA-C,2026-10-02,cusip:912797NB9,us_treasury,200000.00,2026-10-02,ST-1\n"
        "SRA-C,2026-10-02,usdc,stablecoin,100000.00,2026-10-02,ST-1\n"
        "SRA-P,2026-10-02,cash,cash,80000.00,,ST-2\n"
    ),
    "firm_capital.csv": (
        "as_of,method,net_capital,tentative_net_capital,aggregate_indebtedness,reference\n"
        "2026-08-31,alternative,9000000.00,11000000.00,4000000.00,Net capital\n"
    ),
}


def month_ends() -> str:
    """Twelve filed forms."""
    ends = [date(2026, 8, 31)]
    while len(ends) < 12:
        ends.append(ends[-1].replace(day=1) - timedelta(days=1))
    rows = (f"{end},1200000.00,80000.00,{end + timedelta(days=20)},FOCUS\n" for end in ends)
    return "month_end,customer_credits,pab_credits,filed_on,reference\n" + "".join(rows)


def lines(amounts: dict[tuple[str, int], str]) -> str:
    """Thirty lines as of the Friday."""
    rows = (
        f"2026-10-02,{kind},{n},{'credit' if n <= 9 else 'debit'},{amounts.get((kind, n), '0.00')},Ledger\n"
        for kind in ("customer", "pab")
        for n in range(1, 16)
    )
    return "as_of,computation,item,side,amount,reference\n" + "".join(rows)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The commands' clock, which the test turns."""
    return turned_clock(monkeypatch, AT)


def import_stated(firm: Firm, folder: Path) -> None:
    """Books of which 862,000 is required and 800,000 held for customers; PAB is even."""
    folder.mkdir()
    amounts = {("customer", 1): "1250000.00", ("customer", 10): "400000.00", ("pab", 1): "80000.00"}
    texts = FILES | {"focus_history.csv": month_ends(), "reserve_items.csv": lines(amounts)}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    assert firm("import", folder).code == 0


@pytest.fixture
def stated(firm: Firm, tmp_path: Path, clock: list[datetime]) -> Firm:
    """A firm of which 862,000 is required and 800,000 held for customers; PAB is even."""
    import_stated(firm, tmp_path / "books")
    return firm


def customer(answer: Answer) -> dict[str, object]:
    found = answer.json["purposes"]["customer"]
    assert isinstance(found, dict)
    return found


def test_from_stated_lines_to_a_deficit_with_its_clock(stated: Firm, clock: list[datetime]) -> None:
    before = stated("reserve", "show", "--json")
    assert (before.code, customer(before)["as_required"]) == (1, None)
    assert customer(before)["projected"] == {
        "as_of": "2026-10-02",
        "required": "86200000",
        "shortfall": "6200000",
        "deposit_by": "2026-10-06T14:00:00.000000Z",
        "seconds_remaining": 22 * 3600,
        "drivers": ["item 1 (credit) 1250000.00", "item 10 (debit) 400000.00"],
    }
    made = stated("reserve", "compute", "--as-of", "2026-10-02", "--json")
    computation = made.json["computation"]
    assert made.code == 1
    assert (computation["computation_id"], computation["method"], computation["frequency"]) == (
        "RC-000001",
        "alternative",
        "weekly",
    )
    # 1,250,000 less 400,000 lowered by 3 percent of aggregate debit items
    assert (computation["customer_required"], computation["pab_required"]) == ("86200000", "8000000")
    assert (computation["deposit_by"], computation["seconds_remaining"]) == ("2026-10-06T14:00:00.000000Z", 22 * 3600)
    shown = stated("reserve", "show")
    assert shown.code == 1
    assert "62,000.00; deposit by 2026-10-06T14:00:00.000000Z, 22 h 0 min left" in shown.out
    assert "100,000.00 of SRA-C usdc: not qualified, 15c3-3(a)(6), (e)(1)" in shown.out
    kinds = [case["kind"] for case in stated("cases", "list", "--json").json["cases"] if case["seen_by_last_sweep"]]
    assert kinds == ["reserve_deficit"]
    clock[0] = datetime(2026, 10, 6, 14, 0, 1, tzinfo=UTC)
    late = stated("reserve", "check", "--json")
    assert sorted(case["kind"] for case in late.json["cases"]) == ["missed_reserve_deposit", "reserve_deficit"]
    assert "passed" in stated("reserve", "show").out


def test_a_posted_statement_cures_and_the_projection_follows_every_row(stated: Firm, clock: list[datetime]) -> None:
    assert stated("reserve", "compute", "--as-of", "2026-10-02").code == 1
    post = ("post", "reserve_holdings", "account_id=SRA-C", "as_of=2026-10-02", "holding=cash", "kind=cash")
    assert stated(*post, "market_value=700000.00", "statement_id=ST-3").code == 0
    assert stated("reserve", "show").code == 0
    line = ("post", "reserve_items", "as_of=2026-10-02", "computation=customer", "item=1", "side=credit")
    assert stated(*line, "amount=1300000.00", "reference=Late").code == 0
    shown = stated("reserve", "show", "--json")
    required, projected = customer(shown)["as_required"], customer(shown)["projected"]
    assert isinstance(required, dict)
    assert isinstance(projected, dict)
    assert (required["shortfall"], required["excess"]) == ("0", "3800000")
    assert (projected["shortfall"], projected["drivers"]) == ("1200000", ["item 1 (credit) +50000.00"])
    open_now = [case["kind"] for case in stated("cases", "list", "--json").json["cases"] if case["seen_by_last_sweep"]]
    assert open_now == ["projected_reserve_deficit"]
    assert stated("status", "--json").json["statuses"][0] == "under_funded"


@pytest.mark.fault("D10")
def test_what_if_a_withdrawal(stated: Firm) -> None:
    assert stated("reserve", "what-if", "withdraw", "1.00", "--account", "SRA-P", "--json").error == "bad-input"
    stated("reserve", "compute", "--as-of", "2026-10-02")
    refused = stated("reserve", "what-if", "withdraw", "0.01", "--account", "SRA-P", "--json")
    assert (refused.code, refused.json["permitted"], refused.json["short_of_requirement"]) == (1, False, "1")
    post = ("post", "reserve_holdings", "account_id=SRA-P", "as_of=2026-10-02", "holding=cash", "kind=cash")
    assert stated(*post, "market_value=90000.00", "statement_id=ST-3").code == 0
    fine = stated("reserve", "what-if", "withdraw", "10000.00", "--account", "SRA-P")
    assert fine.code == 0
    assert "permitted" in fine.out
    for amount in ("-1", "1e3", "0", "90000.01"):
        assert (
            stated("reserve", "what-if", "withdraw", "--account", "SRA-P", "--json", "--", amount).error == "bad-input"
        )


@pytest.mark.fault("D12")
def test_repeated_byte_for_byte_and_corrected_with_a_reason(stated: Firm) -> None:
    stated("reserve", "compute", "--as-of", "2026-10-02")
    again = stated("reserve", "recompute", "RC-000001", "--json")
    assert (again.code, again.json["same"], again.json["digest"]) == (0, True, again.json["recorded_digest"])
    line = ("post", "reserve_items", "as_of=2026-10-02", "computation=customer", "item=1", "side=credit")
    assert stated(*line, "amount=1300000.00", "reference=Late").code == 0
    assert stated("reserve", "compute", "--as-of", "2026-10-02", "--json").error == "bad-input"
    corrected = stated("reserve", "compute", "--as-of", "2026-10-02", "--reason", "late entry", "--json")
    assert corrected.json["computation"]["replaces"] == "RC-000001"
    history = stated("reserve", "history")
    first = next(line.split() for line in history.out.splitlines() if line.startswith("RC-000001"))
    assert first[-1] == "RC-000002"
    assert [each["computation_id"] for each in stated("reserve", "history", "--json").json["computations"]] == [
        "RC-000001",
        "RC-000002",
    ]
    assert stated("reserve", "recompute", "RC-000001").code == 0
    page = stated("reserve", "show", "RC-000001", "--json")
    assert page.json["document"]["customer"]["required"] == "86200000"
    assert "Free credit balances" in stated("reserve", "show", "RC-000001").out


def test_what_cannot_be_computed_says_what_to_do(stated: Firm, clock: list[datetime]) -> None:
    for arguments, code in (
        (("--as-of", "2026-10-01"), "reserve-items"),
        (("--as-of", "2026-10-05"), "reserve-schedule"),
        (("--as-of", "2026-10-03"), "calendar-unknown"),
        (("--as-of", "2031-10-03"), "calendar-unknown"),
        (("--as-of", "tomorrow"), "bad-input"),
        (("--as-of", "2026-10-02", "--kind", "firm"), "bad-input"),
        (("--as-of", "2026-10-02", "--extra", "--test-run"), "bad-input"),
    ):
        answer = stated("reserve", "compute", *arguments, "--json")
        assert (answer.code, answer.error) == (2, code), arguments
        assert answer.json["error"]["advice"]
    assert stated("reserve", "history").code == 2
    assert stated("reserve", "recompute", "RC-000001", "--json").error == "bad-input"


@pytest.mark.parametrize("is_busy", [True, False])
def test_what_is_stored_and_could_not_be_judged_says_both(
    stated: Firm, monkeypatch: pytest.MonkeyPatch, is_busy: bool
) -> None:
    """Whoever reads "nothing was written" would do it again."""

    def busy(*arguments: object) -> object:
        raise StoreBusy("another writer holds the database")

    if is_busy:
        monkeypatch.setattr(reserve_cases, "reserve_view", busy)
    post = ("post", "reserve_holdings", "account_id=SRA-P", "as_of=2026-10-02", "holding=cash", "kind=cash")
    posted = stated(*post, "market_value=90000.00", "statement_id=ST-3", "--json")
    made = stated("reserve", "compute", "--as-of", "2026-10-02", "--json")
    if is_busy:
        assert (posted.code, posted.error) == (made.code, made.error) == (2, "stored-not-judged")
        message = "the import is stored, but the reserve could not be judged after it: store-busy: another writer"
        assert posted.json["error"]["message"].startswith(message)
        assert made.json["error"]["message"].startswith("RC-000001 is stored")
        assert "Do not repeat it" in made.json["error"]["advice"]
    else:
        assert (posted.code, made.code, made.json["computation"]["computation_id"]) == (0, 1, "RC-000001")
    monkeypatch.undo()
    assert [each["computation_id"] for each in stated("reserve", "history", "--json").json["computations"]] == [
        "RC-000001"
    ]


def test_in_a_year_whose_holidays_are_not_known_the_reserve_is_unverified_and_the_rest_goes_on(
    stated: Firm, clock: list[datetime]
) -> None:
    stated("reserve", "compute", "--as-of", "2026-10-02")
    clock[0] = datetime(2031, 1, 6, 16, 0, tzinfo=UTC)
    shown = stated("reserve", "show", "--json")
    assert "the bank holidays of 2031 are not known" in customer(shown)["gaps"]  # type: ignore[operator]
    assert shown.code == 2
    checked = stated("reserve", "check", "--json")
    assert "unverified" in [case["kind"] for case in checked.json["cases"]]
    status = stated("status", "--json")
    assert "unverified" in status.json["statuses"]
    assert any("the bank holidays of 2031 are not known" in reason for reason in status.json["reasons"])


def test_a_firm_that_states_nothing_is_told_so(firm: Firm, clock: list[datetime]) -> None:
    shown = firm("reserve", "show", "--json")
    assert shown.code == 2
    assert customer(shown)["gaps"] == [
        "no customer computation is on record",
        "no lines are stated, and no books are closed",
    ]
    assert firm("status", "--json").json["rails"] == ["digital"]
    assert firm("reserve", "compute", "--as-of", "2026-10-02", "--json").error == "reserve-items"


def test_the_firms_own_policy_is_in_the_computation(stated: Firm) -> None:
    config = stated.path("custody.toml")
    own = (
        '\n[[reserve.policies]]\nname = "reserve_account_securities"\nvalue = "us_treasury us_guaranteed stablecoin"\n'
        'effective_from = 2026-01-01\nsource = "a rule to come"\nreason = "tested"\n'
    )
    config.write_text(config.read_text(encoding="utf-8") + own, encoding="utf-8")
    made = stated("reserve", "compute", "--as-of", "2026-10-02", "--json")
    assert made.code == 0  # the stablecoins count then: 900,000 held
    assert made.json["computation"]["policies"]["reserve_account_securities"] == "us_treasury us_guaranteed stablecoin"
    config.write_text(config.read_text(encoding="utf-8").replace("us_guaranteed stablecoin", "Everything"))
    assert stated("reserve", "show", "--json").error == "config"
