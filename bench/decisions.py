"""The statistics of promotion decisions, simulated.

`make bench-decisions`: how often an adapter that is no better is promoted, how often intervals hold the truth, what a
judge saves, whether forecasts come true, how soon drift is found, and how often an audit is wrong. Rates are in
percent, each with its standard error (`_se`). What is simulated with NumPy is held against `lorakit.stats` on some
courses of each kind. Seeds are fixed.
"""

import sys

import numpy as np

from bench.decisions_audits import simulate_audits
from bench.decisions_drift import simulate_drift
from bench.decisions_forecasts import simulate_forecasts
from bench.decisions_intervals import simulate_intervals
from bench.decisions_judges import simulate_judges
from bench.decisions_labels import simulate_labels
from bench.decisions_nulls import simulate_nulls
from bench.report import Goal, finish

GOALS: dict[str, Goal] = {
    "null_worst_promoted_percent": ("<=", 5.0),
    "judge_worst_promoted_percent": ("<=", 5.0),
    "futility_null_promoted_percent": ("<=", 5.0),
    "shares_lowest_percent": (">=", 94.0),
    "grades_lowest_percent": (">=", 94.0),
    "grade_differences_lowest_percent": (">=", 94.0),
    "pass_differences_lowest_percent": (">=", 94.0),
    "clusters_lowest_percent": (">=", 94.0),
    "powered_lowest_percent": (">=", 94.0),
    "times_fewer_labels_likely": (">=", 1.8),
    "times_fewer_labels_mostly_5": (">=", 1.8),
    "saved_worst_beyond_width": ("<=", 0.0),
    "saved_worst_beyond_error": ("<=", 0.0),
    "forecast_worst_inside_percent": (">=", 80.0),
    "forecast_slowest_p95_ms": ("<=", 20.0),
    "verdict_of_399_grades_p95_ms": ("<=", 20.0),
    "verdict_of_399_controlled_p95_ms": ("<=", 20.0),
    "drift_known_sd_75_found_percent": (">=", 90.0),
    "drift_known_sd_90_found_percent": (">=", 75.0),
    "drift_400_labels_sd_75_found_percent": (">=", 90.0),
    "drift_400_labels_sd_90_found_percent": (">=", 75.0),
    "drift_known_sd_75_false_percent": ("<=", 6.0),
    "drift_known_sd_90_false_percent": ("<=", 6.0),
    "drift_400_labels_sd_75_false_percent": ("<=", 6.0),
    "drift_400_labels_sd_90_false_percent": ("<=", 6.0),
    "audit_worst_false_pass_less_2_se_percent": ("<=", 2.5),
    "audit_1_models_power_percent": (">=", 75.0),
    "audit_3_models_power_percent": (">=", 75.0),
}


def main() -> int:
    """Simulate everything, and report."""
    figures: dict[str, float] = {}
    for seed, simulate in enumerate(
        (
            simulate_nulls,
            simulate_judges,
            simulate_intervals,
            simulate_labels,
            simulate_forecasts,
            simulate_drift,
            simulate_audits,
        ),
        start=1,
    ):
        figures |= simulate(np.random.default_rng(seed))
    same: dict[str, Goal] = {key: ("<=", 0.0) for key in figures if key.endswith("_differences_from_lorakit")}
    return finish("decisions", figures=figures, goals=GOALS | same, packages=["numpy"])


if __name__ == "__main__":
    sys.exit(main())
