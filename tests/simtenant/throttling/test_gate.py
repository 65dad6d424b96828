"""The gate refuses in the words and with the headers of each service."""

from collections.abc import Callable

import pytest

from tuiback.simtenant.api.call import Fault
from tuiback.simtenant.throttling.charges import Charge, Request, charge_of
from tuiback.simtenant.throttling.gate import Gate

MESSAGE = "/users/{user}/messages/{message}"


class Time:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    """The tenant's time."""
    return Time()


def mail(mailbox: str = "m", app: str = "app") -> Charge:
    """One message read."""
    return charge_of(Request("GET", MESSAGE, app, mailbox))


def refused(admit: Callable[[], object]) -> Fault:
    """How the gate said no."""
    with pytest.raises(Fault) as caught:
        admit()
    assert caught.value.status == 429
    return caught.value


def test_four_at_once_in_a_mailbox(time: Time) -> None:
    """The fifth is refused, another mailbox and another application are not, and a place is free again at the end."""
    gate = Gate(time, 5)
    admitted = [gate.admit(mail()) for _ in range(4)]
    said = [refused(lambda: gate.admit(mail())) for _ in range(2)]
    assert {fault.code for fault in said} == {"ApplicationThrottled"}
    assert all("MailboxConcurrency" in fault.message for fault in said)
    assert {"Retry-After" in fault.headers for fault in said} == {True, False}
    gate.admit(mail("other"))
    gate.admit(mail(app="other"))
    admitted[0].leave()
    gate.admit(mail())


def test_ten_thousand_in_ten_minutes_for_each_mailbox(time: Time) -> None:
    """The next one is told to wait until the first ones are ten minutes old."""
    gate = Gate(time, 5)
    for _ in range(10_000):
        gate.admit(mail()).leave()
    wait = int(refused(lambda: gate.admit(mail())).headers["Retry-After"])
    assert 600 <= wait <= 607
    gate.admit(mail("other"))
    time.seconds += wait
    gate.admit(mail())


def test_time_scale_shortens_what_clients_wait(time: Time) -> None:
    """With a time scale of 60 ten minutes pass in ten seconds, and Retry-After says so."""
    gate = Gate(time, 5, time_scale=60)
    for _ in range(10_000):
        gate.admit(mail()).leave()
    assert 10 <= int(refused(lambda: gate.admit(mail())).headers["Retry-After"]) <= 11


def test_files_tell_their_limit_from_four_fifths_on(time: Time) -> None:
    """RateLimit headers appear at 80 % of the minute, refused requests count too, and the next minute is whole."""
    gate = Gate(time, 1000)
    time.seconds = 1200.0
    read = charge_of(Request("GET", "/drives/{drive}/items/{item}", "app"))
    seen = [gate.admit(read).headers for _ in range(1250)]
    assert seen[998] == {}
    assert seen[999] == {"RateLimit-Limit": "1250", "RateLimit-Remaining": "250", "RateLimit-Reset": "60"}
    fault = refused(lambda: gate.admit(read))
    assert (fault.code, fault.headers["Retry-After"], fault.headers["RateLimit-Remaining"]) == (
        "activityLimitReached", "60", "0",
    )  # fmt: skip
    time.seconds += 60
    assert gate.admit(read).headers == {}


def test_three_applications_fill_the_tenant(time: Time) -> None:
    """More applications gain nothing: 18,750 units in five minutes is all that the tenant has."""
    gate = Gate(time, 1000)
    passed = 0
    for _ in range(5):
        for app in range(4):
            for _ in range(1250):
                try:
                    gate.admit(charge_of(Request("GET", "/drives/{drive}/items/{item}", f"app{app}")))
                    passed += 1
                except Fault:
                    pass
        time.seconds += 60
    assert passed == 18_750


