"""Lets people change what they share: posts of channels and chats, rows of lists, and pages of sites."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import escape

from tuiback.simtenant.content.company import Site
from tuiback.simtenant.content.page_content import web_parts
from tuiback.simtenant.content.post_content import PostContent, Reaction
from tuiback.simtenant.content.prose import paragraph, subject
from tuiback.simtenant.content.words import PHASES
from tuiback.simtenant.day import Day
from tuiback.simtenant.state.lists import Item, SiteList
from tuiback.simtenant.state.posts import Post, Thread, number_of

_ONE_IN_CHAT = 3
_TEXT_BYTES = 90


def _place(day: Day) -> tuple[Thread, list[int]] | None:
    """A channel or a chat, with who may write there and is still in the company."""
    tenant, luck = day.cloud.tenant, day.luck
    if luck.randrange(_ONE_IN_CHAT) == 0:
        chats = tenant.chats.of_person(day.person().index)
        if not chats:
            return None
        chat = tenant.chats.open(luck.choice(chats))
        thread, members = chat.thread, chat.members
    else:
        team = luck.choice([each for each in tenant.teams.all() if each.group.has_team])
        channel = luck.choice(team.channels)
        if channel.migrating_app or team.is_archived or channel.is_archived:
            return None
        thread, members = tenant.teams.open(team, channel).thread, tenant.teams.members(team, channel)
    present = [each for each in members if tenant.directory.accounts[each].is_active]
    return (thread, present) if present else None


def _write(day: Day, thread: Thread, members: list[int], root: int | None) -> bool:
    author = day.luck.choice(members)
    content = _text(day, author)
    moment = day.now
    while number_of(moment) in thread.posts:
        moment += timedelta(milliseconds=1)
    thread.add(Post(number_of(moment), author, root, moment, lambda: content))
    return True


def _text(day: Day, author: int) -> PostContent:
    language = day.cloud.tenant.directory.accounts[author].person.language
    text = paragraph(day.cloud.tenant.chance, language, _TEXT_BYTES, "mutation", day.luck.random().hex())
    return PostContent(f"<p>{escape(text)}</p>")


def _post(day: Day) -> bool:
    place = _place(day)
    return place is not None and _write(day, *place, None)


def _reply(day: Day) -> bool:
    """Chats know no replies, so there it is one more message."""
    place = _place(day)
    if place is None:
        return False
    thread, members = place
    roots = [each for each in thread.roots() if not each.event and each.deleted is None and thread.replies_of]
    return _write(day, thread, members, day.luck.choice(roots).number if roots else None)


def _own_post(day: Day) -> tuple[Thread, list[int], Post] | None:
    """Something that somebody wrote who is still here, and that is not taken back."""
    place = _place(day)
    if place is None:
        return None
    thread, members = place
    posts = [e for e in thread.posts.values() if e.author in members and e.deleted is None and not e.event]
    return (thread, members, day.luck.choice(posts)) if posts else None


def _edit_post(day: Day) -> bool:
    found = _own_post(day)
    if found is None:
        return False
    thread, _, post = found
    thread.edit(post, replace(post.read(), html=_text(day, post.author).html), day.now)
    return True


def _delete_post(day: Day) -> bool:
    found = _own_post(day)
    if found is None:
        return False
    thread, _, post = found
    thread.delete(post, day.now)
    return True


def _react(day: Day) -> bool:
    found = _own_post(day)
    if found is None:
        return False
    thread, members, post = found
    thread.react(post, Reaction("👍", "Like", day.luck.choice(members), day.now))
    return True


def _site(day: Day) -> Site:
    return day.luck.choice(list(day.cloud.tenant.sites.all()))


def _list(day: Day) -> SiteList | None:
    lists = day.cloud.tenant.sites.lists(_site(day))
    return day.luck.choice(lists) if lists else None


def _row(day: Day) -> tuple[SiteList, Item] | None:
    held = _list(day)
    return (held, day.luck.choice(list(held.items.values()))) if held is not None and held.items else None


def _add_row(day: Day) -> bool:
    held = _list(day)
    if held is None:
        return False
    held.add({"Title": f"New {day.luck.randbytes(4).hex()}"}, day.now, day.person().index)
    return True


def _edit_row(day: Day) -> bool:
    found = _row(day)
    if found is None:
        return False
    held, item = found
    changed = {"Title": f"{str(item.fields.get('Title'))[:40]} ({day.luck.randrange(1000)})"}
    if any(each["name"] == "Phase" for each in held.columns):
        changed["Phase"] = day.luck.choice(PHASES)
    held.change(item, changed, day.now, day.person().index)
    return True


def _delete_row(day: Day) -> bool:
    found = _row(day)
    if found is None:
        return False
    held, item = found
    held.delete(item)
    return True


def _edit_page(day: Day) -> bool:
    """Somebody writes one text of a page anew, and publishes it or leaves it a draft."""
    site, pages = _site(day), day.cloud.tenant.pages
    found = pages.of_site(site)
    if not found:
        return False
    page = day.luck.choice(found)
    texts = [each for each in web_parts(page.canvas) if "innerHtml" in each]
    if texts:
        day.luck.choice(texts)["innerHtml"] = _text(day, page.author).html
    else:
        page.title = subject(day.cloud.tenant.chance, site.language, "mutation", day.luck.random().hex())
    pages.change(site, page, day.now)
    if day.luck.random() < 0.5:
        pages.publish(site, page, day.now)
    return True


TEAM_KINDS: tuple[tuple[str, Callable[[Day], bool]], ...] = (
    ("post", _post), ("reply", _reply), ("edit_post", _edit_post), ("delete_post", _delete_post), ("react", _react),
)  # fmt: skip
SITE_KINDS: tuple[tuple[str, Callable[[Day], bool]], ...] = (
    ("add_row", _add_row), ("edit_row", _edit_row), ("delete_row", _delete_row), ("edit_page", _edit_page),
)  # fmt: skip
