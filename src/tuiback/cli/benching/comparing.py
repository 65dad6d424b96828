"""Measures the tools side by side: the same data, one phase after the other, each tool in its turn."""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from statistics import median

from tuiback.cli.benching.measuring import Command, Measured, bytes_below, files_below, measure, read_through
from tuiback.cli.benching.tools import Tool, make_tool
from tuiback.engine.restores.targets import MANIFEST
from tuiback.errors import Damage, EnvironmentFault

PHASES = ("initial", "second", "restore", "check")
_SAMPLES = "tuiback.cli.benching.samples"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: `data` is a folder of real data, else so many bytes are made; medians of `rounds`."""

    tools: Sequence[str]
    versions: Mapping[str, str]
    rounds: int
    large_bytes: int
    mail_bytes: int
    data: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One tool, kind of data and phase; `stored_bytes` is the whole repository, `beside_bytes` catalog or cache."""

    tool: str
    version: str
    data: str
    phase: str
    seconds: float
    cpu_seconds: float
    mb_s: float
    stored_bytes: int
    beside_bytes: int
    rss: int


@dataclass(frozen=True, slots=True)
class _Sample:
    measured: Measured
    data_bytes: int
    stored_bytes: int
    beside_bytes: int


class Comparison:
    """One comparison in the empty folder `place`, which the caller removes; `say` shows what is being measured."""

    def __init__(self, plan: Plan, place: Path, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._place = place
        self._say = say
        self._log = place / "said.log"
        self._samples: dict[tuple[str, str, str], list[_Sample]] = defaultdict(list)
        self._versions: dict[str, str] = {}

    def run(self) -> list[Result]:
        """The median of every tool, kind of data and phase. Raises EnvironmentFault, and Damage for a wrong restore."""
        self._say("making the data")
        data = self._place / "data"
        data.mkdir()
        plan = self._plan
        if plan.data is None:
            self._change_data("make", data, str(plan.large_bytes), str(plan.mail_bytes))
        else:
            self._change_data("copy", data, str(plan.data.absolute()))
        kinds = sorted(folder for folder in data.iterdir() if files_below(folder))
        if not kinds:
            raise EnvironmentFault("there is nothing in it to measure with", str(plan.data), "name a folder with files")
        for number in range(1, plan.rounds + 1):
            for kind in kinds:
                self._round(kind, number)
        return [self._result(*key) for key in self._samples]

    def _round(self, data: Path, number: int) -> None:
        place = self._place / f"{data.name}-{number}"
        # Nobody is always the first.
        turn = (number - 1) % len(self._plan.tools)
        order = [*self._plan.tools[turn:], *self._plan.tools[:turn]]
        tools = [make_tool(name, place / name, self._plan.versions) for name in order]
        self._versions |= {tool.name: tool.version for tool in tools}
        for tool in tools:
            measure(tool.init(), log=self._log)
        for backup, phase in ((1, "initial"), (2, "second")):
            if backup == 2:
                self._change_data("change", data, f"round {number}")
            for tool in tools:
                self._phase(tool, phase, data, data, tool.backup(data, backup))
        content = _content(data)
        for tool in tools:
            self._restore(tool, data, self._place / "restored" / f"{place.name}-{tool.name}", content)
        for tool in tools:
            self._phase(tool, "check", data, tool.repository, tool.check())
        _empty(place)

    def _restore(self, tool: Tool, data: Path, target: Path, content: Sequence[bytes]) -> None:
        target.mkdir(parents=True)
        self._phase(tool, "restore", data, tool.repository, tool.restore(2, target))
        (target / MANIFEST).unlink(missing_ok=True)
        if _content(target) != content:
            raise Damage("what it restored is not what was backed up", tool.name)
        _empty(target)

    def _phase(self, tool: Tool, phase: str, data: Path, read_before: Path, command: Command) -> None:
        self._say(f"{data.name}: {phase}, {tool.name}")
        read_through(read_before)
        measured = measure(command, log=self._log, sync=phase == "restore")
        sample = _Sample(measured, bytes_below(data), bytes_below(tool.repository), bytes_below(tool.beside))
        self._samples[tool.name, data.name, phase].append(sample)

    def _change_data(self, verb: str, folder: Path, *more: str) -> None:
        arguments = [sys.executable, "-m", _SAMPLES, verb, str(folder), *more]
        measure(Command(arguments, self._place, {}), log=self._log)

    def _result(self, tool: str, data: str, phase: str) -> Result:
        samples = self._samples[tool, data, phase]
        seconds = median(sample.measured.seconds for sample in samples)
        return Result(
            tool=tool,
            version=self._versions[tool],
            data=data,
            phase=phase,
            seconds=round(seconds, 3),
            cpu_seconds=round(median(sample.measured.cpu_seconds for sample in samples), 3),
            mb_s=round(median(sample.data_bytes for sample in samples) / seconds / 1e6, 1),
            stored_bytes=round(median(sample.stored_bytes for sample in samples)),
            beside_bytes=round(median(sample.beside_bytes for sample in samples)),
            rss=round(median(sample.measured.rss_bytes for sample in samples)),
        )


def _empty(folder: Path) -> None:
    """Give the room of its files back, and leave them there until everything is measured.

    ext4 without a journal passes over every inode that was freed in the last minutes, which costs whoever makes files
    next half a millisecond each. See recently_deleted() in Linux, fs/ext4/ialloc.c.
    """
    for path in files_below(folder):
        # Some tools make theirs read-only.
        path.chmod(0o600)
        os.truncate(path, 0)


def _content(folder: Path) -> list[bytes]:
    """The hashes of all files, without their names: an export names a message by its subject."""
    hashes = []
    for path in files_below(folder):
        with path.open("rb") as file:
            hashes.append(file_digest(file, "sha256").digest())
    return sorted(hashes)
