"""All named troubles, each as other clients met it.

Where they were seen: https://learn.microsoft.com/graph/errors, the issue trackers of Microsoft's SDKs, rclone, corso
and abraunegg/onedrive.
"""

from tuiback.simtenant.faulting import edits, fits, refusals
from tuiback.simtenant.faulting.scene import Trouble

_NO_CHANGE = "The sync state generation is not found; generation=149;[highest=157][157][155][156]."
POISON = "poison-item"
TOKEN_EXPIRED = "token-expired"  # noqa: S105 - a name, no secret
_NETWORK = (
    Trouble("throttled", "429 with Retry-After", fits.any_request, refusals.throttle(retry_after=True)),
    Trouble("throttled-without-retry-after", "429 that does not say for how long", fits.any_request,
            refusals.throttle(retry_after=False)),
    Trouble("unavailable", "503 with Retry-After", fits.any_request,
            refusals.refuse(503, "serviceNotAvailable", "The service is not available.", {"Retry-After": "1"})),
    Trouble("unavailable-empty", "503 with an empty body", fits.any_request, refusals.empty(503)),
    Trouble("internal-error", "500", fits.any_request,
            refusals.refuse(500, "InternalServerError", "An internal error occurred.")),
    Trouble("bad-gateway", "502 with a page of HTML", fits.any_request, refusals.page_of_html(502)),
    Trouble("gateway-timeout", "504 UnknownError without a message", fits.any_request,
            refusals.refuse(504, "UnknownError", "")),
    Trouble("payload-read-error", "400 'IO error during request payload read', which a retry cures", fits.writing,
            refusals.refuse(400, "BadRequest", "IO error during request payload read")),
    Trouble("connection-lost-before", "the connection breaks and nothing is carried out", fits.any_request,
            refusals.lose_request),
    Trouble("connection-lost-in-answer", "the connection breaks in the middle of the answer", fits.any_request,
            refusals.break_answer),
    Trouble("answer-lost", "the request is carried out, and the connection breaks before the answer", fits.any_request,
            refusals.lose_answer),
    Trouble("slow-first-byte", "half a second more until the first byte", fits.any_request, refusals.delay),
    Trouble(TOKEN_EXPIRED, "the token in use is good no longer: 401", fits.graph, refusals.expire_token),
)  # fmt: skip

_BUSY_SIGN_IN = refusals.refuse_sign_in(429, "temporarily_unavailable", 90033, "A transient error has occurred.")
_SIGN_INS = (
    Trouble("sign-in-throttled", "429 at the token endpoint", fits.token_request, _BUSY_SIGN_IN, lasting=True),
    Trouble("sign-in-unavailable", "503 at the token endpoint", fits.token_request,
            refusals.refuse_sign_in(503, "temporarily_unavailable", 90033, "A transient error has occurred."),
            lasting=True),
    Trouble("consent-missing", "65001: nobody has consented to the application", fits.token_request,
            refusals.refuse_sign_in(400, "invalid_grant", 65001, "The user or administrator has not consented to use "
                                    "the application."), lasting=True),
    Trouble("conditional-access", "53003: a policy of the tenant blocks the sign-in", fits.token_request,
            refusals.refuse_sign_in(400, "invalid_grant", 53003, "Access has been blocked by Conditional Access "
                                    "policies."), lasting=True),
    Trouble("application-disabled", "7000112: the application is disabled", fits.token_request,
            refusals.refuse_sign_in(400, "unauthorized_client", 7000112, "The application is disabled."), lasting=True),
)  # fmt: skip

