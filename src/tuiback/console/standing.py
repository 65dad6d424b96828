"""How every protected account stands and why, as the Accounts screen and the screens of one task tell it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from tuiback.console import figures
from tuiback.console.ports import ConsoleView
from tuiback.console.services import account_service
from tuiback.console.text import wrap
from tuiback.console.widgets.lines import Line, Span, line
from tuiback.console.widgets.rows import Column
from tuiback.model import Account, Hold, Task

if TYPE_CHECKING:
    from tuiback.catalog import AccountOverview
    from tuiback.model import Owed

MIDDLE, WIDE = 100, 130
_REQUEST = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) \S+: ")
# States in the order of how much they ask for somebody.
STATES = ("failed", "late", "never", "gone", "ok")
STATE_TONES = {"failed": "err", "late": "warn", "never": "info", "gone": "gone", "ok": "ok"}


@dataclass(frozen=True, slots=True)
class Standing:
    """One protected account: its task as configured (None once it was removed), its debts, what holds it."""

    repository: str
    overview: "AccountOverview"
    task: Task | None
    debts: "tuple[Owed, ...]" = ()
    hold: Hold | None = None

    @property
    def account(self) -> Account:
        """The account itself."""
        return self.overview.account

    @property
    def name(self) -> str:
        """Its address, or its name where it has none."""
        return self.account.address or self.account.name or self.account.account_id

    @property
    def new_debts(self) -> int:
        """What is owed and nobody has acknowledged."""
        return sum(not debt.ack for debt in self.debts)


def read_standings(view: ConsoleView, now: datetime) -> list[Standing]:
    """Every account of every repository; may take long, so from a thread. Raises what the catalogs raise."""
    from tuiback.engine.timing.lateness import with_late
    from tuiback.engine.upkeep.holds import find_hold

    found: list[Standing] = []
    for repository, reader in view.readers():
        tasks = {task.name: task for task in reader.tasks()}
        holds = tuple(reader.holds())
        debts: defaultdict[str, list[Owed]] = defaultdict(list)
        for debt in reader.owed():
            debts[debt.account_id].append(debt)
        found += [
            Standing(
                repository, overview, tasks.get(overview.account.task), tuple(debts[overview.account.account_id]),
                find_hold(holds, overview.account, now),
            )
            for overview in with_late(reader.account_overview(), tasks.values(), now)
        ]
    return found


def counted(standings: Iterable[Standing]) -> str:
    """How many are in which state, the worst first."""
    states = Counter(one.overview.state for one in standings)
    return "  ".join(f"{states[state]} {state}" for state in STATES if states[state])


def reason_of(standing: Standing) -> str:
    """Why the account is in its state, in words; "" for one that is ok."""
    overview, account = standing.overview, standing.account
    last = f"the last was {figures.date_time(overview.last_ok_at)}" if overview.last_ok_at else "there was none yet"
    match overview.state:
        case "late":
            objective = standing.task.objective if standing.task else ""
            return f"no run was ok within {objective}: {last}"
        case "failed":
            own = next((debt for debt in standing.debts if not debt.item_id and not debt.container_id), None)
            return own.error if own else f"its last run failed; of those that were ok {last}"
        case "gone":
            when = f" on {figures.local(account.gone_at):%Y-%m-%d}" if account.gone_at else ""
            return f"{account.gone_reason or 'left the tenant'}{when}; its last recovery point stays"
        case "never":
            return "no run has backed it up yet"
    return ""


def answer_of(error: str) -> str:
    """What was answered, without the request that was answered so: in a column that would take all the room."""
    asked = _REQUEST.match(error)
    return error[asked.end() :] if asked else error


def counting(count: int, noun: str) -> str:
    """So many of something."""
    return f"{figures.number(count)} {noun}{'s' * (count != 1)}"


def account_columns(width: int) -> tuple[Column, ...]:
    """The columns that fit: its name from 100 cells on, the reason of its state from 130."""
    wide, middle = width >= WIDE, width >= MIDDLE
    columns = [Column("account", "ACCOUNT", 12, grow=not wide), Column("service", "SVC", 3)]
    if wide:
        columns[0] = replace(columns[0], width=30)
    columns.append(Column("task", "TASK", 16 if middle else 12))
    columns.append(Column("state", "STATE", 6))
    if wide:
        columns.append(Column("reason", "WHY", 20, grow=True))
    columns += [
        Column("last", "LAST", 4, "right"), Column("owed", "OWED", 4, "right"), Column("points", "POINTS", 6, "right"),
        Column("items", "ITEMS", 5, "right"), Column("size", "SIZE", 6, "right"),
    ]
    return tuple(columns)


def account_cells(standing: Standing, now: datetime, domain: str = "") -> Mapping[str, str | Line]:
    """What stands in the columns; addresses lose the `domain` that all of them share."""
    overview = standing.overview
    tone = STATE_TONES[overview.state]
    owed = len(standing.debts)
    held = (Span(" (held)", "info"),) if standing.hold else ()
    return {
        "account": (Span(standing.name.removesuffix(domain), "gone" if overview.state == "gone" else ""), *held),
        "service": (Span(account_service(standing.account.kind), "label"),),
        "task": standing.account.task,
        "state": (Span(overview.state, tone),),
        "reason": (Span(answer_of(reason_of(standing)), tone),),
        "last": (Span(figures.age(overview.last_ok_at, now), tone if overview.state == "late" else ""),),
        "owed": (Span(figures.short_number(owed), "warn" if standing.new_debts else "dim"),),
        "points": figures.short_number(overview.points),
        "items": figures.short_number(overview.items),
        "size": figures.size(overview.bytes),
    }


def account_details(standing: Standing, now: datetime, width: int) -> list[Line]:
    """Everything that is known of one account."""
    overview, account, tone = standing.overview, standing.account, STATE_TONES[standing.overview.state]
    named = f" {account.name}" if account.name != standing.name else ""
    where = f"{account.kind} of {account.tenant}, task {account.task}{'' if standing.task else ' (removed)'}"
    lines = [line((standing.name, "title"), (named, "strong"), (f"   {where}", "dim"))]
    last = f"last ok {figures.date_time(overview.last_ok_at)}" if overview.last_ok_at else "never ok"
    reason = wrap(reason_of(standing) or last, width - 9, 3)
    lines += [line((f"{overview.state if number == 0 else '':<9}", tone), text) for number, text in enumerate(reason)]
    held = f"{counting(overview.points, 'recovery point')}, {counting(overview.items, 'item')}"
    lines.append(line(("Kept     ", "label"), f"{held}, {figures.size_text(overview.bytes)}"))
    if standing.hold:
        lines.append(line(("Hold     ", "label"), hold_sentence(standing.hold)))
    lines += [debt_line(debt, now) for debt in standing.debts if debt.item_id or debt.container_id]
    former = [alias.address for alias in overview.aliases if alias.until is not None]
    if former:
        lines.append(line(("Earlier  ", "label"), ", ".join(former)))
    ids = wrap(account.account_id, width - 9, 2)
    return lines + [line((f"{'' if row else 'Id':<9}", "label"), (text, "dim")) for row, text in enumerate(ids)]


def hold_sentence(hold: Hold) -> str:
    """Who holds it, until when, and why."""
    until = f"through {figures.local(hold.until):%Y-%m-%d}" if hold.until else "until it is removed"
    return f"kept {until} ({hold.hold_id}, by {hold.made_by}): {hold.reason}"


def debt_line(debt: "Owed", now: datetime) -> Line:
    """One debt in a line."""
    known = Span("known    ", "dim") if debt.ack else Span("owed     ", "warn")
    age = figures.age(debt.since, now)
    tries = f"{debt.tries} {'try' if debt.tries == 1 else 'tries'} {'just now' if age == 'now' else f'in {age}'}"
    path = Span(debt.path or "the account itself", "strong")
    return (known, path, Span(f"  {tries}  "), Span(answer_of(debt.error), "dim"))


def accounts_of(standings: Sequence[Standing]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tasks and the ids of accounts that can be run: those that are still there."""
    there = [one for one in standings if one.overview.state != "gone" and one.task is not None]
    return tuple(dict.fromkeys(one.account.task for one in there)), tuple(one.account.account_id for one in there)
