"""Waits for the engine's answer and shows how far it is meanwhile."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tuiback.cli.output import Output
from tuiback.cli.wording import bytes_text, count_text
from tuiback.model import EngineStatus, Outcome, TaskState

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tuiback.engine.hosting.link import Link

_LOOK_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 0.02
# The engine paints a new picture every second.
_PICTURE_SECONDS = 3.0
# What an account busy at this moment adds to the line.
_MOST_NAMED = 1
_IN_RUN = (TaskState.RUNNING, TaskState.THROTTLED, TaskState.WAITING, TaskState.DISK)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_PARTIAL = 3
_EXIT_BY_OUTCOME = {
    Outcome.OK: EXIT_OK,
    # There was nothing to do: the task is not due or not allowed to run now.
    Outcome.SKIPPED: EXIT_OK,
    Outcome.FAILED: EXIT_FAILED,
}


def exit_code_of(outcome: str) -> int:
    """The exit code that an outcome means: partial, paused and cancelled leave something to do."""
    return _EXIT_BY_OUTCOME.get(Outcome(outcome), EXIT_PARTIAL)


def await_answer(
    link: "Link", answer: "Future[dict[str, object]]", output: Output, line: Callable[[EngineStatus], str]
) -> dict[str, Any]:
    """The engine's answer; `line` says on the terminal how far it is. Raises what the engine raised."""
    try:
        while True:
            try:
                return answer.result(_LOOK_SECONDS)
            except TimeoutError:
                if answer.done():
                    raise
            picture = link.status()
            if picture is not None and output.watched:
                output.progress(line(picture))
    finally:
        output.progress("")


def await_picture(link: "Link", wanted: Callable[[EngineStatus], bool]) -> EngineStatus | None:
    """The engine's picture as soon as it is as wanted; the newest there is when that takes too long."""
    deadline = time.monotonic() + _PICTURE_SECONDS
    while True:
        picture = link.status()
        if (picture is not None and wanted(picture)) or time.monotonic() >= deadline:
            return picture
        time.sleep(_LOOK_AGAIN_SECONDS)


def run_line(picture: EngineStatus) -> str:
    """How far the runs in progress are, on one line of a narrow terminal."""
    running = [task for task in picture.tasks if task.state in _IN_RUN]
    if not running:
        return "starting"
    done = sum(task.items_done for task in running)
    rate = sum(task.bytes_per_second for task in running)
    parts = [
        ", ".join(task.name for task in running),
        f"{sum(t.accounts_done for t in running)}/{count_text(sum(t.accounts for t in running), 'account')}",
        count_text(done, "item"),
        f"{bytes_text(int(rate))}/s",
    ]
    waits = [f"{t.service} asks us to wait {t.wait_seconds:.0f} s" for t in picture.throttles if t.wait_seconds >= 1]
    return "  ".join(parts + waits[:_MOST_NAMED])


def job_line(kind: str) -> Callable[[EngineStatus], str]:
    """How far the newest job of this kind is."""

    def line(picture: EngineStatus) -> str:
        jobs = [job for job in picture.jobs if job.kind == kind]
        if not jobs:
            return f"{kind}: starting"
        job = max(jobs, key=lambda job: job.job)
        return f"{kind} {job.job}: {job.done:,}/{count_text(job.total, 'item')}, {bytes_text(job.bytes_done)}"

    return line
