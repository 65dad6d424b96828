"""Starts the command line: `tuiback` and `python -m tuiback`."""

import sys

from tuiback.cli.root import main as run_command_line


def main() -> None:
    """Run the command line with this process's arguments and end with its exit code."""
    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
