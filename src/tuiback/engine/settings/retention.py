"""Decides what retention gives up of an account: which recovery points stay, and which versions expire with the rest.

A version stays while it is live, while a kept point shows it, and, when it is the last one of a removed item, until
it was removed as long ago as the rule reaches. So age never counts from when an item came, and what was asked at any
kept point is answered the same before and after.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate

import msgspec

from tuiback.catalog import EndedVersion
from tuiback.errors import UsageError
from tuiback.model import Account, AccountState, Expired

# A row of so many is a few hundred kilobytes of a commit.
VERSIONS_A_ROW = 5_000

_MOST_DAYS = 3_650
_MOST = {"d": _MOST_DAYS, "w": 520, "m": 120, "y": 100, "v": 10_000}
_COUNT = re.compile(r"([0-9]{1,5})([dwmyv])")
_KEEP_GONE_REMEDY = "give forever, or days as in 365d"
_KEEP_REMEDY = "give all, days as in 365d, points as in 30v, or a calendar as in 7d,4w,12m,3y"


class Keep(msgspec.Struct, frozen=True):
    """A task's rule. Without any number everything is kept.

    `days` keeps all points of the last so many days, `points` the newest so many. The others keep what each of the
    last so many calendar days, weeks (from Monday), months and years ended with; the present one counts.
    """

    days: int = 0
    points: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    @property
    def everything(self) -> bool:
        """Whether nothing ever expires."""
        return self == Keep()


def parse_keep(text: str) -> Keep:
    """The rule that `--keep` names. Raises UsageError."""
    if text == "all":
        return Keep()
    counts: dict[str, int] = {}
    for piece in text.split(","):
        match = _COUNT.fullmatch(piece.strip())
        if match is None or match[2] in counts:
            raise UsageError("is no retention rule", text, _KEEP_REMEDY)
        counts[match[2]] = _checked(int(match[1]), _MOST[match[2]], text, _KEEP_REMEDY)
    if "v" in counts and len(counts) > 1:
        raise UsageError("a number of points goes with nothing else", text, _KEEP_REMEDY)
    if counts.keys() == {"d"}:
        return Keep(days=counts["d"])
    return Keep(
        points=counts.get("v", 0),
        daily=counts.get("d", 0),
        weekly=counts.get("w", 0),
        monthly=counts.get("m", 0),
        yearly=counts.get("y", 0),
    )


def parse_keep_gone(text: str) -> int | None:
    """For how many days `--keep-gone` keeps an account that left the tenant, None for ever. Raises UsageError."""
    if text == "forever":
        return None
    match = _COUNT.fullmatch(text)
    if match is None or match[2] != "d":
        raise UsageError("is no time to keep gone accounts", text, _KEEP_GONE_REMEDY)
    return _checked(int(match[1]), _MOST_DAYS, text, _KEEP_GONE_REMEDY)


def _checked(number: int, most: int, text: str, remedy: str) -> int:
    if not 1 <= number <= most:
        raise UsageError(f"has a number that is not between 1 and {most}", text, remedy)
    return number


@dataclass(frozen=True)
class Plan:
    """Which points of one account stay (`kept`, ascending) and which don't.

    Last versions of items removed at snapshot `removed_until` or before were removed longer ago than the rule reaches.
    """

    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    removed_until: int

    @cached_property
    def ended_until(self) -> int:
        """No version that ended later, and that any snapshot held, can have expired."""
        gaps = (later for earlier, later in zip((0, *self.kept), self.kept, strict=False) if later - earlier > 1)
        return max(gaps, default=0)

    def is_shown(self, version: EndedVersion) -> bool:
        """Whether a kept point shows the version."""
        place = bisect_left(self.kept, version.from_seq)
        return place < len(self.kept) and self.kept[place] < version.until_seq

    def lingers(self, version: EndedVersion) -> bool:
        """Whether the version is kept because its item was removed not long ago.

        What came and went within one snapshot was in no point ever and is treated as an item's last version.
        """
        last = version.last or version.from_seq == version.until_seq
        return version.removed and last and version.until_seq > self.removed_until


def plan_points(keep: Keep, closed_at: Mapping[int, datetime], now: datetime) -> Plan:
    """Judge an account's closed snapshots by the rule; `closed_at` is by snapshot number.

    The newest one is always kept. Where the snapshot that ended a version is no longer there, the version counts as
    ended at the next one that is: it lives rather longer than shorter.
    """
    if keep.everything or not closed_at:
        return Plan(tuple(sorted(closed_at)), (), 0)
    kept = _kept(keep, closed_at, now) | {max(closed_at)}
    dropped = tuple(sorted(closed_at.keys() - kept))
    if keep.points:
        removed_until = max(dropped, default=0)
    else:
        reach = _reach(keep, now)
        # A clock that was once wrong makes nothing look older than what came before it.
        at_latest = accumulate((closed_at[seq] for seq in sorted(closed_at)), max)
        removed_until = max(
            (seq for seq, moment in zip(sorted(closed_at), at_latest, strict=True) if moment <= reach), default=0
        )
    return Plan(tuple(sorted(kept)), dropped, removed_until)


def _kept(keep: Keep, closed_at: Mapping[int, datetime], now: datetime) -> set[int]:
    if keep.points:
        return set(sorted(closed_at)[-keep.points :])
    by_time = sorted((moment, seq) for seq, moment in closed_at.items())
    times = [moment for moment, _ in by_time]
    if keep.days:
        # What was true at the beginning of these days is told by the newest point before them.
        first = bisect_left(times, _reach(keep, now))
        return {seq for _, seq in by_time[max(first - 1, 0) :]}
    newest_before = (bisect_left(times, end) - 1 for end in _period_ends(keep, now))
    return {by_time[place][1] for place in newest_before if place >= 0}


def _period_ends(keep: Keep, now: datetime) -> Iterator[datetime]:
    """When the periods that each keep a point end, the present ones too; calendars are UTC's."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(keep.daily):
        yield today + timedelta(days=1 - number)
    monday = today - timedelta(days=today.weekday())
    for number in range(keep.weekly):
        yield monday + timedelta(weeks=1 - number)
    for number in range(keep.monthly):
        yield _months_before(today.replace(day=1), number - 1)
    for number in range(keep.yearly):
        yield _months_before(today.replace(month=1, day=1), 12 * (number - 1))


