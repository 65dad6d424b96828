"""Answers for the term store: its groups, sets and terms, read and written.

https://learn.microsoft.com/graph/api/resources/termstore-store. Applications reach it with the permissions that
https://learn.microsoft.com/graph/permissions-reference lists for them, though some pages say that they can't.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.drive_lookup import not_found
from tuiback.simtenant.api.odata import collection, context_url, page, page_size
from tuiback.simtenant.api.permissions import READ_TERMS, WRITE_TERMS
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.sites import site_of
from tuiback.simtenant.state.clock import stamp
from tuiback.simtenant.state.term_store import DEFAULT_LANGUAGE, Term, TermGroup, TermSet, TermStore

T = TypeVar("T")
_PAGE, _MOST = 200, 999


def _store(cloud: Cloud, call: Call) -> TermStore:
    """The store as the site that the URL names sees it. Raises Fault 404."""
    site_of(cloud, call)
    return cloud.tenant.term_store


def _get_store(cloud: Cloud, call: Call) -> Reply:
    store = _store(cloud, call)
    languages = {each for held in store.sets for each in held.names} | {DEFAULT_LANGUAGE}
    document = {"id": store.store_id, "defaultLanguageTag": DEFAULT_LANGUAGE, "languageTags": sorted(languages)}
    return _shown(call, "termStore", document)


def _group_json(group: TermGroup) -> dict[str, Any]:
    return {
        "id": group.group_id,
        "createdDateTime": stamp(group.created),
        "description": group.description,
        "displayName": group.name,
        "scope": group.scope,
    }


def _set_json(held: TermSet) -> dict[str, Any]:
    return {
        "id": held.set_id,
        "createdDateTime": stamp(held.created),
        "description": held.description,
        "localizedNames": [{"languageTag": tag, "name": name} for tag, name in held.names.items()],
        "properties": [],
    }


def _term_json(term: Term) -> dict[str, Any]:
    return {
        "id": term.term_id,
        "createdDateTime": stamp(term.created),
        "lastModifiedDateTime": stamp(term.changed),
        "labels": [{"languageTag": tag, "name": name, "isDefault": True} for tag, name in term.labels.items()],
        "descriptions": [{"languageTag": tag, "description": text} for tag, text in term.descriptions.items()],
        "properties": [],
    }


def _group_of(cloud: Cloud, call: Call) -> TermGroup:
    return _found(_store(cloud, call).groups, lambda each: each.group_id == call.where["termgroup"].lower())


def _set_of(cloud: Cloud, call: Call) -> TermSet:
    return _found(_store(cloud, call).sets, lambda each: each.set_id == call.where["termset"].lower())


def _term_of(cloud: Cloud, call: Call) -> Term:
    return _found(_set_of(cloud, call).terms(), lambda each: each.term_id == call.where["term"].lower())


def _above(cloud: Cloud, call: Call) -> list[Term]:
    """The children of the set, or of the term where the URL names one."""
    return (_term_of(cloud, call) if "term" in call.where else _set_of(cloud, call)).children


def _list_groups(cloud: Cloud, call: Call) -> Reply:
    return _listed(call, "groups", [_group_json(each) for each in _store(cloud, call).groups])


def _get_group(cloud: Cloud, call: Call) -> Reply:
    return _shown(call, "groups/$entity", _group_json(_group_of(cloud, call)))


def _create_group(cloud: Cloud, call: Call) -> Reply:
    store, name = _store(cloud, call), call.json().get("displayName")
    if not isinstance(name, str) or not name:
        raise _wrong("displayName")
    if name.lower() in {each.name.lower() for each in store.groups}:
        raise Fault(409, "nameAlreadyExists", "A group of this name exists already.")
    made = store.add_group(name, cloud.clock.now().replace(microsecond=0))
    made.description = str(call.json().get("description") or "")
    return _shown(call, "groups/$entity", _group_json(made), 201)


def _delete_group(cloud: Cloud, call: Call) -> Reply:
    """Only an empty one."""
    store, group = _store(cloud, call), _group_of(cloud, call)
    if any(each.group_id == group.group_id for each in store.sets):
        raise Fault(400, "invalidRequest", "The group still holds sets.")
    store.groups.remove(group)
    return no_content()


def _list_sets(cloud: Cloud, call: Call) -> Reply:
    group = _group_of(cloud, call)
    held = [each for each in _store(cloud, call).sets if each.group_id == group.group_id]
    return _listed(call, "sets", [_set_json(each) for each in held])


def _get_set(cloud: Cloud, call: Call) -> Reply:
    return _shown(call, "sets/$entity", _set_json(_set_of(cloud, call)))


def _create_set(cloud: Cloud, call: Call) -> Reply:
    """In the group that the URL or the body names."""
    given = call.json()
    if "termgroup" not in call.where:
        call.where["termgroup"] = str((given.get("parentGroup") or {}).get("id", ""))
    group, names = _group_of(cloud, call), _by_language(given.get("localizedNames"), "name")
    if not names:
        raise _wrong("localizedNames")
    made = _store(cloud, call).add_set(group, names, cloud.clock.now().replace(microsecond=0))
    made.description = str(given.get("description") or "")
    return _shown(call, "sets/$entity", _set_json(made), 201)


def _change_set(cloud: Cloud, call: Call) -> Reply:
    held, given = _set_of(cloud, call), call.json()
    held.names |= _by_language(given.get("localizedNames"), "name")
    held.description = str(given.get("description", held.description))
    return _shown(call, "sets/$entity", _set_json(held))


def _delete_set(cloud: Cloud, call: Call) -> Reply:
    _store(cloud, call).sets.remove(_set_of(cloud, call))
    return no_content()


def _list_children(cloud: Cloud, call: Call) -> Reply:
    return _listed(call, "terms", [_term_json(each) for each in _above(cloud, call)])


def _list_terms(cloud: Cloud, call: Call) -> Reply:
    """Those of all levels."""
    return _listed(call, "terms", [_term_json(each) for each in _set_of(cloud, call).terms()])


def _get_term(cloud: Cloud, call: Call) -> Reply:
    return _shown(call, "terms/$entity", _term_json(_term_of(cloud, call)))


def _create_term(cloud: Cloud, call: Call) -> Reply:
    above, given = _above(cloud, call), call.json()
    labels = _by_language(given.get("labels"), "name")
    if not labels:
        raise _wrong("labels")
    if set(labels.items()) & {pair for each in above for pair in each.labels.items()}:
        raise Fault(409, "nameAlreadyExists", "A term with this label exists already.")
    made = _store(cloud, call).add_term(above, labels, cloud.clock.now().replace(microsecond=0))
    made.descriptions = _by_language(given.get("descriptions"), "description")
    return _shown(call, "terms/$entity", _term_json(made), 201)


def _change_term(cloud: Cloud, call: Call) -> Reply:
    term, given = _term_of(cloud, call), call.json()
    term.labels |= _by_language(given.get("labels"), "name")
    term.descriptions |= _by_language(given.get("descriptions"), "description")
    term.changed = cloud.clock.now().replace(microsecond=0)
    return _shown(call, "terms/$entity", _term_json(term))


def _delete_term(cloud: Cloud, call: Call) -> Reply:
    """What lies below it goes too."""
    held, gone = _set_of(cloud, call), _term_of(cloud, call)
    for above in (held.children, *(each.children for each in held.terms())):
        if gone in above:
            above.remove(gone)
            break
    return no_content()


def _by_language(given: object, name: str) -> dict[str, str]:
    """Texts by their language. Raises Fault 400."""
    try:
        return {str(each["languageTag"]): str(each[name]) for each in given} if isinstance(given, list) else {}
    except (KeyError, TypeError) as error:
        raise _wrong(name) from error


def _wrong(name: str) -> Fault:
    return Fault(400, "invalidRequest", f"A valid '{name}' is required.")


def _found(among: Iterable[T], test: Callable[[T], bool]) -> T:
    """Raises Fault 404."""
    found = next((each for each in among if test(each)), None)
    if found is None:
        raise not_found()
    return found


def _listed(call: Call, context: str, rows: list[dict[str, Any]]) -> Reply:
    shown, next_link = page(rows, call, page_size(call, _PAGE, _MOST))
    return json_reply(collection(f"sites('{call.where['site']}')/termStore/{context}", shown, next_link, call))


def _shown(call: Call, context: str, document: dict[str, Any], status: int = 200) -> Reply:
    return json_reply({"@odata.context": context_url(call, context)} | document, status)


_STORE = "/sites/{site}/termStore"
_GROUPS, _SETS = _STORE + "/groups", _STORE + "/sets"
_GROUP, _SET = _GROUPS + "/{termgroup}", _SETS + "/{termset}"
_TERM = _SET + "/terms/{term}"
ROUTES = (
    Route("GET", _STORE, _get_store, READ_TERMS),
    Route("GET", _GROUPS, _list_groups, READ_TERMS),
    Route("POST", _GROUPS, _create_group, WRITE_TERMS),
    Route("GET", _GROUP, _get_group, READ_TERMS),
    Route("DELETE", _GROUP, _delete_group, WRITE_TERMS),
    Route("GET", _GROUP + "/sets", _list_sets, READ_TERMS),
    Route("POST", _GROUP + "/sets", _create_set, WRITE_TERMS),
    Route("POST", _SETS, _create_set, WRITE_TERMS),
    Route("GET", _SET, _get_set, READ_TERMS),
    Route("PATCH", _SET, _change_set, WRITE_TERMS),
    Route("DELETE", _SET, _delete_set, WRITE_TERMS),
    Route("GET", _SET + "/children", _list_children, READ_TERMS),
    Route("POST", _SET + "/children", _create_term, WRITE_TERMS),
    Route("GET", _SET + "/terms", _list_terms, READ_TERMS),
    Route("GET", _TERM, _get_term, READ_TERMS),
    Route("PATCH", _TERM, _change_term, WRITE_TERMS),
    Route("DELETE", _TERM, _delete_term, WRITE_TERMS),
    Route("GET", _TERM + "/children", _list_children, READ_TERMS),
    Route("POST", _TERM + "/children", _create_term, WRITE_TERMS),
)
