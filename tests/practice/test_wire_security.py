"""Who may speak with a practice exchange, and to whom: certificate, hosts, keys, signatures, times."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.practice.stage import SPOT, T0
from tests.practice.wire_stage import ETH, run, walk
from workbench.errors import ConfigError
from workbench.market.sources.clients import Route, _connector
from workbench.practice.clients import connect, running_route
from workbench.practice.clock import HeldClock
from workbench.practice.engine_records import AccountSetup
from workbench.practice.exchange import ROUTE_FILE, Exchange, Serving
from workbench.practice.wire.certificate import certify
from workbench.practice.wire.protocol import Call
from workbench.practice.wire.protocols import speakers
from workbench.practice.wire.signing import PRACTICE, Credential, Keyring, hmac_hex, split_signature, websocket_payload

HOSTS = ["api.example.com", "stream.example.com"]


def small(**more: Any) -> Exchange:
    return Exchange([walk(SPOT, 30_000.0, 1, minutes=600, start=T0)], clock=HeldClock(T0 + 30_000), **more)


def test_the_key_is_for_its_owner_only_and_used_again(tmp_path: Path) -> None:
    certificate, key = certify(tmp_path / "new", HOSTS)
    assert key.stat().st_mode & 0o777 == 0o600 and b"PRIVATE" not in certificate.read_bytes()
    first = certificate.read_bytes()
    assert certify(tmp_path / "new", HOSTS)[0].read_bytes() == first
    assert certify(tmp_path / "new", HOSTS[:1])[0].read_bytes() != first


def test_a_key_that_others_can_read_is_made_anew(tmp_path: Path) -> None:
    certificate, key = certify(tmp_path, HOSTS)
    first = certificate.read_bytes()
    key.chmod(0o644)
    certify(tmp_path, HOSTS)
    assert key.stat().st_mode & 0o777 == 0o600 and certificate.read_bytes() != first
    key.write_text("rubbish")
    key.chmod(0o600)
    certify(tmp_path, HOSTS)
    assert b"PRIVATE" in key.read_bytes()


def test_no_certificate_without_a_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written to .*file"):
        certify(tmp_path / "file", HOSTS)


def test_only_the_hosts_of_the_certificate_are_reached() -> None:
    async def ask(route: Route) -> tuple[int, BaseException, int]:
        async with aiohttp.ClientSession(connector=_connector(route)) as session:
            async with session.get("https://api.binance.com/api/v3/ping") as answer:
                known = answer.status
            with pytest.raises(aiohttp.ClientConnectorCertificateError) as refused:
                await session.get("https://www.example.com/")
            async with session.get("https://api.binance.com/", headers={"Host": "www.example.com"}) as answer:
                return known, refused.value, answer.status

    with small() as exchange:
        known, refused, misdirected = run(ask(exchange.route))
    assert known == 200 and misdirected == 421
    assert "not valid for 'www.example.com'" in str(refused)


def test_ccxt_reaches_no_other_venue_by_the_route() -> None:
    from ccxt.base.errors import ExchangeNotAvailable

    async def ask(route: Route) -> None:
        async with connect("bybit", route=route) as client:
            with pytest.raises(ExchangeNotAvailable):
                await client.fetch_time()

    with small() as exchange:
        run(ask(exchange.route))


def test_a_client_that_trusts_only_real_authorities_gets_nothing() -> None:
    async def ask(port: int) -> None:
        trusted = ssl.create_default_context()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"https://127.0.0.1:{port}/", ssl=trusted)

    with small() as exchange:
        run(ask(exchange.route.port))


def test_the_route_is_there_while_it_serves(tmp_path: Path) -> None:
    folder = tmp_path / "practice"
    with small(serving=Serving(folder=folder)) as exchange:
        route = exchange.route
        assert running_route(tmp_path) == route == Route.read(folder / ROUTE_FILE)
    with pytest.raises(ConfigError, match="no practice exchange runs"):
        running_route(tmp_path)
    route.write(folder / ROUTE_FILE)  # as one leaves it that was killed
    with pytest.raises(ConfigError, match=rf"no longer answers on port {route.port}; start one with"):
        running_route(tmp_path)
    with pytest.raises(Exception, match="does not serve"):
        _ = exchange.route


def test_what_cannot_serve_says_so() -> None:
    with pytest.raises(ConfigError, match="does not speak for 'mtgox'"):
        speakers(["mtgox"])
    with pytest.raises(ConfigError, match="needs at least one market"):
        Exchange([])
    with pytest.raises(ConfigError, match="a key is for the account 'other'"):
        small(serving=Serving(credentials=(Credential("other", "key", "secret"),)))
    with small() as exchange, pytest.raises(ConfigError, match="cannot listen on"):
        small(serving=Serving(port=exchange.route.port)).__enter__()
    with pytest.raises(ConfigError, match="have the same key"):
        Keyring([PRACTICE, PRACTICE])
    assert PRACTICE.secret not in repr(PRACTICE)


def test_signatures_are_those_of_binances_documentation() -> None:
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    signed = (
        b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
        b"&timestamp=1499827319559"
    )
    expected = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert hmac_hex(secret, signed) == expected
    assert split_signature(signed + b"&signature=" + expected.encode()) == (signed, expected)
    assert split_signature(signed) == (signed, "")
    assert websocket_payload({"b": True, "a": 1, "signature": "x"}) == b"a=1&b=true"


def test_a_time_counts_on_from_when_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [1_000_000_000]
    monkeypatch.setattr("workbench.practice.wire.signing._wall_ms", lambda: wall[0])
    ring, told = Keyring(), 50_000
    ring.told(told)
    wall[0] += 60_000
    stands_still = told
    assert ring.fresh(told + 60_000, 5_000, stands_still) and ring.fresh(told, 5_000, stands_still)
    assert not ring.fresh(told + 61_001, 5_000, stands_still)  # over a second ahead
    assert not ring.fresh(told + 54_000, 5_000, stands_still)  # older than its window
    assert not ring.fresh(told + 60_000, 5_000, stands_still, skew=30_000)
    assert ring.fresh(told + 90_000, 5_000, stands_still, skew=30_000)


def ask(exchange: Exchange, query: str, *, key: str = PRACTICE.key, method: str = "GET", body: str = "") -> Any:
    """What the spot protocol says to a request of an account, as (status, code)."""
    target = "/api/v3/account?" + query if method == "GET" else "/api/v3/order"
    call = Call.read(method, target, body.encode(), {"X-MBX-APIKEY": key} if key else {})
    answer = exchange._protocols[0].answer(call)
    return answer.status, json.loads(answer.body).get("code", 0)


def sign(query: str, secret: str = PRACTICE.secret) -> str:
    return f"{query}&signature={hmac_hex(secret, query.encode())}"


def test_each_wrong_proof_has_its_code() -> None:
    looks = Credential("practice", "looks-only", "s2", trades=False)
    exchange = small(serving=Serving(credentials=(PRACTICE, looks)))
    now = exchange.now
    good = f"timestamp={now}"
    assert ask(exchange, sign(good)) == (200, 0)
    assert ask(exchange, good) == (400, -1102)
    assert ask(exchange, sign(good, "wrong")) == (400, -1022)
    assert ask(exchange, sign(good).replace("timestamp", "recvWindow=1&timestamp")) == (400, -1022)
    assert ask(exchange, sign(good) + "&extra=1") == (400, -1022)
    assert ask(exchange, sign(good), key="") == (401, -2014)
    assert ask(exchange, sign(good), key="spaces are wrong") == (401, -2014)
    assert ask(exchange, sign(good), key="unknown") == (401, -2015)
    assert ask(exchange, sign(f"timestamp={now - 6_000}")) == (400, -1021)
    assert ask(exchange, sign(f"timestamp={now - 6_000}&recvWindow=10000")) == (200, 0)
    assert ask(exchange, sign(f"timestamp={now + 1_001}")) == (400, -1021)
    assert ask(exchange, sign(f"timestamp={now}&recvWindow=60001")) == (400, -1131)
    assert ask(exchange, sign("recvWindow=5000")) == (400, -1102)
    order = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&timestamp={now}"
    assert ask(exchange, "", key=looks.key, method="POST", body=sign(order, "s2")) == (401, -2015)
    assert ask(exchange, "", method="POST", body=sign(order)) == (200, 0)


def test_accounts_do_not_see_each_other() -> None:
    async def both(route: Route) -> Any:
        async with (
            connect("binance", route=route, key="key-a", secret="a") as a,
            connect("binance", route=route, key="key-b", secret="b") as b,
        ):
            await a.load_markets()
            await b.load_markets()
            await a.create_order(SPOT, "market", "buy", 0.01)
            return await asyncio.gather(a.fetch_my_trades(SPOT), b.fetch_my_trades(SPOT), b.fetch_balance())

    accounts = {name: AccountSetup(spot={"USDT": 1_000.0}) for name in ("a", "b")}
    credentials = tuple(Credential(name, f"key-{name}", name) for name in accounts)
    with small(accounts=accounts, serving=Serving(credentials=credentials)) as exchange:
        mine, theirs, balance = run(both(exchange.route))
    assert len(mine) == 1 and theirs == [] and balance["USDT"]["free"] == 1_000.0
    assert ETH not in balance
