"""All named troubles, each as other clients met it.

Where they were seen: https://learn.microsoft.com/graph/errors, the issue trackers of Microsoft's SDKs, rclone, corso
and abraunegg/onedrive.
"""

from collections.abc import Callable

from tuiback.simtenant.api.call import Call
from tuiback.simtenant.api.storage import DOWNLOAD_TEMPLATE, UPLOAD_TEMPLATE
from tuiback.simtenant.faulting import edits, refusals
from tuiback.simtenant.faulting.scene import Trouble
from tuiback.simtenant.throttling.charges import service_of
from tuiback.simtenant.throttling.table import Service

Fits = Callable[[Call, str], bool]
_SIGN_IN = ("/{tenant}/", "/common/")
_NO_CHANGE = "The sync state generation is not found; generation=149;[highest=157][157][155][156]."


def _any(_call: Call, template: str) -> bool:
    return template.startswith("/") and not template.startswith(_SIGN_IN)


def _graph(call: Call, template: str) -> bool:
    return _any(call, template) and "authorization" in call.headers and not _stored(call, template)


def _stored(_call: Call, template: str) -> bool:
    return template in (DOWNLOAD_TEMPLATE, UPLOAD_TEMPLATE)


def _writing(call: Call, template: str) -> bool:
    return _any(call, template) and bool(call.body)


def _is_get(call: Call) -> bool:
    return call.method == "GET"


def _delta(call: Call, template: str) -> bool:
    return _is_get(call) and "/delta" in template


def _drive_delta(call: Call, template: str) -> bool:
    return _delta(call, template) and ("/root" in template or "/items/{item}" in template)


def _mail_delta(call: Call, template: str) -> bool:
    return _delta(call, template) and "mailFolders" in template


def _resumed(call: Call, template: str) -> bool:
    """A delta walk of files or of the directory that goes on from a link."""
    return (
        _delta(call, template)
        and not _mail_delta(call, template)
        and any(name in call.query for name in ("token", "$deltatoken", "$skiptoken"))
        and "latest" not in call.raw_query
    )


def _drive_resumed(call: Call, template: str) -> bool:
    return _resumed(call, template) and _drive_delta(call, template)


def _mail_list(call: Call, template: str) -> bool:
    return _is_get(call) and template.endswith(("/messages", "/mailFolders", "/childFolders", "/messages/delta"))


def _mail(_call: Call, template: str) -> bool:
    return service_of(template) is Service.OUTLOOK


def _sharing(_call: Call, template: str) -> bool:
    return template.endswith(("/invite", "/createLink"))


def _mail_round(call: Call, template: str) -> bool:
    return _mail_delta(call, template) and "$deltatoken" in call.query


def _next_page(call: Call, template: str) -> bool:
    return _mail_delta(call, template) and "$skiptoken" in call.query


def _messages(call: Call, template: str) -> bool:
    return _is_get(call) and template.endswith(("/messages", "/messages/delta", "/messages/{message}"))


def _message_list(call: Call, template: str) -> bool:
    return _is_get(call) and template.endswith(("/messages", "/messages/delta"))


def _message(call: Call, template: str) -> bool:
    return _is_get(call) and template.endswith(("/messages/{message}", "/messages/{message}/$value"))


def _attachments(call: Call, template: str) -> bool:
    return _is_get(call) and template.endswith("/attachments") and call.query.get("$select") != "id"


def _download(call: Call, template: str) -> bool:
    return _is_get(call) and template == DOWNLOAD_TEMPLATE


def _content(call: Call, template: str) -> bool:
    return _download(call, template) or (
        _is_get(call) and template.endswith("/content") and "{version}" not in template
    )


def _either(*tests: Fits) -> Fits:
    return lambda call, template: any(test(call, template) for test in tests)


def _items(call: Call, template: str) -> bool:
    return _is_get(call) and (_drive_delta(call, template) or template.endswith(("/children", "/items/{item}")))


def _ranged(call: Call, template: str) -> bool:
    return _download(call, template) and "range" in call.headers