def _reach(keep: Keep, now: datetime) -> datetime:
    """How far back a rule over time looks."""
    return min(
        now - timedelta(days=max(keep.days, keep.daily, 7 * keep.weekly)),
        _months_before(now.astimezone(UTC), max(keep.monthly, 12 * keep.yearly)),
    )


def _months_before(moment: datetime, months: int) -> datetime:
    """The same day and time so many months before, or the month's last day."""
    years, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    first = moment.replace(year=years, month=month + 1, day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return min(first + timedelta(days=moment.day - 1), following - timedelta(days=1))


def has_run_out(account: Account, keep_gone_days: int | None, now: datetime) -> bool:
    """Whether the account left the tenant so long ago that nothing of it is to be kept."""
    if account.state is not AccountState.GONE or account.gone_at is None or keep_gone_days is None:
        return False
    return account.gone_at + timedelta(days=keep_gone_days) <= now


class Figures(msgspec.Struct):
    """What expires: versions and the bytes of their parts, points, whole accounts.

    `items` are the removed ones whose last version is among these, `last_copies` those whose last version no kept
    point shows and which stays for now because they were removed not long ago.
    """

    versions: int = 0
    bytes: int = 0
    points: int = 0
    accounts: int = 0
    items: int = 0
    last_copies: int = 0


def expired_of(
    account_id: str, plan: Plan, pages: Iterable[Sequence[EndedVersion]], figures: Figures
) -> Iterator[Expired]:
    """The account's rows, of at most VERSIONS_A_ROW versions each; `pages` are its versions that ended.

    The points leave with the first row, so that none is ever seen with a part of what it held.
    """
    figures.points += len(plan.dropped)
    snapshots = plan.dropped
    waiting: list[tuple[str, int]] = []
    for version in (version for page in pages for version in page):
        if plan.is_shown(version):
            continue
        if plan.lingers(version):
            figures.last_copies += version.last
            continue
        figures.versions += 1
        figures.bytes += version.part_bytes
        figures.items += version.last
        waiting.append((version.item_id, version.from_seq))
        if len(waiting) == VERSIONS_A_ROW:
            yield Expired(account_id, tuple(waiting), snapshots)
            snapshots = ()
            waiting.clear()
    if waiting or snapshots:
        yield Expired(account_id, tuple(waiting), snapshots)
