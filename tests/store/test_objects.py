"""What an object store does wrong is retried or told, never lost, never doubled, and without a secret in the text."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from obstore.store import S3Store

from tests.seaweed import BUCKET, SeaweedFS, environment_for
from tests.store import faulty_proxy as faults
from tests.store.doubles import new_repository, reopen
from tests.store.faulty_proxy import Act, Proxy, proxy_before
from tuiback.errors import EnvironmentFault, RepositoryMissing, StorageFull, TuibackError, UsageError
from tuiback.store import AlreadyThere, Backend, open_backend
from tuiback.store.objects import ObjectBackend, Patience, open_bucket

SECRETS = ("tests-access-key", "tests-secret-key", "Authorization", "Credential=")
PASSING: dict[str, Act] = {
    "500": faults.answer(500, "InternalError"),
    "503": faults.answer(503, "SlowDown"),
    "429": faults.answer(429),
    "conflict": faults.answer(409, "ConditionalRequestConflict"),
    "dropped": faults.drop,
    "answer lost": faults.lose_answer,
    "done but failed": faults.lose_answer_and_fail,
}


class FakeTime:
    """Time that only pauses move."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds

    def patience(self) -> Patience:
        """The product's patience in this time."""
        return Patience(monotonic=self.monotonic, sleep=self.sleep)


@dataclass
class Bench:
    """A place in a real store, seen through a proxy that spoils requests, and seen directly."""

    backend: ObjectBackend
    direct: ObjectBackend
    proxy: Proxy
    time: FakeTime


