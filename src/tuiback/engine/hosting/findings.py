"""What the doctor finds, and how grave it is."""

from dataclasses import dataclass

ERROR, WARNING, INFO = "error", "warning", "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: `id` names the kind of it for programs, `severity` is error, warning or info."""

    id: str
    severity: str
    what: str
    subject: str = ""
    remedy: str = ""
