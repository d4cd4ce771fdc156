"""Whether "about 38 more reviews" comes true, what it costs, and what stopping early costs."""

from math import inf, isinf
from time import process_time

import numpy as np

from bench.decisions_evidence import count_differences, first_looks
from bench.decisions_rates import GRADES, LIKELY, Array, extreme, rate
from lorakit.stats.always_valid import betting_interval
from lorakit.stats.gains import Gains, gains
from lorakit.stats.more_reviews import forecast

CAP = 400
RUNS = 300
STOPPED = 300
DONE = (10, 20, 40, 80)
THRESHOLDS = (0.5, 0.7)
ASK_FROM, ASK_EVERY = 30, 10


def simulate_forecasts(random: np.random.Generator) -> dict[str, float]:
    """Courses still open after 10 to 80 reviews: how often the real stop lies in the range of 10% to 90%."""
    inside: dict[str, float] = {}
    different = 0
    for threshold in THRESHOLDS:
        truths = random.random((10 * RUNS, 1))
        passed = (random.random((10 * RUNS, CAP)) < truths).astype(float)
        of_category = gains([0, 1], threshold=threshold, low=0, high=1)
        inside |= calibration(f"passes_{round(100 * threshold)}", passed, np.arange(2.0), of_category)
        different += _differences(passed, threshold)
    tilts = np.exp(random.normal(0, 0.35, size=(8 * RUNS, 1)) * GRADES) * LIKELY
    limits = np.cumsum(tilts / tilts.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    graded = 1.0 + (random.random((8 * RUNS, CAP, 1)) > limits[:, None, :]).sum(axis=2)
    of_category = gains(GRADES.tolist(), threshold=3.5, low=1, high=5)
    inside |= calibration("grades", graded, GRADES, of_category)
    return {
        **inside,
        **extreme("forecast_worst_inside", inside, highest=False),
        **times(random),
        **futility(random),
        "forecast_differences_from_lorakit": float(different),
    }


def calibration(name: str, verdicts: Array, categories: Array, of_category: Gains) -> dict[str, float]:
    """Of the first open courses of a batch, at each number of reviews done."""
    stops = stops_of(verdicts, categories, of_category)
    rates: dict[str, float] = {}
    for done in DONE:
        open_ones = np.flatnonzero(stops > done)[:RUNS]
        held = []
        for place in open_ones:
            counts = [int((verdicts[place, :done] == value).sum()) for value in categories]
            found = forecast(counts, of_category, cap=CAP, seed=int(place))
            more = stops[place] - done
            held.append((found.early or inf) <= more <= (found.late or inf))
        rates |= rate(f"forecast_{name}_after_{done}_inside", np.array(held))
    return rates


def stops_of(verdicts: Array, categories: Array, of_category: Gains) -> Array:
    """The review that decides each course, either way; infinity for none before the cap."""
    values = np.asarray(of_category.values)[np.searchsorted(categories, verdicts)]
    return np.minimum(first_looks(values, of_category.risk_up), first_looks(-values, of_category.risk_down))


def _differences(passed: Array, threshold: float) -> int:
    declined = first_looks(threshold - passed, 1 - threshold)
    return count_differences(
        declined, lambda place: gains(passed[place].tolist(), threshold=threshold, low=0, high=1), decline=True
    )


def times(random: np.random.Generator) -> dict[str, float]:
    """Milliseconds of processor time; of a forecast after 40 reviews, and of all that a verdict needs at 399."""
    found: dict[str, float] = {}
    for name, categories, threshold in (
        ("passes", [0.0, 1.0], 0.7),
        ("grades", [1.0, 2.0, 3.0, 4.0, 5.0], 3.5),
        ("grade_differences", [float(step) for step in range(-4, 5)], 0.0),
    ):
        low, high = categories[0], categories[-1]
        of_category = gains(categories, threshold=threshold, low=low, high=high)
        # Around the threshold nothing is decided, so the forecast has the most to draw.
        chances = np.exp(-abs(np.array(categories) - threshold))
        chances /= chances.sum()
        seconds = []
        for seed in range(50):
            counts = random.multinomial(40, chances).tolist()
            began = process_time()
            forecast(counts, of_category, cap=CAP, seed=seed)
            seconds.append(process_time() - began)
        found[f"forecast_{name}_p95_ms"] = 1000 * float(np.quantile(seconds, 0.95))
    found["forecast_slowest_p95_ms"] = max(found.values())
    grades = random.choice(GRADES, size=399, p=LIKELY)
    # As control by a judge leaves them: hardly two alike.
    controlled = grades + random.uniform(-0.5, 0.5, size=399)
    for name, values, low, high in (("grades", grades, 1.0, 5.0), ("controlled", controlled, 0.5, 5.5)):
        seconds = []
        for seed in range(20):
            began = process_time()
            one = gains(values.tolist(), threshold=3.5, low=low, high=high)
            # Asked for as a page does; what they say does not matter here.
            assert one.promote >= 0 <= one.decline
            betting_interval(values.tolist(), low=low, high=high)
            counts = [int((grades == grade).sum()) for grade in GRADES]
            forecast(counts, gains(GRADES.tolist(), threshold=3.5, low=1, high=5), cap=CAP, seed=seed)
            seconds.append(process_time() - began)
        found[f"verdict_of_399_{name}_p95_ms"] = 1000 * float(np.quantile(seconds, 0.95))
    return found


def futility(random: np.random.Generator) -> dict[str, float]:
    """Passes at 70% stopped where promotion is hopeless: at the threshold, and what it costs an adapter 10% above."""
    figures: dict[str, float] = {}
    of_category = gains([0, 1], threshold=0.7, low=0, high=1)
    for name, share in (("null", 0.7), ("plus_10", 0.8)):
        passed = (random.random((STOPPED, CAP)) < share).astype(float)
        up = first_looks(passed - 0.7, 0.7)
        stops = np.minimum(up, first_looks(0.7 - passed, 0.3))
        ends = np.minimum(stops, CAP)
        promoted = np.zeros(STOPPED, dtype=bool)
        for place in range(STOPPED):
            for done in range(ASK_FROM, int(ends[place]), ASK_EVERY):
                good = int(passed[place, :done].sum())
                if forecast([done - good, good], of_category, cap=CAP, seed=place).hopeless:
                    ends[place] = done
                    break
            else:
                promoted[place] = not isinf(up[place]) and up[place] == ends[place]
        figures |= rate(f"futility_{name}_promoted", promoted)
        figures[f"futility_{name}_median_reviews"] = float(np.median(ends))
        figures |= rate(f"without_futility_{name}_promoted", up < inf)
    return figures
