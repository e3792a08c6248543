"""Where other packages give the same number, where they differ, who is right and why.

The worked input is six daily returns and a benchmark's (`RETURNS`, `BENCHMARK`), 252 periods a year, and the profits of
seven trades (`PROFITS`); what each package gave for it was recorded once with the version named, and cases of other
inputs say which. Nothing of those packages is needed here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.risk.metrics.registry import known

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BENCHMARK", "DIFFERENCES", "EQUAL", "PROFITS", "RETURNS", "Difference", "differences", "differences_of"]

RETURNS: Final = (0.10, -0.05, 0.02, -0.10, 0.08, 0.04)
BENCHMARK: Final = (0.05, -0.02, 0.01, -0.04, 0.05, -0.01)
PROFITS: Final = (30.0, -10.0, -20.0, 0.0, 40.0, 20.0, -5.0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that another package gives differently.

    Parameters
    ----------
    metric : str
        The name here.
    peer, version : str
        The package, and the release that gave the number.
    called : str
        What the number is called there.
    ours, theirs : float
        For the same input.
    right : str
        Who is right: "ours", "theirs", or "both" where it is a matter of convention.
    why : str
        What differs.
    case : str
        The input, where it is not the worked one.
    """

    metric: str
    peer: str
    version: str
    called: str
    ours: float
    theirs: float
    right: str
    why: str
    case: str = ""


_E, _Q, _F, _V = ("empyrical", "0.7.1"), ("quantstats", "0.0.86"), ("ffn", "1.4.1"), ("vectorbt", "1.2.0")
_B = ("backtesting.py", "0.6.6")
_LONG = "the growth of a part of the bars is compounded to a year before dividing, so that the ratio explodes"
_GOOG = "SMA 10/30 on the daily GOOG bars that backtesting.py brings: 414.23 % in 3,116 days"
_TRADES = (
    "8 trades of +2, +2, +2, -1, -1, +2, -1, -1 % of the first balance, two a day for 4 days, each of it in full; by "
    "the formula that it publishes"
)
_FIRST = "the high before the first bar is not seen, so that a loss at the beginning is no drawdown"
_LOSS = "-10 %, +5 %, +2 %"
_SAME = "20 returns of 1 %"
_EVEN = "trades that break even are left out of the count; equal without such trades"
_SEVEN = "the worked trades"

