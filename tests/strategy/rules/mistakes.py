# ruff: noqa: E501 - a mistake a line reads as a table
"""One file for each kind of mistake: its text, what is said of it, where, and whether its structure alone is wrong."""

from __future__ import annotations

from typing import NamedTuple

OK = "entry: close > open\n"


class Wrong(NamedTuple):
    """A mistake; `structural` ones must be refused by the JSON schema too."""

    name: str
    text: str
    message: str
    line: int
    column: int
    structural: bool = False


WRONG = (
    # the file
    Wrong("empty", "", r"the file has nothing in it", 1, 1),
    Wrong("a list", "- a\n- b\n", r"the file has a list at its top", 1, 1, True),
    Wrong("only text", "close > open", r"the file has 'close > open' at its top", 1, 1, True),
    Wrong("a tab", "entry:\n\tall: [a]\n", r"no YAML: .*indent with spaces", 2, 1),
    Wrong("open quote", 'entry: "close > open\n', r"no YAML: .*a quote is opened and never closed", 2, 1),
    Wrong("open bracket", "entry: [close > open\nexit: 3\n", r"no YAML: .*close the bracket", 2, 5),
    Wrong("index in a list", "entry: [close[1] > open]\n", r"no YAML: .*into quotes", 1, 18),
    Wrong("colon in text", "entry: close: open\n", r"no YAML: .*text that contains ': ' into quotes", 1, 13),
    Wrong("alias", "entry: &x close > open\nexit: *x\n", r"&x is an alias, which rule files do not have", 1, 8),
    Wrong("tag", "entry: !!python/object:os.system x\n", r"the tag .*python/object:os.system means nothing here", 1, 8),
    Wrong("two documents", OK + "---\na: 1\n", r"a second document begins here", 2, 1),
    Wrong("control character", "entry: close > \x01open\n", r"a character that no text file should have", 1, 16),
    Wrong("a key twice", OK + "entry: close < open\n", r"'entry' is here a second time \(first on line 1\)", 2, 1),
    Wrong("too deep", "entry: " + "[" * 60 + "]" * 60, r"nested deeper than 30 levels", 1, 38, True),
    # sections
    Wrong("unknown section", OK + "exits: close < open\n", r"there is no section 'exits'; did you mean 'exit'\?", 2, 1, True),
    Wrong("no entry", "exit: close < open\n", r"there is neither an entry nor a short_entry", 1, 1, True),
    Wrong("an exit too many", OK + "short_exit: close > open\n", r"a short_exit and no short_entry", 2, 1, True),
    Wrong("name is a list", OK + "name: [a]\n", r"name: wants text, not a list", 2, 7, True),
    Wrong("timeframe", OK + "timeframe: hourly\n", r"'hourly' is no timeframe: write a number and s, m", 2, 12, True),
    Wrong("stops is a list", OK + "stops: [0.05]\n", r"stops: wants names with a value each, not a list", 2, 8, True),
    Wrong("unknown stop", OK + "stops: {stoploss: 0.05}\n", r"stops has no 'stoploss'; did you mean 'stop_loss'\?", 2, 9, True),
    Wrong("stop of five", OK + "stops: {stop_loss: 5}\n", r"stop_loss must be a fraction above 0 and below 1", 2, 20),
    Wrong("ladder", OK + "stops: {roi: {soon: 0.05}}\n", r"'soon' is no number of minutes", 2, 15, True),
    Wrong("ladder is a number", OK + "stops: {roi: 0.05}\n", r"roi: wants minutes and the gain", 2, 14, True),
    Wrong("max_bars of 0", OK + "stops: {max_bars: 0}\n", r"max_bars = 0; give a whole number of bars", 2, 19),
    Wrong("max_bars by bar", OK + "stops: {max_bars: close}\n", r"close differs from bar to bar; a number or a parameter", 2, 19),
    Wrong("size of 2", OK + "size: 2\n", r"size 2.0 is more than the whole equity", 2, 7),
    Wrong("unit", OK + "size: {amount: 1, unit: lots}\n", r"'lots' is no unit of size; there are cash, fraction", 2, 25, True),
    Wrong("no amount", OK + "size: {unit: cash}\n", r"size has no amount; write", 2, 7, True),
    Wrong("protection", OK + "protections:\n  - cooldwn: 3\n", r"no protection 'cooldwn'; did you mean 'cooldown'\?", 3, 5, True),
    Wrong("protections", OK + "protections: {cooldown: 3}\n", r"protections: wants a list", 2, 14, True),
    Wrong("half a guard", OK + "protections:\n  - stop_guard: {limit: 2}\n", r"wants lookback and pause too", 3, 5, True),
    Wrong("cooldown of 0", OK + "protections:\n  - cooldown: 0\n", r"Cooldown: bars = 0; give a whole number", 3, 5),
    Wrong("leverage of 0", OK + "leverage: 0\n", r"leverage is 0; give a number above 0", 2, 11),
    Wrong("warm_up of a half", OK + "warm_up: 1.5\n", r"warm_up is 1.5; give a whole number of bars", 2, 10),
    # parameters
    Wrong("parameters is text", OK + "parameters: fast\n", r"parameters: wants names with a default each", 2, 13, True),
    Wrong("no default", "parameters:\n  a: {low: 3}\nentry: close > a\n", r"a has no default", 2, 6, True),
    Wrong("unknown fact", "parameters:\n  a: {default: 3, min: 1}\nentry: close > a\n", r"a parameter has no 'min'; there are", 2, 19, True),
    Wrong("comma in doc", "parameters:\n  a: {default: 3, doc: one, two}\nentry: close > a\n", r"put text with a comma in it into quotes", 2, 29, True),
    Wrong("default below low", "parameters:\n  a: {default: 3, low: 5}\nentry: close > a\n", r"parameter a = 3 must be at least 5", 2, 3),
    Wrong("type", "parameters:\n  a: {default: 3, type: number}\nentry: close > a\n", r"'number' is no type; there are bool, float, int, str", 2, 25, True),
    Wrong("yes", "parameters:\n  a: {default: yes}\nentry: close > a\n", r"'yes' is text; write true or false", 2, 16),
    Wrong("choices", "parameters:\n  a: {default: 3, choices: 3}\nentry: close > a\n", r"choices wants a list", 2, 28, True),
    Wrong("reserved", "parameters:\n  close: 3\nentry: open > close\n", r"a parameter cannot be called close: the word has a meaning", 2, 3),
    Wrong("taken", "parameters:\n  signals: 3\nentry: open > signals\n", r"cannot be called signals: every strategy has", 2, 3),
    Wrong("name with a dash", "parameters:\n  my-length: 3\nentry: close > 3\n", r"'my-length' cannot be the name of a parameter", 2, 3, True),
    Wrong("unused", "parameters:\n  lenght: 3\n" + OK, r"the parameter lenght is never used", 2, 3),
    Wrong("requirement", "parameters: {a: 3, b: 2}\nrequire: a < b\nentry: rsi(a) < rsi(b)\n", r"a = 3, b = 2 is not what the file requires: a < b", 2, 10),
    Wrong("requirement by bar", "require: close > 3\n" + OK, r"close differs from bar to bar", 1, 10),
    # columns
    Wrong("indicators is a list", OK + "indicators: [rsi]\n", r"indicators: wants names with a column each", 2, 13, True),
    Wrong("unknown indicator", OK + "indicators:\n  x: {indicator: rsii}\n", r"rsii", 3, 18, True),
    Wrong("unknown call", "entry: rsii(close, 14) < 30\n", r"rsii", 1, 8),
    Wrong("both forms", OK + "indicators:\n  x: {indicator: rsi, value: close}\n", r"either `indicator:` and what it takes, or `value:`", 3, 6, True),
    Wrong("unknown key", OK + "indicators:\n  x: {indicator: rsi, lenght: 3}\n", r"rsi takes no 'lenght'; did you mean 'length'\?", 3, 23, True),
    Wrong("unknown argument", "entry: rsi(close, lenght=3) < 30\n", r"rsi takes no 'lenght'; did you mean 'length'\?", 1, 19),
    Wrong("output", OK + "indicators:\n  x: {indicator: macd, output: sgnal}\n", r"macd has no output 'sgnal'; did you mean 'signal'\?", 3, 32, True),
    Wrong("dotted output", "indicators:\n  m: macd()\nentry: m.sgnal > 0\n", r"m has no output 'sgnal'; did you mean 'signal'\?", 3, 10),
    Wrong("no output chosen", "indicators:\n  m: macd()\nentry: m > 0\n", r"m has several lines: macd, signal, histogram; choose one, as m.histogram", 3, 8),
    Wrong("output of one line", "indicators:\n  m: rsi()\nentry: m.value > 0\n", r"m has no output 'value'; it is one column", 3, 10),
    Wrong("length of 0", "entry: rsi(close, 0) < 30\n", r"rsi: length is 0; give a whole number of bars", 1, 8),
    Wrong("length of a half", "entry: rsi(close, 14.5) < 30\n", r"rsi: length is 14.5; give a whole number of bars", 1, 8),
    Wrong("length by bar", "entry: rsi(close, length=open) < 30\n", r"length is the same for all bars", 1, 19),
    Wrong("numbers first", "entry: rsi(14, close) < 30\n", r"columns come first, then numbers, as in rsi\(close, 14\)", 1, 12),
    Wrong("too many numbers", "entry: rsi(14, 3) < 30\n", r"2 numbers, and it takes length", 1, 16),
    Wrong("too few columns", "entry: atr(high, low, 14) > 3\n", r"2 columns, and it is made of high, low, close", 1, 8),
    Wrong("twice", "entry: rsi(14, length=3) < 30\n", r"length is given twice", 1, 16),
    Wrong("circle", "indicators:\n  a: ema(b, 3)\n  b: ema(a, 3)\nentry: a > b\n", r"a is made of b is made of a: a column cannot be made of itself", 2, 3),
    Wrong("taken by a parameter", "parameters: {a: 3}\nindicators:\n  a: rsi(a)\nentry: a > 3\n", r"a is a parameter already", 3, 3),
    Wrong("own bars in longer ones", "indicators:\n  a: rsi(14)\n  b: {indicator: ema, of: a, timeframe: 4h}\nentry: b > 3\n", r"a is a column of the strategy's own bars", 3, 27),
    Wrong("timeframe of a column", OK + "indicators:\n  a: {indicator: rsi, timeframe: 4 hours}\n", r"'4 hours' is no timeframe", 3, 34),
    Wrong("no multiple", "timeframe: 3h\nindicators:\n  a: {indicator: rsi, timeframe: 4h}\nentry: a < 3\n", r"4h bars cannot be made of 3h bars", 3, 34),
    # conditions
    Wrong("unknown name", "indicators: {rsi_14: rsi(14)}\nentry: rsi14 < 30\n", r"'rsi14' is no price, column or parameter; did you mean 'rsi_14'\?", 2, 8),
    Wrong("indicator without call", "entry: rsi < 30\n", r"rsi is an indicator: call it, as rsi\(\)", 1, 8),
    Wrong("no comparison", "entry: close\n", r"close is a value and not a condition|this is a value and not a condition", 1, 8),
    Wrong("a number", "entry: 3\n", r"'3' is no condition; a condition is text such as", 1, 8, True),
    Wrong("nothing", "entry:\nexit: close < 3\n", r"nothing is no condition", 1, 7, True),
    Wrong("half a comparison", "entry: close >\n", r"a value is wanted here, such as close or 30, not the end", 1, 14),
    Wrong("one equals sign", "entry: close = 3\n", r"'=' does not fit here; write == to compare", 1, 14),
    Wrong("crosses above", "entry: close crosses above open\n", r"write crosses_above or crosses_below", 1, 14),
    Wrong("near operator later", "entry: high > 3 and close crosses_abov open\n", r"'crosses_abov' does not fit here; did you mean 'crosses_above'\?", 1, 27),
    Wrong("near operator", "entry: close crosses_abov open\n", r"'crosses_abov' does not fit here; did you mean 'crosses_above'\?", 1, 14),
    Wrong("python and", "entry: close > 3 && open > 3\n", r"'&&' means nothing in a rule; write and", 1, 18),
    Wrong("percent", "entry: close > 3%\n", r"'%' means nothing in a rule; write / 100", 1, 17),
    Wrong("open parenthesis", "entry: (close > 3\n", r"'\)' is wanted here to close the bracket, not the end", 1, 17),
    Wrong("closing parenthesis", "entry: close > 3)\n", r"'\)' does not fit here without a \(", 1, 17),
    Wrong("for nothing", "entry: close > 3 for\n", r"'for' wants a number of bars", 1, 20),
    Wrong("for 0 bars", "entry: close > 3 for 0 bars\n", r"0 is no number of bars", 1, 22),
    Wrong("the future", "entry: close[-1] > 3\n", r"-1 is no number of bars", 1, 14),
    Wrong("for a value", "entry: close for 3\n", r"close is a value|this is a value and not a condition", 1, 8),
    Wrong("sum of conditions", "entry: (close > 3) + 1 > 2\n", r"a condition stands here where a number or a column is wanted", 1, 9),
    Wrong("text against a price", "entry: close > 'high'\n", r"text stands here where a number is wanted", 1, 16),
    Wrong("flag as a number", "parameters: {long: true}\nentry: close > long\n", r"long is true or false and no number", 2, 16),
    Wrong("empty list", "entry: {all: []}\n", r"all is empty; give at least one condition", 1, 14, True),
    Wrong("all of text", "entry: {all: close > 3}\n", r"all wants a list of conditions", 1, 14, True),
    Wrong("unknown form", "entry: {al: [close > 3]}\n", r"'al' begins no condition; did you mean 'all'\?", 1, 9, True),
    Wrong("two forms", "entry: {all: [close > 3], any: [close > 4]}\n", r"'any' does not go together with 'all'", 1, 27, True),
    Wrong("op", "entry: {left: close, op: above, right: 3}\n", r"'above' is no operator; did you mean 'crosses_above'\?|'above' is no operator", 1, 26, True),
    Wrong("no op", "entry: {left: close, right: 3}\n", r"left wants an 'op' beside it", 1, 9, True),
    Wrong("no right", "entry: {left: close, op: '>'}\n", r"op '>' wants 'right' beside it", 1, 22, True),
    Wrong("rising to the right", "entry: {left: close, op: rising, right: 3, bars: 2}\n", r"op 'rising' takes 'bars' and no 'right'", 1, 34, True),
    Wrong("day", "entry: weekday in [monday, someday]\n", r"'someday' is no day", 1, 28),
    Wrong("day in a mapping", "entry: {weekday: [xyz]}\n", r"'xyz' is no day", 1, 19, True),
    Wrong("time", "entry: time between 09:30 and 25:00\n", r"'25:00' is no time of day", 1, 31),
    Wrong("one time", "entry: {time: ['09:30']}\n", r"time wants two times of day", 1, 15, True),
    Wrong("zone", "entry: time between 09:30 and 16:00 in America/New_Yrk\n", r"no timezone 'America/New_Yrk'; did you mean 'America/New_York'\?", 1, 40),
    Wrong("time alone", "entry: time > 3\n", r"time is asked like this: `time between 09:30 and 16:00`", 1, 8),
    Wrong("time on longer bars", "entry: (close > 3) @ 4h\n", r"a condition stands here", 1, 9),
    Wrong("odd character", "entry: close > $3\n", r"'\$' means nothing in a rule", 1, 16),
    Wrong("a large number", "entry: close > 1e300\n", r"the number 1e300 is larger than anything", 1, 16),
    # positions
    Wrong("profit in an entry", "entry: profit > 3\n", r"profit is known of an open position: use it in exit and short_exit only", 1, 8),
    Wrong("past profit", OK + "exit: profit[1] > 3\n", r"profit is no column: nothing can be made of its past", 2, 7),
    Wrong("profit in a stop", OK + "stops: {stop_loss: profit / 2}\n", r"profit is known of an open position", 2, 20),
    Wrong("profit and protections", OK + "exit: profit > 0.1\nprotections: [{cooldown: 2}]\n", r"profit cannot be followed beside protections", 2, 7),
)  # fmt: skip
