"""Metrics say what the picture says, and keep to Prometheus' rules."""

import re
import shutil
import subprocess
import urllib.request
from typing import cast

import pytest
from msgspec.structs import replace
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.console.fakes import busy_status
from tuiback.cli.metrics import metrics_served
from tuiback.engine.hosting.link import HostedLink
from tuiback.engine.signalling.metrics import registry_of
from tuiback.model import EngineStatus

BUSY = busy_status()


def values(picture: EngineStatus | None) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    text = generate_latest(registry_of(lambda: picture)).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_the_picture_in_numbers() -> None:
    """Tasks, services, storage and alerts; what is acknowledged is not counted."""
    found = values(BUSY)
    task = BUSY.tasks[0]
    assert found["tuiback_engine_up",] == 1
    assert found["tuiback_task_accounts", task.service, task.name, task.tenant] == task.accounts
    assert found["tuiback_requests_total", "outlook", "contoso"] == 48211
    assert found["tuiback_requests_throttled_total", "sharepoint", "contoso"] == 17
    assert found["tuiback_alerts", "critical"] == found["tuiback_alerts", "warning"] == 1
    assert found["tuiback_alerts", "info"] == 0
    (storage,) = BUSY.storage
    assert found["tuiback_volume_free_bytes", storage.name] == storage.disk_total - storage.disk_used


def test_what_is_unknown_is_left_out() -> None:
    """No date stands for no run; without a picture there is only the program."""
    idle = replace(BUSY.tasks[0], last_ok_at=None, next_run_at=None)
    found = values(replace(BUSY, tasks=(idle,), engine=replace(BUSY.engine, pid=0)))
    names = {name for name, *_ in found}
    assert "tuiback_task_last_success_timestamp_seconds" not in names
    assert found["tuiback_engine_up",] == 0
    assert {name for name, *_ in values(None)} == {"tuiback_build_info"}


def test_what_promtool_looks_at() -> None:
    """Its rules, told anew for machines without it: help, snake case, base units by their whole names, endings.

    https://github.com/prometheus/client_golang/tree/main/prometheus/testutil/promlint/validations
    """
    text = generate_latest(registry_of(lambda: BUSY)).decode()
    told = [line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(told) == len(set(told)) > 20
    not_base = {
        "milliseconds", "minutes", "hours", "days", "weeks", "kilobytes", "megabytes", "gigabytes", "bits", "percent",
        "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d", "gauge", "counter",
    }  # fmt: skip
    for family in text_string_to_metric_families(text):
        (named,) = {sample.name for sample in family.samples} or {family.name}
        assert family.documentation.strip()
        assert re.fullmatch(r"[a-z][a-z0-9_]*", named)
        assert not not_base & set(named.split("_"))
        assert named.endswith("_total") == (family.type == "counter")
        assert not named.endswith(("_bucket", "_count", "_sum"))
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for sample in family.samples for label in sample.labels)


def test_promtool_has_nothing_to_say() -> None:
    """Names, units and help are as Prometheus wants them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool of the Debian package prometheus")
    text = generate_latest(registry_of(lambda: BUSY))
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_they_are_served_on_the_loopback() -> None:
    """Each scrape sees the picture of its moment; without a port nothing is served."""

    class Link:
        def status(self) -> EngineStatus:
            return BUSY

    with metrics_served(cast("HostedLink", Link()), 0) as port:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)
        assert b"tuiback_engine_up 1.0" in answer.read()
        answer.close()
    with metrics_served(cast("HostedLink", Link()), None) as port:
        assert port is None