_WALKS = (
    Trouble("delta-repeats", "an entry comes twice; an earlier one may be out of date", fits.delta, edits.repeat_entry),
    Trouble("child-before-parent", "a page of drive delta in the opposite order", fits.drive_delta, edits.turn_round),
    Trouble("empty-page", "a page without entries but with a nextLink", fits.delta, edits.empty_page),
    Trouble("resync-with-location", "410 resyncRequired with the link to begin with", fits.resumed,
            refusals.resync(location=True)),
    Trouble("resync-without-location", "410 resyncRequired and no link", fits.resumed, refusals.resync(location=False)),
    Trouble("resync-apply-differences", "410 with the code that takes the server's state", fits.drive_resumed,
            refusals.resync(location=True, code="resyncChangesApplyDifferences")),
    Trouble("resync-upload-differences", "410 with the code that keeps what only the client has", fits.drive_resumed,
            refusals.resync(location=True, code="resyncChangesUploadDifferences")),
    Trouble("sync-state-not-found", "410 SyncStateNotFound for an Outlook deltaLink", fits.mail_round,
            refusals.refuse(410, "SyncStateNotFound", _NO_CHANGE)),
    Trouble("sync-state-invalid", "400 SyncStateInvalid for an Outlook deltaLink", fits.mail_round,
            refusals.refuse(400, "SyncStateInvalid", "The sync state is invalid.")),
    Trouble("delta-token-unsupported", "400 'DeltaToken' not supported: only a full listing helps", fits.drive_resumed,
            refusals.refuse(400, "invalidRequest", "Parameter 'DeltaToken' not supported for this request.")),
    Trouble("next-link-malformed", "a nextLink that has lost its user and leads to 400", fits.mail_list,
            edits.malform_link),
    Trouble("next-link-expired", "410 SyncStateNotFound for an Outlook nextLink in the middle of a walk",
            fits.next_page, refusals.refuse(410, "SyncStateNotFound", _NO_CHANGE)),
)  # fmt: skip

_MAIL = (
    Trouble(POISON, "pages with one certain message fail with 500 until a page holds it alone", fits.message_list),
    Trouble("item-vanishes", "the item is deleted just before it is read: 404",
            fits.either(fits.message, fits.kept, fits.content), edits.vanish(empty_body=False)),
    Trouble("item-vanishes-empty", "the same with an empty body", fits.either(fits.message, fits.kept, fits.content),
            edits.vanish(empty_body=True)),
    Trouble("control-character", "a control character in a JSON text", fits.messages, edits.control_character),
    Trouble("attachments-fail", "a list of whole attachments fails with 500; one by one they can be read",
            fits.attachments, refusals.refuse(500, "ErrorInternalServerError", "An internal server error occurred.")),
    Trouble("item-corrupt", "500 ErrorCorruptData for one message", fits.message,
            refusals.refuse(500, "ErrorCorruptData", "Data is corrupt., Invalid global object ID"), lasting=True),
    Trouble("mime-unconvertible", "500 ErrorContentConversionFailed for the MIME of one message", fits.mime,
            refusals.refuse(500, "ErrorContentConversionFailed", "Content conversion failed."), lasting=True),
    Trouble("mailbox-full", "507 ErrorQuotaExceeded for a new message", fits.mail_made,
            refusals.refuse(507, "ErrorQuotaExceeded", "The mailbox quota has been exceeded."), lasting=True),
    Trouble("user-invalid", "404 ErrorInvalidUser for a mailbox", fits.mail,
            refusals.refuse(404, "ErrorInvalidUser", "The requested user is invalid."), lasting=True),
    Trouble("sync-folder-gone", "404 ErrorSyncFolderNotFound for an Outlook deltaLink", fits.mail_round,
            refusals.refuse(404, "ErrorSyncFolderNotFound", "The folder that is followed was not found."),
            lasting=True),
    Trouble("too-many-objects-open", "429 ErrorTooManyObjectsOpened without Retry-After for a mailbox", fits.mail,
            refusals.refuse(429, "ErrorTooManyObjectsOpened", "Too many objects are open."), lasting=True),
    Trouble("mailbox-blocked", "403: the tenant does not let this application in", fits.mail,
            refusals.refuse(403, "ErrorAccessDenied", "[RAOP] : Blocked by tenant configured AppOnly AccessPolicy "
                            "settings."), lasting=True),
    Trouble("attachment-unreadable", "500 ErrorCannotOpenFileAttachment for one attachment", fits.one_attachment,
            refusals.refuse(500, "ErrorCannotOpenFileAttachment", "OLE conversion failed."), lasting=True),
    Trouble("mailbox-missing-two-ways", "no mailbox: MailboxNotEnabledForRESTAPI and ResourceNotFound in turn",
            always=True),
)  # fmt: skip

