"""The rule against a slow one that asks every moment, and each of its promises by example."""

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuiback.catalog import EndedVersion
from tuiback.engine.settings.retention import (
    Figures,
    Keep,
    expired_of,
    has_run_out,
    parse_keep,
    parse_keep_gone,
    plan_points,
)
from tuiback.errors import UsageError
from tuiback.model import Account, AccountKind, AccountState, Expired

NOW = datetime(2026, 3, 31, 15, 30, tzinfo=UTC)
A = "mailbox:a"


def _days_ago(*ages: float) -> dict[int, datetime]:
    """Snapshots 1, 2, ... of these ages in days."""
    return {seq: NOW - timedelta(days=age) for seq, age in enumerate(ages, 1)}


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("all", Keep()),
        ("365d", Keep(days=365)),
        ("1d", Keep(days=1)),
        ("3650d", Keep(days=3650)),
        ("30v", Keep(points=30)),
        ("7d,4w,12m,3y", Keep(daily=7, weekly=4, monthly=12, yearly=3)),
        ("3y, 7d", Keep(daily=7, yearly=3)),
        ("12m", Keep(monthly=12)),
    ],
)
def test_rules_are_read(text: str, keep: Keep) -> None:
    """Days alone are all points of these days; with others they are a calendar."""
    assert parse_keep(text) == keep


