"""One token for all accounts, and one for each while tokens are taken away."""

import asyncio

import pytest

from tuiback.errors import MicrosoftRefuses, Unreachable
from tuiback.graph.identity import AppIdentity, GivenToken, SignIn, TokenSource
from tuiback.graph.tokens_apart import TokensApart

from .clocks import InstantClock

APP = AppIdentity("tenant", "client", "https://login.example", "https://graph.example", "secret", "s3cret")


class Numbered(SignIn):
    """Signs in without a network; sign-ins fail while there is an `error`."""

    def __init__(self, clock: InstantClock) -> None:
        super().__init__(APP, clock=clock)
        self.sign_ins = 0
        self.error: Exception | None = None

    async def fresh(self) -> tuple[str, float]:
        """See SignIn."""
        await asyncio.sleep(0)
        self.sign_ins += 1
        if self.error is not None:
            raise self.error
        return f"t{self.sign_ins}", 3600.0


@pytest.fixture
def sign_in(clock: InstantClock) -> Numbered:
    """Tokens t1, t2 ..."""
    return Numbered(clock)


@pytest.fixture
def tokens(clock: InstantClock, sign_in: Numbered) -> TokensApart:
    """The tokens of all accounts."""
    return TokensApart(TokenSource(APP, clock=clock, sign_in=sign_in), clock=clock)


async def take_away(tokens: TokensApart, account: str, times: int) -> str:
    """The token that the account has after so many of its tokens were rejected."""
    token = await tokens.token("", account)
    for _ in range(times):
        token = await tokens.token(token, account)
    return token


async def test_all_accounts_share_a_token(tokens: TokensApart, sign_in: Numbered) -> None:
    """One sign-in serves everybody, and so does the one after a token has ended."""
    assert {await tokens.token("", account) for account in ("a", "b", "")} == {"t1"}
    assert await asyncio.gather(*(tokens.token("t1", account) for account in "abc")) == ["t2"] * 3
    assert sign_in.sign_ins == 2


async def test_accounts_have_their_own_while_tokens_end_early(tokens: TokensApart) -> None:
    """A token that is taken away then is no other account's trouble."""
    await take_away(tokens, "a", 5)
    held = {account: await tokens.token("", account) for account in "abc"}
    assert len(set(held.values())) == 3
    other = await tokens.token(held["a"], "a")
    assert other not in held.values()
    assert [await tokens.token("", account) for account in "abc"] == [other, held["b"], held["c"]]
    await tokens.close()


async def test_a_rejected_shared_token_is_not_handed_out_again(tokens: TokensApart) -> None:
    """Requests under way with the shared one come back after it was given up, each for its own."""
    shared = await take_away(tokens, "a", 5)
    renewed = await asyncio.gather(*(tokens.token(shared, account) for account in "aabb"))
    assert shared not in renewed
    assert renewed[0] == renewed[1] != renewed[2] == renewed[3]
    await tokens.close()


async def test_many_accounts_take_no_more_than_so_many_tokens(tokens: TokensApart) -> None:
    """Five thousand mailboxes are no reason for as many sign-ins."""
    await take_away(tokens, "a", 5)
    held = {await tokens.token("", f"mailbox:{number}") for number in range(1000)}
    assert len(held) == 64
    await tokens.close()


async def test_after_a_calm_time_one_is_enough_again(tokens: TokensApart, clock: InstantClock) -> None:
    """What ended early once says nothing of the next hour."""
    await take_away(tokens, "a", 5)
    assert await tokens.token("", "a") != await tokens.token("", "b")
    clock.seconds += 601
    assert await tokens.token("", "a") == await tokens.token("", "b")
    await tokens.close()


@pytest.mark.parametrize("error", [Unreachable("no answer", "sign-in"), MicrosoftRefuses("no", "app", "renew it")])
async def test_a_sign_in_that_fails_for_all_is_asked_for_by_one(
    tokens: TokensApart, sign_in: Numbered, error: Exception
) -> None:
    """After three that failed accounts share one sign-in and its outcome again."""
    await take_away(tokens, "a", 5)
    sign_in.error = error
    for account in "bcd":
        with pytest.raises(type(error)):
            await tokens.token("", account)
    shared = await take_shared(tokens)
    before = sign_in.sign_ins
    ended = await asyncio.gather(*(tokens.token(shared, f"m{n}") for n in range(40)), return_exceptions=True)
    assert all(isinstance(each, type(error)) for each in ended)
    assert sign_in.sign_ins == before + 1
    sign_in.error = None
    assert await tokens.token(shared, "x") == await tokens.token("", "y")
    await tokens.close()


async def take_shared(tokens: TokensApart) -> str:
    """The token that all have now."""
    return await tokens.token("", "anybody")


async def test_sign_ins_that_fail_now_and_then_change_nothing(tokens: TokensApart, sign_in: Numbered) -> None:
    """Between them others succeed: accounts keep their own."""
    await take_away(tokens, "a", 5)
    for round_number in range(5):
        sign_in.error = Unreachable("no answer", "sign-in")
        with pytest.raises(Unreachable):
            await tokens.token("", f"fails{round_number}")
        sign_in.error = None
        await tokens.token("", f"holds{round_number}")
    assert await tokens.token("", "a") != await tokens.token("", "b")
    await tokens.close()


async def test_a_given_token_stays_the_only_one(clock: InstantClock) -> None:
    """Nobody can sign in for an administrator."""
    tokens = TokensApart(GivenToken("hers"), clock=clock)
    assert [await tokens.token("", account) for account in "ab"] == ["hers", "hers"]
    with pytest.raises(MicrosoftRefuses):
        await tokens.token("hers", "a")
    await tokens.close()
