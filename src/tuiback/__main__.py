"""Starts the command line: `tuiback` and `python -m tuiback`."""

import gc
import sys

from tuiback.cli.root import main as run_command_line


def main() -> None:
    """Run the command line with this process's arguments and end with its exit code."""
    code = run_command_line(sys.argv[1:])
    # The interpreter searches all that is left for garbage before it ends, which takes as long as many a verb.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