DIFFERENCES: Final = (
    Difference("annualised_return", *_F, "cagr", 92.7513164413219, 93.04333983600696, "both",
               "a year of 365.25 days; ours has 365, as Actual/365 and XIRR do", "6 elapsed days"),
    Difference("annualised_volatility", *_B, "Volatility (Ann.) [%]", 0.29489208540737183,
               0.3649716090702389, "both", "of the compounded annual return under a log-normal law, which grows with "
               "it; the usual one is the deviation of a bar times a root", _GOOG),
    Difference("annualised_return", "backtesting.py", "0.6.4", "CAGR [%]", 0.21144328913506993,
               0.14159843619607383, "ours",
               "calendar days divided by 252 trading days make years too long; mended in 0.6.6 (21.16 %)", _GOOG),
    Difference("sharpe_ratio", *_B, "Sharpe Ratio", 0.7983515642116682, 0.5806232244485349,
               "ours", "compound return over a log-normal volatility; Sharpe (1994) has the arithmetic mean and the "
               "deviation of the same returns", _GOOG),
    Difference("sharpe_ratio", "freqtrade", "2024.10", "sharpe", 8.001174504258985, 12.736648783028533, "ours",
               "mean profit a day over the deviation of a trade, so too large by sqrt(trades per day); days without a "
               "trade and money that is open are not seen", _TRADES),
    Difference("sharpe_ratio", "hummingbot", "2.x", "sharpe_ratio", 8.001174504258985, 2.031104028978208, "ours",
               "mean over deviation of cumulative profit / cumulative volume: a level, not returns; without time, so "
               "nothing is annualised", _TRADES),
    Difference("smart_sharpe_ratio", *_Q, "smart_sharpe", 4.1140458352245375, 1.9910587372568522, "ours",
               "the size of the first autocorrelation is taken without its sign and as that of an AR(1) process: "
               "returns that swing back are punished as those that run on"),
    Difference("smart_sortino_ratio", *_Q, "smart_sortino", 6.929206196056132, 3.353500931075283, "ours",
               "as smart Sharpe"),
    Difference("probabilistic_sharpe_ratio", *_Q, "probabilistic_sharpe_ratio", 0.6618818312028305,
               0.6596206645627161, "both", "skewness and kurtosis with a small-sample correction"),
    Difference("skewness", *_Q, "skew", -0.42965226084079516, -0.5883255878639929, "both",
               "with the small-sample correction of Fisher and Pearson"),
    Difference("skewness", *_F, "daily_skew", -0.42965226084079516, -0.5883255878639896, "both",
               "with the small-sample correction of Fisher and Pearson"),
    Difference("kurtosis", *_Q, "kurtosis", -1.1915277384111937, -0.9752892370326476, "both",
               "with a small-sample correction"),
    Difference("kurtosis", *_F, "daily_kurt", -1.1915277384111937, -0.9752892370326557, "both",
               "with a small-sample correction"),
    Difference("value_at_risk", *_Q, "value_at_risk", -0.0875, -0.11145062994585629, "both",
               "of a normal distribution; equal to ours with method=\"gaussian\""),
    Difference("expected_shortfall", *_Q, "conditional_value_at_risk", -0.1, -0.14357419142523803, "both",
               "of a normal distribution; equal to ours with method=\"gaussian\""),
    Difference("ulcer_index", *_Q, "ulcer_index", 0.06273919525703008, 0.06872734496399299, "ours",
               "divided by bars - 1; Martin has a root mean square over all bars"),
    Difference("ulcer_index", *_F, "to_ulcer_index", 0.06273919525703008, 0.05808520801251321, "both",
               "in percent there (5.81), and the price before the first bar counts as a bar"),
    Difference("martin_ratio", *_Q, "ulcer_performance_index", 350.444449371376, 1.1276005502700805, "ours",
               "total return, not annualised; Martin has the annual one"),
    Difference("martin_ratio", *_F, "to_ulcer_performance_index", 350.444449371376, 1601.8422421068506, "ours",
               "a year of 365.25 days over daily bars, and an ulcer index in percent"),
    Difference("serenity_ratio", *_Q, "serenity_index", 3343.818159602818, 0.7220137895879046, "ours",
               "sum of returns, not annualised; the shortfall of the drawdowns by a normal distribution"),
    Difference("recovery_factor", *_Q, "recovery_factor", 0.605918623924942, 0.7036747458952299, "ours",
               "the sum of returns, never negative, over a drawdown of compounded ones"),
    Difference("treynor_ratio", *_Q, "treynor_ratio", 1.9854545454545454, 0.04070549074747483, "ours",
               "total return, neither a mean nor of a year: it grows with the length of the history"),
    Difference("information_ratio", *_E, "excess_sharpe", 2.945791226549027, 0.18556740475630135, "both",
               "a bar, not annualised"),
    Difference("information_ratio", *_Q, "information_ratio", 2.945791226549027, 0.18556740475630135, "both",
               "a bar, not annualised"),
    Difference("information_ratio", *_F, "calc_information_ratio", 2.945791226549027, 0.18556740475630135, "both",
               "a bar, not annualised"),
    Difference("information_ratio", *_V, "information_ratio", 2.945791226549027, 0.18556740475630135, "both",
               "a bar, not annualised"),
    Difference("alpha", *_E, "alpha", 0.5815384615384614, 0.7875902541699722, "both",
               "compounded to a year; Jensen (1968) has the intercept, which adds up"),
    Difference("alpha", *_V, "alpha", 0.5815384615384614, 0.7875902541699722, "both",
               "compounded to a year; Jensen (1968) has the intercept, which adds up"),
    Difference("up_capture", *_E, "up_capture", 1.8117834799215202, 1214.0865264624008, "ours", _LONG),
    Difference("up_capture", *_V, "up_capture", 1.8117834799215202, 1214.0865264624008, "ours", _LONG),
    Difference("down_capture", *_E, "down_capture", 1.6395908176301646, 1.0025078768494975, "ours", _LONG),
    Difference("down_capture", *_V, "down_capture", 1.6395908176301646, 1.0025078768494975, "ours", _LONG),
    Difference("capture_ratio", *_E, "up_down_capture", 1.1050217288605213, 1211.0493637993297, "ours", _LONG),
    Difference("common_sense_ratio", *_V, "common_sense_ratio", 1.7371428571428569, 24.956882970354844, "ours",
               "tail ratio x (1 + annualised return); the ratio is defined with the profit factor"),
    Difference("risk_of_ruin", *_Q, "risk_of_ruin", 0.02221235531972107, 6.400000000000008e-05, "ours",
               "the odds of a gambler who stakes all at even money, to the power of the bars: sizes of gains and "
               "losses do not count"),
    Difference("average_drawdown_length", *_F, "avg_drawdown_days", 5.0, 4.0, "both",
               "days to the last bar for a drawdown that is not made up yet, which leaves out that bar itself"),
    Difference("calmar_ratio", *_F, "calmar", 725.1862114255028, 727.4694279593964, "both",
               "a year of 365.25 days", "6 elapsed days"),
    Difference("max_drawdown", *_V, "max_drawdown", -0.1, 0.0, "ours", _FIRST, _LOSS),
    Difference("ulcer_index", *_V, "ulcer_index", 0.06910911662002339, 0.0, "ours", _FIRST, _LOSS),
    Difference("martin_ratio", *_V, "martin_ratio", -13.810467839884105, math.nan, "ours", _FIRST, _LOSS),
    Difference("sharpe_ratio", *_Q, "sharpe", math.nan, 8.919321473504994e+16, "ours",
               "the deviation of equal returns is what floats leave over, so that the ratio is an accident", _SAME),
    Difference("sharpe_ratio", *_E, "sharpe_ratio", math.nan, math.inf, "ours",
               "equal returns have no deviation to divide by; an infinity spoils every mean and ranking", _SAME),
    Difference("sortino_ratio", *_E, "sortino_ratio", math.nan, math.inf, "both",
               "no return is below the target: no answer here, an infinity there", _SAME),
    Difference("profit_factor", *_Q, "profit_factor", math.nan, math.inf, "both",
               "no trade lost: no answer here, an infinity there", _SAME),
    Difference("profit_factor", *_Q, "profit_factor", math.nan, 0.0, "ours",
               "nothing won and nothing lost is no factor of 0, which says that all was lost", "20 returns of 0"),
    Difference("win_rate", *_Q, "win_rate", 3.0 / 7.0, 0.5, "both", _EVEN, _SEVEN),
    Difference("kelly_fraction", *_Q, "kelly_criterion", 0.20634920634920637, 0.3055555555555556, "both", _EVEN,
               _SEVEN),
    Difference("cpc_index", *_Q, "cpc_index", 2.833819241982508, 3.3061224489795933, "both", _EVEN, _SEVEN),
)  # fmt: skip
"""What differs, one case a line."""

