"""Finds the user that a URL names, or refuses as the directory and Exchange do."""

from tuiback.simtenant.api.call import Call, Fault
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.content.company import Person
from tuiback.simtenant.state.accounts import Account

_INACTIVE = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."


def account_of(cloud: Cloud, call: Call) -> Account:
    """The user that the URL names by object id or address. Raises Fault 404."""
    account = cloud.tenant.directory.find(call.where["user"])
    if account is None:
        raise resource_not_found(call.where["user"])
    return account


def person_of(cloud: Cloud, call: Call) -> Person:
    """The person behind `account_of`. Raises Fault 404."""
    return account_of(cloud, call).person


def mailbox_owner_of(cloud: Cloud, call: Call) -> Account:
    """The user that the URL names, who has a mailbox. Raises Fault 404.

    One and the same user without a mailbox has been met with either of two codes:
    https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/4340
    """
    account = account_of(cloud, call)
    if account.has_mailbox:
        return account
    account.refusals += 1
    if account.refusals % 2:
        raise Fault(404, "MailboxNotEnabledForRESTAPI", _INACTIVE)
    raise Fault(404, "ResourceNotFound", "Resource could not be discovered.")


def resource_not_found(name: str) -> Fault:
    """What the directory says of an object that it does not have."""
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Fault(404, "Request_ResourceNotFound", text)
