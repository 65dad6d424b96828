"""Answers for how a mailbox is set up: its settings, rules, categories, and in beta its hidden configurations.

https://learn.microsoft.com/graph/api/resources/mailboxsettings, .../messagerule, .../outlookcategory and
.../userconfiguration
"""

from typing import Any

from tuiback.simtenant.api.cabinet_lists import listed, shown
from tuiback.simtenant.api.call import Call, Fault, Reply, json_reply, no_content
from tuiback.simtenant.api.cloud import Cloud
from tuiback.simtenant.api.mail_lookup import folder_of, view_of
from tuiback.simtenant.api.odata import context_url, selected
from tuiback.simtenant.api.permissions import (
    READ_CONFIGURATIONS,
    READ_SETTINGS,
    WRITE_CONFIGURATIONS,
    WRITE_SETTINGS,
)
from tuiback.simtenant.api.router import Route
from tuiback.simtenant.api.user_lookup import mailbox_owner_of
from tuiback.simtenant.state.accounts import Account
from tuiback.simtenant.state.mailbox import ARCHIVE, INBOX
from tuiback.simtenant.state.preferences import Preferences

_ZONE = "W. Europe Standard Time"
_WRITABLE = frozenset({
    "timeZone", "language", "dateFormat", "timeFormat", "automaticRepliesSetting", "workingHours",
    "delegateMeetingMessageDeliveryOptions",
})  # fmt: skip
_RULE_PROPERTIES = ("displayName", "sequence", "isEnabled", "conditions", "exceptions", "actions")
_CONFIGURED = ("structuredData", "xmlData", "binaryData")
_COLOURS = frozenset({"none", *(f"preset{number}" for number in range(25))})


def _settings(cloud: Cloud, account: Account) -> dict[str, Any]:
    language = account.person.language.code
    return {
        "timeZone": _ZONE,
        "language": {"locale": language, "displayName": language},
        "dateFormat": "dd.MM.yyyy",
        "timeFormat": "HH:mm",
        "archiveFolder": cloud.tenant.ids.encode("folder", account.index, ARCHIVE),
        "automaticRepliesSetting": {
            "status": "disabled", "externalAudience": "all", "internalReplyMessage": "", "externalReplyMessage": "",
        },
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000", "timeZone": {"name": _ZONE},
        },
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "userPurpose": account.purpose.value,
    } | cloud.tenant.outlook.preferences(account.person).settings  # fmt: skip


def _settings_context(call: Call, account: Account) -> str:
    return context_url(call, f"users('{account.person.object_id}')/mailboxSettings")


def _get_settings(cloud: Cloud, call: Call) -> Reply:
    account = mailbox_owner_of(cloud, call)
    names, held = selected(call), _settings(cloud, account)
    kept = held if names is None else {name: value for name, value in held.items() if name in names}
    return json_reply({"@odata.context": _settings_context(call, account)} | kept)


def _get_setting(cloud: Cloud, call: Call) -> Reply:
    """One of them: an object as it is, anything else as `value`."""
    account = mailbox_owner_of(cloud, call)
    name, held = call.where["setting"], _settings(cloud, account)
    if name not in held:
        raise Fault(400, "BadRequest", f"Resource not found for the segment '{name}'.")
    found = held[name] if isinstance(held[name], dict) else {"value": held[name]}
    return json_reply({"@odata.context": f"{_settings_context(call, account)}/{name}"} | found)


def _change_settings(cloud: Cloud, call: Call) -> Reply:
    """Whatever is set to an object keeps those of its members that were not given."""
    account, given = mailbox_owner_of(cloud, call), call.json()
    held = _settings(cloud, account)
    preferences = cloud.tenant.outlook.preferences(account.person)
    written = {}
    for name in given.keys() & _WRITABLE:
        is_object = isinstance(given[name], dict) and isinstance(held[name], dict)
        written[name] = held[name] | given[name] if is_object else given[name]
    preferences.settings |= written
    preferences.note()
    return json_reply({"@odata.context": _settings_context(call, account)} | written)


def _preferences_of(cloud: Cloud, call: Call) -> Preferences:
    return cloud.tenant.outlook.preferences(mailbox_owner_of(cloud, call).person)


def _rules_of(cloud: Cloud, call: Call) -> Preferences:
    """Only the Inbox has rules. Raises Fault 400."""
    if folder_of(view_of(cloud, call), call.where["folder"]).serial != INBOX:
        raise Fault(400, "ErrorInvalidRequest", "Rules belong to the Inbox.")
    return _preferences_of(cloud, call)


