"""Reads a capture against what Microsoft publishes: how much of each budget was used when it was fullest.

`python -m tests.acceptance.budgets CAPTURE [LICENCES]` prints a line for each budget and ends with 1 when any was
exceeded by more than 5 % or half a percent of the requests were refused. It knows nothing of the client, nor of the
simulated tenant's own table: the figures are typed from
https://learn.microsoft.com/graph/throttling-limits and
https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
"""

import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_SHARE = 1.05
MOST_REFUSED = 0.005
MAILBOX_AT_ONCE = 4

_VERSION = re.compile(r"/(?:v1\.0|beta)(/[^?]*)(?:\?(.*))?$")
_FILES = re.compile(r"^/(?:drives|sites|shares)/|^/users/[^/]+/drives?(?:/|$)|^/groups/[^/]+/drives?(?:/|$)")
_MAILBOX = re.compile(r"^/users/([^/]+)/(?:mailFolders|messages|mailboxSettings|calendar|events|contact|todo|outlook)")
_LISTS = ("/children", "/versions", "/drives", "/lists", "/items", "/sites")


@dataclass(frozen=True)
class Asked:
    """One request as the service counts it: when, how long, of which budget holder, at what cost."""

    time: float
    seconds: float
    service: str
    holder: str
    units: int
    status: int
    bytes_up: int = 0


@dataclass(frozen=True)
class Budget:
    """At most `limit` in any `seconds`, for each holder at the service; `measure` is units, requests or bytes_up."""

    name: str
    service: str
    measure: str
    limit: int
    seconds: float


@dataclass(frozen=True)
class Fullest:
    """The most that any holder used of a budget in any stretch of its time."""

    budget: Budget
    used: int
    holder: str

    @property
    def share(self) -> float:
        return self.used / self.budget.limit


def published(licences: int = 0) -> tuple[Budget, ...]:
    """The table for a tenant of so many licences."""
    size = sum(licences > most for most in (1_000, 5_000, 15_000, 50_000))
    identity = 3_500 if licences < 50 else 5_000 if licences <= 500 else 8_000
    return (
        Budget("all of Graph", "", "requests", 130_000, 10),
        Budget("a mailbox's requests", "outlook", "requests", 10_000, 600),
        Budget("a mailbox's uploads", "outlook", "bytes_up", 150_000_000, 300),
        Budget("identity", "identity", "units", identity, 10),
        Budget("files in a minute", "files", "units", (1_250, 2_500, 3_750, 5_000, 6_250)[size], 60),
        Budget("files in a day", "files", "units", 1_200_000 * (size + 1), 86_400),
    )


def read_capture(path: Path) -> list[Asked]:
    """All requests to Graph in the order of their times, each member of a batch by itself."""
    with path.open() as lines:
        found = [each for line in lines for each in _asked(json.loads(line))]
    return sorted(found, key=lambda each: each.time)


def _asked(line: Mapping[str, Any]) -> Iterator[Asked]:
    members = line.get("members")
    if members is None:
        if (one := _one(line, line["url"], line["method"], line["status"], line["request_bytes"])) is not None:
            yield one
        return
    answers = (line["body"] or {}).get("responses", ()) if isinstance(line["body"], dict) else ()
    statuses = {str(each["id"]): int(each["status"]) for each in answers}
    for member in members:
        status = statuses.get(str(member["id"]), line["status"])
        # What depends on a member that failed is not carried out.
        one = _one(line, f"/v1.0{member['url']}", member["method"], status, 0) if status != 424 else None
        if one is not None:
            yield one


def _one(line: Mapping[str, Any], url: str, method: str, status: int, sent: int) -> Asked | None:
    found = _VERSION.search(url)
    if found is None:
        return None
    path, query = found[1], (found[2] or "").lower()
    when = (float(line["time"]), float(line["seconds"]))
    if mailbox := _MAILBOX.match(path):
        return Asked(*when, "outlook", mailbox[1], 1, status, sent if method != "GET" else 0)
    if _FILES.match(path):
        return Asked(*when, "files", "", _file_units(method, path.lower(), query), status)
    return Asked(*when, "identity", "", _identity_units(method, path.lower(), query), status)


def _file_units(method: str, path: str, query: str) -> int:
    if path.endswith("/permissions") or "permissions" in query:
        return 5
    if method != "GET" or path.endswith(_LISTS):
        return 2
    return 2 if path.endswith("/delta") and "token" not in query else 1