@pytest.mark.parametrize(
    "text", ["", "0d", "3651d", "7", "d", "-1d", "7d,7d", "30v,7d", "7d,", "1.5d", "forever", "99999y", "0v", "٣d"]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    """In one line that names the text and says what a rule looks like."""
    with pytest.raises(UsageError) as refused:
        parse_keep(text)
    assert refused.value.subject == text
    assert "7d,4w,12m,3y" in refused.value.remedy


def test_times_for_gone_accounts_are_read() -> None:
    """For ever, or days."""
    assert parse_keep_gone("forever") is None
    assert parse_keep_gone("365d") == 365
    for text in ("all", "0d", "3651d", "4w", "30v", ""):
        with pytest.raises(UsageError):
            parse_keep_gone(text)


def test_all_keeps_all() -> None:
    """And an account without a point has nothing to keep."""
    assert plan_points(Keep(), _days_ago(9000, 1), NOW).dropped == ()
    assert plan_points(Keep(days=1), {}, NOW) == plan_points(Keep(), {}, NOW)


def test_days_keep_the_newest_point_before_them() -> None:
    """An account unchanged for a year was like that at every moment of the last week."""
    plan = plan_points(Keep(days=7), _days_ago(400, 365, 7.5, 6, 1), NOW)
    assert (plan.kept, plan.dropped) == ((3, 4, 5), (1, 2))
    assert plan_points(Keep(days=7), _days_ago(400, 365), NOW).kept == (2,)


def test_an_account_attacked_today_keeps_what_it_was_yesterday() -> None:
    """A calendar's days end with the newest point at their end, although none was taken on them."""
    plan = plan_points(parse_keep("7d,4w"), _days_ago(200, 150, 0.1), NOW)
    assert plan.kept == (2, 3)


def test_a_calendar_keeps_the_last_point_of_each_period() -> None:
    """Several points of a day, week, month and year."""
    closed_at = {
        1: datetime(2024, 6, 1, tzinfo=UTC),
        2: datetime(2024, 12, 31, 23, 59, tzinfo=UTC),
        3: datetime(2025, 1, 1, tzinfo=UTC),
        4: datetime(2025, 12, 30, tzinfo=UTC),
        5: datetime(2026, 2, 28, 23, 0, tzinfo=UTC),
        6: datetime(2026, 3, 22, 23, 59, tzinfo=UTC),
        7: datetime(2026, 3, 23, tzinfo=UTC),
        8: datetime(2026, 3, 30, 1, tzinfo=UTC),
        9: datetime(2026, 3, 30, 2, tzinfo=UTC),
        10: datetime(2026, 3, 31, 9, tzinfo=UTC),
    }
    assert plan_points(parse_keep("2d"), closed_at, NOW).kept == (7, 8, 9, 10)
    assert plan_points(Keep(daily=2), closed_at, NOW).kept == (9, 10)
    assert plan_points(Keep(weekly=3), closed_at, NOW).kept == (6, 7, 10)
    assert plan_points(Keep(monthly=3), closed_at, NOW).kept == (4, 5, 10)
    assert plan_points(Keep(yearly=3), closed_at, NOW).kept == (2, 4, 10)


def test_points_of_a_number() -> None:
    """The newest so many, whatever their age."""
    plan = plan_points(Keep(points=2), _days_ago(400, 300, 200), NOW)
    assert (plan.kept, plan.dropped, plan.removed_until) == ((2, 3), (1,), 1)


@pytest.mark.parametrize("text", ["1d", "1v", "1w,1y"])
def test_a_wrong_clock_costs_no_newer_state(text: str) -> None:
    """A point taken in 1970 or 2070, as the machine believed, takes nobody's place and makes nothing look old."""
    past = {1: NOW - timedelta(hours=3), 2: datetime(1970, 1, 1, tzinfo=UTC), 3: NOW - timedelta(hours=1)}
    plan = plan_points(parse_keep(text), past, NOW)
    assert 3 in plan.kept
    if "v" not in text:
        assert 1 in plan.kept or text == "1w,1y"
        assert plan.lingers(EndedVersion("m", 1, 2, True, True, 1))
    future = {1: NOW - timedelta(hours=3), 2: datetime(2070, 1, 1, tzinfo=UTC), 3: NOW - timedelta(hours=1)}
    assert 3 in plan_points(parse_keep(text), future, NOW).kept


def test_the_last_copy_of_a_removed_item_lives_its_full_period() -> None:
    """Counted from its removal, however old the item was; what a newer version replaced is not its last."""
    plan = plan_points(parse_keep("4w,3m"), _days_ago(3000, 120, 80, 79, 78, 1), NOW)
    assert plan.kept == (5, 6)
    old = [(1, 2, False), (1, 3, True), (3, 4, True), (4, 4, True)]
    lingering = [plan.lingers(EndedVersion("m", *span, last=True, part_bytes=1)) for span in old]
    assert lingering == [False, True, True, True]
    assert not plan.lingers(EndedVersion("m", 3, 4, removed=True, last=False, part_bytes=1))
    assert plan.lingers(EndedVersion("m", 4, 4, removed=True, last=False, part_bytes=1))
    later = plan_points(parse_keep("4w,3m"), _days_ago(3000, 220, 180, 179, 178, 101), NOW)
    assert not later.lingers(EndedVersion("m", 3, 4, removed=True, last=True, part_bytes=1))


def test_only_an_account_that_is_gone_for_long_enough_has_run_out() -> None:
    """Not one that is there, and none that is kept for ever."""
    gone = Account(A, AccountKind.MAILBOX, "t", "mail", "o", "n", "a", AccountState.GONE, NOW - timedelta(days=30))
    assert has_run_out(gone, 30, NOW)
    assert not has_run_out(gone, 31, NOW)
    assert not has_run_out(gone, None, NOW)
    assert not has_run_out(Account(A, AccountKind.MAILBOX, "t", "mail", "o", "n", "a"), 1, NOW)


def test_rows_are_small_and_the_points_leave_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody ever sees a point of which a part is gone; without anything to expire there is no row."""
    monkeypatch.setattr("tuiback.engine.settings.retention.VERSIONS_A_ROW", 2)
    plan = plan_points(Keep(days=7), _days_ago(30, 20, 10, 5), NOW)
    pages = [[EndedVersion("a", 1, 2, False, False, 5), EndedVersion("b", 3, 4, True, True, 7)]]
    pages += [[EndedVersion("c", 1, 3, True, True, 11), EndedVersion("d", 2, 3, False, False, 13)]]
    figures = Figures()
    assert list(expired_of(A, plan, pages, figures)) == [
        Expired(A, (("a", 1), ("c", 1)), (1, 2)),
        Expired(A, (("d", 2),)),
    ]
    assert figures == Figures(versions=3, bytes=29, points=2, items=1)
    assert list(expired_of(A, plan, [], Figures())) == [Expired(A, (), (1, 2))]
    assert list(expired_of(A, plan_points(Keep(), _days_ago(5), NOW), [], Figures())) == []


# The slow rule.

RULES = st.one_of(
    st.builds(Keep, days=st.integers(1, 60)),
    st.builds(Keep, points=st.integers(1, 12)),
    st.builds(
        Keep, daily=st.integers(0, 9), weekly=st.integers(0, 6), monthly=st.integers(0, 14), yearly=st.integers(0, 4)
    ).filter(lambda keep: not keep.everything),
)
AGES = st.lists(st.integers(0, 24 * 900), max_size=25, unique=True)
NOWS = st.integers(0, 24 * 1200).map(lambda hours: NOW + timedelta(hours=hours))

_LABELS: dict[str, Callable[[date], tuple[int, ...]]] = {
    "daily": lambda day: (day.toordinal(),),
    "weekly": lambda day: day.isocalendar()[:2],
    "monthly": lambda day: (day.year, day.month),
    "yearly": lambda day: (day.year,),
}


def _slowly_kept(keep: Keep, closed_at: dict[int, datetime], now: datetime) -> set[int]:
    newest_first = sorted(closed_at, reverse=True)
    kept = set(newest_first[: max(keep.points, 1)])
    if keep.days:
        inside = [seq for seq in newest_first if now - closed_at[seq] <= timedelta(days=keep.days)]
        kept |= {*inside, *newest_first[len(inside) : len(inside) + 1]}
    for period, label in _LABELS.items():
        day, seen = now.date(), list[tuple[int, ...]]()
        while len(seen) < getattr(keep, period):
            wanted = label(day)
            if wanted not in seen:
                seen.append(wanted)
                kept |= set([seq for seq in newest_first if label(closed_at[seq].date()) <= wanted][:1])
            day -= timedelta(days=1)
    return kept


def _slowly_reached(keep: Keep, now: datetime) -> datetime:
    days = max(keep.days, keep.daily, keep.weekly * 7)
    months = max(keep.monthly, keep.yearly * 12)
    year, month = now.year, now.month
    for _ in range(months):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    last = calendar.monthrange(year, month)[1]
    return min(now - timedelta(days=days), now.replace(year=year, month=month, day=min(now.day, last)))


@given(RULES, AGES, NOWS, st.data())
def test_the_plan_is_what_asking_every_moment_says(
    keep: Keep, ages: list[int], now: datetime, data: st.DataObject
) -> None:
    """Which points stay, which versions stay with them, and where versions have to be looked for at all."""
    earlier = data.draw(st.sets(st.integers(1, 40), max_size=len(ages)).map(sorted))
    seqs = sorted({*earlier, *range(41, 41 + len(ages) - len(earlier))})
    moments = sorted(now - timedelta(hours=age) for age in ages)
    closed_at = dict(zip(seqs, moments, strict=True))
    plan = plan_points(keep, closed_at, now)
    kept = _slowly_kept(keep, closed_at, now) if closed_at else set()
    assert (plan.kept, plan.dropped) == (tuple(sorted(kept)), tuple(sorted(set(seqs) - kept)))
    if not seqs:
        return
    from_seq = data.draw(st.integers(1, seqs[-1]))
    version = EndedVersion("m", from_seq, data.draw(st.integers(from_seq, seqs[-1])), True, data.draw(st.booleans()), 1)
    assert plan.is_shown(version) == any(version.from_seq <= seq < version.until_seq for seq in kept)
    ended_at = next(closed_at[seq] for seq in seqs if seq >= version.until_seq)
    recent = ended_at > _slowly_reached(keep, now)
    if keep.points:
        recent = version.until_seq > max(plan.dropped, default=0)
    assert plan.lingers(version) == (recent and (version.last or version.from_seq == version.until_seq))
    if version.from_seq < version.until_seq and version.until_seq > plan.ended_until:
        assert plan.is_shown(version)
