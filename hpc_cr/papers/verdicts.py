"""From a number with its error to a verdict on what a paper says.

Errors are standard errors over n realisations. "Two errors" and "three errors" below are the
quantiles of Student's t for n that a normal variable has at two and three standard deviations:
2.05 and 3.16 errors for n = 50. Below `FEWEST` realisations every verdict is "open": the error
itself is hardly known.
"""

import numpy as np

from hpc_cr.anisotropy.resampling import same_share_probability, zero_test

FEWEST = 10
"""Realisations that a verdict needs."""
SURE = 2.0
"""Standard deviations that decide a comparison."""
APART = 3.0
"""Standard deviations that tell two numbers apart; between SURE and this it stays open."""


def quantile(sigma, n):
    """Student's t for means of n realisations where a normal variable has sigma."""
    from scipy.special import ndtr, stdtrit

    return float(stdtrit(n - 1, ndtr(sigma)))


def equal(value, error, expected, n, tolerance=0.0, most=0.5):
    """Verdict on value = expected, up to a tolerance.

    "agrees": within the tolerance plus two errors, which are below `most` of the number expected
    (or below the tolerance); "differs": further away than the tolerance plus three errors.
    """
    if n < FEWEST or not (np.isfinite(value) and np.isfinite(error)):
        return "open"
    beyond = abs(value - expected) - tolerance
    if beyond > quantile(APART, n) * error:
        return "differs"
    unknown = error > max(tolerance, most * abs(expected))
    return "open" if unknown or beyond > quantile(SURE, n) * error else "agrees"


def above(value, error, bound, n):
    """Verdict on value > bound: by two errors ("agrees"), or below it by as many ("differs")."""
    if n < FEWEST or not (np.isfinite(value) and np.isfinite(error)):
        return "open"
    if abs(value - bound) <= quantile(SURE, n) * error:
        return "open"
    return "agrees" if value > bound else "differs"


def below(value, error, bound, n):
    """Verdict on value < bound, as `above`."""
    return above(-value, error, -bound, n)


def zero(values, group):
    """Verdict on a mean vector (values (n, m)) being zero, and the test behind it as text."""
    chi2, p = zero_test(values, group)
    if not np.isfinite(p):
        return "open", "too few realisations"
    verdict = _of_probability(p, len(np.unique(group)))
    return verdict, f"chi2 = {chi2:.1f} for {values.shape[1]} components, p = {p:.2g}"


def same_share(share, n, count, of):
    """Verdict on a share of n realisations being that of `count` in `of`, and the test as text.

    The exact test of two binomial samples (Fisher): both samples are finite.
    """
    if not (n and np.isfinite(share)):
        return "open", "nothing to count"
    k = int(round(share * n))
    p = same_share_probability(k, n, count, of)
    text = f"{k} of {n} against {count} of {of}: p = {p:.2g} (exact test)"
    return _of_probability(p, n), text


def _of_probability(p, n):
    """2 and 3 standard deviations of a normal variable."""
    if n < FEWEST:
        return "open"
    return "agrees" if p > 0.0455 else "differs" if p < 0.0027 else "open"


def inside(value, error, low, high, n):
    """Verdict on low <= value <= high: inside or outside by two errors; "open" at an edge."""
    ends = above(value, error, low, n), below(value, error, high, n)
    if "differs" in ends:
        return "differs"
    return "agrees" if ends == ("agrees", "agrees") else "open"


def factor(value, error, expected, n, most=2.0):
    """Verdict on a size: value = expected up to a factor.

    "agrees": within the factor by two errors; "differs": outside of it by two; "open" between.
    Errors are relative ones, up to 100 %: beyond that nothing is decided.
    """
    if not (value > 0 and error < value):
        return "open"
    return inside(np.log(value / expected), error / value, -np.log(most), np.log(most), n)


def arithmetic(value, expected, tolerance):
    """Verdict on a number without an error: value = expected up to an absolute tolerance."""
    return "agrees" if abs(value - expected) <= tolerance else "differs"
