"""The ways in which the service refuses a request without carrying it out, and in which the network loses one."""

from collections.abc import Callable

from tuiback.simtenant.api.call import Fault, Reply
from tuiback.simtenant.api.signin_faults import SignInFault
from tuiback.simtenant.api.token_routes import refusal
from tuiback.simtenant.faulting.scene import Scene
from tuiback.simtenant.throttling.charges import service_of
from tuiback.simtenant.throttling.table import Service

_SLOW_SECONDS = 0.5
_THROTTLED = {
    Service.OUTLOOK: ("ApplicationThrottled", "Application is over its RequestsPerMailbox limit."),
    Service.FILES: ("activityLimitReached", "The app or user has been throttled."),
}
Strike = Callable[[Scene], Reply]


def refuse(status: int, code: str, message: str, headers: dict[str, str] | None = None, inner: str = "") -> Strike:
    """Answers with an error envelope."""

    def strike(_scene: Scene) -> Reply:
        fault = Fault(status, code, message, inner)
        fault.headers |= headers or {}
        raise fault

    return strike


def refuse_sign_in(status: int, error: str, number: int, text: str) -> Strike:
    """Answers as the sign-in service does."""
    return lambda scene: refusal(SignInFault(status, error, number, text), scene.call, scene.cloud)


def empty(status: int) -> Strike:
    """Answers with a status and no body."""
    return lambda _scene: Reply(status)


def page_of_html(status: int) -> Strike:
    """Answers as a gateway on the way does."""
    body = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>".encode()
    return lambda _scene: Reply(status, body, "text/html")


def throttle(*, retry_after: bool) -> Strike:
    """429 in the words of the service that the request is for."""

    def strike(scene: Scene) -> Reply:
        code, message = _THROTTLED.get(service_of(scene.template), ("TooManyRequests", "Please retry again later."))
        fault = Fault(429, code, message)
        if retry_after:
            fault.headers["Retry-After"] = "1"
        raise fault

    return strike


def lose_request(scene: Scene) -> Reply:
    """The connection breaks before the request is carried out."""
    scene.cut = -1
    return Reply(503)


def lose_answer(scene: Scene) -> Reply:
    """The request is carried out, and the connection breaks before a byte of the answer is sent."""
    reply = scene.answer()
    scene.cut = -1
    return reply


def break_answer(scene: Scene) -> Reply:
    """The connection breaks in the middle of the answer."""
    reply = scene.answer()
    length = reply.length if reply.stream is not None else len(reply.body)
    scene.cut = scene.luck.randrange(length) if length else -1
    return reply


def delay(scene: Scene) -> Reply:
    """The first byte comes late."""
    scene.delay_seconds = _SLOW_SECONDS
    return scene.answer()


def expire_token(scene: Scene) -> Reply:
    """The token is good no longer: 401 now and for whatever else comes with it."""
    scene.cloud.signin.tokens.revoke(scene.call.headers.get("authorization", ""))
    return scene.answer()


def resync(*, location: bool, code: str = "resyncRequired") -> Strike:
    """410: the walk has to begin anew, with or without the link to begin with."""
    text = "Resync required. Replace any local items with the server's version (including deletes)."

    def strike(scene: Scene) -> Reply:
        fault = Fault(410, code, text)
        if location:
            name = "token" if service_of(scene.template) is Service.FILES else "$deltatoken"
            fault.headers["Location"] = f"{scene.call.root}{scene.call.path}?{name}="
        raise fault

    return strike