def _rule_json(cloud: Cloud, preferences: Preferences, number: int) -> dict[str, Any]:
    ids, rule = cloud.tenant.ids, preferences.rules[number]
    actions = dict(rule.get("actions") or {})
    for name in ("moveToFolder", "copyToFolder"):
        if isinstance(actions.get(name), int):
            actions[name] = ids.encode("folder", preferences.owner, actions[name])
    document = {
        "id": ids.encode("rule", preferences.owner, number),
        "displayName": rule["displayName"],
        "sequence": rule["sequence"],
        "isEnabled": rule.get("isEnabled", True),
        "hasError": False,
        "isReadOnly": False,
        "conditions": rule.get("conditions") or {},
        "actions": actions,
    }
    return document | ({"exceptions": rule["exceptions"]} if rule.get("exceptions") else {})


def _rule_of(cloud: Cloud, preferences: Preferences, call: Call) -> int:
    """The number of the rule that the URL names. Raises Fault 404."""
    reference = cloud.tenant.ids.find(call.where["rule"])
    is_rule = reference is not None and (reference.kind, reference.owner) == ("rule", preferences.owner)
    if reference is None or not is_rule or reference.serial not in preferences.rules:
        raise _not_found()
    return reference.serial


def _list_rules(cloud: Cloud, call: Call) -> Reply:
    preferences = _rules_of(cloud, call)
    numbers = sorted(preferences.rules, key=lambda number: int(preferences.rules[number]["sequence"]))
    return listed(call, _rules(call), [_rule_json(cloud, preferences, number) for number in numbers])


def _get_rule(cloud: Cloud, call: Call) -> Reply:
    preferences = _rules_of(cloud, call)
    return shown(call, _rules(call), _rule_json(cloud, preferences, _rule_of(cloud, preferences, call)))


def _create_rule(cloud: Cloud, call: Call) -> Reply:
    preferences, given = _rules_of(cloud, call), call.json()
    if not given.get("displayName") or not given.get("actions") or not isinstance(given.get("sequence"), int):
        raise Fault(400, "ErrorInvalidRequest", "A rule needs a displayName, a sequence and actions.")
    number = preferences.note()
    preferences.rules[number] = {name: given[name] for name in _RULE_PROPERTIES if name in given}
    return shown(call, _rules(call), _rule_json(cloud, preferences, number), 201)


def _change_rule(cloud: Cloud, call: Call) -> Reply:
    preferences, given = _rules_of(cloud, call), call.json()
    number = _rule_of(cloud, preferences, call)
    preferences.rules[number] |= {name: given[name] for name in _RULE_PROPERTIES if name in given}
    preferences.note()
    return shown(call, _rules(call), _rule_json(cloud, preferences, number))


def _delete_rule(cloud: Cloud, call: Call) -> Reply:
    preferences = _rules_of(cloud, call)
    del preferences.rules[_rule_of(cloud, preferences, call)]
    preferences.note()
    return no_content()


def _rules(call: Call) -> str:
    return f"users('{call.where['user']}')/mailFolders('{call.where['folder']}')/messageRules"


def _list_categories(cloud: Cloud, call: Call) -> Reply:
    held = _preferences_of(cloud, call).categories
    return listed(call, _categories(call), [{"id": guid, **each} for guid, each in held.items()])


def _get_category(cloud: Cloud, call: Call) -> Reply:
    preferences = _preferences_of(cloud, call)
    return shown(call, _categories(call), _category_json(preferences, call))


def _category_json(preferences: Preferences, call: Call) -> dict[str, Any]:
    """Raises Fault 404."""
    guid = call.where["category"]
    if guid not in preferences.categories:
        raise _not_found()
    return {"id": guid, **preferences.categories[guid]}


def _create_category(cloud: Cloud, call: Call) -> Reply:
    preferences, given = _preferences_of(cloud, call), call.json()
    name = given.get("displayName")
    if not isinstance(name, str) or not name:
        raise Fault(400, "ErrorInvalidRequest", "The property displayName is required.")
    if any(each["displayName"].casefold() == name.casefold() for each in preferences.categories.values()):
        raise Fault(409, "CategoryNameDuplicate", "A category with the given name already exists.")
    guid = str(cloud.tenant.chance.guid("written category", preferences.owner, preferences.note()))
    preferences.categories[guid] = {"displayName": name, "color": _colour(given, "none")}
    return shown(call, _categories(call), {"id": guid, **preferences.categories[guid]}, 201)


def _change_category(cloud: Cloud, call: Call) -> Reply:
    """Its colour only: a name stays."""
    preferences = _preferences_of(cloud, call)
    document = _category_json(preferences, call)
    preferences.categories[document["id"]]["color"] = _colour(call.json(), document["color"])
    preferences.note()
    return shown(call, _categories(call), _category_json(preferences, call))


def _colour(given: dict[str, Any], usual: str) -> str:
    """Raises Fault 400."""
    colour = str(given.get("color", usual))
    if colour.lower() not in _COLOURS:
        raise Fault(400, "RequestBodyRead", f"The value '{colour}' is no colour of a category.")
    return colour.lower()


