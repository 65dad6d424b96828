"""The comparison with a tool made of shell commands, and with the real ones where they are installed."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tuiback.cli.benching import comparing
from tuiback.cli.benching.comparing import PHASES, Comparison, Plan
from tuiback.cli.benching.measuring import Command
from tuiback.cli.benching.tools import OTHERS, OWN, Tool, find_versions
from tuiback.errors import Damage, EnvironmentFault


@dataclass
class Copier:
    """A tool whose repository is a plain copy; `after_restore` is done to what it restored."""

    name: str
    place: Path
    after_restore: str = "true"
    version: str = "1"

    @property
    def repository(self) -> Path:
        return self.place / "repository"

    @property
    def beside(self) -> Path:
        return self.place / "beside"

    def init(self) -> Command:
        return self._shell("mkdir repository beside; echo known > beside/index")

    def backup(self, data: Path, number: int) -> Command:
        return self._shell(f"cp -r {data} repository/{number}")

    def restore(self, number: int, target: Path) -> Command:
        return self._shell(f"cp -r repository/{number}/. {target}; cd {target}; {self.after_restore}")

    def check(self) -> Command:
        return self._shell("test -d repository/1 && test -d repository/2")

    def _shell(self, line: str) -> Command:
        return Command(["sh", "-ec", line], self.place, {})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a few messages and two files."""
    folder = tmp_path / "given"
    (folder / "deep").mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.eml").write_bytes(b"Subject: %d\r\n\r\nhello\r\n" % number)
    (folder / "deep" / "report.bin").write_bytes(bytes(range(256)) * 5000)
    (folder / "note.txt").write_bytes(b"one\ntwo\n")
    return folder


def plan_of(tools: Sequence[str], data: Path, *, rounds: int = 1) -> Plan:
    """A plan for real data with the versions that are installed."""
    return Plan(tools, find_versions([name for name in tools if name in OTHERS]), rounds, 0, 0, data)


def compare(plan: Plan, place: Path) -> Comparison:
    """A comparison in a new folder."""
    place.mkdir()
    return Comparison(plan, place, lambda _: None)


def use_copier(monkeypatch: pytest.MonkeyPatch, after_restore: str = "true") -> None:
    """Let every tool be a Copier."""

    def make(name: str, place: Path, versions: object) -> Tool:
        place.mkdir(parents=True)
        return Copier(name, place, after_restore)

    monkeypatch.setattr(comparing, "make_tool", make)


def test_every_tool_goes_through_every_phase(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rounds of two tools give one row for each kind of data and phase, with both backups in the repository."""
    use_copier(monkeypatch)
    place = tmp_path / "place"
    results = compare(plan_of(["one", "two"], data, rounds=2), place).run()
    assert {(row.tool, row.data, row.phase) for row in results} == {
        (tool, kind, phase) for tool in ("one", "two") for kind in ("large", "mail") for phase in PHASES
    }
    assert len(results) == 16
    sizes = {row.phase: row.stored_bytes for row in results if (row.tool, row.data) == ("one", "large")}
    assert sizes["initial"] >= 1_280_008
    assert sizes["second"] > sizes["initial"] * 2
    assert {row.beside_bytes for row in results} == {len("known\n")}
    assert all(row.seconds > 0 and row.mb_s >= 0 and row.rss > 0 for row in results)
    # Files that a tool has left make room, but none is deleted before the last tool was measured.
    left = [path.stat().st_size for path in place.rglob("*") if "data" not in path.parts and path.suffix == ".eml"]
    assert left == [0] * 3 * 2 * 2 * 3


@pytest.mark.parametrize("fault", ["rm *.eml", "echo more >> 1.eml", "cp 1.eml 3.eml"])
def test_a_wrong_restore_is_no_result(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """What is missing, changed or too much after a restore ends the comparison."""
    (data / "note.txt").unlink()
    shutil.rmtree(data / "deep")
    use_copier(monkeypatch, fault)
    with pytest.raises(Damage, match="one: what it restored is not what was backed up"):
        compare(plan_of(["one"], data), tmp_path / "place").run()


def test_an_empty_folder_is_no_data(tmp_path: Path) -> None:
    """Nothing to measure with is told, not measured."""
    (tmp_path / "given").mkdir()
    with pytest.raises(EnvironmentFault, match="nothing in it"):
        compare(plan_of([OWN], tmp_path / "given"), tmp_path / "place").run()


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_tools(tmp_path: Path, data: Path, name: str) -> None:
    """Where the tool is installed, its own restore gives back what it was given, and its version is told."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    results = compare(plan_of([name], data), tmp_path / "place").run()
    assert len(results) == 2 * len(PHASES)
    assert all(row.version[0].isdigit() for row in results)
