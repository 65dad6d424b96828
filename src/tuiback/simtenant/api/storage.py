"""Answers on the storage host: downloads by pre-authenticated URL, and the fragments of upload sessions.

Authorization is neither needed nor looked at here.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import OUTLOOK_HOST, STORAGE_HOST, Cloud
from tuiback.simtenant.api.drive_json import DriveView, content_type
from tuiback.simtenant.api.drive_lookup import check_readable, not_found
from tuiback.simtenant.api.item_copies import MONITOR_TEMPLATE, copy_status, is_monitor
from tuiback.simtenant.api.mailbox_imports import IMPORT_TEMPLATE, import_item, is_import
from tuiback.simtenant.api.reports import REPORT_PATH, report_file
from tuiback.simtenant.api.sharepoint_rest import is_rest, resolve_rest
from tuiback.simtenant.api.transfers import UploadSession
from tuiback.simtenant.state.drive import Node

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")
_DOWNLOAD = "/download.aspx"
_UPLOAD = "/uploadSession/"
DOWNLOAD_TEMPLATE = "/_layouts/15/download.aspx"
UPLOAD_TEMPLATE = "/uploadSession/{session}"


def resolve_storage(cloud: Cloud, call: Call) -> tuple[str, Callable[[], Reply]]:
    """The template of the URL and what answers it. Raises Fault 404."""
    if call.path.endswith(_DOWNLOAD) and call.method in ("GET", "HEAD"):
        return DOWNLOAD_TEMPLATE, lambda: _download(cloud, call)
    if call.path.startswith(_UPLOAD):
        return UPLOAD_TEMPLATE, lambda: _upload(cloud, call)
    if is_monitor(call):
        return MONITOR_TEMPLATE, lambda: copy_status(cloud, call)
    if is_import(call):
        return IMPORT_TEMPLATE, lambda: import_item(cloud, call)
    if call.path == REPORT_PATH and call.method == "GET":
        return REPORT_PATH, lambda: report_file(cloud, call)
    if is_rest(call):
        return resolve_rest(cloud, call)
    raise Fault(404, "itemNotFound", "The resource could not be found.")


def session_of(cloud: Cloud, call: Call) -> UploadSession | None:
    """The upload that a request on the storage host is about."""
    return cloud.transfers.find_session(call.path.removeprefix(_UPLOAD)) if call.path.startswith(_UPLOAD) else None


def session_at(cloud: Cloud, url: str) -> UploadSession | None:
    """The upload behind the URL where its fragments go."""
    return cloud.transfers.find_session(url.rpartition(_UPLOAD)[2])


def upload_url(cloud: Cloud, call: Call, session: UploadSession) -> str:
    """Where the fragments of a session go."""
    host = OUTLOOK_HOST if session.is_attachment else STORAGE_HOST
    return f"{cloud.storage_root(call.root, host)}{_UPLOAD}{session.mark}"


def downloaded(cloud: Cloud, call: Call) -> tuple[DriveView, Node, int]:
    """The file that a download URL is good for, and which version of it. Raises Fault 401 and 404."""
    permitted = cloud.transfers.find_download(call.query.get("tempauth", "").removeprefix("v1."))
    if permitted is None:
        raise Fault(401, "unauthenticated", "The download URL has expired or is not valid.")
    owner = cloud.tenant.drive_owner(permitted.owner)
    is_meant = _guid(call) == cloud.tenant.ids.node_guid(permitted.owner, permitted.serial)
    if owner is None or not is_meant:
        raise not_found()
    view = DriveView(cloud, owner, cloud.tenant.drive(owner), call.root)
    node = view.drive.nodes.get(permitted.serial)
    if node is None or node.source is None:
        raise not_found()
    return view, node, permitted.version


def _download(cloud: Cloud, call: Call) -> Reply:
    view, node, version = downloaded(cloud, call)
    check_readable(node)
    source = node.source_of(version)
    if source is None:
        raise not_found()
    tag = view.e_tag(node)
    if call.headers.get("if-match", tag) not in (tag, "*"):
        raise Fault(412, "resourceModified", "The resource has changed since it was last read.")
    start, stop, partial = _asked_for(call, source.size, tag)
    headers = {"ETag": tag, "Accept-Ranges": "bytes"}
    if partial:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{source.size}"
    return Reply(
        206 if partial else 200,
        content_type=content_type(node.name),
        headers=headers,
        stream=source.pieces(start, stop),
        length=stop - start,
    )


def _guid(call: Call) -> UUID | None:
    try:
        return UUID(call.query.get("UniqueId", ""))
    except ValueError:
        return None


def _asked_for(call: Call, size: int, tag: str) -> tuple[int, int, bool]:
    """First byte, the byte after the last, and whether it is a part. Raises Fault 416."""
    found = _RANGE.match(call.headers.get("range", ""))
    if found is None or found.group(1) == found.group(2) == "" or call.headers.get("if-range", tag) != tag:
        return 0, size, False
    first, last = found.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if start >= stop:
        fault = Fault(416, "invalidRange", "The requested range is not satisfiable.")
        fault.headers["Content-Range"] = f"bytes */{size}"
        raise fault
    return start, stop, True


def _upload(cloud: Cloud, call: Call) -> Reply:
    session = cloud.transfers.find_session(call.path.removeprefix(_UPLOAD))
    if session is None or (session.finished is not None and call.method != "PUT"):
        raise Fault(404, "itemNotFound", "The upload session was not found")
    return taken(cloud, call, session)


def taken(cloud: Cloud, call: Call, session: UploadSession) -> Reply:
    """One request of an upload: how it stands, its end, or a fragment. Raises Fault 400, 404, 405, 413 and 416."""
    if call.method == "GET":
        return _status(cloud, session, 200)
    if call.method == "DELETE":
        cloud.transfers.close_session(session)
        return no_content()
    if call.method not in ("PUT", "POST"):
        raise Fault(405, "invalidRequest", "The method is not supported here.")
    if session.finished is not None:
        return _resent(call, session, session.finished)
    if call.method == "POST" or not (call.body or "content-range" in call.headers):
        return _committed(session)
    start, total = _fragment(cloud, call, session)
    session.total = total
    session.received += call.body
    if total is None or start + len(call.body) < total or session.deferred:
        return _status(cloud, session, 200 if session.is_attachment else 202)
    return session.commit()


def _committed(session: UploadSession) -> Reply:
    """The last request of an upload whose size nobody told, or that was to wait for it."""
    is_waiting = session.deferred or session.total is None
    if not (session.received and session.is_whole and is_waiting):
        raise Fault(400, "invalidRequest", "The upload is not complete.")
    return session.commit()


def _resent(call: Call, session: UploadSession, finished: Reply) -> Reply:
    """The item again for the last fragment again, since its answer may have been lost; anything else finds no upload.

    Not documented; Microsoft's own SDK for Python sends the last fragment twice and takes it for granted.
    """
    found = _CONTENT_RANGE.match(call.headers.get("content-range", ""))
    if session.total is None or found is None or int(found.group(2)) + 1 != session.total:
        raise Fault(404, "itemNotFound", "The upload session was not found")
    return replace(finished, status=200, headers=dict(finished.headers))


def _fragment(cloud: Cloud, call: Call, session: UploadSession) -> tuple[int, int | None]:
    """The fragment's first byte and the file's size, None as long as it is not told. Raises Fault 400, 413 and 416."""
    found = _CONTENT_RANGE.match(call.headers.get("content-range", ""))
    if found is None:
        raise Fault(400, "invalidRequest", "The Content-Range header is missing or malformed.")
    start, last = int(found.group(1)), int(found.group(2))
    total = int(found.group(3)) if found.group(3) != "*" else session.total
    if last - start + 1 != len(call.body) or (total is not None and last >= total):
        raise Fault(400, "invalidRange", "The fragment's length is not what its range says.", "fragmentLengthMismatch")
    if session.total not in (None, total):
        raise Fault(400, "invalidRange", "The total size must be the same for every fragment.")
    if len(call.body) > session.most_fragment_bytes:
        raise Fault(413, "invalidRequest", "The request message is too big.")
    if start < len(session.received):
        raise Fault(416, "invalidRange", "The uploaded fragment overlaps with data received.", "fragmentOverlap")
    if start > len(session.received):
        raise Fault(416, "invalidRange", "The uploaded fragment is out of order.", "fragmentOutOfOrder")
    is_last = total is not None and last + 1 == total
    if cloud.behaviour.strict_fragments and not is_last and len(call.body) % session.fragment_multiple:
        text = f"A fragment's length must be a multiple of {session.fragment_multiple} bytes."
        raise Fault(400, "invalidRequest", text)
    return start, total


def _status(cloud: Cloud, session: UploadSession, status: int) -> Reply:
    received = len(session.received)
    ranges = [str(received)] if session.is_attachment and received else [f"{received}-"]
    if received == session.total:
        ranges = []
    elif session.total is not None and not (cloud.behaviour.open_ranges or session.is_attachment):
        ranges = [f"{received}-{session.total - 1}"]
    return json_reply({"expirationDateTime": session.expiration, "nextExpectedRanges": ranges}, status)
