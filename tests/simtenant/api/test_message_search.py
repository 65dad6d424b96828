"""$search finds messages by their words and properties, within its documented bounds."""

import pytest

from tests.simtenant.caller import Caller, code_of


@pytest.fixture
def drafts(caller: Caller, user: str) -> str:
    """Where three messages of a kind lie."""
    url = f"/users/{user}/messages"
    for place, name in enumerate(("Pizza", "Pasta", "pizzas and more")):
        caller.post(url, {
            "subject": name, "importance": ("low", "normal", "high")[place],
            "toRecipients": [{"emailAddress": {"name": f"Person {place}", "address": f"p{place}@contoso.example"}}],
            "body": {"contentType": "html", "content": f"<p class='oven'>dish number{place}</p>"},
        })  # fmt: skip
    return url


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ('"pizza"', {"Pizza", "pizzas and more"}),
        ("pizza", {"Pizza", "pizzas and more"}),
        ('"pizza number0"', {"Pizza"}),
        ('"subject:pasta OR subject:more"', {"Pasta", "pizzas and more"}),
        ('"subject:pizza NOT importance:high"', {"Pizza"}),
        ('"to:p1@contoso.example"', {"Pasta"}),
        ('"participants:p2"', {"pizzas and more"}),
        ('"body:number1"', {"Pasta"}),
        ('"subject:\\"pizzas and\\""', {"pizzas and more"}),
        ('"pizza size:900000..900001"', set()),
        ('"pizza received<2020-01-01"', set()),
        ('"pizza hasAttachments:true"', set()),
        ('"oven"', set()),
        ('"(subject:pizza OR subject:pasta) AND importance:low"', {"Pizza"}),
        ('"subject:(pasta OR more)"', {"Pasta", "pizzas and more"}),
        ('"pizza AND NOT (importance:high OR importance:low)"', set()),
        ('"subject:pasta OR subject:pizza importance:low"', {"Pizza", "Pasta"}),
        ('"pizza -\\"and more\\""', {"Pizza"}),
    ],
)
def test_words_and_properties(caller: Caller, drafts: str, query: str, subjects: set[str]) -> None:
    """Words are looked for at their beginning, in all that people read; terms are all to be met."""
    found = caller.get(drafts, params={"$search": query})
    assert {each["subject"] for each in found["value"]} == subjects


def test_what_is_found_comes_page_by_page(caller: Caller, user: str) -> None:
    """The pages hold what the whole does, the newest sent first; $skip plays no part."""
    url = f"/users/{user}/messages?$search=\"importance:normal\"&$select=sentDateTime"
    found = caller.walk(f"{url}&$top=3")[0]
    assert [each["id"] for each in found] == [each["id"] for each in caller.get(f"{url}&$top=1000")["value"]]
    assert len(found) > 6
    moments = [each["sentDateTime"] for each in found]
    assert moments == sorted(moments, reverse=True)
    assert "$skiptoken" in caller.get(f"{url}&$top=3")["@odata.nextLink"]


def test_what_a_search_refuses(caller: Caller, drafts: str) -> None:
    """No order, no filter, no property without quotes, none that is unknown."""
    for query, code in (
        ("$search=\"x\"&$orderby=receivedDateTime", "SearchWithOrderBy"),
        ("$search=\"x\"&$filter=isRead eq true", "SearchWithFilter"),
        ("$search=subject:x", "BadRequest"),
        ("$search=\"colour:red\"", "ErrorInvalidUrlQuery"),
        ("$search=\"(pizza OR pasta\"", "ErrorInvalidUrlQuery"),
        ("$search=\"pizza OR\"", "ErrorInvalidUrlQuery"),
        ("$search=\"from:)\"", "ErrorInvalidUrlQuery"),
    ):
        reply = caller.send("GET", f"{drafts}?{query}")
        assert (reply.status_code, code_of(reply)) == (400, code)
