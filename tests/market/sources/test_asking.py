from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
from collections.abc import Callable
from typing import Any

import ccxt
import pytest

from workbench.errors import ConfigError, DataError
from workbench.market.sources.asking import Asker, Garbled, Patience, retry_after_s
from workbench.market.sources.limiter import Limiter

QUICK = Patience(attempts=4, first_s=0.001, longest_s=0.002)


class Client:
    """What an asker looks at in a client: the headers of the last answer, the key."""

    def __init__(self, **headers: str) -> None:
        self.last_response_headers = headers
        self.apiKey, self.secret = "the-key", "the-secret"
        self.synced = 0

    async def load_time_difference(self) -> None:
        self.synced += 1


def ask(answers: list[Any], client: Client | None = None, check: Callable[[Any], Any] = lambda answer: answer) -> Any:
    asker = Asker(client or Client(), Limiter(0.0), venue="binance", patience=QUICK)
    left = list(answers)

    async def call() -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(asker.ask("candles", call, check)), asker.counts, len(left)


@pytest.mark.parametrize(
    "error",
    [
        ccxt.RequestTimeout("slow"), ccxt.ExchangeNotAvailable("502"), ccxt.OperationFailed("-1001"),
        ccxt.DDoSProtection("429"), ccxt.RateLimitExceeded("-1003"), ccxt.BadResponse("?"), ccxt.NullResponse(""),
        ccxt.OnMaintenance("back soon"), KeyError("T"), TypeError("None"), ValueError("not JSON"),
    ],
)  # fmt: skip
def test_what_may_go_right_the_next_time_is_asked_again(error: Exception) -> None:
    client = Client(**{"Retry-After": "0"})
    assert ask([error, error, 7], client) == (7, (1, 2), 0)


def test_garbage_is_asked_again_and_a_sound_part_is_taken_when_the_venue_insists() -> None:
    def check(answer: int) -> int:
        if answer < 0:
            raise Garbled("negative", usable=-answer if answer == -9 else None)
        return answer

    assert ask([-1, 5], check=check)[0] == 5
    assert ask([-9] * 4, check=check)[0] == 9
    with pytest.raises(DataError, match=r"binance gave no sound answer to candles in 4 attempts .* negative"):
        ask([-1] * 4, check=check)


def test_a_wrong_clock_is_set_and_the_request_repeated() -> None:
    client = Client()
    assert ask([ccxt.InvalidNonce("-1021"), 1], client)[0] == 1
    assert client.synced == 1


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ccxt.AuthenticationError("who?"), ConfigError, "only to a key that it knows"),
        (ccxt.PermissionDenied("no"), ConfigError, "only to a key that it knows"),
        (ccxt.NotSupported("never"), DataError, "does not offer candles"),
        (ccxt.BadSymbol("what"), DataError, "binance refused candles: what"),
        (ccxt.BadRequest("limit"), DataError, "binance refused candles: limit"),
    ],
)
def test_what_will_never_go_right_is_not_asked_again(error: Exception, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        ask([error, 7])


def test_a_venue_that_asks_one_to_slow_down_is_left_alone_by_all() -> None:
    limiter = Limiter(0.0)
    asker = Asker(Client(**{"Retry-After": "0.2"}), limiter, venue="binance", patience=QUICK)
    told = asyncio.Event()

    async def refused_once() -> int:
        if told.is_set():
            return 1
        told.set()
        raise ccxt.RateLimitExceeded("-1003")

    async def both() -> float:
        began = asyncio.get_running_loop().time()
        asked = asyncio.ensure_future(asker.ask("candles", refused_once, int))
        await told.wait()
        await asyncio.sleep(0)  # let the refusal be heard
        await limiter.acquire()  # somebody else's request
        waited = asyncio.get_running_loop().time() - began
        assert await asked == 1
        return waited

    assert asyncio.run(both()) >= 0.19


def test_a_ban_too_long_to_wait_for_is_told_with_its_end() -> None:
    with pytest.raises(DataError, match="has banned this address for 3600 s, until 20"):
        ask([ccxt.DDoSProtection("binance 418 I'm a teapot"), 7], Client(**{"retry-after": "3600"}))


def test_no_error_tells_a_key_or_what_a_url_says_after_its_question_mark() -> None:
    text = "binance GET https://api.binance.com/x?signature=abc&k=the-key 400 {the-key the-secret}"
    with pytest.raises(DataError) as caught:
        ask([ccxt.BadRequest(text)])
    for secret in ("the-key", "the-secret", "signature", "abc"):
        assert secret not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_how_long_a_venue_asks_to_wait() -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    assert retry_after_s({"Retry-After": "2.5"}) == 2.5
    assert 50 < (retry_after_s({"RETRY-AFTER": email.utils.format_datetime(soon, usegmt=True)}) or 0) <= 60
    assert retry_after_s({"retry-after": "soon"}) is None
    assert retry_after_s({}) is None and retry_after_s(None) is None


def test_pauses_grow_up_to_the_longest() -> None:
    patience = Patience(first_s=1.0, longest_s=5.0)
    for attempt, most in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (9, 5.0)):
        assert most / 2 <= patience.pause_s(attempt) <= most
