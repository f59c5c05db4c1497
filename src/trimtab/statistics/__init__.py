"""Statistics over scores ``(variants, seeds, examples)``: what differs, by how much, and how surely."""

from trimtab.statistics.compare import Contrast, compare, one_family
from trimtab.statistics.crossed import Estimate, effective_clusters, mean_interval
from trimtab.statistics.equivalence import tost
from trimtab.statistics.multiplicity import benjamini_hochberg, holm

__all__ = [
    "Contrast",
    "Estimate",
    "benjamini_hochberg",
    "compare",
    "effective_clusters",
    "holm",
    "mean_interval",
    "one_family",
    "tost",
]
