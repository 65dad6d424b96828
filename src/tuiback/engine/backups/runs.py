"""One run of a task: finds its accounts, backs each up within the limits, and says how it ended."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from tuiback.connectors.base import Connector, Discovered
from tuiback.engine.activity import Activity
from tuiback.engine.archives.archive import Archive
from tuiback.engine.backups.backup import AccountPass, PassResult
from tuiback.engine.backups.fetch import Fetcher
from tuiback.engine.backups.own_debts import OwnDebts
from tuiback.engine.monitor import RunMonitor
from tuiback.engine.settings.bandwidth import Bandwidth
from tuiback.engine.settings.decide import Scope, account_id_of, fits, scope_of
from tuiback.engine.settings.limits import Gate, Place
from tuiback.errors import AccountAbsent, EnvironmentFault, MicrosoftRefuses, NoSuchThing, TuibackError
from tuiback.model import Account, AccountState, Clock, Outcome, RunCounters, RunRow, Task

_LEVELS = {Outcome.OK: "ok", Outcome.PARTIAL: "warn", Outcome.CANCELLED: "info", Outcome.PAUSED: "info"}


class RunReport(msgspec.Struct, frozen=True):
    """What cli.md's `run` tells of one run; error is the reason when nothing could be done at all."""

    run: int
    task: str
    outcome: Outcome
    seconds: float
    counters: RunCounters
    error: TuibackError | None = None


class Crew(msgspec.Struct, frozen=True):
    """What a run works with. `members_of` tells who is in a group, by object id; `bandwidth` may limit reading."""

    archive: Archive
    connector: Connector
    accounts: Gate
    files: Gate
    activity: Activity
    monitor: RunMonitor
    clock: Clock
    members_of: Callable[[str], Awaitable[frozenset[str]]]
    bandwidth: Bandwidth | None = None


def outcome_of(passes: Iterable[Outcome], *, complete: bool) -> Outcome:
    """A run's outcome from those of its accounts; `complete`: every account that the task names was found."""
    counted = [outcome for outcome in passes if outcome is not Outcome.SKIPPED]
    if counted and all(outcome is Outcome.FAILED for outcome in counted):
        return Outcome.FAILED
    return Outcome.OK if complete and all(outcome is Outcome.OK for outcome in counted) else Outcome.PARTIAL