@pytest.fixture
def bench(seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Both ways to one new place."""
    url = seaweed.new_place()
    time = FakeTime()
    with proxy_before(seaweed.port) as proxy:
        set_environment(monkeypatch, environment_for(seaweed.port))
        direct = open_bucket(url)
        set_environment(monkeypatch, environment_for(proxy.port))
        yield Bench(open_bucket(url, time.patience()), direct, proxy, time)


def set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Make these the variables of the process."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def has_no_secret(error: BaseException) -> bool:
    """Whether neither the text nor what led to the error tells a credential."""
    chain = [error, error.__cause__, None if error.__suppress_context__ else error.__context__]
    return not any(secret in str(one) for one in chain for secret in SECRETS)


@pytest.mark.parametrize("fault", PASSING)
def test_spoiled_create_is_tried_again(bench: Bench, fault: str) -> None:
    """Two spoiled tries of a create end in one whole object, also where a try was done and its answer lost."""
    bench.proxy.spoil("PUT", PASSING[fault], PASSING[fault])
    bench.backend.create("commits/w/1-x", [b"our ", b"bytes"])
    assert bench.direct.read("commits/w/1-x") == b"our bytes"
    assert bench.proxy.requests.count("PUT") == 3
    assert len(bench.time.pauses) == 2


def test_name_taken_by_another_is_never_taken_for_ours(bench: Bench) -> None:
    """A try without an answer, then a name taken by other bytes: somebody else was first."""
    bench.direct.create("commits/w/1-x", [b"their bytes"])
    bench.proxy.spoil("PUT", faults.drop)
    with pytest.raises(AlreadyThere):
        bench.backend.create("commits/w/1-x", [b"our bytes"])
    assert bench.direct.read("commits/w/1-x") == b"their bytes"


@pytest.mark.parametrize("fault", ["500", "503", "dropped", "answer lost", "cut"])
def test_spoiled_reads_are_tried_again(bench: Bench, fault: str) -> None:
    """Whole reads, ranges, sizes and lists come right in the end."""
    content = bytes(range(256)) * 1000
    bench.direct.create("packs/ab/x", [content])
    act = PASSING.get(fault, faults.cut_answer)
    bench.proxy.spoil("GET", act, act)
    assert bench.backend.read("packs/ab/x") == content
    bench.proxy.spoil("GET", act)
    assert bench.backend.read("packs/ab/x", 1000, 5000) == content[1000:6000]
    bench.proxy.spoil("GET", act)
    assert list(bench.backend.list("packs/")) == ["packs/ab/x"]
    bench.proxy.spoil("HEAD", faults.drop)
    assert bench.backend.size("packs/ab/x") == len(content)
    bench.proxy.spoil("POST", faults.drop)
    bench.backend.delete("packs/ab/x")
    assert bench.proxy.requests.count("POST") == 2
    assert list(bench.direct.list("")) == []


def test_long_list_goes_on_where_it_broke_off(bench: Bench, seaweed: SeaweedFS) -> None:
    """Told in pages of two names, with a fault at each second page, a list has every name once."""
    names = [f"packs/{number // 4:02}/{number:03}" for number in range(11)]
    for name in names:
        bench.direct.create(name, [b"."])
    bench.proxy.spoil("GET", *[faults.pass_on, faults.drop] * 3)
    prefix = bench.backend.url.removeprefix(f"s3://{BUCKET}/")
    store = S3Store(BUCKET, prefix=prefix, client_options={"allow_http": True}, retry_config={"max_retries": 0})
    paged = ObjectBackend(store, bench.backend.url, bench.time.patience(), page_names=2)
    assert list(paged.list("packs/")) == names
    assert list(paged.list("packs/01/006")) == ["packs/01/006"]
    assert sorted(paged.list("")) == names


def test_answer_that_never_comes_is_not_waited_for(bench: Bench) -> None:
    """After the time of one request it is sent again."""
    backend = open_bucket(bench.backend.url, bench.time.patience(), timedelta(seconds=0.3))
    bench.proxy.spoil("PUT", faults.never_answer)
    backend.create("config", [b"data"])
    assert bench.direct.read("config") == b"data"


def test_server_killed_in_the_middle_of_a_put(bench: Bench, seaweed: SeaweedFS) -> None:
    """What was there stays, the half object is none, and the put succeeds when the server is back."""
    bench.backend.create("packs/ab/before", [b"before"])
    bench.proxy.spoil("PUT", faults.kill_in_the_middle(seaweed.kill))
    pack = bytes(range(256)) * (16 << 12)
    seen: list[list[str]] = []

    def pause(seconds: float) -> None:
        seaweed.start()
        seen.append(list(bench.direct.list("")))

    patient = open_bucket(bench.backend.url, Patience(sleep=pause))
    patient.create("packs/ab/pack", [pack])
    assert seen[0] == ["packs/ab/before"]
    assert bench.direct.read("packs/ab/pack") == pack
    assert bench.direct.read("packs/ab/before") == b"before"
    assert list(bench.direct.list("")) == ["packs/ab/before", "packs/ab/pack"]


def test_store_that_keeps_failing_is_told_in_time(bench: Bench) -> None:
    """Patience ends within its limit; the error says what to check and shows no secret."""
    bench.backend.create("config", [b"."])
    bench.proxy.spoil("PUT", *[faults.answer(503, "SlowDown")] * 100)
    with pytest.raises(EnvironmentFault, match=r"kept failing, SlowDown \(HTTP 503\); check the network") as caught:
        bench.backend.create("packs/ab/x", [b"."])
    assert has_no_secret(caught.value)
    assert 120 <= bench.time.seconds < 140
    assert max(bench.time.pauses) <= 10


def test_wrong_address_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that has never answered gets seconds, not minutes."""
    set_environment(monkeypatch, environment_for(1))
    time = FakeTime()
    with pytest.raises(EnvironmentFault, match="no answer; check the network, AWS_ENDPOINT_URL"):
        open_bucket("s3://bucket/x", time.patience()).read("config")
    assert time.seconds < 10


def test_full_store_is_told_as_a_full_disk(bench: Bench) -> None:
    """A quota that is used up raises StorageFull at once."""
    full = (("QuotaExceeded", 403), ("XMinioAdminBucketQuotaExceeded", 400), ("XMinioStorageFull", 507), ("", 507))
    bench.proxy.spoil("PUT", *[faults.answer(status, code) for code, status in full])
    for _ in full:
        with pytest.raises(StorageFull, match="free space; what was committed is safe"):
            bench.backend.create("packs/ab/x", [b"."])
    assert bench.time.pauses == []


def test_wrong_credentials_are_told_without_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each verb names the variables to check, at once, and shows neither key nor request."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-tests-secret-key")
    backend = open_bucket(bench.backend.url, bench.time.patience())
    verbs = (
        backend.prepare, backend.probe, lambda: backend.read("config"), lambda: backend.size("config"),
        lambda: list(backend.list("")), lambda: backend.create("config", [b"."]),
    )  # fmt: skip
    for verb in verbs:
        with pytest.raises(EnvironmentFault, match=r"denies access.*check AWS_ACCESS_KEY_ID") as caught:
            verb()
        assert has_no_secret(caught.value)
    assert bench.time.pauses == []


