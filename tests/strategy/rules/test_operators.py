"""Each operator and each way to name a value, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.strategy.rules.made import bars_from, entries, rules, wandering
from workbench.errors import StrategyError
from workbench.indicators import registry
from workbench.strategy import signals_of

#         0   1   2   3   4   5   6   7
CLOSES = [10, 12, 11, 11, 13, 14, 12, 9]
BARS = bars_from(CLOSES)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("close > 11", [1, 4, 5, 6]),
        ("close < 11", [0, 7]),
        ("close >= 12", [1, 4, 5, 6]),
        ("close <= 11", [0, 2, 3, 7]),
        ("close == 11", [2, 3]),
        ("close != 11", [0, 1, 4, 5, 6, 7]),
        ("11 < close", [1, 4, 5, 6]),
        ("10 < close <= 12", [1, 2, 3, 6]),
        ("close crosses_above 11", [1, 4]),
        ("close crosses_below 11", [7]),
        ("11 crosses_below close", [1, 4]),
        ("close crosses_above open", [1, 4]),
        ("not close crosses_above 11", [0, 2, 3, 5, 6, 7]),
        ("not close crosses_above 9", [1, 2, 3, 4, 5, 6, 7]),  # nothing is known of what was before bar 0
        ("close rising 1", [1, 4, 5]),
        ("close rising 2", [5]),
        ("close falling 2", [7]),
        ("not close rising 1", [2, 3, 6, 7]),
        ("close > 11 for 2", [5, 6]),
        ("close > 11 for 3 bars", [6]),
        ("close > 11 for 1 bar", [1, 4, 5, 6]),
        ("close == 12 within 3 bars", [1, 2, 3, 6, 7]),
        ("not (close == 12 within 3 bars)", [4, 5]),
        ("not (close > 11 for 2)", [0, 1, 2, 3, 4, 7]),
        ("close > 11 and close < 14", [1, 4, 6]),
        ("close < 10 or close > 13", [5, 7]),
        ("close < 10 or close > 12 and close < 14", [4, 7]),
        ("(close < 10 or close > 12) and close < 14", [4, 7]),
        ("not close > 11", [0, 2, 3, 7]),
        ("not close > 11 and close > 9", [0, 2, 3]),
        ("not (close > 11 and close > 9)", [0, 2, 3, 7]),
        ("close[1] > close", [2, 6, 7]),
        ("close[7] == 10", [7]),
        ("close[8] < 99", []),
        ("(close - open)[1] == 2", [2, 5]),
        ("close + 1 > 14", [5]),
        ("close - open >= 2", [1, 4]),
        ("2 * close - 1 >= 25", [4, 5]),
        ("close / 2 > 6", [4, 5]),
        ("close / (close - 11) > 0", [1, 4, 5, 6]),  # what is divided by nothing is missing
        ("not (close / (close - 11) > 0)", [0, 7]),
        ("-close > -11", [0, 7]),
        ("1 - -close > 14", [5]),
        ("10 - 4 - 3 == 3 and close == 9", [7]),
        ("8 / 2 / 2 == 2 and close == 9", [7]),
        ("abs(close - 12) >= 2", [0, 5, 7]),
        ("min(close, 11) < 11", [0, 7]),
        ("max(close, open, 13) > 13", [5, 6]),
        ("sma(close, 2) == 11", [1, 3]),
        ("sma(2) == 11", [1, 3]),
        ("sma(close, length=2) == 11", [1, 3]),
        ("sma(length=2, values=open) == 11", [2, 4]),
        ("sma(close, 2)[1] == 11", [2, 4]),
        ("sma(sma(close, 2), 2) == 11.25", [2, 3]),
        ("hl2 == 11 and close != open", [1]),
        ("true_range() == 3", [7]),
        ("volume > 0 and close == 9", [7]),
    ],
)
def test_an_operator_holds_on_these_bars(condition: str, expected: list[int]) -> None:
    assert entries(condition, BARS) == expected


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ("{left: close, op: '>', right: 11}", "close > 11"),
        ("{left: close, op: '>', right: 11, for: 2}", "close > 11 for 2"),
        ("{left: close, op: '==', right: 12, within: 3}", "close == 12 within 3"),
        ("{left: close, op: crosses_above, right: open}", "close crosses_above open"),
        ("{left: close, op: crosses_below, right: 11}", "close crosses_below 11"),
        ("{left: close, op: rising, bars: 2}", "close rising 2"),
        ("{left: close, op: falling, bars: 2}", "close falling 2"),
        ("{all: [close > 11, close < 14]}", "close > 11 and close < 14"),
        ("[close > 11, close < 14]", "close > 11 and close < 14"),
        ("{any: [close < 10, {all: [close > 12, close < 14]}]}", "close < 10 or close > 12 and close < 14"),
        ("{not: close > 11}", "not close > 11"),
        ("{all: [close > 10, close < 14], for: 3}", "(close > 10 and close < 14) for 3"),
        ("{not: {any: [close > 12, close < 11]}, within: 2}", "(not (close > 12 or close < 11)) within 2"),
    ],
)
def test_the_mapping_form_says_the_same_as_the_text(mapping: str, text: str) -> None:
    assert entries(mapping, BARS) == entries(text, BARS) != []


def test_a_name_with_several_lines_is_read_by_its_outputs() -> None:
    text = (
        "indicators:\n  m: macd(close, 2, 3, 2)\n  s: {indicator: macd, fast: 2, slow: 3, signal: 2, output: signal}\n"
    )
    signals = rules(f"{text}entry: m.macd > m.signal and m.signal == s and s == macd(close, 2, 3, 2).signal")()
    macd = wb.indicators.macd(BARS.close, 2, 3, 2)
    np.testing.assert_array_equal(signals.signals(BARS).entry, macd.macd > macd.signal)
    assert signals.signals(BARS).entry.any()


def test_a_column_may_be_spelt_out_inside_another() -> None:
    column = "{indicator: sma, of: {indicator: sma, of: open, length: 2}, length: 2, shift: 1}"
    inner = wb.indicators.sma(wb.indicators.sma(BARS.open, 2), 2)
    assert entries("x > 11", BARS, indicators=f"{{x: {column}}}") == [i + 1 for i in range(7) if inner[i] > 11]


def test_a_column_of_ta_is_an_indicator_like_others_unless_it_looks_ahead() -> None:
    bars = wandering(3, 120)
    made = rules(
        "indicators: {x: {indicator: ta:momentum.rsi, window: 5}}\nentry: x < 30 and ta:momentum.rsi(close, 5) == x"
    )
    column = registry.compute("ta:momentum.rsi", {"close": bars.close}, window=5)
    assert np.flatnonzero(column < 30).tolist() == np.flatnonzero(made().signals(bars).entry).tolist() != []
    with pytest.raises(
        StrategyError, match=r"line 1, column 8: ta:trend.kst: it looks ahead: .*; use another\n"
    ) as caught:
        rules("entry: ta:trend.kst() > 0")
    assert "force" not in str(caught.value)


TIMES = bars_from([10.0] * 48, start=1_736_467_200_000)  # Friday 2025-01-10 00:00 UTC, two days of hours


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("time between 09:30 and 12:00", [10, 11, 34, 35]),
        ("time between 22:00 and 01:00", [0, 22, 23, 24, 46, 47]),
        ("time between 08:00 and 10:00 in America/New_York", [13, 14, 37, 38]),
        ("time between 05:30 and 06:30 in Asia/Kolkata", [0, 24]),
        ("not time between 01:00 and 24:00", [0, 24]),
        ("weekday in [sat, sun] and time between 00:00 and 02:00", [24, 25]),
        ("weekday == friday and time between 00:00 and 02:00", [0, 1]),
        ("weekday in [thu] in America/New_York", [0, 1, 2, 3, 4]),
        ("{time: ['09:30', '12:00']}", [10, 11, 34, 35]),
        ("{weekday: [sat], timezone: Asia/Kolkata, for: 30}", []),
        ("{weekday: sat, within: 1}", list(range(24, 48))),
    ],
)
def test_time_of_day_and_weekday_are_those_at_which_a_bar_opens(condition: str, expected: list[int]) -> None:
    assert entries(condition, TIMES) == expected


def test_clocks_change_on_the_day_when_they_change() -> None:
    spring = bars_from(
        [10.0] * 24, start=1_741_478_400_000
    )  # 2025-03-09: New York goes from 02:00 to 03:00 at 07:00 UTC
    assert entries("time between 01:00 and 04:00 in America/New_York", spring) == [6, 7]


def test_a_longer_timeframe_shows_only_what_has_closed() -> None:
    bars = bars_from([1, 2, 3, 4, 5, 6, 7, 8, 9.0], start=0)
    assert entries("close @ 4h == 4", bars) == [3, 4, 5, 6]
    assert entries("close @ 4h == 8", bars) == [7, 8]
    assert entries("not close @ 4h == 4", bars) == [7, 8]  # before the first long bar nothing is known
    column = "{indicator: sma, of: close, length: 2, timeframe: 2h}"
    assert entries("x == 3", bars, indicators=f"{{x: {column}}}") == [3, 4]
    assert entries("x > y", bars, indicators=f"{{x: close @ 2h, y: {column}}}") == [3, 4, 5, 6, 7, 8]
    assert entries("x[1] == 2", bars, indicators="{x: close @ 2h}") == [2, 3]
    assert entries("close[1] @ 2h == 2", bars) == [3, 4]


def test_a_longer_timeframe_may_be_a_parameter() -> None:
    made = rules("parameters: {frame: {default: 2h, choices: [2h, 4h]}}\nentry: close @ frame == 4")
    bars = bars_from([1, 2, 3, 4, 5, 6, 7, 8.0])
    assert np.flatnonzero(made().signals(bars).entry).tolist() == [3, 4]
    assert np.flatnonzero(made(frame="4h").signals(bars).entry).tolist() == [3, 4, 5, 6]


def test_bars_that_are_too_long_are_refused_in_words() -> None:
    made = rules("entry: close @ 4h > 3")()
    with pytest.raises(StrategyError, match="the rules need bars of 4h and have bars of 1d; longer bars can be made"):
        made.signals(bars_from([1.0, 2.0], "1d"))
    assert made.signals(bars_from([1.0, 4.0], "4h")).entry.tolist() == [False, True]


def test_missing_values_hold_neither_a_condition_nor_its_contrary() -> None:
    assert entries("sma(close, 4) > 0", BARS) == [3, 4, 5, 6, 7]
    assert entries("not sma(close, 4) < 0", BARS) == [3, 4, 5, 6, 7]
    assert entries("sma(close, 4) != 1", BARS) == [3, 4, 5, 6, 7]
    assert entries("not (sma(close, 4) == 1 and close > 0)", BARS) == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("file", "warm_up"),
    [
        ("entry: close > open", 0),
        ("entry: close > close[3]", 3),
        ("entry: sma(close, 20) > close", 19),
        ("entry: sma(close, 20) crosses_above close", 20),
        ("entry: sma(close, 20)[2] crosses_above close", 22),
        ("entry: close > open for 5", 4),
        ("entry: close rising 5", 5),
        ("entry: sma(rsi(close, 14), 10) > 50", 23),
        ("entry: macd().macd > 0", 25),
        ("entry: macd().signal > 0", 33),
        ("indicators: {m: macd()}\nentry: m.signal > 0 and m.macd > 0", 33),
        ("entry: close > open\nstops: {stop_loss: atr(14) / close}", 14),
        ("entry: close > open\nwarm_up: 100", 100),
        ("entry: sma(close, 20) > close\nwarm_up: 3", 19),
        ("timeframe: 1h\nentry: sma(close, 5) @ 4h > close", 22),  # 3 hours of a cut bar, then 5 bars of 4 hours
        ("parameters: {n: 7}\nentry: sma(close, n) > close\nwarm_up: 2 * n", 14),
    ],
)
def test_warm_up_is_worked_out_from_the_indicators_and_how_far_operators_look_back(file: str, warm_up: int) -> None:
    assert rules(file)().warm_up == warm_up


@pytest.mark.parametrize("start", range(4))
def test_the_warm_up_of_a_longer_timeframe_is_enough_wherever_the_history_begins(start: int) -> None:
    made = rules("timeframe: 1h\nentry: sma(close, 5) @ 4h > 0")()
    first = np.flatnonzero(made.signals(bars_from([1.0] * 40, start=start * 3_600_000)).entry)[0]
    assert first <= made.warm_up
    assert first == made.warm_up or start != 1


def test_flags_and_texts_are_conditions_of_parameters() -> None:
    made = rules("""
        parameters:
          long: true
          kind: {default: slow, choices: [slow, fast]}
        entry: long and (kind == 'fast' or close > 11)
    """)
    assert np.flatnonzero(made().signals(BARS).entry).tolist() == [1, 4, 5, 6]
    assert np.flatnonzero(made(kind="fast").signals(BARS).entry).tolist() == list(range(8))
    assert not made(long=False, kind="fast").signals(BARS).entry.any()


def test_stops_size_and_the_rest_arrive_in_the_signals() -> None:
    made = rules("""
        parameters:
          stop: {default: 0.1, low: 0.01, high: 0.5, optional: true}
          most: 5
        entry: close > 11
        stops:
          stop_loss: stop
          take_profit: 0.2
          trailing_stop: min(1 / close, 0.5)
          trailing_activation: 0.01
          stop_price: close - 1
          roi: {0: 0.04, 60: 0.01}
          max_bars: most
        size: {amount: 50 + 1, unit: cash}
        protections:
          - cooldown: 3
          - stop_guard: {limit: 2, lookback: 24, pause: most, only_this: true}
        leverage: 2
    """)
    said = made().signals(BARS)
    assert said.stop_loss.tolist() == [0.1] and said.take_profit.tolist() == [0.2]
    np.testing.assert_array_equal(said.trailing_stop, 1 / BARS.close)
    np.testing.assert_array_equal(said.stop_price, BARS.close - 1)
    assert (said.roi, said.max_bars, said.size.tolist(), said.size_unit) == ({0.0: 0.04, 60.0: 0.01}, 5, [51.0], "cash")
    assert made().protections == (wb.Cooldown(3), wb.StopGuard(2, 24, 5, only_this=True))
    assert made().leverage == 2.0
    assert np.isnan(made(stop=None).signals(BARS).stop_loss).all()
    assert made(most=9).signals(BARS).max_bars == 9


def test_an_entry_waits_until_its_stop_and_its_size_are_known() -> None:
    assert entries("close > 0", BARS, stops="{stop_loss: 'sma(close, 3) / 100'}") == [2, 3, 4, 5, 6, 7]
    assert entries("close > 0", BARS, size="min(sma(close, 4) / 100, 1)") == [3, 4, 5, 6, 7]


def test_signals_say_nothing_before_the_warm_up() -> None:
    made = rules("entry: close > 0 or sma(close, 5) > 0")()
    assert np.flatnonzero(made.signals(BARS).entry).tolist() == list(range(8))
    assert np.flatnonzero(signals_of(made, BARS).entry).tolist() == [4, 5, 6, 7]


def test_no_bars_are_no_signals() -> None:
    assert len(rules("entry: close > open for 3\nexit: sma(close, 3) @ 4h < 3")().signals(BARS[:0])) == 0