def _delete_category(cloud: Cloud, call: Call) -> Reply:
    preferences = _preferences_of(cloud, call)
    del preferences.categories[_category_json(preferences, call)["id"]]
    preferences.note()
    return no_content()


def _categories(call: Call) -> str:
    return f"users('{call.where['user']}')/outlook/masterCategories"


def _configuration_of(cloud: Cloud, call: Call) -> tuple[Preferences, tuple[int, str]]:
    """Where the configuration that the URL names is kept. Raises Fault 400 and 404."""
    preferences = _preferences_of(cloud, call)
    key = (folder_of(view_of(cloud, call), call.where["folder"]).serial, call.where["configuration"])
    if key not in preferences.configurations:
        raise _not_found()
    return preferences, key


def _get_configuration(cloud: Cloud, call: Call) -> Reply:
    preferences, key = _configuration_of(cloud, call)
    return _configured(call, preferences, key)


def _configured(call: Call, preferences: Preferences, key: tuple[int, str], status: int = 200) -> Reply:
    held = {name: preferences.configurations[key].get(name) for name in _CONFIGURED}
    context = f"users('{call.where['user']}')/mailFolders('{call.where['folder']}')/userConfigurations"
    return shown(call, context, {"id": key[1]} | held, status)


def _create_configuration(cloud: Cloud, call: Call) -> Reply:
    preferences, given = _preferences_of(cloud, call), call.json()
    key = (folder_of(view_of(cloud, call), call.where["folder"]).serial, str(given.get("id") or ""))
    if not key[1]:
        raise Fault(400, "ErrorInvalidRequest", "The property id is required.")
    if key in preferences.configurations:
        raise Fault(409, "ErrorItemSave", "A configuration with this id exists in the folder.")
    preferences.note()
    preferences.configurations[key] = {name: given[name] for name in _CONFIGURED if name in given}
    return _configured(call, preferences, key, 201)


def _change_configuration(cloud: Cloud, call: Call) -> Reply:
    preferences, key = _configuration_of(cloud, call)
    given = call.json()
    preferences.note()
    preferences.configurations[key] |= {name: given[name] for name in _CONFIGURED if name in given}
    return _configured(call, preferences, key)


def _delete_configuration(cloud: Cloud, call: Call) -> Reply:
    preferences, key = _configuration_of(cloud, call)
    preferences.note()
    del preferences.configurations[key]
    return no_content()


def _not_found() -> Fault:
    return Fault(404, "ErrorItemNotFound", "The specified object was not found in the store.")


_SETTINGS = "/users/{user}/mailboxSettings"
_RULES = "/users/{user}/mailFolders/{folder}/messageRules"
_CATEGORIES = "/users/{user}/outlook/masterCategories"
_CONFIGURATIONS = "/users/{user}/mailFolders/{folder}/userConfigurations"
_CONFIGURATION = _CONFIGURATIONS + "/{configuration}"
ROUTES = (
    Route("GET", _SETTINGS, _get_settings, READ_SETTINGS),
    Route("PATCH", _SETTINGS, _change_settings, WRITE_SETTINGS),
    Route("GET", _SETTINGS + "/{setting}", _get_setting, READ_SETTINGS),
    Route("GET", _RULES, _list_rules, READ_SETTINGS, filtered=True),
    Route("POST", _RULES, _create_rule, WRITE_SETTINGS),
    Route("GET", _RULES + "/{rule}", _get_rule, READ_SETTINGS),
    Route("PATCH", _RULES + "/{rule}", _change_rule, WRITE_SETTINGS),
    Route("DELETE", _RULES + "/{rule}", _delete_rule, WRITE_SETTINGS),
    Route("GET", _CATEGORIES, _list_categories, READ_SETTINGS, filtered=True),
    Route("POST", _CATEGORIES, _create_category, WRITE_SETTINGS),
    Route("GET", _CATEGORIES + "/{category}", _get_category, READ_SETTINGS),
    Route("PATCH", _CATEGORIES + "/{category}", _change_category, WRITE_SETTINGS),
    Route("DELETE", _CATEGORIES + "/{category}", _delete_category, WRITE_SETTINGS),
    Route("POST", _CONFIGURATIONS, _create_configuration, WRITE_CONFIGURATIONS, in_beta=True),
    Route("GET", _CONFIGURATION, _get_configuration, READ_CONFIGURATIONS, in_beta=True),
    Route("PATCH", _CONFIGURATION, _change_configuration, WRITE_CONFIGURATIONS, in_beta=True),
    Route("DELETE", _CONFIGURATION, _delete_configuration, WRITE_CONFIGURATIONS, in_beta=True),
)
