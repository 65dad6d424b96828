"""The services by the names people know: short for columns, plain for sentences."""

from tuiback.model import AccountKind, ThrottleStatus

_SHORT = {"exchange": "EXO", "onedrive": "OD", "sharepoint": "SPO", "teams": "TM", "outlook": "EXO", "directory": "DIR"}
_PLAIN = {
    "exchange": "Exchange", "onedrive": "OneDrive", "sharepoint": "SharePoint", "teams": "Teams",
    "outlook": "Outlook", "directory": "The directory",
}

_OF_KIND = {
    AccountKind.MAILBOX: "exchange", AccountKind.ARCHIVE: "exchange", AccountKind.DRIVE: "onedrive",
    AccountKind.SITE: "sharepoint", AccountKind.TEAM: "teams",
}


def account_service(kind: AccountKind) -> str:
    """The service that an account of this kind belongs to, in three letters."""
    return short_service(_OF_KIND[kind])


def short_service(service: str) -> str:
    """At most three letters: EXO, OD, SPO, TM."""
    return _SHORT.get(service, service[:3].upper())


def plain_service(service: str) -> str:
    """The name in a sentence."""
    return _PLAIN.get(service, service.capitalize())


def throttle_sentence(throttle: ThrottleStatus) -> str:
    """What the service asks of us, in plain words."""
    return f"{plain_service(throttle.service)} asks us to wait {throttle.wait_seconds:.0f} s; {throttle.limit} at once"


def waiting(throttles: tuple[ThrottleStatus, ...]) -> list[ThrottleStatus]:
    """The throttles that ask us to wait now, the longest first."""
    return sorted((one for one in throttles if one.wait_seconds >= 1), key=lambda one: -one.wait_seconds)
