"""The process is set up for much content by the first repository it opens."""

import subprocess
import sys


def test_garbage_is_searched_for_less_often() -> None:
    """Once is enough: whoever changes the threshold later keeps their own."""
    code = (
        "import gc; from tuiback.store.process import prepare_process; prepare_process(); print(gc.get_threshold()[0]);"
        "gc.set_threshold(5); prepare_process(); print(gc.get_threshold()[0])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    first, second = map(int, ended.stdout.split())
    assert first > 10_000
    assert second == 5
