"""Errors of shares and of medians over realisations, where no formula for a mean applies."""

import numpy as np

DRAWS = 400
"""Resampled ensembles: their scatter is known to 1/sqrt(2 x 400) = 4 %."""


def share(flags):
    """Share of independent realisations that have a property, with its binomial error.

    Parameters
    ----------
    flags : array (n,) of bool

    Returns
    -------
    share, error : float
        k/n, and sqrt(p (1 - p)/(n + 1)) at p = (k + 1/2)/(n + 1) (Agresti & Coull 1998 for one
        standard deviation): not zero for k = 0 or n, where the plain formula is. NaN for n = 0.
    """
    flags = np.asarray(flags, bool)
    if not len(flags):
        return np.nan, np.nan
    p = (flags.sum() + 0.5) / (len(flags) + 1)
    return float(flags.mean()), float(np.sqrt(p * (1 - p) / (len(flags) + 1)))


def bootstrap(statistic, values, group):
    """A statistic of rows, such as a median, with its standard error over realisations.

    The jackknife is inconsistent for order statistics; this draws whole realisations with
    replacement instead.

    Parameters
    ----------
    statistic : callable
        From rows (m, ...) to a number or an array.
    values : array (n, ...)
        Rows.
    group : array (n,) of int
        Realisation of each row.

    Returns
    -------
    value, error : float or ndarray
        The error is NaN for a single realisation. The draws are the same in every call.
    """
    values, group = np.asarray(values, float), np.asarray(group)
    value = statistic(values)
    labels = np.unique(group)
    if len(labels) < 2:
        return value, np.full(np.shape(value), np.nan)[()]
    members = [np.flatnonzero(group == label) for label in labels]
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        chosen = rng.integers(len(labels), size=len(labels))
        drawn.append(statistic(values[np.concatenate([members[i] for i in chosen])]))
    return value, np.std(drawn, axis=0, ddof=1)[()]


def zero_test(values, group):
    """Is the mean of a vector over realisations compatible with zero?

    Parameters
    ----------
    values : array (n, m)
        Rows.
    group : array (n,) of int
        Realisation of each row; realisations count alike.

    Returns
    -------
    chi2, p : float
        mean C^-1 mean with the covariance C of the mean, and the probability of more than that
        for a true mean of zero (Hotelling); NaN for m realisations or fewer.
    """
    values = np.asarray(values, float)
    labels, index = np.unique(group, return_inverse=True)
    each = np.zeros((len(labels), values.shape[1]))
    np.add.at(each, index, values)
    each /= np.bincount(index)[:, None]
    n, m = each.shape
    if n <= m:
        return np.nan, np.nan
    from scipy.special import fdtrc

    mean = each.mean(axis=0)
    chi2 = float(mean @ np.linalg.solve(np.cov(each.T).reshape(m, m) / n, mean))
    return chi2, float(fdtrc(m, n - m, chi2 * (n - m) / (m * (n - 1))))
