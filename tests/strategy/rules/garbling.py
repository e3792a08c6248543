"""Rule files gone wrong: mutations of good ones, and random structures, each made by a seed alone."""

from __future__ import annotations

import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GOOD = tuple(path.read_text(encoding="utf-8") for path in sorted((ROOT / "strategies").glob("*.yaml")))
PIECES = (
    "- ", ": ", "\n", "  ", "{", "}", "[", "]", "'", '"', "|\n", ">-\n", "#", "&a ", "*a", "!!python/object:os.system ",
    "---\n", "...\n", "? ", "\t", "%", "@", "\x00", "\ufeff", "\u2028", "é", "\U0001f4c8", "\ud83d", "null", "true", ".inf",
    ".nan", "0x1f", "1e999", "9" * 400, "-1", "0", "3.5", "<<: ", "close", "rsi(close, 14)", "rsi", "bars_held", "profit",
    "[0]", "[1]", "[-1]", "@ 4h", "@4h", ".signal", "macd()", " and ", " or ", "not ", " for 3 bars", " within 0",
    " rising 3", " crosses_above ", " between ", "time between 09:30 and 16:00", "weekday in [mon]", "(", ")", "((((((((",
    "all", "any", "entry", "exit", "short_entry", "indicators", "parameters", "stops", "stop_loss", "roi", "max_bars",
    "size", "protections", "cooldown", "leverage", "warm_up", "require", "default", "low", "high", "choices", "optional",
    "timeframe", "1w", "99w", "/ 0", "abs(", "min(", "max(", "ta:trend.macd", "atr(0)", "sma(close, 1e9)", "==", "'text'",
)  # fmt: skip
KEYS = (
    "name", "description", "timeframe", "parameters", "require", "indicators", "entry", "exit", "short_entry",
    "short_exit", "stops", "size", "protections", "leverage", "warm_up", "all", "any", "not", "left", "op", "right", "for",
    "within", "bars", "time", "weekday", "timezone", "indicator", "of", "value", "output", "shift", "default", "low",
    "high", "choices", "optional", "doc", "type", "stop_loss", "take_profit", "roi", "max_bars", "amount", "unit",
    "cooldown", "stop_guard", "a", "b", "length",
)  # fmt: skip


def garbled(seed: int) -> str:
    """One text that is probably no good rule file."""
    rng = random.Random(seed)
    if seed % 4 == 0:
        return "".join(f"{rng.choice(KEYS)}: {_structure(rng, 0)}\n" for _ in range(rng.randint(1, 6)))
    if seed % 4 == 1:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 30)))
    text = rng.choice(GOOD)
    for _ in range(rng.randint(1, 6)):
        text = _mutated(text, rng)
    return text


def _structure(rng: random.Random, depth: int) -> str:
    kind = rng.random()
    if depth > 4 or kind < 0.45:
        return rng.choice(PIECES[26:]).replace("\n", " ")
    inner = [_structure(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if kind < 0.7:
        return f"[{', '.join(inner)}]"
    return "{" + ", ".join(f"{rng.choice(KEYS)}: {one}" for one in inner) + "}"


def _mutated(text: str, rng: random.Random) -> str:
    if not text:
        return rng.choice(PIECES)
    at = rng.randrange(len(text))
    lines = text.split("\n")
    line, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(7):
        case 0:  # one bit of one byte
            raw = bytearray(text.encode("utf-8", "surrogatepass"))
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            return raw.decode("utf-8", "replace")
        case 1:
            return text[:at] + text[at + rng.randint(1, 20) :]
        case 2:
            return text[:at] + rng.choice(PIECES) + text[at:]
        case 3:
            lines[line], lines[other] = lines[other], lines[line]
        case 4:
            del lines[line]
        case 5:
            lines.insert(line, lines[other])
        case _:
            words = text.split(" ")
            words[rng.randrange(len(words))] = rng.choice((*PIECES, *KEYS))
            return " ".join(words)
    return "\n".join(lines)