class TaskRun:
    """One execution of a task. execute() runs it to its end; stop() ends it at a checkpoint."""

    def __init__(self, task: Task, run: int, trigger: str, crew: Crew, only: Iterable[str] = ()) -> None:
        self.task = task
        self.monitor = crew.monitor
        self.run = run
        self.started_at: datetime = crew.clock.now()
        self._trigger = trigger
        self._crew = crew
        self._only = tuple(only)
        self._work: asyncio.Task[Outcome] | None = None
        self._stopped_as: Outcome | None = None
        # Gone accounts that the tenant shows again: only a pass tells whether they are back.
        self._returning: set[str] = set()
        self._own_debts = OwnDebts(crew.archive.committer, crew.clock)

    async def execute(self) -> RunReport:
        """Run to the end, whatever happens: the outcome and its reason are in the report."""
        with self._crew.archive.under_way.run():
            return await self._execute()

    async def _execute(self) -> RunReport:
        crew = self._crew
        begun = crew.clock.monotonic()
        error: TuibackError | None = None
        try:
            crew.archive.committer.stage_run(RunRow(self.run, self.task.name, self._trigger, self.started_at))
            self._work = asyncio.ensure_future(self._back_up())
            outcome = await self._work
        except asyncio.CancelledError:
            if self._stopped_as is None:
                raise
            outcome = self._stopped_as
        except TuibackError as e:
            error, outcome = e, Outcome.FAILED
        try:
            outcome = await self._commit_end(outcome)
        except TuibackError as e:
            error, outcome = error or e, Outcome.FAILED
        self._tell(outcome, error)
        seconds = crew.clock.monotonic() - begun
        return RunReport(self.run, self.task.name, outcome, seconds, self.monitor.counters, error)

    def stop(self, outcome: Outcome = Outcome.CANCELLED) -> None:
        """End the run: what is stored stays, cursors cover what they cover, the next run goes on from there.

        Its outcome is cancelled, or paused where it goes on by itself later.
        """
        self._stopped_as = self._stopped_as or outcome
        if self._work is not None:
            self._work.cancel()

    async def _commit_end(self, outcome: Outcome) -> Outcome:
        committer = self._crew.archive.committer
        await committer.commit()  # counts what the packs took before the counters are written down
        ended = self._crew.clock.now()
        counters = self.monitor.counters
        committer.stage_run(
            RunRow(self.run, self.task.name, self._trigger, self.started_at, ended, outcome, counters)
        )
        await committer.commit()
        return outcome

    def _tell(self, outcome: Outcome, error: TuibackError | None) -> None:
        c = self.monitor.counters
        text = f"{c.accounts} accounts, {c.items_new} new, {c.items_changed} changed, {c.items_removed} removed"
        if c.owed:
            text += f", {c.owed} owed"
        if error is not None:
            text = str(error)
        self._crew.activity.add(_LEVELS.get(outcome, "error"), self.task.name, f"{outcome}: {text}")

    async def _back_up(self) -> Outcome:
        # Another home may back the same accounts up: two points of one number would become one.
        await self._crew.archive.catch_up()
        scope = await self._find_accounts()
        self.monitor.accounts_total = len(scope.covered)
        passes = [asyncio.ensure_future(self._one(account)) for account in self._accounts(scope)]
        try:
            results = await asyncio.gather(*passes)
        finally:
            for one in passes:
                one.cancel()
            await asyncio.gather(*passes, return_exceptions=True)
        return outcome_of([r.outcome for r in results], complete=not scope.unmatched)

    async def _find_accounts(self) -> Scope:
        reader = self._crew.archive.reader
        await self._own_debts.learn(reader, self.task.name)
        known = await asyncio.to_thread(reader.accounts)
        mine = [a for a in known if a.task == self.task.name]
        kind = self._crew.connector.kind
        same = [a for a in known if a.kind == kind and a.tenant == self.task.tenant]
        owners = {a.owner_id: a.account_id.partition(":")[2] for a in same}
        discovered = [found async for found in self._crew.connector.discover(owners)]
        others = frozenset(a.account_id for a in known if a.task != self.task.name)
        members = {member for group in self.task.groups for member in await self._crew.members_of(group)}
        scope = scope_of(self.task, discovered, mine, others, members)
        if self._only:
            scope = replace(scope, covered=tuple(f for f in scope.covered if any(fits(t, f) for t in self._only)))
            if not scope.covered:
                raise NoSuchThing("no account of the task fits", ", ".join(self._only), "see 'tuiback account list'")
        self._tell_scope(scope)
        self._stage_accounts(scope, {a.account_id: a for a in known})
        return scope

    def _tell_scope(self, scope: Scope) -> None:
        for text in scope.unmatched:
            self._crew.activity.add("warn", self.task.name, f"{text}: no such account in the tenant")
        if scope.taken:
            self._crew.activity.add("info", self.task.name, f"{len(scope.taken)} accounts belong to other tasks")

    def _stage_accounts(self, scope: Scope, known: dict[str, Account]) -> None:
        committer = self._crew.archive.committer
        for found in scope.covered:
            account = self._account(found)
            before = known.get(account.account_id)
            if before is not None and before.state is AccountState.GONE:
                self._returning.add(account.account_id)
            elif before != account:
                committer.stage_account(account)
        for left in scope.gone:
            if left.account.state is not AccountState.GONE:
                self._stage_gone(left.account, left.reason)

    def _stage_gone(self, account: Account, reason: str) -> None:
        gone = replace(account, state=AccountState.GONE, gone_at=self._crew.clock.now(), gone_reason=reason)
        self._crew.archive.committer.stage_account(gone)
        self._own_debts.settle(account.account_id)
        self._crew.activity.add("warn", self.task.name, f"{account.address or account.name}: gone: {reason}")

    async def _settle_presence(self, account: Account, *, absent: bool) -> None:
        """What once was backed up and has no mailbox or drive any more is gone; what is backed up again is back."""
        returning = account.account_id in self._returning
        if absent and not returning:
            if await asyncio.to_thread(self._crew.archive.reader.points, account.account_id):
                self._stage_gone(account, f"its {account.kind} is gone: no licence any more, or deleted")
        elif returning and not absent:
            self._crew.archive.committer.stage_account(account)
            self._crew.activity.add("info", self.task.name, f"{account.address or account.name}: is back")

    def _account(self, found: Discovered) -> Account:
        return Account(
            account_id=account_id_of(found),
            kind=found.kind,
            tenant=self.task.tenant,
            task=self.task.name,
            owner_id=found.owner_id,
            name=found.name,
            address=found.address,
        )

    def _accounts(self, scope: Scope) -> list[Account]:
        for found in scope.covered:
            if found.reason:
                self.monitor.count("skipped")
                self._crew.activity.add("info", self.task.name, f"{found.address or found.name}: {found.reason}")
        # What is disabled may soon be deleted: it comes first, as this may be its last run.
        covered = sorted(scope.covered, key=lambda found: found.enabled)
        return [self._account(found) for found in covered if not found.reason]

    async def _one(self, account: Account) -> PassResult:
        crew = self._crew
        async with crew.accounts.hold(crew.connector.service) as place:
            self.monitor.begin(account.account_id, account.address or account.name)
            try:
                result = await self._pass(account, place).run()
                self._own_debts.settle(account.account_id)
                await self._settle_presence(account, absent=False)
            except (EnvironmentFault, MicrosoftRefuses):
                raise
            except AccountAbsent as e:
                result = PassResult(Outcome.SKIPPED, 0, (str(e),))
                self._own_debts.settle(account.account_id)
                await self._settle_presence(account, absent=True)
            except TuibackError as e:
                known = self._own_debts.owe(account.account_id, e)
                result = PassResult(Outcome.SKIPPED if known else Outcome.FAILED, 0, (str(e),))
            finally:
                self.monitor.end(account.account_id)
        self.monitor.accounts_done += 1
        counter = {Outcome.FAILED: "accounts_failed", Outcome.SKIPPED: "skipped"}.get(result.outcome)
        if counter is not None:
            self.monitor.count(counter)
        if result.outcome is not Outcome.SKIPPED:
            self.monitor.count("accounts")
        if result.left_out:
            text = f"{result.left_out} items are left out by --exclude-path now: they stay as they were backed up"
            crew.activity.add("info", account.address or account.name, text)
        for line in result.trouble:
            level = {Outcome.FAILED: "error", Outcome.SKIPPED: "info"}.get(result.outcome, "warn")
            crew.activity.add(level, account.address or account.name, line)
        return result

    def _pass(self, account: Account, place: Place) -> AccountPass:
        crew = self._crew
        fetcher = Fetcher(
            crew.connector, crew.archive.writer, crew.files, self.monitor, crew.clock, crew.bandwidth, place.lend,
            place.lend_waiting,
        )
        one = AccountPass(
            account,
            crew.connector,
            self.run,
            reader=crew.archive.reader,
            committer=crew.archive.committer,
            fetcher=fetcher,
            monitor=self.monitor,
            clock=crew.clock,
        )
        one.exclude_paths = self.task.exclude_paths
        return one
