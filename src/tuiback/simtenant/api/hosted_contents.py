"""Answers for the pictures inside posts, which the service keeps for itself.

https://learn.microsoft.com/graph/api/chatmessage-list-hostedcontents, .../chatmessagehostedcontent-get
"""

from collections.abc import Callable, Iterable
from typing import Any

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.odata import collection, context_url
from tuiback.simtenant.api.post_json import Place, hosted_id, pictures
from tuiback.simtenant.api.post_lists import post_of
from tuiback.simtenant.api.router import Permission, Route
from tuiback.simtenant.content.post_content import Picture

Find = Callable[[Cloud, Call], Place]


def hosted_routes(post: str, place_of: Find, permission: Permission) -> Iterable[Route]:
    """The routes below the template of a post; `place_of` finds where the post is."""

    def list_all(cloud: Cloud, call: Call) -> Reply:
        place = place_of(cloud, call)
        found = post_of(place)
        value = [_hosted_json(hosted_id(place, found, number)) for number, _ in pictures(found)]
        return json_reply(collection(f"{place.path}/messages/hostedContents", value, None, call))

    def get(cloud: Cloud, call: Call) -> Reply:
        _picture(place_of(cloud, call))
        context = {"@odata.context": context_url(call, "hostedContents/$entity")}
        return json_reply(context | _hosted_json(call.where["hosted"]))

    def get_content(cloud: Cloud, call: Call) -> Reply:
        picture = _picture(place_of(cloud, call))
        size = picture.source.size
        return Reply(200, content_type=picture.content_type, stream=picture.source.pieces(0, size), length=size)

    one = post + "/hostedContents/{hosted}"
    yield Route("GET", post + "/hostedContents", list_all, permission)
    yield Route("GET", one, get, permission)
    yield Route("GET", one + "/$value", get_content, permission)


def _hosted_json(mark: str) -> dict[str, Any]:
    """The bytes never come along."""
    return {"id": mark, "contentBytes": None, "contentType": None}


def _picture(place: Place) -> Picture:
    post = post_of(place)
    for number, picture in pictures(post):
        if hosted_id(place, post, number) == place.call.where["hosted"]:
            return picture
    raise Fault(404, "NotFound", "The hosted content was not found.")
