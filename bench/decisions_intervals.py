"""How often intervals of 95% hold the truth, from 20 units on."""

from math import comb

import numpy as np

from bench.decisions_rates import GRADES, LIKELY, Array, Flags, extreme, rate
from lorakit.stats import Interval, clopper_pearson_interval, cluster_interval, ends_interval, newcombe_interval
from lorakit.stats.quantiles import t_quantile

RUNS = 20_000
UNITS = (20, 50, 100)
CLUSTERS = (20, 40, 80)
CHECKED = 5

GRADED = {
    "likely": LIKELY,
    "low": np.array([0.3, 0.3, 0.2, 0.15, 0.05]),
    "ends": np.array([0.5, 0, 0, 0, 0.5]),
    "mostly_5": np.array([0.02, 0.03, 0.05, 0.15, 0.75]),
    "nearly_all_5": np.array([0.03, 0, 0, 0.07, 0.9]),
    "all_but_4_percent_5": np.array([0.04, 0, 0, 0, 0.96]),
}
CHANGED = {
    "a_third_ties": ([-3, -2, -1, 0, 1, 2, 3], [0.04, 0.1, 0.16, 0.3, 0.2, 0.14, 0.06]),
    "most_ties": ([-2, -1, 0, 1, 2], [0.03, 0.09, 0.7, 0.12, 0.06]),
    "nearly_all_ties": ([-1, 0, 1, 2], [0.03, 0.9, 0.05, 0.02]),
    "severe_losses": ([-4, 0, 1], [0.04, 0.66, 0.3]),
}
PASSED = {
    "even": (0.45, 0.25, 0.25, 0.05),
    "better": (0.6, 0.2, 0.05, 0.15),
    "alike": (0.9, 0.03, 0.03, 0.04),
    "nearly_all_pass": (0.95, 0.03, 0.01, 0.01),
}


def simulate_intervals(random: np.random.Generator) -> dict[str, float]:
    """Lowest coverage of each kind, over distributions and numbers; `t` is Student's interval of the same grades."""
    checks: list[bool] = []
    found = {
        "grades": grades(random, checks),
        "grades_t": {},
        "grade_differences": differences(random, checks),
        "pass_differences": passes(random, checks),
        "clusters": clusters(random, checks),
    }
    found["grades_t"] = {key: found["grades"].pop(key) for key in list(found["grades"]) if key.startswith("t_")}
    figures = {"shares_lowest_percent": shares()}
    for kind, rates in found.items():
        figures |= extreme(f"{kind}_lowest", rates, highest=False)
    return {**figures, "intervals_differences_from_lorakit": float(len(checks) - sum(checks))}


def shares() -> float:
    """Exactly, for shares from 2% to 98%: the lowest percentage."""
    coverages = []
    for n in UNITS:
        intervals = [clopper_pearson_interval(successes, n) for successes in range(n + 1)]
        for share in np.arange(0.02, 0.981, 0.01):
            chances = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
            coverages.append(sum(p for p, one in zip(chances, intervals, strict=True) if one.low <= share <= one.high))
    return 100 * min(coverages)


def ends(values: Array, low: float, high: float) -> tuple[Array, Array]:
    """`ends_interval` of each line."""
    n = values.shape[1]
    padded = np.column_stack([values, np.full(len(values), low), np.full(len(values), high)])
    centre = padded.mean(axis=1)
    half = t_quantile(0.975, n - 1) * padded.std(axis=1, ddof=1) / np.sqrt(n + 2)
    return np.maximum(centre - half, low), np.minimum(centre + half, high)


def grades(random: np.random.Generator, checks: list[bool]) -> dict[str, float]:
    rates: dict[str, float] = {}
    for kind, chances in GRADED.items():
        for n in UNITS:
            values = random.choice(GRADES, size=(RUNS, n), p=chances)
            truth = float(GRADES @ chances)
            low, high = ends(values, 1, 5)
            rates |= rate(f"{kind}_{n}", holds(low, high, truth))
            checks += same(low, high, [ends_interval(values[run], low=1, high=5).interval() for run in range(CHECKED)])
            half = t_quantile(0.975, n - 1) * values.std(axis=1, ddof=1) / np.sqrt(n)
            rates |= rate(f"t_{kind}_{n}", abs(values.mean(axis=1) - truth) <= half + 1e-12)
    return rates


