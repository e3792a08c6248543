"""A request that may fail: who is asked again, after which pause, and who is told that it makes no sense.

Reads only: what is asked here changes nothing at the venue, so every doubt is settled by asking again. ccxt's errors
are mapped here, once, for everything that downloads.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from workbench.errors import ConfigError, DataError, WorkbenchError
from workbench.market.sources.limiter import Limiter

__all__ = ["Asker", "Garbled", "Patience", "retry_after_s", "spoken"]

T = TypeVar("T")

_BANNED_S: Final = 120.0  # of a 418 that does not say how long
_SHOWN: Final = 300


class Garbled(Exception):
    """An answer that is none: an error page that passed for data, rows of nothing, half a list.

    Parameters
    ----------
    reason : str
    usable : object, optional
        The part of it that is sound, where most of it is; taken when the venue insists.
    """

    def __init__(self, reason: str, usable: Any = None) -> None:
        super().__init__(reason)
        self.usable = usable


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a venue is given.

    Parameters
    ----------
    attempts : int, default 9
        How often a request is sent before it is given up.
    first_s, longest_s : float, default 0.5 and 30
        The pause after the first failure, doubled after each further one, up to the longest; up to half is taken off at
        random.
    ban_s : float, default 900
        The longest "come back later" of a venue that is waited for.
    """

    attempts: int = 9
    first_s: float = 0.5
    longest_s: float = 30.0
    ban_s: float = 900.0

    def pause_s(self, attempt: int) -> float:
        """Give the pause after an attempt, counted from 1."""
        return min(self.longest_s, self.first_s * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


class _Again(Exception):
    """Ask once more after a pause; `everybody` waits when the venue said that there were too many requests."""

    def __init__(
        self, reason: str, *, pause_s: float | None = None, everybody: bool = False, usable: Any = None
    ) -> None:
        super().__init__(reason)
        self.pause_s, self.everybody, self.usable = pause_s, everybody, usable


class Counts(NamedTuple):
    """Requests that were answered, and those that were repeated."""

    answered: int = 0
    failed: int = 0


class Asker:
    """Asks one venue through one client, politely.

    Parameters
    ----------
    client : ccxt.async_support.Exchange
    limiter : Limiter
        Paused for everybody when the venue says so.
    venue : str
        What to call it in errors.
    patience : Patience, optional
    """

    def __init__(self, client: Any, limiter: Limiter, *, venue: str, patience: Patience | None = None) -> None:
        self.client = client
        self.venue = venue
        self.counts = Counts()
        self._limiter = limiter
        self._patience = patience or Patience()

    async def ask(self, what: str, call: Callable[[], Awaitable[Any]], check: Callable[[Any], T]) -> T:
        """Send a request until its answer is sound.

        Parameters
        ----------
        what : str
            What is asked for, in words, for errors.
        call : callable
            Sends it, through the client.
        check : callable
            Takes the answer and gives what was made of it, or raises `Garbled`.

        Raises
        ------
        DataError
            The venue does not have it, refuses it, or did not answer soundly for as long as patience lasts.
        ConfigError
            The venue refuses the key.
        """
        import tenacity

        began = time.monotonic()
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(self._patience.attempts),
            wait=self._pause,
            reraise=True,
        )
        try:
            return await retrying(self._once, what, call, check)
        except _Again as error:
            if error.usable is not None:
                taken: T = error.usable
                return taken
            raise DataError(
                f"{self.venue} gave no sound answer to {what} in {self._patience.attempts} attempts over "
                f"{time.monotonic() - began:.0f} s; the last time: {error}. What came before is stored: go on later "
                "with the same command",
                venue=self.venue,
            ) from None

    async def _once(self, what: str, call: Callable[[], Awaitable[Any]], check: Callable[[Any], T]) -> T:
        try:
            answer = check(await call())
        except WorkbenchError:
            raise
        except Exception as error:
            try:
                await self._judge(error, what)
            except _Again:
                self.counts = self.counts._replace(failed=self.counts.failed + 1)
                raise
            raise  # `_judge` always raises
        self.counts = self.counts._replace(answered=self.counts.answered + 1)
        return answer

    def _pause(self, state: Any) -> float:
        error = state.outcome.exception()
        own = self._patience.pause_s(state.attempt_number)
        pause_s = own if error.pause_s is None else float(error.pause_s)
        if error.everybody:
            self._limiter.pause(pause_s)
        return pause_s

    async def _judge(self, error: Exception, what: str) -> None:
        """Raise what an error means: `_Again`, or an error of ours for whoever asked."""
        import ccxt

        said = spoken(error, self.client)
        if isinstance(error, Garbled):
            raise _Again(said, usable=error.usable) from None
        if isinstance(error, (ccxt.DDoSProtection, ccxt.RateLimitExceeded)):
            raise self._slow_down(said) from None
        if isinstance(error, ccxt.InvalidNonce):
            await self._set_clock()
            raise _Again(said, pause_s=0.0) from None
        again = (ccxt.NetworkError, ccxt.OperationFailed, ccxt.BadResponse, ccxt.NullResponse)
        # ccxt takes the answer apart without looking: half a list breaks it in the words of the language
        if isinstance(error, (*again, LookupError, TypeError, AttributeError, ValueError, ArithmeticError)):
            raise _Again(said) from None
        if not isinstance(error, ccxt.BaseError):
            raise error
        if isinstance(error, ccxt.AuthenticationError):
            raise ConfigError(
                f"{self.venue} gives {what} only to a key that it knows, and refused this one: {said}. Check the key "
                "and what it may do",
                venue=self.venue,
            ) from None
        if isinstance(error, ccxt.NotSupported):
            raise DataError(f"{self.venue} does not offer {what} through ccxt: {said}", venue=self.venue) from None
        raise DataError(f"{self.venue} refused {what}: {said}", venue=self.venue) from None

    def _slow_down(self, said: str) -> Exception:
        asked = retry_after_s(getattr(self.client, "last_response_headers", None))
        if asked is None and " 418 " in f" {said} ":
            asked = _BANNED_S
        if asked is not None and asked > self._patience.ban_s:
            until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=asked)
            return DataError(
                f"{self.venue} has banned this address for {asked:.0f} s, until {until:%Y-%m-%d %H:%M} UTC: {said}. "
                "Wait for it; what came so far is stored. Other programs at this address may be asking too much",
                venue=self.venue,
                seconds=asked,
            )
        return _Again(said, pause_s=asked, everybody=True)

    async def _set_clock(self) -> None:
        try:
            await self.client.load_time_difference()
        except Exception:
            pass


def retry_after_s(headers: Mapping[str, str] | None) -> float | None:
    """Read how long a venue asks to wait: seconds, or a date; None where it does not say."""
    text = next((value for name, value in (headers or {}).items() if name.lower() == "retry-after"), None)
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        when = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())


def spoken(error: Exception, client: Any) -> str:
    """Give an error's text in one short line, without what a URL says after its question mark, or a key."""
    text = re.sub(r"\?\S+", "", " ".join(str(error).split()))
    for secret in (getattr(client, "apiKey", ""), getattr(client, "secret", "")):
        text = text.replace(secret, "\N{HORIZONTAL ELLIPSIS}") if secret else text
    text = text or type(error).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\N{HORIZONTAL ELLIPSIS}"