EQUAL: Final[Mapping[str, Mapping[str, str]]] = {
    "total_return": {
        "empyrical": "cum_returns_final",
        "quantstats": "comp",
        "ffn": "total_return",
        "vectorbt": "total",
    },
    "annualised_return": {"empyrical": "annual_return", "quantstats": "cagr", "vectorbt": "annualized"},
    "annualised_volatility": {
        "empyrical": "annual_volatility",
        "quantstats": "volatility",
        "ffn": "daily_vol",
        "vectorbt": "annualized_volatility",
    },
    "sharpe_ratio": {
        "empyrical": "sharpe_ratio",
        "quantstats": "sharpe",
        "ffn": "daily_sharpe",
        "vectorbt": "sharpe_ratio",
    },
    "sortino_ratio": {
        "empyrical": "sortino_ratio",
        "quantstats": "sortino",
        "ffn": "daily_sortino",
        "vectorbt": "sortino_ratio",
    },
    "calmar_ratio": {"empyrical": "calmar_ratio", "quantstats": "calmar", "vectorbt": "calmar_ratio"},
    "max_drawdown": {
        "empyrical": "max_drawdown",
        "quantstats": "max_drawdown",
        "ffn": "max_drawdown",
        "vectorbt": "max_drawdown",
    },
    "win_rate": {"vectorbt": "trades.win_rate", "backtesting.py": "Win Rate [%]"},
    "kelly_fraction": {"backtesting.py": "Kelly Criterion"},
    "profit_factor": {"quantstats": "profit_factor", "vectorbt": "trades.profit_factor"},
    "expectancy": {"vectorbt": "trades.expectancy"},
    "alpha": {"quantstats": "greeks.alpha"},
    "annualised_mean": {"ffn": "daily_mean"},
    "average_down_month": {"ffn": "avg_down_month"},
    "average_drawdown": {"ffn": "avg_drawdown"},
    "average_gain": {"quantstats": "avg_win"},
    "average_loser": {"vectorbt": "trades.losing.pnl.mean"},
    "average_loss": {"quantstats": "avg_loss"},
    "average_up_month": {"ffn": "avg_up_month"},
    "average_winner": {"vectorbt": "trades.winning.pnl.mean"},
    "batting_average": {"empyrical": "batting_average"},
    "best_day": {"ffn": "best_day"},
    "best_month": {"ffn": "best_month"},
    "best_return": {"quantstats": "best"},
    "best_trade": {"vectorbt": "trades.pnl.max"},
    "best_year": {"ffn": "best_year"},
    "beta": {"empyrical": "beta", "quantstats": "greeks.beta", "vectorbt": "beta"},
    "common_sense_ratio": {"quantstats": "common_sense_ratio"},
    "down_beta": {"empyrical": "down_alpha_beta[1]"},
    "downside_deviation": {"empyrical": "downside_risk", "vectorbt": "downside_risk"},
    "expected_shortfall": {"empyrical": "conditional_value_at_risk", "vectorbt": "cond_value_at_risk"},
    "gain_to_pain_ratio": {"quantstats": "gain_to_pain_ratio"},
    "geometric_mean": {"quantstats": "geometric_mean"},
    "longest_losing_streak": {"quantstats": "consecutive_losses", "vectorbt": "trades.losing_streak.max"},
    "longest_winning_streak": {"quantstats": "consecutive_wins", "vectorbt": "trades.winning_streak.max"},
    "mean_return": {"quantstats": "avg_return"},
    "omega_ratio": {"empyrical": "omega_ratio", "quantstats": "omega", "vectorbt": "omega_ratio"},
    "payoff_ratio": {"quantstats": "payoff_ratio"},
    "positive_years": {"ffn": "win_year_perc"},
    "r_squared": {"quantstats": "r_squared"},
    "stability": {"empyrical": "stability_of_timeseries"},
    "system_quality_number": {"vectorbt": "trades.sqn", "backtesting.py": "SQN"},
    "tail_ratio": {"empyrical": "tail_ratio", "quantstats": "tail_ratio", "vectorbt": "tail_ratio"},
    "up_beta": {"empyrical": "up_alpha_beta[1]"},
    "value_at_risk": {"empyrical": "value_at_risk", "vectorbt": "value_at_risk"},
    "worst_day": {"ffn": "worst_day"},
    "worst_month": {"ffn": "worst_month"},
    "worst_return": {"quantstats": "worst"},
    "worst_trade": {"vectorbt": "trades.pnl.min"},
    "worst_year": {"ffn": "worst_year"},
}
"""Which packages give the same number to 1e-9, and what they call it."""


