"""How a strategy is named, and which file that is: `sma_cross`, `rsi_reversion.yaml`, `two:Second`, `sma_cross@3f2a9c`.

A rule file and its twin in code live side by side: the bare name means the `.py`, the name with its ending the other.
Nothing is loaded here.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import StrategyError

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["ENDINGS", "LIBRARY", "StrategyName", "find_file", "no_such", "parse_name", "strategy_files"]

ENDINGS: Final = (".py", ".yaml", ".yml")  # the bare name means the first of these that is there
LIBRARY: Final = "library:"
_SHORTEST_HASH: Final = 4
_NAME: Final = re.compile(r"(?P<file>.*?)(?:@(?P<version>[^@:/\\]*))?(?::(?P<wanted>[^:/\\]*))?", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class StrategyName:
    """What a name says.

    Parameters
    ----------
    file : str
        A name in the strategies folder, with or without its ending, or a path; of the library, the name there.
    version : str
        The first digits of a code hash; empty for the file as it is now.
    wanted : str
        A class in the file; empty for the only one.
    library : bool
        Whether it can only be a strategy of the library.
    """

    file: str
    version: str = ""
    wanted: str = ""
    library: bool = False

    @property
    def is_path(self) -> bool:
        """Whether the file was written as a path and not as a name in the strategies folder."""
        return "/" in self.file or "\\" in self.file


def parse_name(name: str | Path) -> StrategyName:
    """Read the name of a strategy.

    Raises
    ------
    StrategyError
        It is empty, or what follows the `@` is no code hash.

    Examples
    --------
    >>> parse_name("two@3f2a9c:Second")
    StrategyName(file='two', version='3f2a9c', wanted='Second', library=False)
    """
    if isinstance(name, Path):
        return StrategyName(file=str(name))
    text = str(name).strip()
    library = text.startswith(LIBRARY)
    said = _NAME.fullmatch(text.removeprefix(LIBRARY))
    if said is None or not said["file"]:
        raise StrategyError(f"{name!r} names no strategy: write a name such as 'sma_cross', or the path of a file")
    version = said["version"]
    if version is not None and not re.fullmatch(rf"[0-9a-f]{{{_SHORTEST_HASH},16}}", version):
        raise StrategyError(
            f"{name!r}: after the @ stands {version!r}; give the first {_SHORTEST_HASH} to 16 digits of a code hash, "
            f"as `workbench strategies versions {said['file']}` lists them"
        )
    return StrategyName(file=said["file"], version=version or "", wanted=said["wanted"] or "", library=library)


def strategy_files(folder: Path) -> list[Path]:
    """List the strategy files of a folder by name; those that begin with `_` or `.` are no strategies."""
    found = [path for ending in ENDINGS for path in folder.glob(f"*{ending}") if not path.name.startswith(("_", "."))]
    return sorted(found, key=lambda path: (path.stem, ENDINGS.index(path.suffix)))


def find_file(name: StrategyName, settings: Settings, near: Path | None = None) -> Path | None:
    """Give the file that a name means.

    Parameters
    ----------
    name : StrategyName
    settings : Settings
        Of the workspace.
    near : Path, optional
        A folder that paths are tried against before the workspace.

    Returns
    -------
    Path or None
        Absolute; None where the name is no path and the strategies folder has no such file.

    Raises
    ------
    StrategyError
        It is a path, and there is no such file.
    """
    if not name.is_path:
        given = settings.strategies / name.file
        named = [given] if name.file.endswith(ENDINGS) else [given.with_name(given.name + ending) for ending in ENDINGS]
        return next((path.resolve() for path in [*named, *_beside(name, near)] if path.is_file()), None)
    path = Path(name.file).expanduser()
    candidates = [path] if path.is_absolute() else [folder / path for folder in (near, settings.root) if folder]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise StrategyError(
        f"there is no strategy file {name.file}; looked at {', '.join(map(str, candidates))}", name=name.file
    )


def _beside(name: StrategyName, near: Path | None) -> list[Path]:
    """Take `my_file.py` for a file of the current folder where the strategies folder has none of that name."""
    return [near / name.file] if near is not None and name.file.endswith(ENDINGS) else []


def no_such(name: StrategyName, settings: Settings, library: tuple[str, ...]) -> StrategyError:
    """Say that there is no such strategy, and what is most like it."""
    files = strategy_files(settings.strategies)
    stems = [path.stem for path in files]
    here = (
        [] if name.library else [path.name if path.stem in stems[:row] else path.stem for row, path in enumerate(files)]
    )
    theirs = [f"{LIBRARY}{one}" for one in library]
    words = {**{one: one for one in here}, **{one: f"{LIBRARY}{one}" for one in library if one not in here}}
    close = difflib.get_close_matches(name.file, words, n=1)
    hint = f"did you mean {words[close[0]]!r}? " if close else ""
    there = ", ".join([*here, *theirs]) or "nothing (`workbench init .` puts the bundled ones there)"
    place = "the library" if name.library else settings.strategies
    return StrategyError(f"there is no strategy {name.file!r} in {place}: {hint}there is {there}", name=name.file)
