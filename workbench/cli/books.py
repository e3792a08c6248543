"""`workbench books …`: what accounts hold and why: imports of their past, balances, entries, checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.books_venues import IMPORT_EXAMPLES, RECONCILE_EXAMPLES, import_past, reconcile
from workbench.cli.console import Cell, Column, say, show_csv, show_json, show_table
from workbench.cli.options import AsCsv, AsJson, examples
from workbench.cli.place import books_here
from workbench.cli.words import exact, moment_of
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.accounting import Entry, StoredBooks

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Keep the books of accounts: money in exact amounts, by double entry.")

AT: Final = typer.Option(metavar="TIME", help="As of then, such as 2024-12-31 (UTC, included); now if left out.")
Wallet = Annotated[
    str | None,
    typer.Option(
        "--wallet", metavar="NAME", help="own:VENUE:NAME, or a beginning such as own:binance. All if left out."
    ),
]
EntryId = Annotated[str, typer.Argument(metavar="ID", help="Of an entry, or a beginning or end that no other has.")]
app.command("import", epilog=examples(*IMPORT_EXAMPLES))(import_past)
app.command("reconcile", epilog=examples(*RECONCILE_EXAMPLES))(reconcile)

_STATES: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


def _some() -> StoredBooks:
    """Give the books, which must have something in them."""
    books = books_here()
    if not len(books):
        raise ConfigError(
            f"the books in {books.root} are empty; `workbench books import VENUE` brings an account's past, "
            "`workbench books add` books by hand"
        )
    return books


@app.command(
    "balances",
    epilog=examples(
        "workbench books balances",
        "workbench books balances --at 2024-12-31 --wallet own:kraken",
        "workbench books balances --all --csv > balances.csv",
    ),
)
def balances(
    at: Annotated[str | None, AT] = None,
    wallet: Wallet = None,
    every: Annotated[bool, typer.Option("--all", help="Also what fees, funding, markets and the world had.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show what is in each wallet, exactly, and in all together; what is held in contracts is in `positions:`."""
    found = _some().balances(_end_of(at))
    found = found if every else found.mine
    rows = [
        (account, currency, amount)
        for account, held in found.items()
        if wallet is None or account == wallet or account.startswith(wallet + ":")
        for currency, amount in held.items()
    ]
    if as_json:
        show_json([{"account": account, **amount.to_plain()} for account, _, amount in rows])
    elif as_csv:
        show_csv(("account", "currency", "amount"), [(account, one, amount.text) for account, one, amount in rows])
    else:
        columns = [Column("Account"), Column("Asset"), Column("Amount", number=True)]
        show_table(columns, [(account, Cell(one, "bold"), exact(amount.text)) for account, one, amount in rows])
        sums = ", ".join(f"{exact(one.text)} {one.currency}" for one in found.totals().values())
        if wallet is None and not every:
            say(f"In all: {sums or 'nothing'}", "bold")


def _end_of(at: str | None) -> int | None:
    """Give the last millisecond of a day that was named, or the moment itself."""
    ts = moment_of(at)
    return ts + 86_399_999 if ts is not None and at is not None and len(at.strip()) <= 10 else ts


