"""Statistics of a run: Dataset in, Dataset out, every estimate with its standard error.

The estimators themselves take plain arrays (`tail`, `estimators`, `quantiles`); the tables here
lift them to Datasets.  Nothing in this package draws or knows the engine.
"""

from simulator.analytics.contributions import contribution_table, shortfall_contributions
from simulator.analytics.curves import convergence_table, exceedance_table
from simulator.analytics.defaults import causes_table, default_table
from simulator.analytics.equity import equity_table, sponsor_table
from simulator.analytics.estimate import Estimate, format_estimate, format_probability
from simulator.analytics.estimators import mean, mean_difference, probability, ratio
from simulator.analytics.holders import absorption_table, holders_table
from simulator.analytics.notes import notes_table
from simulator.analytics.overlays import overlays_table
from simulator.analytics.quantiles import quantile
from simulator.analytics.rating import RatingScale, fitted_scale
from simulator.analytics.risk import risk_table
from simulator.analytics.summary import Analysis, analyse, headline
from simulator.analytics.tail import (
    expected_shortfall,
    shortfall_difference,
    tail_risk,
    value_at_risk,
    value_at_risk_interval,
)
from simulator.analytics.uncertainty import uncertainty_table
from simulator.analytics.worst import worst_paths

__all__ = [
    "Analysis",
    "Estimate",
    "RatingScale",
    "absorption_table",
    "analyse",
    "causes_table",
    "contribution_table",
    "convergence_table",
    "default_table",
    "equity_table",
    "exceedance_table",
    "expected_shortfall",
    "fitted_scale",
    "format_estimate",
    "format_probability",
    "headline",
    "holders_table",
    "mean",
    "mean_difference",
    "notes_table",
    "overlays_table",
    "probability",
    "quantile",
    "ratio",
    "risk_table",
    "shortfall_contributions",
    "shortfall_difference",
    "sponsor_table",
    "tail_risk",
    "uncertainty_table",
    "value_at_risk",
    "value_at_risk_interval",
    "worst_paths",
]