_EXCHANGE = (
    Trouble("export-item-vanishes", "one of the items is deleted just before the export: 200 with an error for it",
            fits.export, edits.vanish_from_export),
    Trouble("import-session-expired", "401 for the URL of an import session", fits.import_request,
            refusals.refuse(401, "ErrorAccessDenied", "The import session has expired or is not valid.")),
    Trouble("archive-grows", "the folder asked for has moved to an auxiliary archive: 308 for it, "
            "ErrorArchiveFolderMovedPermanently for its items, 409 for imports", fits.archived, edits.grow_archive),
    Trouble("calendar-pages-too-large", "503 with an empty body for a page of more than 10 events",
            fits.large_calendar_page, refusals.empty(503)),
    Trouble("shared-calendar", "a calendar that somebody else owns is listed, is empty and has no delta", always=True),
    Trouble("altered-export-refused", "400 ErrorCorruptData for the import of a stream that was altered", always=True),
    Trouble("archive-by-id-only", "well-known folder names lead nowhere in an archive", always=True),
    Trouble("regular-id-changes", "a move gives a message another regular id; the immutable one stays", always=True),
    Trouble("mime-is-draft", "a message made from MIME is a draft in Drafts, whatever folder was named", always=True),
    Trouble("flags-at-creation-only", "Integer 0x0E07 makes a message no draft at its creation only", always=True),
    Trouble("folder-name-taken", "409 ErrorFolderExists for a folder's name in any case of letters", always=True),
    Trouble("flagged-list-read-only", "400 for writing into the list of flagged emails", always=True),
    Trouble("shared-task-list", "a list of tasks that somebody else owns is listed", always=True),
    Trouble("search-folder", "a search folder shows messages of others, and is listed among the folders of an export",
            always=True),
    Trouble("filtered-delta-ends", "delta of messages with a filter ends after 5,000", always=True),
    Trouble("reference-without-bytes", "405 for the bytes of a reference attachment", always=True),
    Trouble("attachment-by-location", "the last fragment of an attachment: 201 without a body, its id in Location",
            always=True),
    Trouble("report-elsewhere", "a report is a 302 to a file whose URL is good for minutes", always=True),
    Trouble("replication-late", "what was registered is 404, and what was granted is missing, for a while",
            always=True),
)  # fmt: skip

_FILES = (
    Trouble("download-url-expired", "401 for a download URL", fits.download,
            refusals.refuse(401, "unauthenticated", "The download URL has expired or is not valid.")),
    Trouble("range-ignored", "200 with the whole file for a Range", fits.ranged, edits.ignore_range),
    Trouble("range-needs-accept", "416 for a Range that comes without Accept: */*", fits.ranged_without_accept,
            refusals.refuse(416, "invalidRange", "The requested range is not satisfiable."), lasting=True),
    Trouble("wrong-size", "a file's size is not what comes", fits.items, edits.wrong_size),
    Trouble("hash-missing", "a file without a hash", fits.items, edits.missing_hash),
    Trouble("office-enriched", "an uploaded Office file has another size and hash afterwards",
            fits.either(fits.uploaded, fits.last_fragment), edits.enrich),
    Trouble("upload-url-unknown", "404 for the first fragment of a fresh upload URL", fits.first_fragment,
            refusals.refuse(404, "itemNotFound", "The upload session was not found")),
    Trouble("name-taken-at-end", "409 nameAlreadyExists for the last fragment", fits.last_fragment,
            refusals.refuse(409, "nameAlreadyExists", "An item with the same name already exists under the parent"),
            lasting=True),
    Trouble("bandwidth-exceeded", "509 for a download", fits.download,
            refusals.refuse(509, "bandwidthLimitExceeded", "Bandwidth limit exceeded.", {"Retry-After": "1"})),
    Trouble("quota-reached", "507 for an upload", fits.upload_start,
            refusals.refuse(507, "quotaLimitReached", "The quota has been reached."), lasting=True),
    Trouble("locked", "423 for a file's content", fits.content,
            refusals.refuse(423, "resourceLocked", "The resource is locked."), lasting=True),
    Trouble("malware", "the file is infected from now on: the malware facet, 403 malwareDetected", fits.content,
            edits.mark_node("malware"), lasting=True),
    Trouble("content-unavailable", "503 for ever for the file's content, as parts of notebooks have it", fits.content,
            edits.mark_node("unavailable"), lasting=True),
    Trouble("sharing-disabled", "403 sharingDisabled for an invitation or a link", fits.sharing,
            refusals.refuse(403, "accessDenied", "Sharing has been disabled on this site.", inner="sharingDisabled"),
            lasting=True),
    Trouble("no-sharepoint-licence", "400: the tenant has no licence for files", fits.some_drive,
            refusals.refuse(400, "BadRequest", "Tenant does not have a SPO license."), lasting=True),
    Trouble("recipient-unresolved", "400 noResolvedUsers for an invitation, as for a group of a site", fits.sharing,
            refusals.refuse(400, "invalidRequest", "One or more users could not be resolved.",
                            inner="noResolvedUsers"), lasting=True),
    Trouble("too-long-or-large", "400 pathIsTooLong above 400 characters, 413 above 250 GB, 507 above the quota",
            always=True),
    Trouble("sharing-untold", "delta tells of a change of permissions only with the three preferences for it",
            always=True),
    Trouble("deleted-without-name", "delta tells no name of what was deleted", always=True),
    Trouble("deleted-with-false-hash", "delta tells the hash of nothing for what was deleted", always=True),
    Trouble("name-clash-by-case", "409 nameAlreadyExists for a name in another case of letters", always=True),
    Trouble("fragment-overlap", "416 for a fragment that came already", always=True),
)  # fmt: skip

