"""Walks a simulated tenant with Microsoft's own SDK: `python official_sdk.py ENDPOINTS.json`. Knows nothing of tuiback.

Prints one JSON document of what it found. It runs in an environment of its own, in which msgraph-sdk is installed.
"""
# mypy: ignore-errors

import asyncio
import io
import json
import sys
import urllib.parse
import urllib.request
from pathlib import Path

from kiota_abstractions import authentication
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.headers_collection import HeadersCollection
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.drives.item.items.item.create_upload_session import create_upload_session_post_request_body
from msgraph.generated.models.contact import Contact
from msgraph.generated.models.drive_item import DriveItem
from msgraph.generated.models.drive_item_uploadable_properties import DriveItemUploadableProperties
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.folder import Folder
from msgraph.generated.models.item_attachment import ItemAttachment
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.large_file_upload import LargeFileUploadTask
from msgraph_core.tasks.page_iterator import PageIterator

UPLOAD_BYTES = 12 * 1024 * 1024
IMMUTABLE = 'IdType="ImmutableId", odata.maxpagesize=20'


class Token(authentication.AccessTokenProvider):
    """A token fetched once."""

    def __init__(self, ends):
        form = {
            "grant_type": "client_credentials", "client_id": ends["client_id"], "client_secret": ends["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }  # fmt: skip
        url = ends["authority"] + "/oauth2/v2.0/token"
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()) as reply:
            self._token = json.load(reply)["access_token"]

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        """The token, whatever is asked."""
        return self._token

    def get_allowed_hosts_validator(self):
        """Every host."""
        return authentication.AllowedHostsValidator([])


async def all_of(first, client, keep, prefer=""):
    """What `keep` makes of every entry of all pages."""
    found = []
    iterator = PageIterator(first, client.request_adapter)
    iterator.headers = HeadersCollection()
    if prefer:
        iterator.headers.add("Prefer", prefer)
    await iterator.iterate(lambda entry: found.append(keep(entry)) or True)
    return found


async def walk_mail(client, user):
    """Folders, the messages of each by delta, and one message's MIME of each."""
    mailbox = client.users.by_user_id(user)
    folders = await all_of(
        await mailbox.mail_folders.get(), client, lambda folder: (folder.id, folder.total_item_count)
    )
    messages = 0
    for folder_id, _ in folders:
        config = RequestConfiguration()
        config.headers.add("Prefer", IMMUTABLE)
        page = await mailbox.mail_folders.by_mail_folder_id(folder_id).messages.delta.get(request_configuration=config)
        ids = await all_of(page, client, lambda message: message.id, IMMUTABLE)
        messages += len(set(ids))
        if ids:
            assert await mailbox.messages.by_message_id(ids[0]).content.get()
    return {"stated": sum(count for _, count in folders), "messages": messages}


async def walk_drive(client, drive_id):
    """Every item by delta, and the content of three files."""
    items = client.drives.by_drive_id(drive_id).items
    page = await items.by_drive_item_id("root").delta.get()
    found = await all_of(page, client, lambda item: (item.id, item.size, item.file is not None))
    files = [(item_id, size) for item_id, size, is_file in found if is_file and size][:3]
    same = [len(await items.by_drive_item_id(item_id).content.get()) == size for item_id, size in files]
    return {"items": len(found), "read": sum(same)}


async def upload(client, drive_id):
    """Whether a large file comes back as it was sent, in fragments of the SDK's own size."""
    body = create_upload_session_post_request_body.CreateUploadSessionPostRequestBody(
        item=DriveItemUploadableProperties(additional_data={"@microsoft.graph.conflictBehavior": "replace"})
    )
    target = client.drives.by_drive_id(drive_id).items.by_drive_item_id("root:/from-the-sdk.bin:")
    session = await target.create_upload_session.post(body)
    content = bytes(range(256)) * (UPLOAD_BYTES // 256)
    await LargeFileUploadTask(session, client.request_adapter, io.BytesIO(content)).upload()
    return await target.content.get() == content


async def batch(client, users):
    """The statuses of a batch, one of whose members names nobody."""
    content = BatchRequestContent()
    for user in [*users, "nobody@nowhere.example"]:
        content.add_request(None, BatchRequestItem(client.users.by_user_id(user).to_get_request_information()))
    answer = await client.batch.post(content)
    return sorted(answer.get_response_status_codes().values())


async def error_of(client):
    """How an error arrives."""
    try:
        await client.users.by_user_id("nobody@nowhere.example").get()
    except ODataError as error:
        return [error.response_status_code, error.error.code]
    return []


async def new_folder(client, drive_id):
    """The name of a folder that was made."""
    children = client.drives.by_drive_id(drive_id).items.by_drive_item_id("root").children
    return (await children.post(DriveItem(name="From the SDK", folder=Folder()))).name


async def walk_outlook(client, user):
    """How many contacts and tasks there are by delta, and the subjects that a search finds of a letter just sent."""
    mailbox = client.users.by_user_id(user)
    contacts = len(await all_of(await mailbox.contacts.get(), client, lambda contact: contact.id))
    for folder_id in await all_of(await mailbox.contact_folders.delta.get(), client, lambda folder: folder.id):
        page = await mailbox.contact_folders.by_contact_folder_id(folder_id).contacts.delta.get()
        contacts += len(await all_of(page, client, lambda contact: contact.display_name))
    tasks = 0
    for list_id in await all_of(await mailbox.todo.lists.get(), client, lambda each: each.id):
        page = await mailbox.todo.lists.by_todo_task_list_id(list_id).tasks.delta.get()
        tasks += len(await all_of(page, client, lambda task: task.title))
    made = await mailbox.contacts.post(Contact(given_name="From", surname="the SDK"))
    receiver = Recipient(email_address=EmailAddress(address=(await client.users.by_user_id(user).get()).mail))
    event = ItemAttachment(odata_type="#microsoft.graph.itemAttachment", name="x", item=Event(subject="x"))
    letter = Message(subject="Sent by the SDK", to_recipients=[receiver], attachments=[event])
    await mailbox.send_mail.post(SendMailPostRequestBody(message=letter, save_to_sent_items=False))
    options = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(search='"subject:sent by the sdk"')
    found = await mailbox.messages.get(RequestConfiguration(query_parameters=options))
    return {"contacts": contacts, "tasks": tasks, "made": made.display_name, "sent": [m.subject for m in found.value]}


async def walk(ends):
    """What was found in the tenant."""
    adapter = GraphRequestAdapter(authentication.BaseBearerTokenAuthenticationProvider(Token(ends)))
    adapter.base_url = ends["graph_url"] + "/v1.0"
    client = GraphServiceClient(request_adapter=adapter)
    users = await all_of(await client.users.get(), client, lambda user: user.id)
    drive_id = (await client.users.by_user_id(users[0]).drive.get()).id
    return {
        "users": len(users),
        "mail": await walk_mail(client, users[0]),
        "drive": await walk_drive(client, drive_id),
        "uploaded": await upload(client, drive_id),
        "batch": await batch(client, users[:3]),
        "error": await error_of(client),
        "folder": await new_folder(client, drive_id),
        "outlook": await walk_outlook(client, users[0]),
    }


if __name__ == "__main__":
    json.dump(asyncio.run(walk(json.loads(Path(sys.argv[1]).read_text()))), sys.stdout)
