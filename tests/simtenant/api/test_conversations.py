"""What groups write by mail."""

from base64 import b64decode

from tests.simtenant.caller import Caller, code_of


def test_groups_write_by_mail(caller: Caller) -> None:
    """Conversations have a thread each, threads have posts, and files on posts come with their bytes."""
    group = f"/groups/{caller.walk('/teams?$select=id')[0][0]['id']}"
    conversations = caller.walk(f"{group}/conversations")[0]
    latest = [each["lastDeliveredDateTime"] for each in conversations]
    assert latest == sorted(latest, reverse=True)
    threads = caller.walk(f"{group}/threads?$top=4")[0]
    assert [each["topic"] for each in threads] == [each["topic"] for each in conversations]
    files = 0
    for conversation, thread in zip(conversations, threads, strict=True):
        below = caller.walk(f"{group}/conversations/{conversation['id']}/threads")[0]
        assert [each["id"] for each in below] == [thread["id"]]
        posts = caller.walk(f"{group}/threads/{thread['id']}/posts?$expand=attachments")[0]
        assert any(each["hasAttachments"] for each in posts) == thread["hasAttachments"]
        for post in posts:
            for file in post["attachments"]:
                url = f"{group}/threads/{thread['id']}/posts/{post['id']}/attachments/{file['id']}"
                assert caller.send("GET", f"{url}/$value").content == b64decode(caller.get(url)["contentBytes"])
                files += 1
    assert files
    assert caller.send("GET", f"{group}/threads/none").status_code == 404


def test_only_some_groups_have_mail(caller: Caller) -> None:
    """404 for one that is for security only, and 403 without the permission."""
    plain = next(each for each in caller.walk("/groups")[0] if not each["mailEnabled"])
    assert code_of(caller.send("GET", f"/groups/{plain['id']}/threads")) == "MailboxNotEnabledForRESTAPI"
    caller.control("/applications", {"client_id": "few", "secret": "s", "roles": ["User.Read.All"]})
    caller.sign_in("few", "s")
    assert code_of(caller.send("GET", f"/groups/{plain['id']}/threads")) == "ErrorAccessDenied"
