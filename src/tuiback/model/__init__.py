"""The facts that all layers share: frozen dataclasses and the protocols of what is handed in from above."""

from typing import TYPE_CHECKING

from tuiback.model.status import (
    ActivityLine,
    AlertStatus,
    AllowanceStatus,
    AtWork,
    EngineInfo,
    EngineStatus,
    Gauge,
    JobStatus,
    MachineStatus,
    StorageStatus,
    TaskState,
    TaskStatus,
    TenantStatus,
    ThrottleStatus,
)
from tuiback.model.things import (
    FOLDER_KINDS,
    Account,
    AccountKind,
    AccountState,
    Consent,
    Container,
    Hold,
    Kind,
    Known,
    Outcome,
    Owner,
    RemoteItem,
    StoredPart,
    Task,
    Tenant,
)

if TYPE_CHECKING:
    from tuiback.model.commit import (
        ChunkEntry,
        Commit,
        CommitBody,
        CommitHead,
        ControlRow,
        Expired,
        Location,
        Owed,
        PackTable,
        Removal,
        RunCounters,
        RunRow,
        SnapshotRow,
        VersionOpened,
    )
    from tuiback.model.ports import ChunkIndex, Clock, Monitor

__all__ = [
    "FOLDER_KINDS", "Account", "AccountKind", "AccountState", "ActivityLine", "AlertStatus", "AllowanceStatus",
    "AtWork", "ChunkEntry", "ChunkIndex", "Clock", "Commit", "CommitBody", "CommitHead", "Consent", "Container",
    "ControlRow", "EngineInfo", "EngineStatus", "Expired", "Gauge", "Hold", "JobStatus", "Kind", "Known",
    "Location", "MachineStatus", "Monitor", "Outcome", "Owed", "Owner", "PackTable", "RemoteItem", "Removal",
    "RunCounters", "RunRow", "SnapshotRow", "StorageStatus", "StoredPart", "Task", "TaskState", "TaskStatus",
    "Tenant", "TenantStatus", "ThrottleStatus", "VersionOpened",
]


def __getattr__(name: str) -> object:
    """Load what commits are made of when it is first asked for: the console's first frame does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tuiback.model import commit, ports

    return getattr(ports if hasattr(ports, name) else commit, name)
