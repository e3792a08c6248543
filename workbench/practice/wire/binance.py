"""What Binance's venues have in common: tables of endpoints, weights, signatures, and errors in its own words.

A venue (spot, USD-M futures) is a table of endpoints. An endpoint is a function of the venue and the call that gives
what becomes JSON, or text that is JSON already. The functions are in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from workbench.errors import WorkbenchError
from workbench.practice.engine_records import Refused
from workbench.practice.wire.binance_errors import BinanceError, worded
from workbench.practice.wire.binance_streams import MarketStreams
from workbench.practice.wire.binance_users import Users
from workbench.practice.wire.binance_words import Pair, Params, dump
from workbench.practice.wire.limits import Limits
from workbench.practice.wire.protocol import Answer, Backing, Call, Protocol
from workbench.practice.wire.signing import Credential, hmac_hex, split_signature, websocket_payload

__all__ = ["Binance", "Endpoint"]

_LONGEST_WINDOW_MS = 60_000


class Endpoint(NamedTuple):
    """One endpoint.

    `weight` counts against the limit of the address; `access` is "none", "key" (the key alone) or "signed"; with
    `order` it counts as a new order of the account.
    """

    handler: Callable[[Any, Params, str], Any]
    weight: int | Callable[[Params], int] = 1
    access: Literal["none", "key", "signed"] = "none"
    order: bool = False


class Binance(Protocol):
    """A venue of Binance.

    Parameters
    ----------
    backing : Backing

    Attributes
    ----------
    pairs : dict of str to Pair
        By Binance's symbol.
    asking : Credential or None
        Whose signed request is being answered, or was last.
    """

    wallet: ClassVar[str]
    futures: ClassVar[bool]
    table: ClassVar[Mapping[tuple[str, str], Endpoint]]
    usual_limits: ClassVar[tuple[int, int, int]]

    def __init__(self, backing: Backing) -> None:
        super().__init__(backing)
        self.engine = backing.engine
        self.limits = backing.limits.setdefault(self.name, _limits(*self.usual_limits))
        kind = "linear" if self.futures else "spot"
        instruments = [self.engine.instrument(symbol) for symbol in self.engine.symbols]
        mine = [Pair(one, plain=self.futures) for one in instruments if one.kind == kind]
        self.pairs = {pair.id: pair for pair in mine}
        self.by_symbol = {pair.symbol: pair for pair in mine}
        self.streams = MarketStreams(self)
        self.users = Users()
        self.asking: Credential | None = None
        self.engine.listen(self.heard)

    def heard(self, message: Any) -> None:
        """Take a message of the engine."""
        self.streams.heard(message)

    def settle(self) -> None:
        """Say what is still to be said once something is done."""

    def moved(self, now: int) -> None:
        """Send what time alone has made due; see `Protocol.moved`."""
        self.streams.moved(now)
        self.settle()

    def now(self) -> int:
        """Tell the time that clients are told, ms UTC: a fault may have it wrong."""
        return self.backing.now() + self.backing.faults.skew_ms(self.name)

    def pair(self, params: Params, name: str = "symbol") -> Pair:
        """Give the symbol that a request is about."""
        wanted = params.text(name)
        found = self.pairs.get(wanted)
        if found is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return found

    def some_pairs(self, params: Params) -> tuple[list[Pair], bool]:
        """Give the symbols that a request is about, all if it names none, and whether it is one by name."""
        if params.has("symbol"):
            return [self.pair(params)], True
        if params.has("symbols"):
            names = params.names("symbols")
            if any(name not in self.pairs for name in names):
                raise BinanceError(-1121, "Invalid symbol.")
            return [self.pairs[name] for name in names], False
        return list(self.pairs.values()), False

    def answer(self, call: Call) -> Answer:
        """Carry a request out; see `Protocol.answer`."""
        self.backing.catch_up()
        endpoint = self.table.get((call.method, call.path))
        if endpoint is None:
            return Answer(404, dump({"code": -1, "msg": f"the practice exchange has no {call.method} {call.path}"}))
        answer = self.run(endpoint, call, lambda: self._proven(call))
        self.settle()
        return answer

    def run(self, endpoint: Endpoint, call: Call, prove: Callable[[], Credential]) -> Answer:
        """Charge, check who asks, do it, and word what comes of it."""
        params = Params(call.params)
        try:
            weight = endpoint.weight if isinstance(endpoint.weight, int) else endpoint.weight(params)
            status, wait_ms = self.limits.charge(weight)
            headers = {"X-MBX-USED-WEIGHT-1M": str(self.limits.weight.used)}
            if status != 200:
                return self.slowed(status, wait_ms, headers)
            account = "" if endpoint.access == "none" else self._allowed(endpoint, call, prove)
            if endpoint.order:
                fits, counts = self.limits.order(account)
                headers |= {f"X-MBX-ORDER-COUNT-{span}": str(count) for span, count in counts.items()}
                if not fits:
                    raise BinanceError(-1015, "Too many new orders; current limit is reached.", 429)
            found = endpoint.handler(self, params, account)
        except Refused as error:
            return self._error(worded(error, futures=self.futures))
        except BinanceError as error:
            return self._error(error)
        return Answer(200, found if isinstance(found, str) else dump(found), headers)

    def refused(self, code: int | str, text: str) -> Answer:
        """Word a refusal; see `Protocol.refused`."""
        if isinstance(code, int):
            return self._error(BinanceError(code, text, 401 if code in (-2014, -2015) else 400))
        return self._error(worded(Refused(text, code=code), futures=self.futures))

    def websocket_proof(self, params: Mapping[str, Any]) -> Credential:
        """Check the signature of a request over the websocket API."""
        credential = self._known(str(params.get("apiKey", "")))
        self._signed(credential, websocket_payload(params), str(params.get("signature", "")))
        self._timely(Params({name: str(value) for name, value in params.items()}))
        return credential

    def _proven(self, call: Call) -> Credential:
        credential = self._known(call.headers.get("x-mbx-apikey", ""))
        payload, signature = split_signature(call.query.encode() + call.body)
        self._signed(credential, payload, signature)
        self._timely(Params(call.params))
        return credential

    def _allowed(self, endpoint: Endpoint, call: Call, prove: Callable[[], Credential]) -> str:
        if endpoint.access == "key":
            return self._known(call.headers.get("x-mbx-apikey", "") or call.params.get("apiKey", "")).account
        self.asking = credential = prove()
        if not credential.trades and call.method != "GET":
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return credential.account

    def _known(self, key: str) -> Credential:
        found = self.backing.keyring.find(key)
        if not key or not key.isascii() or not key.replace("-", "").isalnum():
            raise BinanceError(-2014, "API-key format invalid.", 401)
        if found is None:
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return found

    def _signed(self, credential: Credential, payload: bytes, signature: str) -> None:
        import hmac

        if not signature:
            raise BinanceError(-1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.")
        if not hmac.compare_digest(hmac_hex(credential.secret, payload).encode(), signature.encode()):
            raise BinanceError(-1022, "Signature for this request is not valid.")

    def _timely(self, params: Params) -> None:
        timestamp, window = params.integer("timestamp"), params.integer("recvWindow", 5_000)
        if window > _LONGEST_WINDOW_MS:
            raise BinanceError(-1131, "recvWindow must be less than 60000.")
        skew = self.backing.faults.skew_ms(self.name)
        if not self.backing.keyring.fresh(timestamp, window, self.backing.now(), skew):
            raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def slowed(self, status: int, wait_ms: int, headers: Mapping[str, str]) -> Answer:
        """Answer a request beyond the limit (429), or of a banned address (418)."""
        words = "Way too many requests; IP banned until {}." if status == 418 else "Too many requests; wait until {}."
        body = {"code": -1003, "msg": words.format(self.limits.clock() + wait_ms)}
        return Answer(status, dump(body), {**headers, "Retry-After": str(-(-wait_ms // 1000))})

    def _error(self, error: WorkbenchError) -> Answer:
        told = error if isinstance(error, BinanceError) else BinanceError(-1000, str(error))
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.limits.weight.used)}
        return Answer(told.status, dump(told.body), headers)


def _limits(weight_1m: int, orders_10s: int, orders_1d: int) -> Limits:
    return Limits(weight_1m=weight_1m, orders_10s=orders_10s, orders_1d=orders_1d)
