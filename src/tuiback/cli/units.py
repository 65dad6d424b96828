"""Writes systemd units that run tuiback on this machine as it is installed here."""

import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

# https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html and systemd.exec.html
_COMMON = """\
Environment=TUIBACK_HOME={home}
# A passphrase: put it into a file that only root can read, and name it here.
#LoadCredential=tuiback.passphrase:/etc/tuiback/passphrase
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths={writable}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
"""

UNITS: Mapping[str, str] = {
    "service": """\
[Unit]
Description=tuiback: backup of Microsoft 365
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target
RequiresMountsFor={mounts}

[Service]
Type=notify
ExecStart={program} serve
# 2, 4, 7 and 8 want somebody to look: wrong usage, wrong key, no repository, refused by Microsoft.
Restart=on-failure
RestartSec=60
RestartPreventExitStatus=2 4 7 8
WatchdogSec=120
TimeoutStartSec=infinity
TimeoutStopSec=120
{common}
[Install]
WantedBy=multi-user.target
""",
    "run": """\
[Unit]
Description=tuiback: one run of every task
Wants=network-online.target
After=network-online.target
RequiresMountsFor={mounts}

[Service]
Type=oneshot
ExecStart={program} run --all
# 3 tells of something owed: it is tried again next time.
SuccessExitStatus=3
TimeoutStartSec=infinity
{common}
""",
    "timer": """\
[Unit]
Description=tuiback: a run of every task each night

[Timer]
OnCalendar=*-*-* 22:00
Persistent=yes
RandomizedDelaySec=10min
Unit=tuiback-run.service

[Install]
WantedBy=timers.target
""",
}


def unit_text(kind: str, home: Path, folders: Iterable[Path]) -> str:
    """The unit of that kind for the home, which may write into these folders too."""
    places = list(dict.fromkeys(str(path) for path in (home, *folders)))
    # What lies inside another of them needs no mention of its own.
    writable = [place for place in places if not any(place.startswith(f"{other}/") for other in places)]
    written = " ".join(_quoted(place) for place in writable)
    common = _COMMON.format(home=_quoted(str(home)), writable=written)
    return UNITS[kind].format(program=_program(), mounts=written, common=common)


def _program() -> str:
    installed = shutil.which("tuiback", path=str(Path(sys.executable).parent)) or shutil.which("tuiback")
    return _quoted(installed) if installed else f"{_quoted(sys.executable)} -m tuiback"


def _quoted(place: str) -> str:
    """A path as systemd reads it: % is its own sign."""
    return shlex.quote(place).replace("%", "%%")
