"""How often an audit passes a judge that is exactly the margin off, and how often one that fits."""

from math import ceil

import numpy as np

from bench.decisions_rates import GRADES, LIKELY, Array, Flags, rate
from lorakit.stats.transport import Transport, transport_audit

RUNS = 8000
DEVIATION = 0.6
MARGIN = 0.25
PROBES = {1: 10.5, 3: 13.5}
"""By the number of models: probes for a power of 80%, times the square of deviation over margin."""


def simulate_audits(random: np.random.Generator) -> dict[str, float]:
    """Residuals as a normal distribution has them, alone and in clusters, and as grades less a judge's have them."""
    figures: dict[str, float] = {}
    for models, factor in PROBES.items():
        probes = ceil(factor * (DEVIATION / MARGIN) ** 2)
        alone = list(range(probes))
        for name, bias in (("false_pass", MARGIN), ("power", 0.0)):
            residuals = random.normal(bias, DEVIATION, size=(RUNS, probes))
            figures |= rate(f"audit_{models}_models_{name}", passed(residuals, alone, models))
    # Three rows a prompt, alike by a third of their variance.
    prompts = [row // 3 for row in range(120)]
    for name, bias in (("false_pass", MARGIN), ("power", 0.0)):
        shared = np.repeat(random.normal(0, DEVIATION * (1 / 3) ** 0.5, size=(RUNS, 40)), 3, axis=1)
        residuals = bias + shared + random.normal(0, DEVIATION * (2 / 3) ** 0.5, size=(RUNS, 120))
        figures |= rate(f"audit_clusters_{name}", passed(residuals, prompts, 1))
    # A judge that is right in half of rows and one off, mostly too strict, in others.
    graded = random.choice(GRADES, size=(RUNS, 100), p=LIKELY)
    judged = np.clip(graded - random.choice([-1.0, 0.0, 1.0, 2.0], size=graded.shape, p=[0.2, 0.5, 0.25, 0.05]), 1, 5)
    residuals = graded - judged
    centred = residuals - residuals.mean()
    for name, bias in (("false_pass", MARGIN), ("false_pass_other_side", -MARGIN), ("power", 0.0)):
        figures |= rate(f"audit_grades_{name}", passed(centred + bias, list(range(100)), 1))
    # One model's audit is exact at 2.5%: what counts is that no kind of residual is above it beyond chance.
    surely = max(
        value - 2 * figures[key.replace("_percent", "_se")]
        for key, value in figures.items()
        if "false_pass" in key and key.endswith("_percent")
    )
    return {**figures, "audit_worst_false_pass_less_2_se_percent": surely}


def passed(residuals: Array, clusters: list[int], models: int) -> Flags:
    return np.array(
        [
            transport_audit(row, clusters, margin=MARGIN, models=models).verdict is Transport.PASS
            for row in residuals.tolist()
        ]
    )
