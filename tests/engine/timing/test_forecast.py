"""When the volume will be full."""

from datetime import UTC, date, datetime, timedelta

from tuiback.engine.timing.forecast import daily_growth, full_on

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GB = 10**9


def days_back(sizes: list[int]) -> list[tuple[date, int]]:
    """The last of them is yesterday's."""
    return [(NOW.date() - timedelta(days=len(sizes) - place), size) for place, size in enumerate(sizes)]


def test_even_growth() -> None:
    """A gigabyte a day fills a hundred in a hundred days."""
    assert full_on(days_back([GB] * 30), 100 * GB, NOW) == NOW + timedelta(days=100)


def test_the_first_backup_does_not_count() -> None:
    """It comes once; what comes daily decides. The present day, which goes on, doesn't either."""
    stored = [*days_back([5000 * GB] + [GB] * 20), (NOW.date(), 900 * GB)]
    assert daily_growth(stored, NOW) == GB


def test_a_few_wild_days_do_not_count() -> None:
    """Three migrations in two months change the forecast by a fraction, not by their size."""
    sizes = [GB] * 60
    for day in (10, 30, 50):
        sizes[day] = 40 * GB
    growth = daily_growth(days_back(sizes), NOW)
    assert growth is not None
    assert GB <= growth < 4 * GB


def test_a_weekly_rhythm() -> None:
    """Full backups on Sundays only are a seventh a day."""
    growth = daily_growth(days_back(([7 * GB] + [0] * 6) * 8), NOW)
    assert growth is not None
    assert abs(growth - GB) < GB / 10


def test_days_of_several_repositories_or_runs_are_added() -> None:
    """A day may come twice, and in any order."""
    stored = days_back([GB] * 10)
    assert daily_growth([*reversed(stored), *stored], NOW) == 2 * GB


def test_none_where_nothing_can_be_said() -> None:
    """Too little history, no growth, no end of the volume, or an end too far away."""
    assert full_on([], GB, NOW) is None
    assert full_on(days_back([GB] * 6), GB, NOW) is None
    assert full_on(days_back([0] * 30), GB, NOW) is None
    assert full_on(days_back([GB] * 30), None, NOW) is None
    assert full_on(days_back([1] * 30), GB, NOW) is None
    assert full_on([(NOW.date() - timedelta(days=200), GB)], GB, NOW) is None


def test_a_volume_that_is_full() -> None:
    """Is full now."""
    assert full_on(days_back([GB] * 10), 0, NOW) == NOW