def _identity_units(method: str, path: str, query: str) -> int:
    costs = {"/users": 2, "/groups": 1, "/applications": 2, "/subscribedskus": 3}
    units = 5 if path.endswith("/transitivemembers") else 3 if path.endswith("/members") else costs.get(path, 1)
    if method != "GET":
        return 1
    return max(1, units - ("select=" in query) + ("expand=" in query))


def fullest(requests: Iterable[Asked], budget: Budget) -> Fullest:
    """The fullest stretch of the budget's time, of whichever holder."""
    by_holder: defaultdict[str, list[Asked]] = defaultdict(list)
    for each in requests:
        if budget.service in ("", each.service):
            by_holder[each.holder if budget.service else ""].append(each)
    found = [Fullest(budget, _most(spent, budget), holder) for holder, spent in by_holder.items()]
    return max(found, key=lambda each: each.used, default=Fullest(budget, 0, ""))


def _most(spent: Sequence[Asked], budget: Budget) -> int:
    amounts = [1 if budget.measure == "requests" else int(getattr(each, budget.measure)) for each in spent]
    most = used = first = 0
    for place, each in enumerate(spent):
        used += amounts[place]
        while spent[first].time <= each.time - budget.seconds:
            used -= amounts[first]
            first += 1
        most = max(most, used)
    return most


def most_at_once(path: Path) -> int:
    """The most requests under way in any mailbox; the members of a chain follow one another, others go side by side."""
    moments: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    with path.open() as lines:
        for line in map(json.loads, lines):
            begun, ended = line["time"], line["time"] + line["seconds"]
            for mailbox, places in _places(line).items():
                moments[mailbox] += [(begun, places), (ended, -places)]
    return max((_peak(sorted(each)) for each in moments.values()), default=0)


def _places(line: Mapping[str, Any]) -> Mapping[str, int]:
    members = line.get("members")
    asked = [line["url"]] if members is None else [f"/v1.0{each['url']}" for each in members]
    is_chain = any("dependsOn" in each for each in members or ())
    places: defaultdict[str, int] = defaultdict(int)
    for url in asked:
        path = _VERSION.search(url)
        mailbox = _MAILBOX.match(path[1]) if path else None
        if mailbox:
            places[mailbox[1]] = 1 if is_chain else places[mailbox[1]] + 1
    return places


def _peak(moments: Sequence[tuple[float, int]]) -> int:
    peak = now = 0
    for _, change in moments:
        now += change
        peak = max(peak, now)
    return peak


def refused_share(requests: Sequence[Asked]) -> float:
    """The part of the requests that was answered 429."""
    return sum(each.status == 429 for each in requests) / max(len(requests), 1)


def pace(requests: Sequence[Asked]) -> tuple[float, float]:
    """Requests a second in a mailbox at work, and what four at once allow there at the usual time of an answer."""
    by_mailbox: defaultdict[str, list[Asked]] = defaultdict(list)
    for each in requests:
        if each.service == "outlook":
            by_mailbox[each.holder].append(each)
    spans = [(len(of), max(e.time + e.seconds for e in of) - of[0].time) for of in by_mailbox.values()]
    usual = statistics.median(each.seconds for of in by_mailbox.values() for each in of)
    return sum(count for count, _ in spans) / sum(seconds for _, seconds in spans), MAILBOX_AT_ONCE / usual


def main(path: Path, licences: int) -> int:
    """Print the whole reckoning; the exit code."""
    requests = read_capture(path)
    worst = [fullest(requests, budget) for budget in published(licences)]
    at_once, refused, (rate, allowed) = most_at_once(path), refused_share(requests), pace(requests)
    lines = [
        f"{each.budget.name:22} {each.used:>9} of {each.budget.limit:>9} in {each.budget.seconds:g} s: "
        f"{each.share:7.1%} {each.holder}"
        for each in worst
    ]
    lines.append(f"{'a mailbox at once':22} {at_once:>9} of {MAILBOX_AT_ONCE:>9}")
    lines.append(
        f"{len(requests)} requests, {refused:.2%} refused; {rate:.1f} a second in a mailbox at work, where four at "
        f"once allow {allowed:.1f}: {rate / allowed:.0%}"
    )
    sys.stdout.write("\n".join(lines) + "\n")
    kept = at_once <= MAILBOX_AT_ONCE and all(each.share <= MOST_SHARE for each in worst)
    return 0 if kept and refused < MOST_REFUSED else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
