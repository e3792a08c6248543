"""Scenario files: a name, a seed and a list of faults, in YAML or JSON, checked before anything is started.

Those that come with workbench lie in the folder `scenarios` beside this file and are named without a path.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workbench.errors import ConfigError
from workbench.practice.faults_rules import MESSAGE_RULES, RULES, Rule
from workbench.practice.faults_targets import REQUEST_NAMES, STREAM_NAMES

__all__ = ["Scenario", "check_rule", "load_scenario", "scenarios"]

_FOLDER: Final = Path(__file__).resolve().parent / "scenarios"
_LARGEST: Final = 1_000_000  # bytes of a file
_RULE: Final[TypeAdapter[Rule]] = TypeAdapter(Rule)


class Scenario(BaseModel):
    """What goes wrong, as a whole.

    Parameters
    ----------
    name, description : str
        For people.
    seed : int
        What the rules' generators start from.
    rules : tuple of Rule
        In the order in which they are asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", description="a short text")
    description: str = Field("", description="a text")
    seed: int = Field(0, description="a whole number")
    rules: tuple[Rule, ...] = Field((), description="a list of faults, each with `fault: ...`")


def scenarios() -> dict[str, Path]:
    """Give the scenario files that come with workbench, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"))}


def load_scenario(source: Scenario | str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> Scenario:
    """Read a scenario.

    Parameters
    ----------
    source : Scenario, str, Path, mapping or sequence of mappings, optional
        A file (.yaml, .yml or .json), the name of one that comes with workbench, or what such a file holds: all of it,
        or its rules alone. None is a scenario in which nothing goes wrong.

    Returns
    -------
    Scenario

    Raises
    ------
    ConfigError
        It cannot be read, or something in it is wrong; every mistake is named, with its place.
    """
    if source is None:
        return Scenario()
    if isinstance(source, Scenario):
        return source
    if isinstance(source, (str, Path)):
        path = _found(source)
        return _checked(_read(path), str(path))
    return _checked(source, "the scenario")


def check_rule(told: Mapping[str, Any]) -> Rule:
    """Check one rule.

    Raises
    ------
    ConfigError
        It is no fault that there is, or a field of it is wrong.
    """
    _known(told, "the rule")
    try:
        rule = _RULE.validate_python(told)
    except ValidationError as error:
        raise _mistakes(error, "the rule", top=False) from error
    _check_names(rule, "the rule")
    return rule


def _found(source: str | Path) -> Path:
    known = scenarios()
    path = Path(source).expanduser()
    if str(source) in known and not path.exists():
        return known[str(source)]
    if not path.is_file():
        close = difflib.get_close_matches(str(source), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"give a .yaml or .json file, or one of {', '.join(known)}"
        raise ConfigError(f"there is no scenario {str(source)!r}; {hint}", path=str(source))
    return path


def _read(path: Path) -> Any:
    import json

    import yaml

    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"{path} has more than {_LARGEST:,} bytes, which is no scenario", path=str(path))
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as a UTF-8 text file: {error}", path=str(path)) from error
    try:
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).split("\n")[0]
        raise ConfigError(f"{path}{at}: {problem}; a scenario is YAML or JSON", path=str(path)) from error


def _checked(content: Any, origin: str) -> Scenario:
    if isinstance(content, Sequence) and not isinstance(content, (str, bytes)):
        content = {"rules": list(content)}
    if not isinstance(content, Mapping):
        raise ConfigError(
            f"{origin} holds {type(content).__name__ if content is not None else 'nothing'}; write `rules:` and "
            "below it a list of faults, such as `- {fault: latency, latency: 50ms}`"
        )
    rules = content.get("rules") or ()
    for place, rule in enumerate(rules if isinstance(rules, (list, tuple)) else ()):
        _known(rule, f"{origin}: rule {place + 1}")
    try:
        scenario = Scenario.model_validate({**content, "rules": rules})
    except ValidationError as error:
        raise _mistakes(error, origin, top=True) from error
    for place, checked in enumerate(scenario.rules):
        _check_names(checked, f"{origin}: rule {place + 1}")
    return scenario


def _known(rule: Any, place: str) -> None:
    if not isinstance(rule, Mapping):
        raise ConfigError(f"{place} is {rule!r}; write `fault: ...` with what belongs to it, indented below a `-`")
    if odd := [key for key in rule if not isinstance(key, str)]:
        raise ConfigError(
            f"{place} has the name {odd[0]!r}; names are text (YAML takes a bare on, yes or no for others)"
        )
    if not isinstance(rule.get("fault"), str) or rule["fault"] not in RULES:
        said = f"has the fault {rule['fault']!r}" if "fault" in rule else "does not say which `fault` it is"
        raise ConfigError(f"{place} {said}{_suggest(rule.get('fault'), RULES)}", fault=rule.get("fault"))


def _check_names(rule: Rule, place: str) -> None:
    """Take a bare word that is neither a pattern nor a name for a mistake, which would match nothing, silently."""
    streams = isinstance(rule, MESSAGE_RULES)
    known = STREAM_NAMES if streams else REQUEST_NAMES
    for word in rule.target:
        if word not in known and (word.isalpha() if streams else not set(word) & set("*?/ .")):
            kind = "streams" if streams else "requests"
            raise ConfigError(
                f"{place} ({rule.fault}): target is {word!r}, which names no {kind}{_suggest(word, known)}; or give a "
                f"pattern such as {'*@trade' if streams else 'GET */klines'}",
                target=word,
            )


def _mistakes(error: ValidationError, origin: str, *, top: bool) -> ConfigError:
    found = error.errors(include_url=False)
    said = [_mistake(one, top) for one in found[:5]]
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return ConfigError(f"{origin}: {'; '.join(said)}{more}", mistakes=len(found))


def _mistake(one: Any, top: bool) -> str:
    """Say one thing that pydantic found: where, the value, and what to write."""
    place: str
    model: type[BaseModel]
    loc = one["loc"]
    if top and len(loc) > 2:  # ("rules", number, fault, field, ...)
        place, model, rest = f"rule {loc[1] + 1} ({loc[2]}) ", RULES[loc[2]], loc[3:]
    elif top:
        place, model, rest = "", Scenario, loc
    else:
        place, model, rest = f"({loc[0]}) ", RULES[loc[0]], loc[1:]
    for part in rest[:-1]:
        model = _inner(model, part) or model
    name = ".".join(str(part) for part in rest)
    last = next((str(part) for part in reversed(rest) if isinstance(part, str)), "")
    fields = model.model_fields
    if one["type"] == "extra_forbidden":
        return f"{place}{name} is no setting{_suggest(last, fields)}"
    wanted = fields[last].description if last in fields else None
    if one["type"] == "missing":
        return f"{place}{name} is missing; write {wanted or 'it'}"
    if one["type"] == "value_error" and not wanted:
        return f"{place}{name + ': ' if name else ''}{one['ctx']['error']}"
    if one["type"] == "value_error" and "not a time" not in str(one["ctx"]["error"]):
        return f"{place}{name} is {one['input']!r}: {one['ctx']['error']}"
    return f"{place}{name} is {one['input']!r}; write {wanted or one['msg'].lower()}"


def _inner(model: type[BaseModel], part: Any) -> type[BaseModel] | None:
    kind = model.model_fields[part].annotation if part in model.model_fields else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _suggest(word: Any, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.7)
    return f" (did you mean {close[0]}?)" if close else f" (there are {', '.join(known)})"