def _uploaded(call: Call, template: str) -> bool:
    named = call.path.lower().removesuffix("/content").removesuffix(":")
    return call.method == "PUT" and template.endswith("/content") and named.endswith(edits.OFFICE_ENDINGS)


def _fragment(call: Call, template: str) -> bool:
    return call.method == "PUT" and template == UPLOAD_TEMPLATE


def _first_fragment(call: Call, template: str) -> bool:
    return _fragment(call, template) and call.headers.get("content-range", "").startswith("bytes 0-")


def _last_fragment(call: Call, template: str) -> bool:
    span, _, total = call.headers.get("content-range", "").partition("/")
    return _fragment(call, template) and total.isdigit() and span.endswith(f"-{int(total) - 1}")


def _upload_start(call: Call, template: str) -> bool:
    return template.endswith("/createUploadSession") or (call.method == "PUT" and template.endswith("/content"))


POISON = "poison-item"
TOKEN_EXPIRED = "token-expired"  # noqa: S105 - a name, no secret
_NETWORK = (
    Trouble("throttled", "429 with Retry-After", _any, refusals.throttle(retry_after=True)),
    Trouble("throttled-without-retry-after", "429 that does not say for how long", _any,
            refusals.throttle(retry_after=False)),
    Trouble("unavailable", "503 with Retry-After", _any,
            refusals.refuse(503, "serviceNotAvailable", "The service is not available.", {"Retry-After": "1"})),
    Trouble("unavailable-empty", "503 with an empty body", _any, refusals.empty(503)),
    Trouble("internal-error", "500", _any, refusals.refuse(500, "InternalServerError", "An internal error occurred.")),
    Trouble("bad-gateway", "502 with a page of HTML", _any, refusals.page_of_html(502)),
    Trouble("gateway-timeout", "504 UnknownError without a message", _any, refusals.refuse(504, "UnknownError", "")),
    Trouble("payload-read-error", "400 'IO error during request payload read', which a retry cures", _writing,
            refusals.refuse(400, "BadRequest", "IO error during request payload read")),
    Trouble("connection-lost-before", "the connection breaks and nothing is carried out", _any, refusals.lose_request),
    Trouble("connection-lost-in-answer", "the connection breaks in the middle of the answer", _any,
            refusals.break_answer),
    Trouble("answer-lost", "the request is carried out, and the connection breaks before the answer", _any,
            refusals.lose_answer),
    Trouble("slow-first-byte", "half a second more until the first byte", _any, refusals.delay),
    Trouble(TOKEN_EXPIRED, "the token in use is good no longer: 401", _graph, refusals.expire_token),
)  # fmt: skip

_WALKS = (
    Trouble("delta-repeats", "an entry comes twice; an earlier one may be out of date", _delta, edits.repeat_entry),
    Trouble("child-before-parent", "a page of drive delta in the opposite order", _drive_delta, edits.turn_round),
    Trouble("empty-page", "a page without entries but with a nextLink", _delta, edits.empty_page),
    Trouble("resync-with-location", "410 resyncRequired with the link to begin with", _resumed,
            refusals.resync(location=True)),
    Trouble("resync-without-location", "410 resyncRequired and no link", _resumed, refusals.resync(location=False)),
    Trouble("sync-state-not-found", "410 SyncStateNotFound for an Outlook deltaLink", _mail_round,
            refusals.refuse(410, "SyncStateNotFound", _NO_CHANGE)),
    Trouble("sync-state-invalid", "400 SyncStateInvalid for an Outlook deltaLink", _mail_round,
            refusals.refuse(400, "SyncStateInvalid", "The sync state is invalid.")),
    Trouble("delta-token-unsupported", "400 'DeltaToken' not supported: only a full listing helps", _drive_resumed,
            refusals.refuse(400, "invalidRequest", "Parameter 'DeltaToken' not supported for this request.")),
    Trouble("next-link-malformed", "a nextLink that has lost its user and leads to 400", _mail_list,
            edits.malform_link),
    Trouble("next-link-expired", "410 SyncStateNotFound for an Outlook nextLink in the middle of a walk", _next_page,
            refusals.refuse(410, "SyncStateNotFound", _NO_CHANGE)),
)  # fmt: skip