def test_missing_bucket_is_told_and_never_made(bench: Bench) -> None:
    """Opening, reading and initialising in a bucket that isn't there make nothing."""
    backend = open_backend("s3://no-such-bucket/x")
    for verb in (backend.prepare, lambda: backend.read("x"), lambda: backend.size("x"), lambda: list(backend.list(""))):
        with pytest.raises(RepositoryMissing, match="no such bucket"):
            verb()
    with pytest.raises(RepositoryMissing):
        new_repository(backend)
    with pytest.raises(RepositoryMissing):
        backend.prepare()


def test_store_without_create_only_is_refused(bench: Bench) -> None:
    """A store that says yes to a second create of a name can't hold a repository, and nothing of it is left."""
    bench.proxy.spoil("PUT", *[faults.pretend_success] * 10)
    with pytest.raises(EnvironmentFault, match=r"no true create-only.*choose a store with conditional writes"):
        new_repository(bench.backend)
    assert list(bench.direct.list("")) == []


def test_store_that_knows_no_conditions_is_refused(bench: Bench) -> None:
    """A store that answers "not implemented" is told as what it is."""
    bench.proxy.spoil("PUT", *[faults.answer(501, "NotImplemented")] * 10)
    with pytest.raises(EnvironmentFault, match=r"no true create-only.*choose a store with conditional writes"):
        bench.backend.probe()


def test_repository_lives_in_a_bucket(bench: Bench) -> None:
    """Made, opened by another process and probed; a second creation in its place is refused."""
    repository = new_repository(bench.backend)
    assert reopen(repository, bench.direct).repository_id == repository.repository_id
    assert repository.url == bench.backend.url
    with pytest.raises(UsageError, match="a repository lies there already"):
        new_repository(bench.direct)


@pytest.mark.parametrize(
    "url",
    [
        "s3://", "s3:///prefix", "s3://ab", "s3://Bucket/x", "s3://tests-access-key:tests-secret-key@bucket/x",
        "s3://bucket/a//b", "s3://bucket/../x", "s3://bucket/x?versionId=1", "s3://bucket/x#y", "s3://bucket/\x1b[31m",
    ],
)  # fmt: skip
def test_malformed_urls_are_refused_unseen(url: str) -> None:
    """What is wrong with a URL may be a password in it, so the error doesn't repeat it."""
    with pytest.raises(UsageError, match="write s3://BUCKET/PREFIX") as caught:
        open_backend(url)
    assert has_no_secret(caught.value)


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"])
@pytest.mark.parametrize(
    ("endpoint", "fine"),
    [
        ("http://127.0.0.1:8333", True), ("http://localhost", True), ("http://[::1]:8333", True),
        ("https://s3.example.com", True), ("http://s3.example.com", False), ("http://192.168.1.5:9000", False),
        ("http://127.0.0.1.example.com", False), ("s3.example.com", False), ("https://", False),
    ],
)  # fmt: skip
def test_clear_text_stays_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, variable: str, endpoint: str, *, fine: bool
) -> None:
    """Plain http is for loopback addresses only, whichever variable names the endpoint."""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    set_environment(monkeypatch, {**environment_for(1), variable: endpoint, "AWS_ALLOW_HTTP": "true"})
    if variable != "AWS_ENDPOINT_URL":
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.setenv(variable, endpoint)
    if fine:
        assert open_backend("s3://bucket/a/b/").url == "s3://bucket/a/b"
        return
    with pytest.raises(EnvironmentFault, match=f"{variable} is no https address"):
        open_backend("s3://bucket/a/b")


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them nothing is asked of anybody."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with pytest.raises(EnvironmentFault, match="set AWS_SECRET_ACCESS_KEY"):
        open_backend("s3://bucket/x")


def test_folder_needs_no_client_of_object_stores() -> None:
    """Opening a folder doesn't load the S3 client: it would slow every start."""
    code = "import sys, tuiback.store as s; s.open_backend('/x'); sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_errors_are_of_the_project(bench: Bench) -> None:
    """A backend behind a fault raises nothing that the engine doesn't know."""
    backend: Backend = bench.backend
    for status in (400, 405, 418, 501, 505):
        bench.proxy.spoil("GET", faults.answer(status))
        with pytest.raises(TuibackError, match=f"the store refuses, HTTP {status}"):
            backend.read("config")
    assert bench.time.pauses == []
