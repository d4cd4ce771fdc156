"""How far people, or judges, who graded the same items agree.

Ratings are a sequence of items, each with one rating or None per rater, in the same order of raters. `scale` lists what
can be rated, from lowest to highest. A coefficient is 1 for full agreement and 0 for as much as chance would bring; how
chance is counted differs, and so do the values: always name the coefficient and its weights.
"""

from lorakit.stats.agreement.alpha import METRICS, krippendorff_alpha
from lorakit.stats.agreement.coefficient import Agreement
from lorakit.stats.agreement.gwet import gwet_ac
from lorakit.stats.agreement.kappa import cohen_kappa
from lorakit.stats.agreement.ratings import Rating, raw_agreement
from lorakit.stats.agreement.weights import WEIGHTS

__all__ = [
    "METRICS",
    "WEIGHTS",
    "Agreement",
    "Rating",
    "cohen_kappa",
    "gwet_ac",
    "krippendorff_alpha",
    "raw_agreement",
]
