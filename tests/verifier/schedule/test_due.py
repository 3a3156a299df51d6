"""When jobs are due: once for each business date, on days on which clocks are changed as on any other."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from exports.reserve.errors import CalendarUnknown
from verifier.reserve.calendar import BankCalendar, bank_calendar
from verifier.schedule.due import DailyTime, EveryMinutes

ZONE = "America/New_York"


class EveryDay(BankCalendar):
    """Banks that are open on the very Sunday on which clocks are changed."""

    def is_business_day(self, day: date) -> bool:
        return True


EVERY_DAY = EveryDay(frozenset({2026}), frozenset())
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
"""The Sundays on which New York's clocks are changed."""


def daily(at: str = "07:30", zone: str = ZONE) -> DailyTime:
    return DailyTime("compute", time.fromisoformat(at), zone, bank_calendar())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.fault("C16")
@pytest.mark.parametrize(
    ("changed", "before", "after"),
    [(SPRING, "2026-03-06T12:30", "2026-03-09T11:30"), (AUTUMN, "2026-10-30T11:30", "2026-11-02T12:30")],
)
def test_the_civil_time_stays_when_clocks_are_changed(changed: date, before: str, after: str) -> None:
    thursday = daily().slot(changed - timedelta(days=3))
    friday = daily().slot(changed - timedelta(days=2))
    assert (thursday.due_at, friday.due_at) == (at(before), at(after))
    assert friday.due_at - thursday.due_at != timedelta(days=3)
    assert {each.due_at.astimezone(ZoneInfo(ZONE)).time() for each in (thursday, friday)} == {time(7, 30)}


@pytest.mark.fault("C16")
@pytest.mark.parametrize("changed", [SPRING, AUTUMN])
@pytest.mark.parametrize("civil", ["00:30", "01:30", "02:30", "03:30", "23:45"])
def test_minute_by_minute_over_the_change_each_date_comes_once(changed: date, civil: str) -> None:
    """Asked every minute of five days, also with banks that are open on the Sunday itself."""
    for calendar in (EVERY_DAY, bank_calendar()):
        job = DailyTime("compute", time.fromisoformat(civil), ZONE, calendar)
        now = datetime.combine(changed - timedelta(days=2), time(), UTC)
        first, last = job.newest(now), job.newest(now)
        rung = []
        while now < datetime.combine(changed + timedelta(days=3), time(), UTC):
            for slot in job.since(last.business_date, now):
                rung.append(slot)
                last = slot
            now += timedelta(minutes=1)
        dates = [slot.business_date for slot in rung]
        assert len(dates) == len(set(dates)) >= 2
        assert dates == sorted(dates)
        assert calendar.business_days_between(first.business_date, dates[-1]) == len(dates)
        assert job.newest(now) == rung[-1]


def test_an_hour_that_is_left_out_moves_the_run_on_and_one_that_comes_twice_counts_once() -> None:
    half_past_two = DailyTime("compute", time(2, 30), ZONE, EVERY_DAY)
    assert half_past_two.slot(SPRING - timedelta(days=1)).due_at == at("2026-03-08T07:30")
    half_past_one = DailyTime("compute", time(1, 30), ZONE, EVERY_DAY)
    assert half_past_one.slot(AUTUMN - timedelta(days=1)).due_at == at("2026-11-01T05:30")


def test_weekends_and_bank_holidays_are_no_business_dates() -> None:
    """Friday's run is on Monday; Wednesday's before Thanksgiving on Friday."""
    assert daily().slot(date(2026, 11, 20)).due_at == at("2026-11-23T12:30")
    assert daily().slot(date(2026, 11, 25)).due_at == at("2026-11-27T12:30")
    assert daily().newest(at("2026-11-26T20:00")).business_date == date(2026, 11, 24)
    assert daily().newest(at("2026-11-23T12:29")).business_date == date(2026, 11, 19)
    assert daily().newest(at("2026-11-23T12:30")).business_date == date(2026, 11, 20)
    assert daily().after(at("2026-11-23T12:30")).business_date == date(2026, 11, 23)
    with pytest.raises(CalendarUnknown):
        daily().after(at("2030-12-31T20:00"))


def test_what_repeats_is_due_at_whole_multiples() -> None:
    job = EveryMinutes("check", timedelta(minutes=15), ZONE)
    slot = job.newest(at("2026-11-23T12:44:59"))
    assert (slot.key, slot.business_date) == ("2026-11-23T12:30:00.000000Z", date(2026, 11, 23))
    assert job.after(slot.due_at).due_at == at("2026-11-23T12:45")
    assert job.newest(at("2026-11-24T03:00")).business_date == date(2026, 11, 23), "it is ten in the evening there"
    assert [job.passed(slot.due_at, at(f"2026-11-23T{clock}")) for clock in ("12:44", "12:46", "13:01")] == [0, 0, 1]