def differences(random: np.random.Generator, checks: list[bool]) -> dict[str, float]:
    """Of grades from 1 to 5: pseudo-units at 2 either way, or as far as a difference goes, as evaluations do."""
    rates: dict[str, float] = {}
    for kind, (steps, chances) in CHANGED.items():
        for n in UNITS:
            values = random.choice(np.array(steps, dtype=float), size=(RUNS, n), p=chances)
            reach = np.maximum(2.0, abs(values).max(axis=1))
            padded = np.column_stack([values, -reach, reach])
            centre = padded.mean(axis=1)
            half = t_quantile(0.975, n - 1) * padded.std(axis=1, ddof=1) / np.sqrt(n + 2)
            low, high = np.maximum(centre - half, -reach), np.minimum(centre + half, reach)
            rates |= rate(f"{kind}_{n}", holds(low, high, float(np.dot(steps, chances))))
            checks += same(
                low,
                high,
                [ends_interval(values[run], low=-reach[run], high=reach[run]).interval() for run in range(CHECKED)],
            )
    return rates


def passes(random: np.random.Generator, checks: list[bool]) -> dict[str, float]:
    """Of two models that pass or fail the same rows: Newcombe's interval, each table once, and pseudo-units."""
    rates: dict[str, float] = {}
    for kind, chances in PASSED.items():
        for n in UNITS:
            tables, times = np.unique(random.multinomial(n, chances, size=RUNS), axis=0, return_counts=True)
            truth = chances[1] - chances[2]
            intervals = [newcombe_interval(*table) for table in tables.tolist()]
            held = np.array([one.low <= truth <= one.high for one in intervals])
            rates |= rate(f"newcombe_{kind}_{n}", np.repeat(held, times))
            values = random.choice([1.0, -1.0, 0.0], size=(RUNS, n), p=[*chances[1:3], chances[0] + chances[3]])
            low, high = ends(values, -1, 1)
            rates |= rate(f"ends_{kind}_{n}", holds(low, high, truth))
            checks += same(low, high, [ends_interval(values[run], low=-1, high=1).interval() for run in range(CHECKED)])
    return rates


def clusters(random: np.random.Generator, checks: list[bool]) -> dict[str, float]:
    """Of 1 to 6 rows, or of a few large ones among many small; rows pass alike with a correlation of 0.3."""
    rates: dict[str, float] = {}
    alike = 1 / 0.3 - 1
    for share in (0.5, 0.8, 0.9):
        for kind in ("even", "skewed"):
            for count in CLUSTERS:
                shape = (RUNS, count)
                sizes = (
                    random.integers(1, 7, size=shape)
                    if kind == "even"
                    else np.minimum(random.geometric(0.15, size=shape), 60)
                )
                sums = random.binomial(sizes, random.beta(share * alike, (1 - share) * alike, size=shape))
                low, high = of_clusters(sums.astype(float), sizes.astype(float))
                rates |= rate(f"{kind}_{share}_{count}", holds(low, high, share))
                checks += same(
                    low,
                    high,
                    [
                        cluster_interval(sums[run].tolist(), sizes[run].tolist(), low=0, high=1).interval()
                        for run in range(CHECKED)
                    ],
                )
    return rates


def of_clusters(sums: Array, sizes: Array) -> tuple[Array, Array]:
    """`cluster_interval` of each line, on a scale of 0 to 1."""
    count = sums.shape[1]
    mean_size = sizes.mean(axis=1)
    sums = np.column_stack([sums, mean_size, np.zeros(len(sums))])
    sizes = np.column_stack([sizes, mean_size, mean_size])
    rows = sizes.sum(axis=1)
    centre = sums.sum(axis=1) / rows
    squares = ((sums - centre[:, None] * sizes) ** 2).sum(axis=1)
    half = t_quantile(0.975, count - 1) * np.sqrt(squares * (count + 2) / (count + 1)) / rows
    return np.maximum(centre - half, 0), np.minimum(centre + half, 1)


def holds(low: Array, high: Array, truth: float) -> Flags:
    found: Flags = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    return found


def same(low: Array, high: Array, intervals: list[Interval]) -> list[bool]:
    """Whether `lorakit.stats` says the same of the first samples."""
    return [abs(one.low - low[run]) < 1e-9 and abs(one.high - high[run]) < 1e-9 for run, one in enumerate(intervals)]