_MAIL = (
    Trouble(POISON, "pages with one certain message fail with 500 until a page holds it alone", _message_list),
    Trouble("item-vanishes", "the item is deleted just before it is read: 404", _either(_message, _content),
            edits.vanish(empty_body=False)),
    Trouble("item-vanishes-empty", "the same with an empty body", _either(_message, _content),
            edits.vanish(empty_body=True)),
    Trouble("control-character", "a control character in a JSON text", _messages, edits.control_character),
    Trouble("attachments-fail", "a list of whole attachments fails with 500; one by one they can be read",
            _attachments, refusals.refuse(500, "ErrorInternalServerError", "An internal server error occurred.")),
    Trouble("item-corrupt", "500 ErrorCorruptData for one message", _message,
            refusals.refuse(500, "ErrorCorruptData", "Data is corrupt., Invalid global object ID"), lasting=True),
    Trouble("mailbox-blocked", "403: the tenant does not let this application in", _mail,
            refusals.refuse(403, "ErrorAccessDenied", "[RAOP] : Blocked by tenant configured AppOnly AccessPolicy "
                            "settings."), lasting=True),
    Trouble("mailbox-missing-two-ways", "no mailbox: MailboxNotEnabledForRESTAPI and ResourceNotFound in turn",
            always=True),
)  # fmt: skip

_FILES = (
    Trouble("download-url-expired", "401 for a download URL", _download,
            refusals.refuse(401, "unauthenticated", "The download URL has expired or is not valid.")),
    Trouble("range-ignored", "200 with the whole file for a Range", _ranged, edits.ignore_range),
    Trouble("wrong-size", "a file's size is not what comes", _items, edits.wrong_size),
    Trouble("hash-missing", "a file without a hash", _items, edits.missing_hash),
    Trouble("office-enriched", "an uploaded Office file has another size and hash afterwards",
            _either(_uploaded, _last_fragment), edits.enrich),
    Trouble("upload-url-unknown", "404 for the first fragment of a fresh upload URL", _first_fragment,
            refusals.refuse(404, "itemNotFound", "The upload session was not found")),
    Trouble("name-taken-at-end", "409 nameAlreadyExists for the last fragment", _last_fragment,
            refusals.refuse(409, "nameAlreadyExists", "An item with the same name already exists under the parent"),
            lasting=True),
    Trouble("bandwidth-exceeded", "509 for a download", _download,
            refusals.refuse(509, "bandwidthLimitExceeded", "Bandwidth limit exceeded.", {"Retry-After": "1"})),
    Trouble("quota-reached", "507 for an upload", _upload_start,
            refusals.refuse(507, "quotaLimitReached", "The quota has been reached."), lasting=True),
    Trouble("locked", "423 for a file's content", _content,
            refusals.refuse(423, "resourceLocked", "The resource is locked."), lasting=True),
    Trouble("malware", "the file is infected from now on: the malware facet, 403 malwareDetected", _content,
            edits.mark_node("malware"), lasting=True),
    Trouble("content-unavailable", "503 for ever for the file's content, as parts of notebooks have it", _content,
            edits.mark_node("unavailable"), lasting=True),
    Trouble("sharing-disabled", "403 sharingDisabled for an invitation or a link", _sharing,
            refusals.refuse(403, "accessDenied", "Sharing has been disabled on this site.", inner="sharingDisabled"),
            lasting=True),
    Trouble("sharing-untold", "delta tells of a change of permissions only with the three preferences for it",
            always=True),
    Trouble("deleted-without-name", "delta tells no name of what was deleted", always=True),
    Trouble("deleted-with-false-hash", "delta tells the hash of nothing for what was deleted", always=True),
    Trouble("name-clash-by-case", "409 nameAlreadyExists for a name in another case of letters", always=True),
    Trouble("fragment-overlap", "416 for a fragment that came already", always=True),
)  # fmt: skip

TROUBLES = {each.trouble_id: each for each in (*_NETWORK, *_WALKS, *_MAIL, *_FILES)}
