"""The section `[limits]` of a workspace: read for a bot, changed in the file, and every change kept with who and why.

The file stays the user's own: a change touches one line and is only written where the file then says just that. What
was changed by hand is noticed the next time that limits are read here, and is kept too.
"""

from __future__ import annotations

import json
import os
import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from workbench._durable import explained, make_folder, sync_folder, write_new
from workbench.errors import ConfigError, DataError
from workbench.risk.limits import Limits, scoped
from workbench.settings import SETTINGS_FILE, Settings

__all__ = ["Change", "change_limit", "limit_changes", "limits_here"]

_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_CHANGES: Final = "changes.jsonl"


class Change(NamedTuple):
    """One change: when (ms UTC), by whom and why, where ("limits", "limits.bots.NAME"), of what, before and after."""

    ts: int
    who: str
    why: str
    where: str
    limit: str
    before: Any
    after: Any


def limits_here(settings: Settings, *, bot: str = "", account: str = "") -> dict[str, Limits]:
    """Give the limits of a workspace for one bot, by scope; what was changed by hand since is kept as a change.

    Parameters
    ----------
    settings : Settings
    bot, account : str
        Names under `[limits.bots.NAME]` and `[limits.accounts.NAME]`.

    Raises
    ------
    ConfigError
        A limit is unknown or has a bad value.
    """
    found = scoped(settings.limits.said, bot, account)
    if settings.found:
        _keep(settings, settings.limits.said, "", f"found in {SETTINGS_FILE}")
    return found


def change_limit(
    settings: Settings, limit: str, value: Any, *, where: str = "limits", who: str = "", why: str = ""
) -> Change:
    """Change one line of `[limits]` in the settings file.

    Parameters
    ----------
    settings : Settings
        Of a workspace with a settings file.
    limit : str
        A limit, or "profile".
    value : float, str, bool, list, mapping or None
        As the file would say it: False for no limit where a profile has one; None takes the line out.
    where : str
        "limits" for the workspace, "limits.bots.NAME" or "limits.accounts.NAME".
    who, why : str
        Kept with the change.

    Returns
    -------
    Change

    Raises
    ------
    ConfigError
        There is no settings file, the value is wrong, or the file is written in a way that is better changed by hand.
        Nothing is written then.
    """
    if settings.source is None:
        raise ConfigError(f"there is no {SETTINGS_FILE} to write limits to; make a workspace with `workbench init DIR`")
    limits_here(settings)
    text = settings.source.read_text(encoding="utf-8")
    wanted, path = tomllib.loads(text), where.split(".")
    table = wanted
    for name in path:
        table = table.setdefault(name, {})
    before = table.get(limit)
    if value is None:
        table.pop(limit, None)
    else:
        table[limit] = value
    scoped(wanted.get("limits", {}))
    made = Change(int(time.time() * 1_000), who, why, where, limit, before, value)
    if before == value and type(before) is type(value):
        return made
    changed = _edited(text, _header(path), limit, value)
    try:
        same = _filled(tomllib.loads(changed)) == _filled(wanted)
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise ConfigError(f"{settings.source}: [{where}] {limit} is not written on one line; change it there by hand")
    _replace(settings.source, changed)
    _keep(settings, wanted.get("limits", {}), who, why, made)
    return made


def limit_changes(settings: Settings) -> list[Change]:
    """Give every change of limits that was kept, oldest first.

    Raises
    ------
    DataError
        The file of changes is damaged.
    """
    return [Change(**{name: row[name] for name in Change._fields}) for row in _rows(settings)]


def _rows(settings: Settings) -> list[dict[str, Any]]:
    path = _path(settings)
    if not path.is_file():
        return []
    rows = []
    with explained(path):
        lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        try:
            row = json.loads(line)
            rows.append({name: row[name] for name in (*Change._fields, "limits")})
        except (KeyError, TypeError, ValueError) as error:
            if number == len(lines) - 1:
                break  # cut short as it was written
            raise DataError(f"{path}: line {number + 1} is damaged; mend it or take it out", path=str(path)) from error
    return rows


def _path(settings: Settings) -> Path:
    return settings.data / "limits" / _CHANGES


def _keep(settings: Settings, now: Mapping[str, Any], who: str, why: str, made: Change | None = None) -> None:
    """Write down what has changed since the last time that anybody looked."""
    rows = _rows(settings)
    last = rows[-1]["limits"] if rows else {}
    changes = [made] if made is not None else [Change(0, who, why, *one) for one in _differences(last, now)]
    if not changes:
        return
    path, ts = _path(settings), int(time.time() * 1_000)
    with explained(path):
        make_folder(path.parent)
        with path.open("a", encoding="utf-8") as file:
            for number, one in enumerate(changes):
                whole = now if number == len(changes) - 1 else last
                file.write(json.dumps({**one._replace(ts=ts)._asdict(), "limits": whole}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], where: str = "limits") -> Iterator[tuple[Any, ...]]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if name in ("bots", "accounts") and where == "limits":
            for one in sorted({*(before or {}), *(after or {})}):
                yield from _differences((before or {}).get(one, {}), (after or {}).get(one, {}), f"limits.{name}.{one}")
        elif before != after:
            yield where, name, before, after


def _header(path: list[str]) -> str:
    return ".".join(name if _KEY.fullmatch(name) else json.dumps(name) for name in path)


def _edited(text: str, header: str, key: str, value: Any) -> str:
    """Change, add or take out one line of a table."""
    lines = text.splitlines()
    said = None if value is None else f"{key} = {_toml(value)}"
    start = next((k for k, line in enumerate(lines) if line.split("#")[0].strip() == f"[{header}]"), None)
    if start is None:
        return text if said is None else "\n".join([*lines, *([""] if lines else []), f"[{header}]", said, ""])
    end = next((k for k in range(start + 1, len(lines)) if lines[k].lstrip().startswith("[")), len(lines))
    found = next((k for k in range(start + 1, end) if re.match(rf"\s*{re.escape(key)}\s*=", lines[k])), None)
    if found is not None:
        lines[found : found + 1] = [] if said is None else [said]
    elif said is not None:
        lines.insert(start + 1, said)
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(value)


def _filled(document: Any) -> Any:
    """Give a document without tables that say nothing."""
    if not isinstance(document, Mapping):
        return document
    kept = {name: _filled(one) for name, one in document.items()}
    return {name: one for name, one in kept.items() if one != {}}


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with explained(path):
        write_new(new, text.encode())
        os.replace(new, path)
        sync_folder(path.parent)
