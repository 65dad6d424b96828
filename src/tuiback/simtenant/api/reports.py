"""Answers the mailbox usage report: a redirect to a CSV file on the storage host, two days late.

https://learn.microsoft.com/graph/api/reportroot-getmailboxusagedetail
"""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from hashlib import md5

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import context_url, find_token, sealed_token
from tuiback.simtenant.api.permissions import READ_REPORT_SETTINGS, READ_REPORTS
from tuiback.simtenant.api.router import Route

REPORT_PATH = "/reports/getMailboxUsageDetail.csv"
_PERIODS = {"D7": 7, "D30": 30, "D90": 90, "D180": 180}
_LATE = timedelta(days=2)
_URL_SECONDS = 300
_QUOTAS = (104_153_997_312, 105_226_698_752, 107_374_182_400)
_DELETED_QUOTA = 32_212_254_720
_MEAN_MESSAGE_BYTES = 75_000
_COLUMNS = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Created Date",
    "Last Activity Date", "Item Count", "Storage Used (Byte)", "Issue Warning Quota (Byte)",
    "Prohibit Send Quota (Byte)", "Prohibit Send/Receive Quota (Byte)", "Deleted Item Count",
    "Deleted Item Size (Byte)", "Deleted Item Quota (Byte)", "Has Archive", "Report Period",
)  # fmt: skip


def _get_report(cloud: Cloud, call: Call) -> Reply:
    period = call.where["period"].upper()
    if period not in _PERIODS:
        raise Fault(400, "BadRequest", f"Invalid period '{period}'.")
    token = sealed_token(cloud.token_key, {"report": period, "until": cloud.clock.seconds() + _URL_SECONDS})
    return Reply(302, headers={"Location": f"{cloud.storage_root(call.root)}{REPORT_PATH}?token={token}"})


def _get_settings(cloud: Cloud, call: Call) -> Reply:
    context = context_url(call, "admin/reportSettings/$entity")
    return json_reply({"@odata.context": context, "displayConcealedNames": cloud.behaviour.concealed_names})


def report_file(cloud: Cloud, call: Call) -> Reply:
    """The CSV behind the redirect; its URL is good for minutes. Raises Fault 401."""
    token = find_token(cloud.token_key, call.query.get("token", "")) or {}
    if token.get("until", 0) < cloud.clock.seconds():
        raise Fault(401, "unauthenticated", "The URL has expired or is not valid.")
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_rows(cloud, _PERIODS[str(token["report"])]))
    return Reply(200, made.getvalue().encode("utf-8-sig"), "application/octet-stream")


def _rows(cloud: Cloud, days: int) -> Iterator[list[str | int]]:
    refreshed = (cloud.clock.now() - _LATE).date().isoformat()
    for account in cloud.tenant.directory.accounts:
        if not account.has_mailbox or account.purged:
            continue
        messages = cloud.tenant.message_count(account.person)
        mean = _MEAN_MESSAGE_BYTES // 2 + cloud.tenant.chance.below(_MEAN_MESSAGE_BYTES, "mean size", account.index)
        thrown_away = messages // 20
        deleted = account.deleted
        yield [
            refreshed, _shown(cloud, account.person.address), _shown(cloud, account.person.name),
            str(deleted is not None), deleted.date().isoformat() if deleted is not None else "",
            account.person.created.date().isoformat(), refreshed, messages, messages * mean, *_QUOTAS,
            thrown_away, thrown_away * mean, _DELETED_QUOTA, str(cloud.tenant.has_archive(account)), days,
        ]  # fmt: skip


def _shown(cloud: Cloud, name: str) -> str:
    if not cloud.behaviour.concealed_names:
        return name
    return md5(name.encode(), usedforsecurity=False).hexdigest().upper()


ROUTES = (
    Route("GET", "/reports/getMailboxUsageDetail/{period}", _get_report, READ_REPORTS),
    Route("GET", "/admin/reportSettings", _get_settings, READ_REPORT_SETTINGS),
)
