"""The command line beside an engine of another version."""

from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Tuiback
from tests.engine.forged import forged_engine, hello, picture
from tuiback import __version__
from tuiback.model import EngineInfo, EngineStatus

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PICTURE = EngineStatus(7, NOW, EngineInfo("idle", 4711, "serve", NOW, "0.0.9"))


def test_status_works_and_names_both_versions(tuiback: Tuiback, tmp_path: Path) -> None:
    """An older engine that is understood is shown, with what to do about it."""
    with forged_engine(tmp_path, hello("0.0.9"), picture(PICTURE)):
        told = tuiback("--home", tmp_path, "status")
        assert told.code == 0
        assert f"tuiback 0.0.9; this is {__version__}: ".encode() in told.out
        assert b"systemctl restart tuiback" in told.out
        document = tuiback("--json", "--home", tmp_path, "status").document
        assert (document["engine"]["version"], document["version"]) == ("0.0.9", __version__)


def test_an_engine_that_is_not_understood_is_5(tuiback: Tuiback, home: Path) -> None:
    """Every verb that needs it says so in one line, for people and for programs."""
    with forged_engine(home, hello("0.0.1", protocol=0)):
        for verb in (("status",), ("run", "--all"), ("task", "pause", "mail")):
            told = tuiback("--home", home, *verb)
            assert told.code == 5
            assert f"tuiback 0.0.1 (process 4711), this is {__version__}" in told.err
            assert len(told.err.splitlines()) == 1
        assert tuiback("--json", "--home", home, "status").document["exit"] == 5
