"""Asks a catalog what the retention of its tasks gives up, account by account."""

from collections.abc import Callable, Iterator
from datetime import datetime

from tuiback.catalog import CatalogReader
from tuiback.engine.settings.retention import Figures, expired_of, has_run_out, parse_keep, parse_keep_gone, plan_points
from tuiback.model import Account, Expired, Task


def find_expired(
    reader: CatalogReader, now: datetime, is_held: Callable[[Account], bool], figures: Figures
) -> Iterator[Expired]:
    """The rows of all accounts, found while they are asked for, and counted in `figures`; nothing is changed.

    An account that is held, that no task covers any more, or whose snapshot is open keeps everything; one that left
    the tenant and whose time ran out is given up whole, its open snapshot too, because nobody will ever close it. The
    rows of one account follow each other. Raises UsageError for a rule that is none, and what the reader raises.
    """
    tasks = {task.name: task for task in reader.tasks()}
    for account in reader.accounts():
        task = tasks.get(account.task)
        if task is not None and not is_held(account):
            yield from _of_account(reader, account, task, now, figures)


def _of_account(
    reader: CatalogReader, account: Account, task: Task, now: datetime, figures: Figures
) -> Iterator[Expired]:
    account_id = account.account_id
    if has_run_out(account, parse_keep_gone(task.keep_gone), now):
        versions, version_bytes = reader.kept_figures(account_id)
        figures.accounts += 1
        figures.versions += versions
        figures.bytes += version_bytes
        yield Expired(account_id, whole=True)
        return
    keep = parse_keep(task.keep)
    if keep.everything or reader.open_snapshot(account_id) is not None:
        return
    plan = plan_points(keep, {point.seq: point.taken_at for point in reader.points(account_id)}, now)
    pages = reader.ended_versions(account_id, plan.ended_until, plan.removed_until)
    yield from expired_of(account_id, plan, pages, figures)