def differences_of(name: str) -> tuple[tuple[str, ...], list[Difference]]:
    """Give the packages that agree about a metric, and how the others differ."""
    known(name)
    return tuple(EQUAL.get(name, {})), [one for one in DIFFERENCES if one.metric == name]


def differences(name: str | None = None) -> pd.DataFrame:
    """List where other packages give another number, who is right, and why.

    Parameters
    ----------
    name : str, optional
        One metric; all of them when left out.

    Returns
    -------
    pandas.DataFrame
        A row a case: `metric`, `peer`, `version`, `called` (there), `ours`, `theirs`, `right` ("ours", "theirs" or
        "both"), `why`, `case` (the input; the worked one of six daily returns where empty). What agrees on the worked
        returns, on 800 generated ones and on the worked trades is listed with `right` "equal" and without numbers.

    Raises
    ------
    DataError
        There is no such metric.
    """
    import pandas as pd

    if name is not None:
        known(name)
    columns = ["metric", "peer", "version", "called", "ours", "theirs", "right", "why", "case"]
    versions = dict((_E, _Q, _F, _V, _B))
    rows = [[getattr(one, column) for column in columns] for one in DIFFERENCES if name in (None, one.metric)]
    rows += [
        [metric, peer, versions[peer], called, math.nan, math.nan, "equal", "", ""]
        for metric, peers in EQUAL.items()
        for peer, called in peers.items()
        if name in (None, metric)
    ]
    return pd.DataFrame(rows, columns=columns).sort_values("metric", kind="stable", ignore_index=True)
