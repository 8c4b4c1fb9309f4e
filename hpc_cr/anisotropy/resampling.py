"""Errors of shares and of medians over realisations, where no formula for a mean applies."""

import numpy as np

DRAWS = 400
"""Resampled ensembles: their scatter is known to 1/sqrt(2 x 400) = 4 %."""


def share(flags, group=None):
    """Share of rows that have a property, with its binomial error over realisations.

    Parameters
    ----------
    flags : array (n,) of bool
    group : array (n,) of int, optional
        Realisation of each row, which share a field; default: each row its own.

    Returns
    -------
    share, error : float
        The mean of the flags. With the shares p_i of N realisations, of which one more is taken
        to be half here, half there, p = (sum p_i + 1/2)/(N + 1), the error is
        sqrt([(sum p_i^2 + 1/2)/(N + 1) - p^2]/(N + 1)). For single rows that is
        sqrt(p (1 - p)/(n + 1)) at p = (k + 1/2)/(n + 1) (Agresti & Coull 1998 for one standard
        deviation): not zero for k = 0 or n, where the plain formula is. NaN for n = 0.
    """
    flags = np.asarray(flags, bool)
    if not len(flags):
        return np.nan, np.nan
    group = np.arange(len(flags)) if group is None else np.asarray(group)
    _, index = np.unique(group, return_inverse=True)
    each = np.bincount(index, flags) / np.bincount(index)
    n = len(each) + 1
    variance = (np.sum(each**2) + 0.5) / n - ((each.sum() + 0.5) / n) ** 2
    return float(flags.mean()), float(np.sqrt(variance / n))


def same_share_probability(k, n, other_k, other_n):
    """Probability of two samples at least as unlike as k of n and k' of n' with one true share.

    Parameters
    ----------
    k, n, other_k, other_n : int

    Returns
    -------
    float
        Fisher's exact test, two-sided: the hypergeometric probabilities of all divisions of the
        k + k' that are at most as probable as the one found.
    """
    from scipy.special import gammaln

    def log_choose(n, k):
        return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)

    total = k + other_k
    each = np.arange(max(0, total - other_n), min(n, total) + 1)
    log_p = log_choose(n, each) + log_choose(other_n, total - each) - log_choose(n + other_n, total)
    p = np.exp(log_p)
    return float(min(1.0, p[p <= p[each == k] * (1 + 1e-9)].sum()))


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


def bootstrap_scaled(statistic, values, along, group):
    """The same for values that are scaled to a mean which comes from the same rows.

    Parameters
    ----------
    statistic : callable
        From rows (m, k, ...) to a number.
    values : array (n, k, ...)
        Rows, scaled already: all of them, in column k, by one factor.
    along : array (n, k) or None
        What is scaled to a given mean in each column, scaled as well. Each draw is scaled anew, so
        that the error of the factor is in that of the statistic. None: nothing is scaled.
    group : array (n,) of int

    Returns
    -------
    value, error : float
        As from `bootstrap`.
    """
    values = np.asarray(values, float)
    if along is None:
        return bootstrap(statistic, values, group)
    along = np.asarray(along, float)
    n, k = along.shape
    table = np.concatenate([along[..., None], values.reshape(n, k, -1)], axis=-1)
    target = along.mean(axis=0)

    def scaled(rows):
        factor = (target / rows[..., 0].mean(axis=0))[:, None]
        return statistic((rows[..., 1:] * factor).reshape(-1, *values.shape[1:]))

    return bootstrap(scaled, table, group)


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