@app.command(
    "entries",
    epilog=examples(
        "workbench books entries --most 50",
        "workbench books entries --wallet own:binance --kind trade --since 2024-01-01 --until 2025-01-01",
        "workbench books entries --csv > entries.csv",
    ),
)
def entries(
    wallet: Wallet = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="trade, deposit, fee, funding, transfer …")] = None,
    asset: Annotated[str | None, typer.Option(metavar="CODE", help="Only what moved this asset.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From then on (UTC).")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then (UTC).")] = None,
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="How many to show, the last ones.")] = 30,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List what was booked, oldest first; --json and --csv give every posting of all that fit."""
    from workbench.accounting import KINDS

    if kind is not None and kind not in KINDS:
        raise ConfigError(f"--kind {kind}: it must be one of {', '.join(KINDS)}")
    found = _some().entries(
        account=wallet, kind=kind, currency=asset, start=moment_of(since), end=moment_of(until)
    )  # fmt: skip
    if as_json:
        show_json([one.to_plain() for one in found])
    elif as_csv:
        header = ("ts", "id", "kind", "account", "amount", "currency", "note")
        show_csv(header, [(_when(one), one.id, one.kind, p.account, p.amount.text, p.amount.currency, one.note)
                          for one in found for p in one.postings])  # fmt: skip
    else:
        columns = [Column("When (UTC)"), Column("What"), Column("Mine", wrap=True), Column("Wallet"),
                   Column("Entry", cut=True)]  # fmt: skip
        show_table(columns, [_line(one) for one in found[-most:]])
        if len(found) > most:
            say(f"{len(found) - most:,} before these; --most {len(found)} shows all", "dim")


def _when(entry: Entry) -> str:
    from workbench.accounting.showing import time_text

    return time_text(entry.ts)


def _line(entry: Entry) -> tuple[str, ...]:
    mine = [one for one in entry.postings if one.account.startswith(("own:", "positions:"))]
    told = ", ".join(f"{exact(one.amount.text)} {one.amount.currency}" for one in mine)
    wallets = dict.fromkeys(one.account.partition(":")[2] for one in mine)
    return _when(entry), entry.kind, told, " ".join(wallets), entry.id


@app.command("show", epilog=examples("workbench books show 8f3a", "workbench books show 8f3a --json"))
def show(entry: EntryId, as_json: AsJson = False) -> None:
    """Show one entry with all its postings."""
    found = _some().entry(entry)
    if as_json:
        show_json(found.to_plain())
        return
    say(f"{found.kind} of {_when(found)} UTC, {found.id}", "bold")
    columns = [Column("Account"), Column("Amount", number=True), Column("Asset")]
    show_table(columns, [(one.account, exact(one.amount.text), one.amount.currency) for one in found.postings])
    told = [*found.refs.items(), *([("note", found.note)] if found.note else [])]
    if told:
        show_table([Column(""), Column("", wrap=True)], told)


@app.command(
    "add",
    epilog=examples(
        "workbench books add deposit own:kraken:main '1000 EUR' --at 2024-01-05",
        "workbench books add withdrawal own:kraken:main '0.5 BTC' --at 2024-03-01T12:30 --note 'to cold storage'",
        "workbench books add transfer own:kraken:main '0.5 BTC' --to own:cold:safe --at 2024-03-01",
    ),
)
def add(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="deposit, withdrawal, transfer, fee, income, interest.")],
    wallet: Annotated[str, typer.Argument(metavar="WALLET", help="own:VENUE:NAME, such as own:kraken:main.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="A number and an asset, such as '12.5 USDT'.")],
    at: Annotated[str, typer.Option(metavar="TIME", help="When it happened (UTC).")],
    to: Annotated[str | None, typer.Option(metavar="WALLET", help="Of a transfer: where it went.")] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="In words.")] = "",
) -> None:
    """Book by hand what no venue tells; it is there when the command ends. `reverse` takes it back."""
    from workbench import accounting

    known: dict[str, Any] = {
        name: getattr(accounting, name) for name in ("deposit", "withdrawal", "fee", "income", "interest")
    }
    about, ts, money = accounting.About(note=note), moment_of(at) or 0, accounting.Money.parse(amount)
    if kind == "transfer" and to is not None:
        made = list(accounting.transfer(wallet, to, money, ts, arrived=ts, about=about))
    elif kind in known and to is None:
        made = [known[kind](wallet, money, ts, about=about)]
    else:
        wanted = (
            "--to WALLET" if kind == "transfer" else f"a kind of {', '.join(known)} or transfer, --to with the last"
        )
        raise ConfigError(f"books add {kind}: it needs {wanted}")
    books_here().post(made)
    say(f"booked as {', '.join(one.id for one in made)}")


@app.command("reverse", epilog=examples("workbench books reverse 8f3a --note 'booked twice'"))
def reverse(entry: EntryId, note: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "") -> None:
    """Take an entry back by one that undoes it; both stay to be seen."""
    made = _some().reverse(entry, note=note)
    say(f"taken back by {made.id}")


@app.command("match", epilog=examples("workbench books match", "workbench books match --apply"))
def match(
    apply: Annotated[bool, typer.Option("--apply", help="Book what was found as transfers.")] = False,
    hours: Annotated[float, typer.Option(metavar="N", min=0, help="How long one is under way at most.")] = 48.0,
    as_json: AsJson = False,
) -> None:
    """Find withdrawals that are deposits in another own wallet; with --apply they become transfers."""
    from workbench.accounting.matching import match_transfers

    books = _some()
    found = match_transfers(books, hours=hours)
    if apply:
        books.post([entry for one in found for entry in one.entries()])
    if as_json:
        show_json([
            {"from": one.source, "to": one.target, "amount": one.amount.to_plain(), "lost": one.lost.to_plain(),
             "why": one.why, "sent": one.sent.id, "arrived": one.arrived.id, "booked": apply}
            for one in found
        ])  # fmt: skip
        return
    columns = [Column("Sent (UTC)"), Column("From"), Column("To"), Column("Amount", number=True),
               Column("Lost on the way", number=True), Column("By")]  # fmt: skip
    rows = [
        (_when(one.sent), one.source, one.target, f"{exact(one.amount.text)} {one.amount.currency}",
         exact(one.lost.text) if one.lost else "", one.why)
        for one in found
    ]  # fmt: skip
    if rows:
        show_table(columns, rows)
    count = f"{len(found)} transfer{'s' if len(found) != 1 else ''} between own wallets"
    say(f"{count} {'booked' if apply else 'found'}{'; --apply books them' if found and not apply else ''}", "dim")


@app.command("verify", epilog=examples("workbench books verify", "workbench books verify --json"))
def verify(as_json: AsJson = False) -> None:
    """Read every file of the books again, add all up, and look for gaps; exit code 1 where something is wrong."""
    from workbench.accounting.checking import verify as check

    found = check(_some())
    if as_json:
        show_json([{"check": one.check, "state": one.state, "told": one.told} for one in found])
    else:
        columns = [Column("Check"), Column("State"), Column("What", wrap=True)]
        show_table(columns, [(one.check, Cell(one.state, _STATES[one.state]), one.told) for one in found])
    if any(one.state == "fail" for one in found):
        raise typer.Exit(1)
