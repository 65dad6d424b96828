"""What packages load only when it is asked for."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest


@pytest.mark.parametrize("package", ["tuiback.store", "tuiback.catalog"])
def test_every_promised_name_can_be_had(package: str) -> None:
    """None is missing, none is a module's name too (whichever came first would be given), and others are refused."""
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert find_spec(f"{package}.{name}") is None
    assert set(module.__all__) == set(module._MODULES)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing


def test_a_backup_loads_nothing_that_checks() -> None:
    """Whoever only stores and reads starts without the modules of check and prune."""
    code = "import sys; from tuiback.store import Reader, Writer; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tuiback.store.writer" in loaded
    assert not {"tuiback.store.check", "tuiback.store.sweep", "tuiback.store.repack"} & set(loaded)
