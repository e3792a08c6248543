"""Where other packages give the same number, where they differ, who is right and why.

The worked input is six daily returns and a benchmark's (`RETURNS`, `BENCHMARK`), 252 periods a year; what each package
gave for it was recorded once with the version named, and cases of other inputs say which. Nothing of those packages is
needed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.risk.metrics.registry import known

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BENCHMARK", "DIFFERENCES", "EQUAL", "RETURNS", "Difference", "differences", "differences_of"]

RETURNS: Final = (0.10, -0.05, 0.02, -0.10, 0.08, 0.04)
BENCHMARK: Final = (0.05, -0.02, 0.01, -0.04, 0.05, -0.01)


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
_LONG = "the growth of a part of the bars is compounded to a year before dividing, so that the ratio explodes"
_GOOG = "SMA 10/30 on the daily GOOG bars that backtesting.py brings: 414.23 % in 3,116 days"
_TRADES = (
    "8 trades of +2, +2, +2, -1, -1, +2, -1, -1 % of the first balance, two a day for 4 days, each of it in full; by "
    "the formula that it publishes"
)

DIFFERENCES: Final = (
    Difference("annualised_return", *_F, "cagr", 92.7513164413219, 93.04333983600696, "both",
               "a year of 365.25 days; ours has 365, as Actual/365 and XIRR do", "6 elapsed days"),
    Difference("annualised_return", "backtesting.py", "0.6.4", "CAGR [%]", 0.21144328913506993,
               0.14159843619607383, "ours",
               "calendar days divided by 252 trading days make years too long; mended in 0.6.6 (21.16 %)", _GOOG),
    Difference("sharpe_ratio", "backtesting.py", "0.6.6", "Sharpe Ratio", 0.7983515642116682, 0.5806232244485349,
               "ours", "compound return over a log-normal volatility; Sharpe (1994) has the arithmetic mean and the "
               "deviation of the same returns", _GOOG),
    Difference("sharpe_ratio", "freqtrade", "2024.10", "sharpe", 7.799572637865061, 12.736648783028533, "ours",
               "mean profit a day over the deviation of a trade, so too large by sqrt(trades per day); days without a "
               "trade and money that is open are not seen", _TRADES),
    Difference("sharpe_ratio", "hummingbot", "2.x", "sharpe_ratio", 7.799572637865061, 2.031104028978208, "ours",
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
               "days from the first bar below the high to the last; ours counts the bars below it"),
)  # fmt: skip
"""What differs, one case a line."""

EQUAL: Final = {
    "total_return": ("empyrical", "quantstats", "ffn", "vectorbt"),
    "annualised_return": ("empyrical", "quantstats", "vectorbt"),
    "annualised_volatility": ("empyrical", "quantstats", "ffn", "vectorbt"),
    "sharpe_ratio": ("empyrical", "quantstats", "ffn", "vectorbt"),
    "sortino_ratio": ("empyrical", "quantstats", "ffn", "vectorbt"),
    "calmar_ratio": ("empyrical", "quantstats", "vectorbt"),
    "max_drawdown": ("empyrical", "quantstats", "ffn", "vectorbt"),
    "annualised_mean": ("ffn",),
    "average_gain": ("quantstats",),
    "average_loss": ("quantstats",),
    "average_drawdown": ("ffn",),
    "average_up_month": ("ffn",),
    "batting_average": ("empyrical",),
    "best_day": ("ffn",),
    "best_month": ("ffn",),
    "best_return": ("quantstats", "ffn"),
    "beta": ("empyrical", "quantstats", "vectorbt"),
    "common_sense_ratio": ("quantstats",),
    "down_beta": ("empyrical",),
    "downside_deviation": ("empyrical", "vectorbt"),
    "expected_shortfall": ("empyrical", "vectorbt"),
    "gain_to_pain_ratio": ("quantstats",),
    "geometric_mean": ("quantstats",),
    "alpha": ("quantstats",),
    "cpc_index": ("quantstats",),
    "kelly_fraction": ("quantstats",),
    "martin_ratio": ("vectorbt",),
    "omega_ratio": ("empyrical", "quantstats", "vectorbt"),
    "payoff_ratio": ("quantstats",),
    "profit_factor": ("quantstats",),
    "r_squared": ("quantstats",),
    "stability": ("empyrical",),
    "tail_ratio": ("empyrical", "quantstats", "vectorbt"),
    "ulcer_index": ("vectorbt",),
    "up_beta": ("empyrical",),
    "value_at_risk": ("empyrical", "vectorbt"),
    "win_rate": ("quantstats",),
    "worst_day": ("ffn",),
    "worst_month": ("ffn",),
    "worst_return": ("quantstats", "ffn"),
}
"""Which packages give the same number of the worked input to 1e-9 (quantstats' trade numbers on returns)."""


def differences_of(name: str) -> tuple[tuple[str, ...], list[Difference]]:
    """Give the packages that agree about a metric, and how the others differ."""
    known(name)
    return EQUAL.get(name, ()), [one for one in DIFFERENCES if one.metric == name]


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
        "both"), `why`, `case` (the input; the worked one of six daily returns where empty). What agrees is listed with
        `right` "equal" and without numbers.

    Raises
    ------
    DataError
        There is no such metric.
    """
    import pandas as pd

    if name is not None:
        known(name)
    columns = ["metric", "peer", "version", "called", "ours", "theirs", "right", "why", "case"]
    versions = dict((_E, _Q, _F, _V))
    rows = [[getattr(one, column) for column in columns] for one in DIFFERENCES if name in (None, one.metric)]
    rows += [
        [metric, peer, versions[peer], "", math.nan, math.nan, "equal", "", ""]
        for metric, peers in EQUAL.items()
        for peer in peers
        if name in (None, metric)
    ]
    return pd.DataFrame(rows, columns=columns).sort_values("metric", kind="stable", ignore_index=True)
