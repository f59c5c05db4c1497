"""The paired form holds its level over families, in the limit of many examples.

There B and E are known and only the seeds' variance is estimated, which is what errs with few seeds.
"""

import numpy as np
import pytest
from scipy import stats

from trimtab.statistics import assumed_parts, holm
from trimtab.statistics.crossed import Components, paired

pytestmark = pytest.mark.integration

EXAMPLES, STUDIES = 10_000, 3000
# Any false better or worse: before this form of df, with families of 1, 5 and 11 contrasts.
BEFORE = {
    (0.004, 3): (0.042, 0.043, 0.048),
    (0.01, 3): (0.051, 0.092, 0.115),
    (0.02, 3): (0.058, 0.091, 0.131),
    (0.02, 4): (0.052, 0.059, 0.075),
    (0.01, 5): (0.050, 0.049, 0.055),
    (0.02, 2): (0.090, 0.222, 0.351),
}


def parts_of(seed_means, examples, n_seeds):
    """The components of contrasts whose differences by seed are ``seed_means`` (..., seeds)."""
    true = assumed_parts(n_seeds, EXAMPLES)
    return Components(
        mean=seed_means.mean(axis=-1) + examples,
        seeds=seed_means.var(axis=-1, ddof=1) / n_seeds,
        examples=true.examples,
        residual=true.residual,
        n_seeds=n_seeds,
        n_clusters=EXAMPLES,
        examples_df=EXAMPLES - 1.0,
    )


def family(seed_sd, n_seeds, contrasts, rng):
    """p (studies, contrasts) of equal variants against one baseline."""
    true = assumed_parts(n_seeds, EXAMPLES, seed_deviation=seed_sd)
    of_seed = np.sqrt(true.seeds * n_seeds / 2)  # of one variant
    lasting = np.sqrt((true.examples - true.residual) / 2)
    means = of_seed * rng.standard_normal((STUDIES, contrasts + 1, n_seeds))
    examples = lasting * rng.standard_normal((STUDIES, contrasts + 1))
    parts = parts_of(means[:, 1:] - means[:, :1], examples[:, 1:] - examples[:, :1], n_seeds)
    variance, df = paired(parts)
    return 2 * stats.t.sf(np.abs(parts.mean) / np.sqrt(variance), df)


@pytest.mark.parametrize(("seed_sd", "n_seeds"), BEFORE)
def test_a_family_of_equal_variants_is_seldom_called_different(seed_sd, n_seeds):
    rng = np.random.default_rng([int(seed_sd * 1000), n_seeds])
    for contrasts in (1, 5, 11):
        p = family(seed_sd, n_seeds, contrasts, rng)
        wrong = np.mean([holm(of_study).min() < 0.05 for of_study in p])
        assert wrong <= 0.06 + 2 * np.sqrt(0.05 * 0.95 / STUDIES), (contrasts, wrong)


def test_the_price_at_ten_seeds_is_small():
    """The df of ten seeds hardly change: with five contrasts the smallest difference grows by under 5 %."""
    parts = assumed_parts(10, EXAMPLES)
    variance, df = paired(parts)
    plain = 1 / (parts.seeds / variance / 9 + (parts.examples / variance) ** 2 / (EXAMPLES - 1))
    reach = [stats.t.isf(0.005, each) + stats.t.ppf(0.8, each) for each in (df, plain)]
    assert 1 <= reach[0] / reach[1] < 1.05
