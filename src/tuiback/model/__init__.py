"""The facts that all layers share: frozen dataclasses and the protocols of what is handed in from above."""

from tuiback.model.commit import (
    ChunkEntry,
    Commit,
    CommitBody,
    CommitHead,
    ControlRow,
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
from tuiback.model.status import (
    ActivityLine,
    AtWork,
    EngineInfo,
    EngineStatus,
    Gauge,
    JobStatus,
    MachineStatus,
    StorageStatus,
    TaskState,
    TaskStatus,
    ThrottleStatus,
)
from tuiback.model.things import (
    Account,
    AccountKind,
    AccountState,
    Container,
    Kind,
    Known,
    Outcome,
    RemoteItem,
    StoredPart,
    Task,
    Tenant,
)

__all__ = [
    "Account", "AccountKind", "AccountState", "ActivityLine", "AtWork", "ChunkEntry", "ChunkIndex", "Clock",
    "Commit", "CommitBody", "CommitHead", "Container", "ControlRow", "EngineInfo", "EngineStatus", "Gauge",
    "JobStatus", "Kind", "Known", "Location", "MachineStatus", "Monitor", "Outcome", "Owed", "PackTable",
    "RemoteItem", "Removal", "RunCounters", "RunRow", "SnapshotRow", "StorageStatus", "StoredPart", "Task",
    "TaskState", "TaskStatus", "Tenant", "ThrottleStatus", "VersionOpened",
]
