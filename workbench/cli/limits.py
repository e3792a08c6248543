"""`workbench limits`: what is limited on risk in this workspace, what each limit means, and who changed it."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here
from workbench.cli.words import iso

__all__ = ["app"]

app = typer.Typer(help="Limits on risk that every order of a bot is held to.", no_args_is_help=True)

_Bot = Annotated[str, typer.Option("--bot", metavar="NAME", help="Of this bot.")]
_Account = Annotated[str, typer.Option("--account", metavar="NAME", help="Of the bots that trade with this account.")]
_Limit = Annotated[str, typer.Argument(metavar="LIMIT", help="As `workbench limits explain` lists them.")]


@app.command(
    "show",
    epilog=examples(
        "workbench limits show                     of the workspace",
        "workbench limits show --bot trend --account main",
    ),
)
def show(bot: _Bot = "", account: _Account = "", as_json: AsJson = False) -> None:
    """Show what holds: of the limits of workspace, account and bot the strictest."""
    from workbench.bots.limit_settings import limits_here
    from workbench.risk.limits import strictest

    found = limits_here(settings_here(), bot=bot, account=account)
    merged = strictest(found.values())
    if as_json:
        scopes = {scope: one.to_dict() for scope, one in found.items()}
        show_json({"limits": merged.to_dict(), "scopes": scopes})
        return
    if not found:
        say("Nothing is limited. `workbench limits set profile default` limits everything to usual values.")
        return
    rows: list[list[str | Cell]] = []
    for name, bound in merged.bounds.items():
        said = [scope for scope, one in found.items() if name in one.bounds and one.bounds[name].at == bound.at]
        warn = "" if bound.warn is None else _value(name, bound.warn)
        rows.append([name, _value(name, bound.at), warn, bound.action or "", ", ".join(said)])
    rows += [["trading_hours", hours, "", "reject", ""] for hours in merged.trading_hours or ()]
    show_table([Column("limit"), Column("at", True), Column("warns at", True), Column("then"), Column("set for")], rows)
    for name, symbols in merged.groups.items():
        say(f"group {name}: {', '.join(symbols)}")


def _value(name: str, value: float) -> str:
    from workbench.risk.limits.judging import say as in_words
    from workbench.risk.limits.rules import PLACE

    return in_words(PLACE[name], value)


@app.command("explain", epilog=examples("workbench limits explain", "workbench limits explain daily_loss"))
def explain(
    limit: Annotated[str, typer.Argument(metavar="[LIMIT]", help="One of them; all when left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say what can be limited, what is done beyond, and what the profiles say."""
    from workbench.errors import ConfigError
    from workbench.risk.limits import PROFILES, RULES

    rules = [rule for rule in RULES if limit in ("", rule.name)]
    if not rules:
        from workbench.risk.limits.bounds import check_names

        check_names({limit: None})
        raise ConfigError(f"limits: {limit} is a setting of other limits, not a limit; see the documentation of Limits")
    told: dict[str, dict[str, str]] = {
        rule.name: {
            name: "" if (bound := one.bounds.get(rule.name)) is None else _value(rule.name, bound.at)
            for name, one in PROFILES.items()
        }
        for rule in rules
    }
    if as_json:
        show_json([rule._asdict() | {"profiles": told[rule.name]} for rule in rules])
    elif not limit:
        columns = [Column("limit"), Column("then"), *(Column(name, True) for name in PROFILES), Column("what it is")]
        show_table(columns, [[one.name, one.action, *told[one.name].values(), one.text] for one in rules])
    else:
        rule = rules[0]
        say(f"{rule.name}: {rule.text}.")
        say(f"Unit: {_UNITS[rule.unit]}. Reason code of a refusal: {rule.code}. Then, unless you say: {rule.action}.")
        say(", ".join(f"{name} {value or 'not limited'}" for name, value in told[rule.name].items()) + ".")


_UNITS = {
    "fraction": "a fraction, 0.05 is five percent",
    "times": "times the equity (of leverage: as it is)",
    "count": "a number of them",
    "ms": "milliseconds",
    "cash": "money, in the currency of the account",
    "flag": "text such as 'mon-fri 08:00-17:00' (UTC)",
}


@app.command(
    "set",
    epilog=examples(
        "workbench limits set profile default",
        "workbench limits set daily_loss 0.03 --warn 0.02 --why 'a calmer month'",
        "workbench limits set order_cash 500 --bot trend",
        "workbench limits set trading_hours 'mon-fri 08:00-17:00'",
        "workbench limits set spread off",
    ),
)
def change(
    limit: _Limit,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="A number, text, off (not even by a profile), or unset.")
    ],
    action: Annotated[
        str | None, typer.Option(metavar="ACTION", help="What is done beyond it: warn, reject, reduce or flatten.")
    ] = None,
    warn: Annotated[float | None, typer.Option(metavar="NUMBER", help="From where on there is a warning.")] = None,
    bot: _Bot = "",
    account: _Account = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the change.")] = "",
) -> None:
    """Change a limit in workbench.toml; bots take it up when they start. `workbench limits history` has all changes."""
    import getpass

    from workbench.bots.limit_settings import change_limit
    from workbench.errors import ConfigError

    if bot and account:
        raise ConfigError("a limit is of a bot or of an account: leave --bot or --account out")
    where = f"limits.bots.{bot}" if bot else f"limits.accounts.{account}" if account else "limits"
    said = _said(value)
    if action is not None or warn is not None:
        extra = {name: one for name, one in (("action", action), ("warn", warn)) if one is not None}
        said = {"at": said, **extra}
    made = change_limit(settings_here(), limit, said, where=where, who=getpass.getuser(), why=why)
    say(f"[{made.where}] {made.limit}: {_told(made.before)} -> {_told(made.after)}")


def _said(value: str) -> Any:
    if value in ("off", "unset"):
        return False if value == "off" else None
    try:
        number = float(value.replace("_", ""))
    except ValueError:
        return value
    if not math.isfinite(number):
        return value
    return int(number) if number.is_integer() and "." not in value and "e" not in value.lower() else number


def _told(value: Any) -> str:
    if value is None or value is False:
        return "not said" if value is None else "off"
    return value if isinstance(value, str) else json.dumps(value)


@app.command("history")
def history(as_json: AsJson = False) -> None:
    """List every change of limits: when, who, what, and why; changes by hand too, as of when they were noticed."""
    from workbench.bots.limit_settings import limit_changes, limits_here

    settings = settings_here()
    limits_here(settings)
    rows = limit_changes(settings)
    if as_json:
        show_json([one._asdict() for one in rows])
    elif not rows:
        say("No limit has been set yet.")
    else:
        columns = [Column(name) for name in ("time", "where", "limit", "before", "after", "who", "why")]
        show_table(
            columns,
            [
                [iso(one.ts), one.where, one.limit, _told(one.before), _told(one.after), one.who, one.why]
                for one in rows
            ],
        )