@pytest.mark.parametrize(("users", "limit"), [(49, 3_500), (50, 5_000), (500, 5_000), (501, 8_000)])
def test_the_directory_grows_with_the_tenant(time: Time, users: int, limit: int) -> None:
    """Resource units stand in every answer, the share used from 80 % on, and the refusal says what was exceeded."""
    gate = Gate(time, users)
    list_users = charge_of(Request("GET", "/users", "app"))
    headers = [gate.admit(list_users).headers for _ in range(limit // 2)]
    assert headers[0] == {"x-ms-resource-unit": "2"}
    assert headers[-1]["x-ms-throttle-limit-percentage"] == "1.0"
    fault = refused(lambda: gate.admit(list_users))
    assert fault.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"


def test_teams_count_by_the_second(time: Time) -> None:
    """Four requests a second for one team, whatever they are."""
    gate = Gate(time, 5)
    read = charge_of(Request("GET", "/teams/{team}", "app", team="t"))
    for _ in range(4):
        gate.admit(read)
    refused(lambda: gate.admit(read))
    time.seconds += 1.02
    gate.admit(read)


def test_a_chat_is_read_once_a_second(time: Time) -> None:
    """Others at the same time; its members are no messages."""
    gate = Gate(time, 5)
    gate.admit(charge_of(Request("GET", "/chats/{chat}/messages", "app", chat="c")))
    refused(lambda: gate.admit(charge_of(Request("GET", "/chats/{chat}/messages/{post}", "app", chat="c"))))
    gate.admit(charge_of(Request("GET", "/chats/{chat}/messages", "app", chat="d")))
    gate.admit(charge_of(Request("GET", "/chats/{chat}/members", "app", chat="c")))


def test_reports_and_sharing_have_limits_of_their_own(time: Time) -> None:
    """Fourteen of one report in ten minutes; three hundred invitations in five minutes, whatever they cost."""
    gate = Gate(time, 60_000, tenant_id="t")
    report = charge_of(Request("GET", "/reports/getMailboxUsageDetail/{period}", "app"))
    for _ in range(14):
        gate.admit(report)
    assert 599 <= int(refused(lambda: gate.admit(report)).headers["Retry-After"]) <= 606
    share = charge_of(Request("POST", "/drives/{drive}/items/{item}/invite", "app"))
    for _ in range(300):
        gate.admit(share)
    assert refused(lambda: gate.admit(share)).code == "activityLimitReached"
    gate.admit(charge_of(Request("GET", "/drives/{drive}/items/{item}", "app")))


def test_the_directory_says_whose_limit_it_was(time: Time) -> None:
    """A refusal names the application and the tenant."""
    gate = Gate(time, 5, tenant_id="t")
    charge = charge_of(Request("GET", "/users", "app"))
    for _ in range(1750):
        gate.admit(charge)
    headers = refused(lambda: gate.admit(charge)).headers
    assert headers["x-ms-throttle-scope"] == "Tenant_Application/ReadWrite/app/t"


def test_people_have_limits_of_their_own(time: Time) -> None:
    """An application on behalf of somebody has 3,000 requests in five minutes; by itself it has its units only."""
    gate = Gate(time, 60_000)
    item = "/drives/{drive}/items/{item}"
    charge = charge_of(Request("GET", item, "app", person="p"))
    for _ in range(3_000):
        gate.admit(charge)
    assert refused(lambda: gate.admit(charge)).code == "activityLimitReached"
    gate.admit(charge_of(Request("GET", item, "app")))
    gate.admit(charge_of(Request("GET", item, "app", person="q")))


def test_notes_don_t_say_how_long_to_wait(time: Time) -> None:
    """A person's 121st request in a minute is refused without Retry-After; somebody else's is not."""
    gate = Gate(time, 5)
    for _ in range(120):
        gate.admit(charge_of(Request("GET", "/users/{user}/onenote/pages", "app", person="p"))).leave()
    said = refused(lambda: gate.admit(charge_of(Request("GET", "/users/{user}/onenote/pages", "app", person="p"))))
    assert (said.code, said.headers) == ("20166", {})
    gate.admit(charge_of(Request("GET", "/users/{user}/onenote/pages", "app", person="other")))
