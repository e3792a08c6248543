"""The state of a core as plain data, for snapshots in journals, and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError
from workbench.trading.arming import Arming
from workbench.trading.orders import Amend, Intent, Order, Protect
from workbench.trading.protection import Guarded

if TYPE_CHECKING:
    from workbench.trading.core import Core

__all__ = ["VERSION", "state_of", "take_up"]

VERSION: Final = 1
"""Of the snapshots that are written and read."""


def state_of(core: Core) -> dict[str, Any]:
    """Give the whole state of a core, as `Core.snapshot` does."""
    return {
        "version": VERSION, "name": core.name, "state": core.state, "now": core.now, "decided": core.decided,
        "number": core.number, "symbol": core.view.symbol, "prices": dict(core.prices),
        "orders": [order.to_dict() for order in core.orders.values()],
        "intents": [asdict(wish) for wish in core.desk.intents], "waiting": sorted(core.desk.waiting),
        "changes": [[type(wish).__name__, asdict(wish)] for wish in core.desk.changes],
        "brackets": {name: asdict(spec) for name, spec in core.brackets.items()},
        "protections": core.protector.snapshot(), "account": core.account.snapshot(),
        "memory": copy.deepcopy(core.view.memory), "trader": core.trader.snapshot(), **core.sizer.snapshot(),
        **({} if core.risk is None else {"risk": core.risk.snapshot()}),
        **({} if core.arming is None else {"arming": core.arming.snapshot()}),
    }  # fmt: skip


def take_up(core: Core, data: Mapping[str, Any]) -> None:
    """Give a core the state that `state_of` gave, as `Core.restore` does."""
    if data.get("version") != VERSION:
        raise DataError(
            f"the snapshot has version {data.get('version')!r}, this workbench reads {VERSION}: replay the journal"
        )
    if data["name"] != core.name:
        raise DataError(f"the snapshot is of {data['name']!r}, this core is {core.name!r}: take the right one")
    core.state, core.now, core.decided, core.number = (data[key] for key in ("state", "now", "decided", "number"))
    core.view.symbol, core.view.now = data["symbol"], data["now"]
    core.prices = dict(data["prices"])
    core._listeners.clear()
    core.orders = {order["id"]: Order(**order) for order in data["orders"]}
    core.desk.intents = [Intent(**wish) for wish in data["intents"]]
    kinds: dict[str, Any] = {"Amend": Amend, "Protect": Protect}
    core.desk.changes = [kinds[kind](**wish) for kind, wish in data["changes"]]
    core.desk.waiting = set(data["waiting"])
    core.brackets = {name: Guarded(**spec) for name, spec in data["brackets"].items()}
    core.protector.restore(data["protections"])
    core.account.restore(data["account"])
    core.sizer.restore(data)
    core.view.memory = copy.deepcopy(data["memory"])
    core.trader.restore(data["trader"])
    if core.risk is not None and "risk" in data:
        core.risk.restore(data["risk"])
    if "arming" in data:
        Arming.of(core).restore(data["arming"])
