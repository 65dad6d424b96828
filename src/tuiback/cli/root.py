"""Runs one command line, or the console where no verb is named, and turns how it ended into an exit code."""

import gc
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from tuiback.cli.invocation import Invocation, take_common_options
from tuiback.cli.output import Output, standard_output
from tuiback.errors import TuibackError, UsageError

INTERRUPTED = 130
TERMINATED = 143
_OBJECTS_BEFORE_SEARCH = 100_000


class Terminated(BaseException):
    """SIGTERM or SIGHUP came: everything open is closed on the way out, as with Ctrl-C."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        options, rest = take_common_options(arguments)
    except UsageError as error:
        standard_output(as_json="--json" in arguments, quiet=False).error(error)
        return error.exit_code
    output = standard_output(as_json=options.as_json, quiet=options.quiet)
    with _terminable():
        return _run(rest, Invocation(options, output))


def _run(arguments: list[str], call: Invocation) -> int:
    try:
        code = _carry_out(arguments, call)
        call.output.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    except BrokenPipeError:
        return _reader_left()
    except TuibackError as error:
        return _fail(error, call.output)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line and a code, never a traceback
        if call.options.debug:
            import traceback

            traceback.print_exc()
        what = f"unexpected {type(error).__name__}: {error}".replace("\n", " ")
        return _fail(TuibackError(what, remedy="run it again with --debug and report what it shows"), call.output)
    return code


def _carry_out(arguments: list[str], call: Invocation) -> int:
    if not arguments:
        # The console does without click, and without collecting garbage while modules load, until its first frame.
        gc.disable()
        from tuiback.cli.opening import open_console

        return open_console(call)
    # What loads stays: searching it for garbage at every 700th object, as Python does by default, finds nothing.
    gc.set_threshold(_OBJECTS_BEFORE_SEARCH)
    from tuiback.cli.verbs import run_verb

    return run_verb(arguments, call)


def _reader_left() -> int:
    # What is still buffered would raise the same again when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


def _fail(error: TuibackError, output: Output) -> int:
    output.progress("")
    output.error(error)
    return error.exit_code


@contextmanager
def _terminable() -> Iterator[None]:
    """Within it SIGTERM and a terminal that hangs up unwind the main thread as Ctrl-C does.

    Nothing that comes after the first one disturbs the closing. nohup's wish to survive the terminal is respected, and
    that of a shell that starts something in the background.
    """
    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
