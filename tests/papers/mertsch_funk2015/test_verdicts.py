"""Rules of the verdicts.

Theory. Two and three standard deviations of a normal variable leave 4.55 % and 0.27 %; of Student's
t for n realisations that is 2.05 and 3.16 standard errors at n = 50, 2.32 and 4.09 at n = 10. Two
samples of one true share are divided between them by the hypergeometric distribution.
"""

from itertools import combinations

import numpy as np
import pytest

from hpc_cr.anisotropy.resampling import same_share_probability
from hpc_cr.papers import verdicts

pytestmark = pytest.mark.paper


def test_quantiles():
    assert verdicts.quantile(2.0, 50) == pytest.approx(2.05, abs=0.005)
    assert verdicts.quantile(3.0, 50) == pytest.approx(3.16, abs=0.005)
    assert verdicts.quantile(2.0, 10) == pytest.approx(2.32, abs=0.005)
    assert verdicts.quantile(3.0, 10**7) == pytest.approx(3.0, abs=1e-3)


def test_a_tolerance_is_hard():
    """3 + 2 errors, not their quadratic sum."""
    for value, verdict in ((10, "agrees"), (13.15, "agrees"), (13.25, "open"), (13.4, "differs")):
        assert verdicts.equal(value, 0.1, 10.0, 50, tolerance=3.0) == verdict
        assert verdicts.equal(20 - value, 0.1, 10.0, 50, tolerance=3.0) == verdict
    # 3.25 off with an error of 0.1 is within two of sqrt(3^2 + 0.1^2), and yet too far
    assert verdicts.equal(13.25, 0.1, 10.0, 50, tolerance=3.0) == "open"
    # an error above the tolerance and above half of the number decides nothing
    assert verdicts.equal(10.0, 6.0, 10.0, 50, tolerance=3.0) == "open"


def test_equal():
    for value, verdict in ((1.2, "agrees"), (1.25, "open"), (1.33, "differs")):
        assert verdicts.equal(value, 0.1, 1.0, 50) == verdict
    # far away is far away, however small the number expected
    assert verdicts.equal(0.02, 0.003, 1e-4, 50) == "differs"
    assert verdicts.equal(0.002, 0.003, 1e-4, 50) == "open"
    assert verdicts.equal(1.0, np.nan, 1.0, 50) == verdicts.equal(np.nan, 0.1, 1.0, 50) == "open"


def test_bounds():
    assert verdicts.above(1.3, 0.1, 1.0, 50) == verdicts.below(0.7, 0.1, 1.0, 50) == "agrees"
    assert verdicts.above(0.7, 0.1, 1.0, 50) == verdicts.below(1.3, 0.1, 1.0, 50) == "differs"
    # 2.2 errors: enough for 50 realisations, not for 10
    assert verdicts.above(1.22, 0.1, 1.0, 50) == "agrees"
    assert verdicts.above(1.22, 0.1, 1.0, 10) == "open"


def test_ranges():
    """Both ends by two errors (2.05 for n = 50); outside of one end by two is outside."""
    for value, verdict in ((5.1, "open"), (5.3, "agrees"), (14.7, "agrees"), (14.9, "open"),
                           (15.3, "differs"), (4.7, "differs")):  # fmt: skip
        assert verdicts.inside(value, 0.1, 5.0, 15.0, 50) == verdict
    assert verdicts.inside(10.0, np.nan, 5.0, 15.0, 50) == "open"


def test_sizes():
    """Within a factor 2 in the logarithm: 100 to 400 about 200, with errors of 10 %."""
    for value, verdict in ((130, "agrees"), (110, "open"), (75, "differs"), (320, "agrees"),
                           (500, "differs")):  # fmt: skip
        assert verdicts.factor(value, 0.1 * value, 200.0, 50) == verdict
    assert verdicts.factor(200.0, 300.0, 200.0, 50) == "open"
    assert verdicts.factor(200.0, 20.0, 200.0, 9) == "open"
    assert verdicts.factor(-1.0, 0.1, 200.0, 50) == "open"
    assert verdicts.arithmetic(4.9e-4, 5e-4, 0.2e-4) == "agrees"
    assert verdicts.arithmetic(4.7e-4, 5e-4, 0.2e-4) == "differs"


def test_few_realisations_decide_nothing():
    rng = np.random.default_rng(1)
    for n, verdict in ((9, "open"), (10, "agrees")):
        assert verdicts.equal(1.0, 0.01, 1.0, n) == verdict
        assert verdicts.above(2.0, 0.01, 1.0, n) == verdict
        assert verdicts.same_share(0.4, n, 2, 5)[0] == verdict
    assert verdicts.zero(rng.normal(size=(9, 2)), np.arange(9))[0] == "open"


def divisions(k, n, other_k, other_n):
    """The exact test by counting all ways to choose who has the property."""
    people, total = range(n + other_n), k + other_k
    ways = np.bincount([sum(i < n for i in some) for some in combinations(people, total)],
                       minlength=n + 1)  # fmt: skip
    p = ways / ways.sum()
    return p[p <= p[k] * (1 + 1e-9)].sum()


def test_exact_test_of_two_shares():
    for k in range(8):
        assert same_share_probability(k, 7, 2, 5) == pytest.approx(divisions(k, 7, 2, 5))
    assert same_share_probability(20, 50, 2, 5) > 0.9
    # 2 of 5 excludes next to all of 50, which an error of 0.22 of 0.4 would leave open
    assert verdicts.same_share(1.0, 50, 2, 5)[0] == "differs"
    assert verdicts.same_share(0.6, 50, 2, 5)[0] == "agrees"
    assert "30 of 50 against 2 of 5" in verdicts.same_share(0.6, 50, 2, 5)[1]
    assert verdicts.same_share(0.6, 50, 10, 50)[0] == "differs"