_TEAMS = (
    Trouble("protected-api", "403: Microsoft has not approved the application for the posts of channels",
            fits.channel_posts, refusals.refuse(403, "Forbidden", "Invoked API requires Protected API access in "
            "application-only context when not using Resource Specific Consent. Visit "
            "https://docs.microsoft.com/en-us/graph/teams-protected-apis"), lasting=True),
    Trouble("unknown-membership", "a shared channel is an unknownFutureValue without the preference for it",
            always=True),
    Trouble("replies-elsewhere", "of more than 1,000 replies the rest is behind replies@odata.nextLink", always=True),
    Trouble("posts-too-old-for-delta", "delta tells of the last eight months only", always=True),
    Trouble("same-millisecond", "409 Conflict for a second post of the same millisecond in a channel", always=True),
    Trouble("migration-left-open", "400 for startMigration in a channel that is being migrated", always=True),
    Trouble("files-folder-not-ready", "404 for the files of a channel that nobody has opened yet", fits.files_folder,
            refusals.refuse(404, "NotFound", "Folder location for this channel is not ready yet, please try again "
                            "later."), lasting=True),
    Trouble("private-channel-site", "a private or shared channel's files are in a site of its own", always=True),
    Trouble("taken-back-posts", "exports tell for three weeks of what was taken back, and nothing of what it said",
            always=True),
    Trouble("system-posts", "an entry of the system is an unknownFutureValue without the preference for it",
            always=True),
    Trouble("filter-needs-order", "a filter of chat messages counts only beside a sorting by the same property",
            always=True),
    Trouble("team-late", "a new team is 202, and 404 for a while", always=True),
)  # fmt: skip

_SITES = (
    Trouble("site-archived", "423 notAllowed for a site that was archived", fits.site,
            refusals.refuse(423, "resourceLocked", "The site is archived.", inner="notAllowed"), lasting=True),
    Trouble("long-list", "a list of 5,200 rows comes page by page", always=True),
    Trouble("lookup-unknown", "400 for a lookup column to a list that is not there", always=True),
    Trouble("unwritable-columns", "400 for links, terms, places and pictures, which Graph can read only", always=True),
    Trouble("several-values-untyped", "400 for several values of one column without their type beside them",
            always=True),
    Trouble("empty-column-fails", "500 for a new column with an empty default or validation", always=True),
    Trouble("web-part-refused", "400 for a new page with a web part that can't be made through Graph", always=True),
    Trouble("page-type-needed", "400 for a new page that does not say of which type it is", always=True),
    Trouble("certificate-only", "401 at SharePoint's own interface for an application with a secret", always=True),
    Trouble("sites-delta-fails", "500 for a token of the delta of sites that is no longer known", always=True),
)  # fmt: skip

_ALL = (*_NETWORK, *_SIGN_INS, *_WALKS, *_MAIL, *_EXCHANGE, *_FILES, *_TEAMS, *_SITES)
TROUBLES = {each.trouble_id: each for each in _ALL}
