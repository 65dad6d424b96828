"""`prune`: gives up what retention lets go, and the space that it took."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from tuiback.cli.engaging import engine_link, reach_home
from tuiback.cli.invocation import Invocation
from tuiback.cli.output import Row
from tuiback.cli.waiting import await_answer, exit_code_of
from tuiback.cli.wording import bytes_text, count_text, time_text

if TYPE_CHECKING:
    from tuiback.model import EngineStatus

# A prune that was cancelled says no more than that.
_NOTHING: Row = {
    "expired_versions": 0, "expired_bytes": 0, "last_copies": 0, "reclaimable_bytes": 0, "leaves_at": None,
    "freed_bytes": 0, "retained_bytes": 0, "errors": (),
}  # fmt: skip


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be given up.")
@click.pass_obj
def prune(call: Invocation, dry_run: bool) -> int:
    """Give up what the tasks' retention lets go, and the space it took; backups go on meanwhile.

    Space is freed a day after it was given up, by the next prune: what still reads from there can end first.
    """
    from tuiback.engine.commands import Prune

    with engine_link(reach_home(call)) as link:
        answer = {**_NOTHING, **await_answer(link, link.submit(Prune(dry_run=dry_run)), call.output, prune_line)}
    if call.output.as_json:
        call.output.document("prune", answer)
    elif dry_run:
        call.output.text(would_text(answer))
    if not dry_run:
        call.output.note(pruned_text(answer))
    call.output.trouble(answer["errors"])
    return exit_code_of(answer["outcome"])


def prune_line(picture: "EngineStatus") -> str:
    """How far the newest prune is, on one line."""
    jobs = [job for job in picture.jobs if job.kind == "prune" and job.state == "running"]
    if not jobs:
        return "prune: starting"
    job = max(jobs, key=lambda job: job.job)
    steps = f" {job.done:,}/{job.total:,}" if job.total else ""
    return f"prune {job.job}: {job.note}{steps}"


def pruned_text(answer: Row) -> str:
    """What a prune did, in words."""
    texts = [f"Freed {bytes_text(answer['freed_bytes'])}"]
    if answer["reclaimable_bytes"]:
        texts.append(f"{bytes_text(answer['reclaimable_bytes'])} {_leaves(answer)}")
    if answer["retained_bytes"]:
        texts.append(f"the store retains {bytes_text(answer['retained_bytes'])}")
    texts.append(f"{count_text(answer['expired_versions'], 'version')} expired")
    return "; ".join(texts)


def would_text(answer: Row) -> str:
    """What a prune would do, in words."""
    versions = count_text(answer["expired_versions"], "version")
    texts = [f"Would expire {versions}, {bytes_text(answer['expired_bytes'])}"]
    if answer["last_copies"]:
        texts.append(f"last copy of {count_text(answer['last_copies'], 'item')}: kept")
    if answer["reclaimable_bytes"]:
        texts.append(f"{bytes_text(answer['reclaimable_bytes'])} that nothing would need could go")
    return "; ".join(texts)


def _leaves(answer: Row) -> str:
    if answer["leaves_at"] is None:
        return "can leave at the next prune"
    return f"leaves at a prune after {time_text(datetime.fromisoformat(answer['leaves_at']))}"
