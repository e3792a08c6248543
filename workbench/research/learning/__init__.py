"""Machine learning that cannot see the future: features, labels, training in splits of time, scores, forecasts."""

from workbench.research.learning.external import External
from workbench.research.learning.features import Features, FeatureTable, Slower
from workbench.research.learning.filtering import ScoreFilter
from workbench.research.learning.forecasts import Forecasts, forecast_returns, forecast_volatility
from workbench.research.learning.labels import Labels, fixed_horizon, triple_barrier
from workbench.research.learning.leakage import LeakageReport
from workbench.research.learning.model import ModelRun
from workbench.research.learning.scores import Scores, load_scores
from workbench.research.learning.training import train
from workbench.research.learning.weights import average_uniqueness, sample_weights, sequential_bootstrap

__all__ = [
    "External",
    "FeatureTable",
    "Features",
    "Forecasts",
    "Labels",
    "LeakageReport",
    "ModelRun",
    "ScoreFilter",
    "Scores",
    "Slower",
    "average_uniqueness",
    "fixed_horizon",
    "forecast_returns",
    "forecast_volatility",
    "load_scores",
    "sample_weights",
    "sequential_bootstrap",
    "train",
    "triple_barrier",
]
